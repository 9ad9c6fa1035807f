"""Which operators a difference is made of: further pairs of processes, in which the sides are profiled and not judged.

The pairs are of the same sides as the duet's. Each begins as one of the duet does, for a shorter time: contributions
are relative to a call without the profiler. Then both sides are asked for their operators in two turns, A B B A.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tailgate.gates.duet.campaign import Record
from tailgate.gates.duet.outcome import BASE, HEAD, Names, Outcome
from tailgate.gates.duet.pairs import Pair
from tailgate.gates.duet.side_operators import HOOK
from tailgate.gates.duet.side_process import SideProcess
from tailgate.gates.duet.turns import Turns, abba
from tailgate.gates.duet.verdicts import why_stopped
from tailgate.results.explanation import SIDES, Explanation, Side, explained
from tailgate.results.explanation_text import EXPLAINED
from tailgate.results.operators import Profile
from tailgate.session.settings import Settings
from tailgate.stats.decision import FAIL
from tailgate.text import counted

PAIRS = 6
"""Fewer leave so few degrees of freedom that hardly an operator of a hundred could be told from its scatter."""
CALLS_S = 0.2
"""How long each side is called without the profiler, in one pair."""
TURNS = 2


def to_explain(records: Mapping[str, Record], items: Iterable[pytest.Item], settings: Settings) -> list[Record]:
    """The benchmarks whose operators are asked for: those that failed, where head has the hook; with ``--explain`` all.

    Only of such as both sides were measured, and did the same work.
    """
    if settings.explain == "off" or settings.load is not None:  # a response is no call
        return []
    compared = {name: one for name, one in records.items() if one.outcomes and not (one.stopped or one.incomparable)}
    if settings.explain == "on":
        return list(compared.values())
    filled = {item.nodeid for item in items if getattr(item.ihook, HOOK).get_hookimpls()}
    return [one for name, one in compared.items() if name in filled and _failed(one, settings.duet_pairs)]


def _failed(record: Record, pairs: int) -> bool:
    decisions = record.decisions(pairs).items()
    return any(metric in EXPLAINED and one.verdict == FAIL and not one.more for metric, one in decisions)


@dataclass
class Found:
    """What the sides have told of one benchmark."""

    record: Record
    profiles: tuple[list[list[Profile]], list[list[Profile]]] = field(default_factory=lambda: ([], []))
    """By side, of each pair."""
    calls_s: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """By side: seconds of each call without the profiler."""
    reasons: list[str] = field(default_factory=list)

    def explanation(self, wall_s: float) -> Explanation:
        """All of it."""
        sides = tuple(_side(profiles, calls_s) for profiles, calls_s in zip(self.profiles, self.calls_s, strict=True))
        reasons = [] if all(self.profiles) else self.reasons or ["no operator times: it was interrupted"]
        rows, pairs = explained(*self.profiles), max(map(len, self.profiles))
        return Explanation(rows, sides[BASE], sides[HEAD], tuple(reasons), pairs, wall_s)


def _side(profiles: Sequence[Sequence[Profile]], calls_s: Sequence[float]) -> Side:
    runs = [profile for pair in profiles for profile in pair]
    profiled_s = [profile.call_s for profile in runs if profile.call_s is not None]
    return Side(
        runs[0].profiler if runs else "",
        statistics.fmean(sorted(calls_s)[: (len(calls_s) + 1) // 2]) if calls_s else None,
        statistics.median(profiled_s) if profiled_s else None,
    )


class ProfiledPair(Pair):
    """A pair whose sides are profiled in the place of being measured."""

    def ask(self, names: Names, following: Names | None, first: int, found: Found) -> None:
        """Both sides' profiles; where one has none, the reason."""
        self._answers: tuple[list[Any], list[Any]] = ([], [])
        made = self.measure(names, following, first)
        for side, answers in enumerate(self._answers):
            told = [answer for answer in answers if isinstance(answer, Profile)]
            refusal = next((answer for answer in answers if isinstance(answer, str)), None)
            if refusal is not None:
                found.reasons.append(f"no operator times from the {SIDES[side]} side: {refusal}")
            self._answers[side][:] = [] if refusal is not None else told
        if not made.measured:
            found.reasons.append(f"no operator times: {why_stopped(made)}")
        elif any(len(answers) < TURNS for answers in self._answers) and not found.reasons:
            found.reasons.append("no operator times: its test ended before its turns")
        if found.reasons and all(found.profiles):
            return  # earlier pairs had both sides
        for side, answers in enumerate(self._answers):
            if len(answers) == TURNS:
                found.profiles[side].append(answers)
                iterations = made.turns.iterations if made.turns else 1
                found.calls_s[side].extend(round_s / iterations for round_s in made.rounds_s[side])

    def _in_turns(
        self,
        made: Outcome,
        ready: Sequence[dict[str, Any]],
        deadline_s: float,
        *,
        p99_s: float,
        announce: Callable[[Turns, str], None],
    ) -> None:
        super()._in_turns(made, ready, deadline_s, p99_s=p99_s, announce=announce)
        if made.unlike is not None:
            return
        with self._pinned(ready):
            for side in abba(TURNS, made.first):
                answer = self._processes[side].operators(made.sides[side], deadline_s)
                if answer is None:
                    return
                self._answers[side].append(answer)


def explain(
    records: Sequence[Record],
    processes: Sequence[SideProcess],
    settings: Settings,
    tell: Callable[[str], None],
) -> None:
    """Ask both sides; each record gets its explanation, also of fewer pairs after an interrupt."""
    if not records:
        return
    base, head = processes
    pair = ProfiledPair((base, head), CALLS_S, settings.benchmark_timeout_s, settings.seed)
    chance = random.Random(settings.seed)
    start_s = time.monotonic()
    founds = [Found(record) for record in records]
    try:
        for number in range(PAIRS):
            wanted = [found for found in founds if not found.reasons]
            if not wanted:
                break
            for index, found in enumerate(wanted):
                following = wanted[index + 1].record.names if index + 1 < len(wanted) else None
                pair.ask(found.record.names, following, chance.randrange(HEAD + 1), found)
            pair.close()
            took_s = time.monotonic() - start_s
            tell(f"operator times {number + 1} of {PAIRS}: {counted(len(wanted), 'benchmarks')}, {took_s:.1f} s so far")
    finally:
        pair.close()
        for found in founds:
            found.record.explanation = found.explanation(time.monotonic() - start_s)
