"""Dividing one selection over machines that are alike. Pure functions.

What is compared with each other stays together: a *unit* is the rows that one table of the session would show. Machines
are alike where their fingerprints are equal and the calibration kernel finds them equally fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tailgate.machine.trust import distance, typical

if TYPE_CHECKING:  # a node's interpreter reads this module too
    import pytest

    from tailgate.machine.trust.calibration import Calibration


def unit_of(item: pytest.Item, group_by: str) -> str:
    """The unit of a benchmark: what ``--benchmark-group-by`` puts it beside, as far as that is known before it runs.

    A benchmark without a group is compared with the other parameters of its function.
    """
    function = item.nodeid.partition("[")[0]
    callspec: Any = getattr(item, "callspec", None)
    params: Mapping[str, Any] = getattr(callspec, "params", {})
    marker = item.get_closest_marker("benchmark")
    known = {
        "group": marker.kwargs.get("group") if marker else None,
        "name": item.name,
        "func": function.rpartition("::")[2],
        "fullname": item.nodeid,
        "fullfunc": function,
        "param": getattr(callspec, "id", None),
        **{f"param:{name}": value for name, value in params.items()},
    }
    parts = [f"{word}={known[word]}" for word in group_by.split(",") if known.get(word) is not None]
    return " ".join(parts) or f"fullfunc={function}"


def divided(units: Mapping[str, Sequence[str]], finished: set[str], shares: int) -> list[list[str]]:
    """Divide benchmarks over ``shares`` machines, so that each has about as many to measure; units stay whole.

    The largest unit first, each to the machine that has least: at most 4/3 of the best there is (Graham, "Bounds on
    multiprocessing timing anomalies", 1969). The same units always give the same division.

    Args:
        units: node ids by unit.
        finished: node ids that are measured already, and cost nothing.
        shares: how many machines there are, at least 1.
    """
    loads = [0] * shares
    found: list[list[str]] = [[] for _ in range(shares)]
    cost = {unit: sum(name not in finished for name in names) for unit, names in units.items()}
    for unit in sorted(units, key=lambda one: (-cost[one], one)):
        least = min(range(shares), key=lambda index: (loads[index], len(found[index]), index))
        loads[least] += cost[unit]
        found[least] += units[unit]
    return found


def alike(calibrations: Mapping[str, Sequence[Calibration]]) -> tuple[list[list[str]], list[str]]:
    """Which machines of one fingerprint are equally fast, by name; and a line for each that is not as the first is.

    A machine joins the first group whose first machine it is as fast as (the limits of :mod:`tailgate.machine.trust`).
    """
    groups: list[list[str]] = []
    lines = []
    for name in sorted(calibrations):
        seen = typical(calibrations[name])
        for group in groups:
            moved = distance(typical(calibrations[group[0]]), seen)
            if moved is None:
                group.append(name)
                break
        else:
            if groups:
                lines.append(f"{name} has the fingerprint of {groups[0][0]} and is {moved}: they are not pooled")
            groups.append([name])
    return groups, lines
