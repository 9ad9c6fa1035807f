"""Where a duet's difference lies: both sides' operators in one table, and what of the difference each has."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tailgate.number import is_number
from tailgate.results.operator_matching import CHANGES, UNMATCHED, Matched, matched
from tailgate.results.operators import (
    Operator,
    Profile,
    ProfileError,
    Times,
    mean_times,
    operator_from_json,
    operator_json,
    steady,
)
from tailgate.stats.simultaneous import Difference, difference

SIDES = ("base", "head")
LEAST_SHARE = 0.0005
"""Of base's call: a smaller contribution is never named, however surely it is one."""

MOST_SUM = 1.5
"""Of base's call: where its operators take longer together, the profiler lengthens what it times."""


@dataclass(frozen=True)
class Side:
    """How one side was profiled."""

    profiler: str = ""
    call_s: float | None = None
    """Seconds of a call without the profiler, in the same processes: the mean of the quicker half of all calls, because
    other work on the machine only adds, and a profiler's times are to be compared with it."""
    profiled_call_s: float | None = None
    """The same under the profiler; ``None``: the hook does not tell."""

    @property
    def overhead_rel(self) -> float | None:
        """What the profiler adds to a call."""
        return self.profiled_call_s / self.call_s - 1 if self.call_s and self.profiled_call_s else None


@dataclass(frozen=True)
class Row:
    """One match, with its seconds in a call of either side, one value per pair of processes."""

    match: Matched
    base_s: tuple[float, ...]
    head_s: tuple[float, ...]

    @property
    def differences_s(self) -> list[float]:
        """Head's seconds less base's, by pair."""
        return [head - base for base, head in zip(self.base_s, self.head_s, strict=True)]


@dataclass(frozen=True)
class Explanation:
    """Of one benchmark."""

    rows: tuple[Row, ...] = ()
    base: Side = field(default_factory=Side)
    head: Side = field(default_factory=Side)
    reasons: tuple[str, ...] = ()
    """Why a side has told no operator times, one line each."""
    pairs: int = 0
    wall_s: float = 0.0
    """What it took, of all benchmarks that were explained together."""

    @property
    def call_s(self) -> float | None:
        """Seconds of base's call, which contributions are relative to; ``None``: nothing is to be compared."""
        return None if self.reasons else self.base.call_s

    @cached_property
    def contributions(self) -> list[tuple[Row, Difference]]:
        """Each row with its part of the relative difference; empty where a side is lacking."""
        call_s = self.call_s
        if not call_s:
            return []
        return [(row, difference([one_s / call_s for one_s in row.differences_s], len(self.rows))) for row in self.rows]

    @property
    def told(self) -> list[tuple[Row, Difference]]:
        """The contributions that exceed their scatter."""
        return [one for one in self.contributions if one[1].told and abs(one[1].mean) >= LEAST_SHARE]

    @property
    def total_rel(self) -> float | None:
        """The operators' difference, all together."""
        found = self.contributions
        return math.fsum(part.mean for _, part in found) if found else None

    @property
    def lengthened(self) -> float | None:
        """How many times as long a profiled call of base is, where its operators' sum exceeds the plain call by half.

        Their parts then add up to more than there is. ``None``: they do not, or a hook that tells what its profiler
        adds shows that it is little: operators that run at the same time may exceed the call.
        """
        call_s = self.call_s
        if not call_s:
            return None
        sum_rel = math.fsum(statistics.fmean(row.base_s) for row in self.rows if row.base_s) / call_s
        told = self.base.profiled_call_s
        times = sum_rel if told is None else told / call_s
        return times if min(times, sum_rel) > MOST_SUM else None

    def as_json(self) -> dict[str, Any]:
        """For the saved run: the times of every pair, and what follows from them."""
        parts = {id(row): part for row, part in self.contributions}
        told = {id(row) for row, _ in self.told}
        return {
            "reasons": list(self.reasons),
            "pairs": self.pairs,
            "wall_s": self.wall_s,
            **{name: _side_json(getattr(self, name)) for name in SIDES},
            "total_rel": self.total_rel,
            "rows": [_row_json(row, parts.get(id(row)), told=id(row) in told) for row in self.rows],
        }

    @classmethod
    def from_json(cls, saved: Any) -> Explanation:
        """Back from :meth:`as_json`; what follows from the times is computed anew.

        Raises:
            ProfileError: it is not from there.
        """
        listed = saved.get("rows") if isinstance(saved, Mapping) else None
        if not isinstance(listed, list):
            raise ProfileError("its operators are not a table of ours")
        reasons = saved.get("reasons")
        wall_s, pairs = saved.get("wall_s"), saved.get("pairs")
        base, head = (_side(saved.get(name)) for name in SIDES)
        return cls(
            tuple(map(_row, listed)),
            base,
            head,
            reasons=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
            pairs=pairs if isinstance(pairs, int) else 0,
            wall_s=wall_s if is_number(wall_s) else 0.0,
        )


