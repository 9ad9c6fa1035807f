"""From a duet's verdicts to git's words. Pure functions.

A step asks whether a commit is as slow as the bad end. Its limit lies between the levels of the two ends: the gate's
own limit, a quarter of the first duet's change where that is more, and never above half of it. So a change of 3 % by
a gate of 2 % is looked for with 1.5 %, and small changes before a large one do not hide it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tailgate.results.limits import DEFAULT_LIMITS_REL
from tailgate.results.verdict import Verdict, lenient_from_json, overall
from tailgate.stats.decision import (
    FAIL,
    HIGHER_IS_BETTER,
    IMPROVED,
    INCOMPARABLE,
    MISSING,
    NEW,
    PASS,
    UNDECIDED,
)

GOOD, BAD, SKIP = "good", "bad", "skip"
LEAST_SHARE, MOST_SHARE = 0.25, 0.5
"""Of the first duet's change: where the limit of a step lies."""
DECIDING = (FAIL, UNDECIDED, MISSING, INCOMPARABLE, NEW, PASS, IMPROVED)
"""The first of them that there is makes the word of a comparison."""


@dataclass(frozen=True)
class Focus:
    """What the first duet found worse, and what a step looks for."""

    names: tuple[str, ...]
    """Full names of the benchmarks that failed."""
    metric: str
    limit_rel: float
    gate_rel: float
    """The gate's own limit."""

    @property
    def of_one_commit(self) -> Focus:
        """The same for a commit against its parent, which need not hold all of the change."""
        return replace(self, limit_rel=min(self.limit_rel, self.gate_rel))


@dataclass(frozen=True)
class Comparison:
    """One duet of a commit against another."""

    commit: str
    against: str
    attempt: int
    """0, and more for each time that it is asked again with more pairs."""
    focus: Focus | None
    """``None``: the first duet, of every benchmark."""
    verdicts: tuple[Verdict, ...] = ()
    reason: str | None = None
    """Why there are no verdicts."""
    usage: bool = False
    """Whether pytest refused its command line."""
    wall_s: float = 0.0
    notes: tuple[str, ...] = field(default=())
    """What the user should know of how it was measured."""

    @property
    def asked(self) -> tuple[object, ...]:
        """What was asked: two comparisons that ask the same are one."""
        return (self.commit, self.against, self.attempt, self.focus)

    @property
    def word(self) -> str:
        """``good``, ``bad``, ``skip``, or ``undecided`` where more pairs may tell."""
        found = {overall(one for one in self.looked_for if one.fullname == name) for name in self._names}
        if FAIL in found:
            return BAD
        if found and found <= {PASS, IMPROVED}:
            return GOOD
        return UNDECIDED if UNDECIDED in found else SKIP

    @property
    def looked_for(self) -> list[Verdict]:
        """The verdicts on what the first duet found worse; of the first duet all."""
        return [one for one in self.verdicts if self.focus is None or one.metric in {self.focus.metric, "median"}]

    @property
    def telling(self) -> Verdict | None:
        """The verdict to show: of those that made the word, the one of the metric looked for that is most worse."""
        focus = self.focus or focus_of(self.verdicts)
        metric = focus.metric if focus else "median"
        return min(
            self.looked_for,
            key=lambda one: (DECIDING.index(one.verdict), one.metric != metric, -_worse_rel(one)),
            default=None,
        )

    @property
    def pairs(self) -> int:
        """Pairs of processes behind it."""
        return max((one.replicates or 0 for one in self.verdicts), default=0)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        focus = None if self.focus is None else {**vars(self.focus), "names": list(self.focus.names)}
        return {
            **vars(self), "focus": focus, "notes": list(self.notes), "word": self.word,
            "verdicts": [one.as_json() for one in self.verdicts],
        }  # fmt: skip

    @property
    def _names(self) -> Iterable[str]:
        return self.focus.names if self.focus else {one.fullname for one in self.verdicts}


def from_json(saved: dict[str, Any]) -> Comparison:
    """Back from :meth:`Comparison.as_json`.

    Raises:
        LookupError, TypeError: it is not from there.
    """
    named = {name: value for name, value in saved.items() if name != "word"}
    focus = named["focus"] and Focus(**{**named["focus"], "names": tuple(named["focus"]["names"])})
    verdicts = tuple(lenient_from_json(one) for one in named["verdicts"])
    return Comparison(**{**named, "focus": focus, "verdicts": verdicts, "notes": tuple(named["notes"])})


def focus_of(verdicts: Sequence[Verdict]) -> Focus | None:
    """What failed in the first duet; ``None``: nothing did.

    Of several metrics the first of the gate's list is looked for: the median, where it failed, for a P99 needs more
    pairs.
    """
    failed = [one for one in verdicts if one.verdict == FAIL and one.change_rel is not None and one.limit_rel]
    metric = next((name for name in DEFAULT_LIMITS_REL if any(one.metric == name for one in failed)), None)
    if metric is None:
        return None
    chosen = [one for one in failed if one.metric == metric]
    least_rel = min(abs(one.change_rel or 0.0) for one in chosen)
    gate_rel = min(one.limit_rel or 0.0 for one in chosen)
    limit_rel = min(max(gate_rel, LEAST_SHARE * least_rel), MOST_SHARE * least_rel)
    return Focus(tuple(dict.fromkeys(one.fullname for one in chosen)), metric, float(f"{limit_rel:.2g}"), gate_rel)


def _worse_rel(one: Verdict) -> float:
    change_rel = one.change_rel or 0.0
    return -change_rel if one.metric in HIGHER_IS_BETTER else change_rel
