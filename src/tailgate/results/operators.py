"""The operators of one benchmark and their times, as a project's profiler tells them. Pure values.

``pytest_tailgate_explain`` (docs/regressions/operators.md) gives a profile as plain values; here it is checked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tailgate.number import number

MOST = 1e6
"""Seconds of an operator, and calls of it, in one call of a benchmark."""


@dataclass(frozen=True, order=True)
class Operator:
    """What tells one operator from another."""

    name: str
    """Of the node; empty where its name was another one in every run."""
    kind: str = ""
    """Such as ``Conv``."""
    shapes: str = ""
    """Of its inputs, with commas between them, such as ``1x3x224x224, 64x3x7x7``."""
    sources: tuple[str, ...] = ()
    """Names of the operators that were fused into it, in the profiler's words."""


@dataclass(frozen=True)
class Spent:
    """On one operator, in one call of the benchmark."""

    time_s: float
    calls: float = 1.0
    """How often it ran."""


class ProfileError(ValueError):
    """What should be a profile is none; the text is one line."""


Times = dict[Operator, Spent]


@dataclass(frozen=True)
class Profile:
    """What one profiled run told."""

    profiler: str
    times: Times
    call_s: float | None = None
    """Seconds of one call under the profiler, by the wall; ``None``: not told."""


def checked_profile(found: Any) -> Profile:
    """The profile from what a hook gave.

    Raises:
        ProfileError: one line with what is wrong.
    """
    if not isinstance(found, Mapping):
        raise ProfileError(f"it gave {_shown(found)}, not a dictionary with 'operators'")
    listed = found.get("operators")
    if not isinstance(listed, Iterable) or isinstance(listed, str | bytes | Mapping):
        raise ProfileError(f"its 'operators' is {_shown(listed)}, not a list of dictionaries")
    call_s = found.get("call_s")
    if call_s is not None and not _is_positive(call_s):
        raise ProfileError(f"its 'call_s' is {_shown(call_s)}, not seconds above 0, at most {MOST:g}")
    times = summed(_operator(index, one) for index, one in enumerate(listed))
    if not times:
        raise ProfileError("its profile is empty")
    if not any(spent.time_s for spent in times.values()):
        raise ProfileError("all operators of its profile took 0 s")
    profiler = found.get("profiler")
    return Profile(profiler if isinstance(profiler, str) else "", times, number(call_s))


def summed(listed: Iterable[tuple[Operator, Spent]]) -> Times:
    """The same operator several times is one; the order does not matter."""
    found: dict[Operator, list[Spent]] = {}
    for operator, spent in listed:
        found.setdefault(operator, []).append(spent)
    return {
        operator: Spent(math.fsum(one.time_s for one in several), math.fsum(one.calls for one in several))
        for operator, several in sorted(found.items())
    }


def steady(runs: Sequence[Times]) -> list[Times]:
    """The runs of one side, with a name that not every run has left out: it is taken for a generated one."""
    common = Counter(operator for run in runs for operator in run)
    return [
        summed(
            (operator if common[operator] == len(runs) else Operator("", operator.kind, operator.shapes), spent)
            for operator, spent in run.items()
        )
        for run in runs
    ]


def mean_times(runs: Sequence[Times]) -> Times:
    """One call's times over several runs; an operator that a run lacks took no time there."""
    total = summed((operator, spent) for run in runs for operator, spent in run.items())
    return {operator: Spent(spent.time_s / len(runs), spent.calls / len(runs)) for operator, spent in total.items()}


def total_s(times: Times) -> float:
    """Of all operators, in one call."""
    return math.fsum(spent.time_s for spent in times.values())


def operator_json(one: Operator) -> dict[str, Any]:
    """For a saved run."""
    return {**asdict(one), "sources": list(one.sources)}


def operator_from_json(saved: Any) -> Operator:
    """Back from :func:`operator_json`.

    Raises:
        ProfileError: it is not from there.
    """
    return _identity(saved, "operator")


def _operator(index: int, one: Any) -> tuple[Operator, Spent]:
    which = f"operator {index + 1}"
    operator = _identity(one, which)
    if not operator.name:
        raise ProfileError(f"{which} has no name")
    which += f" ({_shown(operator.name)})"
    time_s, calls = number(one.get("time_s")), number(one.get("calls", 1))
    if time_s is None or not 0 <= time_s <= MOST:
        raise ProfileError(f"the time_s of {which} is {_shown(one.get('time_s'))}, not seconds of 0 to {MOST:g}")
    if calls is None or not 0 < calls <= MOST:
        raise ProfileError(
            f"the calls of {which} are {_shown(one.get('calls'))}, not a number above 0, at most {MOST:g}"
        )
    return operator, Spent(float(time_s), float(calls))


def _identity(one: Any, which: str) -> Operator:
    if not isinstance(one, Mapping):
        raise ProfileError(f"{which} is {_shown(one)}, not a dictionary")
    for field in ("name", "kind", "shapes"):
        if not isinstance(one.get(field, ""), str):
            raise ProfileError(f"the {field} of {which} is {_shown(one[field])}, not text")
    sources = one.get("sources", ())
    if not isinstance(sources, Sequence) or isinstance(sources, str) or not all(isinstance(at, str) for at in sources):
        raise ProfileError(f"the sources of {which} are {_shown(sources)}, not a list of names")
    return Operator(
        str(one.get("name", "")), str(one.get("kind", "")), str(one.get("shapes", "")), tuple(sorted({*sources}))
    )


def _is_positive(value: Any) -> bool:
    found = number(value)
    return found is not None and 0 < found <= MOST


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
