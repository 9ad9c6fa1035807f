"""``--load`` and the options that say more about it, checked together."""

from __future__ import annotations

import math

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
    SCHEDULES,
    Load,
    limit_of,
    load_names,
    parsed,
    refuse_too_long,
    requests_at_least,
)


def requested_load(
    config: pytest.Config, texts: dict[str, str | None], *, processes: int, tenants: int, timeout_s: float | None
) -> Load | None:
    """The load that a session asks for; ``None``: none.

    Args:
        config: to tell what was typed from what an ini file says: there, an option that needs a load waits for one.
        texts: of the instrument's options, by name; ``None``: not given.
        processes: in a row.
        tenants: at once.
        timeout_s: what a benchmark may take; ``None``: it has no process of its own that could be ended.

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
    if servers > 1 and timeout_s is None:
        raise TailgateError(f"--servers={servers} needs a process for each server: add --isolation=process")
    for name, count in (("processes", processes), ("tenants", tenants)):
        if count > 1:
            raise TailgateError(
                f"--load plays one schedule to one queue, and not to --{name}={count}; leave one of them out"
            )
    if config.getoption("tailgate_rounds", None) is not None:
        raise TailgateError("--rounds counts the calls of a closed loop; with --load write --load-seconds")
    seconds = option_values.seconds(
        "--load-seconds", option_values.default(texts["load-seconds"], str(DEFAULT_LOAD_S)), most_s=LONGEST_LOAD_S
    )
    load = Load(names, seconds, servers, limit, min(timeout_s or LONGEST_LOAD_S, LONGEST_LOAD_S))
    for name in names:
        _refuse_too_much(name, load, in_a_duet=texts["duet"] is not None)
    return load


def _refuse_too_much(name: str, load: Load, *, in_a_duet: bool) -> None:
    """Too many requests, or more than fit into a benchmark's time, as far as the rate is known."""
    one = parsed(name)
    rate_per_s = one.rate_per_s
    if (rate_per_s or 0) * load.seconds > MOST_REQUESTS:
        raise TailgateError(
            f"--load: {rate_per_s:g} requests/s for {load.seconds:g} s are more than {MOST_REQUESTS:,} requests; "
            "lower the rate or --load-seconds"
        )
    if rate_per_s is not None and not in_a_duet:
        requests = max(requests_at_least(load.limit), math.ceil(rate_per_s * load.seconds))
        refuse_too_long(name, requests, requests / rate_per_s, load.most_s)
    needed_s = SCHEDULES * load.seconds
    if one.kind == PEAK and needed_s >= load.most_s:
        raise TailgateError(
            f"--load=peak plays up to {SCHEDULES} schedules of --load-seconds={load.seconds:g}, and a benchmark may "
            f"take {load.most_s:,.6g} s; lower it, or add --benchmark-timeout={1.5 * needed_s:.0f}"
        )
