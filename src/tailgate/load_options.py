"""``--load`` and the options that say more about it, checked together."""

from __future__ import annotations

import pytest

from tailgate import option_values
from tailgate.errors import TailgateError
from tailgate.processes.tenants.options import MOST_TENANTS
from tailgate.session.load import (
    DEFAULT_LOAD_S,
    EXAMPLE,
    LONGEST_LOAD_S,
    MOST_REQUESTS,
    PEAK,
    Load,
    limit_of,
    load_names,
    parsed,
)


def requested_load(
    config: pytest.Config, texts: dict[str, str | None], *, processes: int, tenants: int, isolated: bool
) -> Load | None:
    """The load that a session asks for; ``None``: none.

    Args:
        config: to tell what was typed from what an ini file says: there, an option that needs a load waits for one.
        texts: of the instrument's options, by name; ``None``: not given.
        processes: in a row.
        tenants: at once.
        isolated: whether each benchmark has a process of its own.

    Raises:
        TailgateError: one line that names the wrong value and the allowed ones.
    """
    text = texts["load"]
    if text is None:
        for name in ("load-limit", "load-seconds", "servers"):
            if config.getoption(f"tailgate_{name.replace('-', '_')}", None) is not None:
                raise TailgateError(f"--{name} says more about a load: add {EXAMPLE}")
        return None
    names = load_names(text, texts["load-limit"])
    limit = option_values.optional(texts["load-limit"], limit_of)
    if limit is None and PEAK in names:
        raise TailgateError(
            "--load=peak is the highest rate that keeps a limit: add one, such as --load-limit=p99=50ms"
        )
    if texts["duet"] is not None and (names != (names[0],) or PEAK in names[0] or texts["servers"] not in (None, "1")):
        raise TailgateError(
            "--duet plays one schedule to one server a side: one rate, no peak, and no --servers "
            f"(given: --load={text}{'' if texts['servers'] is None else ' --servers=' + texts['servers']})"
        )
    servers = option_values.integer(
        "--servers", option_values.default(texts["servers"], "1"), least=1, most=MOST_TENANTS
    )
    if servers > 1 and not isolated:
        raise TailgateError(f"--servers={servers} needs a process for each server: add --isolation=process")
    for name, count in (("processes", processes), ("tenants", tenants)):
        if count > 1:
            raise TailgateError(
                f"--load plays one schedule to one queue, and not to --{name}={count}; leave one of them out"
            )
    if config.getoption("tailgate_rounds", None) is not None:
        raise TailgateError("--rounds counts the calls of a closed loop; with --load write --load-seconds")
    seconds = option_values.seconds("--load-seconds", texts["load-seconds"], DEFAULT_LOAD_S, LONGEST_LOAD_S)
    for one in map(parsed, names):
        if (one.rate_per_s or 0) * seconds > MOST_REQUESTS:
            raise TailgateError(
                f"--load: {one.rate_per_s:g} requests/s for {seconds:g} s are more than {MOST_REQUESTS:,} requests; "
                "lower the rate or --load-seconds"
            )
    return Load(names, seconds, servers, limit)
