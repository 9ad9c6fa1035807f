"""How much worse is too much: ``--gate-min-effect``, ``--gate-metrics`` and ``@pytest.mark.gate``."""

import re
from typing import Any

import pytest

from tailgate.errors import TailgateError, unknown_value
from tailgate.number import number
from tailgate.option_values import duration_s
from tailgate.results.limits import DEFAULT_LIMITS_REL, METRICS, Limits

CEILINGS = tuple(f"{metric}_max" for metric in ("median", "p99"))
FLOORS = ("throughput_min",)
MOST_REL = 10.0
"""A larger limit would fail nothing that anyone measures."""


def session_limits(min_effect: str | None, metrics: str | None, *, duet: bool = False) -> Limits:
    """The limits that ``--gate-min-effect`` and ``--gate-metrics`` set; ``None``: not given.

    ``duet``: its metrics, where none are named, are the median and, where there are enough calls, P99,
    which can be judged in pairs (docs/evidence/statistics.md).

    Raises:
        TailgateError: one line with the wrong value and what is allowed.
    """
    if_enough = frozenset({"p99"} if duet and metrics is None else ())
    names = ["median", *if_enough] if metrics is None else [name.strip() for name in metrics.split(",")]
    for name in names:
        if name not in METRICS:
            raise TailgateError(unknown_value("--gate-metrics", name, METRICS, noun="metric"))
    if min_effect is None:
        return Limits({name: DEFAULT_LIMITS_REL[name] for name in METRICS if name in names}, if_enough=if_enough)
    limit_rel = percentage("--gate-min-effect", min_effect)
    # A smaller minimum for all would make a P99 fail by chance: its own default stays the least.
    return Limits(
        {n: max(limit_rel, DEFAULT_LIMITS_REL["p99"]) if n == "p99" else limit_rel for n in METRICS if n in names},
        if_enough=if_enough,
    )


def limits_of(item: pytest.Item, session: Limits) -> Limits:
    """The session's limits, and over them what ``@pytest.mark.gate`` says; the nearest marker wins, value by value.

    Raises:
        TailgateError: one line with the test, the wrong value and what is allowed.
    """
    relative, absolute, if_enough = dict(session.relative), dict(session.absolute), session.if_enough
    for marker in reversed(list(item.iter_markers("gate"))):
        where = f"{item.nodeid}: @pytest.mark.gate"
        if marker.args:
            raise TailgateError(f"{where} takes names and values only, such as gate(median='3%', p99_max='50ms')")
        for name, value in marker.kwargs.items():
            if name in METRICS:
                relative[name] = percentage(f"{where}({name}=...)", value)
                if_enough -= {name}
            elif name in CEILINGS:
                absolute[name] = duration_s(f"{where}({name}=...)", value)
            elif name in FLOORS:
                absolute[name] = _positive(f"{where}({name}=...)", value, "items per second")
            else:
                raise TailgateError(unknown_value(where, name, (*METRICS, *CEILINGS, *FLOORS), noun="limit"))
    return Limits({name: relative[name] for name in METRICS if name in relative}, absolute, if_enough)


def percentage(where: str, value: Any) -> float:
    """``"3%"`` -> 0.03.

    Raises:
        TailgateError: anything else; a bare number too, which could mean 3 % or 300 %.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*%\s*", value) if isinstance(value, str) else None
    found_rel = float(match[1]) / 100 if match else 0.0
    if not 0 < found_rel <= MOST_REL:
        allowed = f"a percentage above 0 and up to {MOST_REL:.0%}, such as '3%' or '2.5%'"
        raise TailgateError(f"{where}: {value!r} is not a limit (allowed: {allowed})")
    return found_rel


def _positive(where: str, value: Any, unit: str) -> float:
    found = number(value)
    if found is None or found <= 0:
        raise TailgateError(f"{where}: {value!r} is not a limit (allowed: a number above 0, in {unit})")
    return float(found)