def explained(base: Sequence[Sequence[Profile]], head: Sequence[Sequence[Profile]]) -> tuple[Row, ...]:
    """The table of both sides' runs.

    Args:
        base: for each pair of processes, the profiles that its base side gave in turn.
        head: the same of head, for the same pairs; one of the two may be empty, and its rows are then unmatched.

    Returns:
        Its rows, the largest difference first.
    """
    ours, theirs = _by_pair(base), _by_pair(head)
    mine, yours = ({operator for times in side for operator in times} for side in (ours, theirs))
    found = matched(mine, yours)
    if not ours or not theirs:
        found = [Matched(UNMATCHED, one.base, one.head) for one in found]
    rows = [Row(one, _times_s(one.base, ours), _times_s(one.head, theirs)) for one in found]
    return tuple(sorted(rows, key=lambda row: (-abs(math.fsum(row.head_s) - math.fsum(row.base_s)), row.match)))


def _by_pair(side: Sequence[Sequence[Profile]]) -> list[Times]:
    runs = iter(steady([profile.times for pair in side for profile in pair]))
    return [mean_times([next(runs) for _ in pair]) for pair in side]


def _times_s(operators: Sequence[Operator], side: Sequence[Times]) -> tuple[float, ...]:
    return tuple(math.fsum(times[one].time_s for one in operators if one in times) for times in side)


def _side_json(side: Side) -> dict[str, Any]:
    return {
        "profiler": side.profiler,
        "call_s": side.call_s,
        "profiled_call_s": side.profiled_call_s,
        "profiler_overhead_rel": side.overhead_rel,
    }


def _side(saved: Any) -> Side:
    found = saved if isinstance(saved, Mapping) else {}
    seconds = [value if is_number(value := found.get(name)) and value > 0 else None for name in
               ("call_s", "profiled_call_s")]  # fmt: skip
    return Side(str(found.get("profiler") or ""), *seconds)


def _row_json(row: Row, part: Difference | None, *, told: bool) -> dict[str, Any]:
    return {
        "change": row.match.change,
        "base": [operator_json(one) for one in row.match.base],
        "head": [operator_json(one) for one in row.match.head],
        "base_s": list(row.base_s),
        "head_s": list(row.head_s),
        "contribution_rel": part.mean if part else None,
        "contribution_low_rel": part.low if part else None,
        "contribution_high_rel": part.high if part else None,
        "exceeds_scatter": told if part else None,
    }


def _row(saved: Any) -> Row:
    if not isinstance(saved, Mapping) or saved.get("change") not in CHANGES:
        raise ProfileError("a row of its operators is not of ours")
    times: dict[str, tuple[float, ...]] = {}
    for name in SIDES:
        values = saved.get(f"{name}_s")
        if not isinstance(values, list) or not all(is_number(value) and value >= 0 for value in values):
            raise ProfileError(f"{name}_s of an operator must be seconds of 0 or more")
        times[name] = tuple(map(float, values))
    if saved["change"] != UNMATCHED and len(times["base"]) != len(times["head"]):
        raise ProfileError("an operator has not as many times in base as in head")
    base, head = (tuple(map(operator_from_json, saved.get(name) or ())) for name in SIDES)
    return Row(Matched(saved["change"], base, head), times["base"], times["head"])


def saved_explanations(run: Mapping[str, Any]) -> dict[str, Explanation]:
    """Of a saved duet, by full name; what is broken is left out."""
    duet = run.get("tailgate_duet")
    benchmarks = duet.get("benchmarks") if isinstance(duet, Mapping) else None
    found: dict[str, Explanation] = {}
    for one in benchmarks if isinstance(benchmarks, list) else ():
        if isinstance(one, Mapping) and one.get("operators"):
            with contextlib.suppress(ProfileError, ArithmeticError):
                found[str(one.get("fullname"))] = Explanation.from_json(one["operators"])
    return found
