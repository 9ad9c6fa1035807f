"""One pair: two fresh processes, and every benchmark in turns between them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from tailgate import trust
from tailgate.duet.partner import Partner, SideLostError, last_words
from tailgate.duet.pinning import on_one_cpu
from tailgate.duet.turns import Turns, abba, turns_for
from tailgate.endings import Ending
from tailgate.processes.attempt import Attempt
from tailgate.trust.stretch import between

BASE, HEAD = 0, 1
Names = tuple[str, str]
"""Base's and head's of one benchmark."""


@dataclass
class Outcome:
    """One benchmark in one pair."""

    sides: tuple[Attempt, Attempt] = field(default_factory=lambda: (Attempt(), Attempt()))
    rounds_s: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """Seconds of each round, base's and head's; empty where one of them made no measurement."""
    called: tuple[bool, bool] = (False, False)
    """Whether each side's test came to call ``benchmark``."""
    turns: Turns | None = None
    first: int = BASE
    """Which side began."""
    cpu: int | None = None
    """The one both sides were kept on; ``None``: left to the scheduler."""
    steal_share: float | None = None
    """Of the CPUs' time while it was measured, taken by the hypervisor."""
    other_cpus: float | None = None
    """CPUs that processes of others used meanwhile."""

    log_ratios: dict[str, float] = field(default_factory=dict)
    """By metric, once they were asked for."""

    def passed(self, side: int) -> bool:
        """Its process came home, and its test passed so far as it went."""
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
        """Both sides were, and both tests passed."""
        one_each = not any(made.further for made in self.sides)
        return all(self.rounds_s) and one_each and self.passed(BASE) and self.passed(HEAD)


class Pair:
    """Two processes; ``close`` ends them."""

    def __init__(self, partners: tuple[Partner, Partner], side_s: float, timeout_s: float, seed: int) -> None:
        self._partners = partners
        self._names = [partner.name for partner in partners]
        self._side_s = side_s
        self._chance = random.Random(seed)
        self._timeout_s = timeout_s

    def start(self) -> tuple[list[str], list[str]]:
        """Fresh processes; the names of the benchmarks that each has collected.

        Raises:
            SideLostError: one did not come so far.
        """
        for partner in self._partners:
            partner.stop()
        for partner in self._partners:
            partner.start()
        base, head = (partner.collected() for partner in self._partners)
        return base, head

    def measure(self, names: Names, following: Names | None, first: int) -> Outcome:
        """One benchmark. Where a side is lost, its process and the other's are gone afterwards."""
        made = Outcome(first=first)
        current = BASE
        try:
            if not all(partner.alive for partner in self._partners):
                self.start()
            deadline_s = time.monotonic() + self._timeout_s
            for current, partner in enumerate(self._partners):
                partner.run(names[current], following[current] if following else None)
            ready = []
            for current, partner in enumerate(self._partners):
                ready.append(partner.ready(made.sides[current], deadline_s))
            made.called = (bool(ready[BASE]), bool(ready[HEAD]))
            both = [found for found in ready if found]
            if len(both) == len(ready):
                self._pause()
                turns = _turns(both, self._side_s)
                # They got warm at the same time, and so in each other's way: once more, each alone, not kept.
                for current, partner in enumerate(self._partners):
                    alone_s = partner.block(turns.rounds, turns.iterations, turns.priming, deadline_s)
                    if not both[current]["set_up"]:
                        both[current]["call_s"] = statistics.median(alone_s) / turns.iterations
                made.turns = turns = _turns(both, self._side_s)
                with self._pinned(both) as made.cpu:
                    before = trust.read()
                    for current in abba(turns.blocks, first):
                        partner = self._partners[current]
                        rounds_s = partner.block(turns.rounds, turns.iterations, turns.priming, deadline_s)
                        made.rounds_s[current].extend(rounds_s)
                    _note_disturbance(made, before, trust.read())
            for current, partner in enumerate(self._partners):
                if ready[current]:
                    made.sides[current].farewell = partner.finish(made.sides[current], deadline_s)
        except SideLostError as lost:
            made.sides[self._names.index(lost.side)].ending = self._named(lost)
            made.rounds_s = ([], [])
            self.close()
        return made

    def close(self) -> None:
        """End both processes."""
        for partner in self._partners:
            partner.stop()

    def _pinned(self, ready: Sequence[dict[str, Any]]) -> AbstractContextManager[int | None]:
        if not all(found["one_thread"] for found in ready):
            return nullcontext()
        return on_one_cpu([partner.pid for partner in self._partners if partner.pid], self._chance)

    def _pause(self) -> None:
        for partner in self._partners:
            partner.pause()

    def _named(self, lost: SideLostError) -> Ending:
        if lost.ending.status == "timeout":
            return Ending(
                "timeout",
                f"timeout: not done after {self._timeout_s:g} s (--benchmark-timeout=SECONDS allows more)",
            )
        if "exit code" in lost.ending.reason and lost.output:
            return Ending("crashed", f"{lost.ending.reason}; its last words: {last_words(lost.output)}")
        return lost.ending


def _turns(ready: Sequence[dict[str, Any]], side_s: float) -> Turns:
    """The same for both: as the slower one needs them."""
    return turns_for(
        max(found["call_s"] for found in ready),
        max(found["iterations"] for found in ready),
        side_s,
        set_up=any(found["set_up"] for found in ready),
    )


def _note_disturbance(made: Outcome, before: trust.Reading, after: trust.Reading) -> None:
    seen = between(before, after)
    if seen is not None:
        made.steal_share = None if seen.steal_cpus is None else seen.steal_cpus / (seen.cpus or 1)
        made.other_cpus = seen.other_cpus
