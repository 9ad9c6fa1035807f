"""What a history is, as plain data: sessions in their order, and of each benchmark points, levels and changes.

An index is a place in :attr:`History.sessions`, and in every benchmark's points. Values are in the metric's unit:
seconds, or items per second for ``throughput``. Changes are relative and of the metric itself: +0.03 is 3 % more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tailgate.gates.saved.sessions import Session


@dataclass(frozen=True)
class Point:
    """One benchmark in one session."""

    value: float | None
    unused: str | None = None
    """Why it does not count; ``None``: it does."""
    far: bool = False
    """Whether it lies so far from its level that the level is found without it."""


@dataclass(frozen=True)
class Level:
    """A stretch of sessions between which nothing is known to have changed."""

    first: int
    last: int
    """The index of the last session in it."""
    value: float
    sessions: int
    """How many count."""


@dataclass(frozen=True)
class Commits:
    """What lies between the session before a change and the one after it."""

    said: str
    """One line: how many commits, or why that is not known."""
    log: Sequence[str] = ()
    """The newest of them, as ``git log`` has them: short id and subject."""
    count: int | None = None
    """How many; ``None``: that is not known, or the first is no ancestor of the second."""
    unchanged: bool = False
    """Whether both sessions measured the same commit, without uncommitted changes."""


@dataclass(frozen=True)
class Change:
    """A place where a benchmark's level changed."""

    index: int
    """The first session of the new level."""
    earliest: int
    latest: int
    """The first session of the new level is one of these (95 %)."""
    previous: int
    """The last session of the old level that counts."""
    change_rel: float
    low_rel: float
    high_rel: float
    """Ends of the 99 % interval."""
    worse: bool
    commits: Commits
    machine: Sequence[str]
    """What changed on the machine there, one short text each; empty: nothing that is known."""
    unknown: Sequence[str]
    """What of the machine could not be compared."""
    accepted: int | None
    """The session by which a user accepted the new level (``tailgate baselines accept``)."""

    @property
    def machines(self) -> bool:
        """Whether it is the machine's: it changed there too, or the code did not change at all."""
        return bool(self.machine) or self.commits.unchanged


@dataclass(frozen=True)
class BenchmarkHistory:
    """One benchmark on one machine."""

    fullname: str
    points: Sequence[Point]
    """One per session."""
    levels: Sequence[Level]
    changes: Sequence[Change]
    reason: str | None = None
    """Why no change could be told; ``None``: it could."""


@dataclass(frozen=True)
class History:
    """All sessions of one name on one machine."""

    name: str
    metric: str
    folders: Sequence[str]
    """The folders of its fingerprints; several where its software changed, and its hardware did not."""
    sessions: Sequence[Session]
    order: str
    """By what the sessions are ordered, in words."""
    notes: Sequence[str]
    """What was left out or could not be known, one line each."""
    benchmarks: Sequence[BenchmarkHistory]
