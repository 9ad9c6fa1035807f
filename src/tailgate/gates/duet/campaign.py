"""Pairs until every benchmark is decided; nothing that was measured is lost by what happens after."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tailgate.gates.duet.decision import Decision, decide
from tailgate.gates.duet.outcome import HEAD, Names, Outcome
from tailgate.gates.duet.pairs import Pair
from tailgate.gates.duet.ratios import log_ratio, unusable
from tailgate.gates.duet.same_code import Checkouts, Ran
from tailgate.gates.duet.turns import LEAST_ROUNDS_OF_P99, LONGEST_P99_S, Turns
from tailgate.results.comparability import other_workload
from tailgate.results.explanation import Explanation
from tailgate.results.limits import Limits
from tailgate.stats.decision import FAIL
from tailgate.text import counted

PATIENT = frozenset({"median", "throughput"})
"""Metrics of which an open question alone is worth more pairs; see :func:`tailgate.gates.duet.decision.decide`."""


@dataclass
class Record:
    """What was asked of one benchmark, and its results."""

    names: Names
    limits: Limits
    outcomes: list[Outcome] = field(default_factory=list)
    """Of pairs in which both sides were measured."""
    stopped: Outcome | None = None
    """The first in which one side was not: nothing was measured after it."""
    incomparable: str | None = None
    """Why the sides cannot be compared, though both were measured: more pairs would not help."""
    ran: Ran | None = None
    """Which code the sides ran, where they were to run two."""
    explanation: Explanation | None = None
    """Both sides' operator times, where they were asked for."""
    family: int = 1
    """How many benchmarks are judged together."""

    def decisions(self, pairs: int) -> dict[str, Decision]:
        """The decision on each metric."""
        found = {}
        for metric, limit_rel in self.limits.relative.items():
            if unusable(self.outcomes, metric):
                found[metric] = decide([], metric, limit_rel, pairs, patient=False)
                continue
            ratios = [_ratio(outcome, metric) for outcome in self.outcomes]
            found[metric] = decide(ratios, metric, limit_rel, pairs, patient=metric in PATIENT, family=self.family)
        return found

    @property
    def p99_s(self) -> float:
        """How long the next pair may be measured for the sake of a P99: the first pair decides whether there is one."""
        if "p99" not in self.limits.relative:
            return 0.0
        if self.outcomes:
            return 0.0 if unusable(self.outcomes, "p99") else 2 * LONGEST_P99_S
        return 0.0 if "p99" in self.limits.if_enough else LONGEST_P99_S

    def more(self, pairs: int) -> int:
        """How many pairs are still wanted; a P99 that nobody named wants none once the test fails without it."""
        if self.stopped is not None or self.incomparable is not None:
            return 0
        decisions = self.decisions(pairs)
        fails = any(one.verdict == FAIL and not one.more for one in decisions.values())
        idle = self.limits.if_enough if fails else frozenset()
        wanted = {metric: one.more for metric, one in decisions.items() if metric not in idle}
        return max((more for metric, more in wanted.items() if not unusable(self.outcomes, metric)), default=0)


class Campaign:
    """Measures pairs of all benchmarks that both sides have."""

    def __init__(
        self,
        pair: Pair,
        records: Sequence[Record],
        pairs: int,
        seed: int,
        *,
        same_work: bool,
        checkouts: Checkouts | None,
        tell: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """``tell``: of the progress; ``say``: what the user must know before it is measured."""
        self._pair = pair
        self._records = records
        for record in records:
            record.family = len(records)
        self._pairs = pairs
        self._random = random.Random(seed)
        self._same_work = same_work
        """Whether the sides are to do the same work; another configuration need not."""
        self._checkouts = checkouts
        """Where the sides' code lies; ``None``: they are to run the same code."""
        self._tell, self._say = tell, say
        self.done = 0
        """Pairs of processes so far."""
        self.wall_s = 0.0

    def run(self) -> None:
        """Measure pairs until no benchmark wants more."""
        while wanted := [record for record in self._records if record.more(self._pairs)]:
            start_s = time.monotonic()
            self._one(wanted)
            self.done += 1
            took_s = time.monotonic() - start_s
            self.wall_s += took_s
            left = max((record.more(self._pairs) for record in wanted), default=0)
            self._tell(
                f"pair {self.done}: {counted(len(wanted), 'benchmarks')} in {took_s:.1f} s"
                + (f", at least {left} more to go" if left else "")
            )

    def _one(self, wanted: Sequence[Record]) -> None:
        try:
            for index, record in enumerate(wanted):
                following = wanted[index + 1].names if index + 1 < len(wanted) else None
                outcome = self._pair.measure(
                    record.names,
                    following,
                    self._random.randrange(HEAD + 1),
                    p99_s=record.p99_s,
                    announce=partial(self._tell_of_p99, record),
                )
                if outcome.measured:
                    record.outcomes.append(outcome)
                    record.incomparable = incomparable(outcome, same_work=self._same_work)
                    if self._checkouts is not None and record.ran is None:
                        record.ran = self._checkouts.judge(*(side.final_message["imported"] for side in outcome.sides))
                        record.incomparable = record.ran.reason or record.incomparable
                else:
                    record.stopped = outcome
        finally:
            self._pair.close()

    def _tell_of_p99(self, record: Record, turns: Turns, remedy: str) -> None:
        """Once, where there are too few calls for it; one that nobody named is left out."""
        limits, rounds = record.limits, turns.rounds * turns.blocks
        if "p99" not in limits.relative or record.outcomes or rounds >= LEAST_ROUNDS_OF_P99:
            return
        how = "stays undecided"
        if "p99" in limits.if_enough:
            how = "is not judged"
            relative = {metric: limit_rel for metric, limit_rel in limits.relative.items() if metric != "p99"}
            record.limits = replace(limits, relative=relative, if_enough=limits.if_enough - {"p99"})
        self._say(
            f"{record.names[HEAD]}: P99 {how}, because {counted(rounds, 'calls')} a side in a pair are too few "
            f"(at least {LEAST_ROUNDS_OF_P99}); {remedy}"
        )


def incomparable(outcome: Outcome, *, same_work: bool) -> str | None:
    """Why two sides that were both measured cannot be compared."""
    base, head = outcome.sides
    infos = [side.rows[0]["extra_info"] if side.rows else {} for side in (base, head)]
    differing = other_workload(*infos) if same_work else []
    if differing:
        told = "; ".join(f"{key}: {infos[0][key]!r} in base, {infos[1][key]!r} in head" for key in differing)
        return f"the sides do different work ({told})"
    return None


def _ratio(outcome: Outcome, metric: str) -> float:
    """The pair's ratio, computed once: it is needed after every pair."""
    if metric not in outcome.log_ratios:
        outcome.log_ratios[metric] = log_ratio(outcome, metric)
    return outcome.log_ratios[metric]
