"""The result of one benchmark in one pair."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailgate.gates.duet.turns import Turns
from tailgate.processes.attempt import Attempt

BASE, HEAD = 0, 1
Names = tuple[str, str]
"""Base's and head's of one benchmark."""


@dataclass
class Outcome:
    """What came of both sides."""

    sides: tuple[Attempt, Attempt] = field(default_factory=lambda: (Attempt(), Attempt()))
    rounds_s: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """Seconds of each round, base's and head's; empty where one of them made no measurement."""
    called: tuple[bool, bool] = (False, False)
    """Whether each side's test came to call ``benchmark``."""
    unlike: str | None = None
    """Why two sides that both called it were not measured."""
    turns: Turns | None = None
    first: int = BASE
    """Which side began."""
    cpu: int | None = None
    """The one both sides were kept on; ``None``: left to the scheduler."""
    steal_share: float | None = None
    """Of the CPUs' time while it was measured, taken by the hypervisor."""
    other_cpus: float | None = None
    """CPUs that processes of others used meanwhile."""
    rate_per_s: float | None = None
    """Of the requests of both sides; ``None``: they are called in a closed loop."""
    late_s: float | None = None
    """Under load: P99 of the lateness, where a side could not keep the schedule."""

    log_ratios: dict[str, float] = field(default_factory=dict)
    """Ratios by metric, computed on demand."""

    def passed(self, side: int) -> bool:
        """Whether its process reported in order, and its test passed as far as it went."""
        made = self.sides[side]
        return made.ending is None and all(report["outcome"] == "passed" for report in made.reports)

    @property
    def given_up(self) -> bool:
        """Base measures it, and head's test, without a failure, does not: skipped, or ``benchmark`` not called."""
        made = self.sides[HEAD]
        failed = made.ending is not None or any(report["outcome"] == "failed" for report in made.reports)
        stops = not self.called[HEAD] or not self.passed(HEAD)
        return self.called[BASE] and self.passed(BASE) and stops and not failed

    @property
    def measured(self) -> bool:
        """Whether both sides were measured, and both tests passed."""
        one_each = not any(made.further for made in self.sides)
        return all(self.rounds_s) and one_each and self.passed(BASE) and self.passed(HEAD)
