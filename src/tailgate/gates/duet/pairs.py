"""One pair: two fresh processes, and every benchmark in turns between them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from tailgate.gates.duet.load_turns import schedule_orders
from tailgate.gates.duet.pinning import on_one_cpu
from tailgate.gates.duet.side_process import SideLostError, SideProcess, last_line
from tailgate.gates.duet.turns import Turns, abba, p99_remedy, turns_of
from tailgate.machine import trust
from tailgate.machine.trust.stretch import between
from tailgate.processes.attempt import Attempt
from tailgate.processes.endings import Ending
from tailgate.session.load import Load

BASE, HEAD = 0, 1
Names = tuple[str, str]
"""Base's and head's of one benchmark."""


@dataclass
class Outcome:
    """The result of one benchmark in one pair."""

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


class Pair:
    """Two processes; ``close`` ends them."""

    def __init__(
        self,
        processes: tuple[SideProcess, SideProcess],
        side_s: float | None,
        timeout_s: float,
        seed: int,
        load: Load | None = None,
    ) -> None:
        self._processes = processes
        self._names = [process.name for process in processes]
        self._side_s, self._load = side_s, load
        self._chance = random.Random(seed)
        self._timeout_s = timeout_s

    def start(self) -> tuple[list[str], list[str]]:
        """Fresh processes; the names of the benchmarks that each has collected.

        Raises:
            SideLostError: one did not come so far.
        """
        for process in self._processes:
            process.stop()
        for process in self._processes:
            process.start()
        base, head = (process.collected() for process in self._processes)
        return base, head

    def measure(
        self,
        names: Names,
        following: Names | None,
        first: int,
        *,
        p99_s: float = 0.0,
        announce: Callable[[Turns, str], None] = lambda *_: None,
    ) -> Outcome:
        """Measure one benchmark. Where a side is lost, this ends its process and the other's.

        Args:
            names: of the benchmark.
            following: of the next one, whose fixtures may stay.
            first: the side that begins.
            p99_s: how long each side may be measured where that makes enough rounds for a P99.
            announce: is told the turns before any of them, and what makes enough rounds for a P99 where they do not.
        """
        made = Outcome(first=first)
        try:
            if not all(process.alive for process in self._processes):
                self.start()
            deadline_s = time.monotonic() + self._timeout_s
            for side, process in enumerate(self._processes):
                process.run(names[side], following[side] if following else None)
            ready = [process.ready(made.sides[side], deadline_s) for side, process in enumerate(self._processes)]
            made.called = (bool(ready[BASE]), bool(ready[HEAD]))
            both = [found for found in ready if found]
            if len(both) == len(ready):
                made.unlike = unlike(both)
                if made.unlike is None:
                    if self._load is None:
                        self._in_turns(made, both, deadline_s, p99_s=p99_s, announce=announce)
                    else:
                        self._under_load(made, both, deadline_s)
            for side, process in enumerate(self._processes):
                if ready[side] and not made.sides[side].final_message and made.sides[side].ending is None:
                    process.finish(made.sides[side], deadline_s)
            for attempt in made.sides:
                if stopped := attempt.final_message.get("stopped"):
                    attempt.ending = Ending("failed", f"its test was stopped by {stopped}")
        except SideLostError as lost:
            made.sides[self._names.index(lost.side)].ending = self._named(lost)
            self.close()
        if made.unlike or not (made.passed(BASE) and made.passed(HEAD)):
            made.rounds_s = ([], [])
        return made

    def _in_turns(
        self,
        made: Outcome,
        ready: Sequence[dict[str, Any]],
        deadline_s: float,
        *,
        p99_s: float,
        announce: Callable[[Turns, str], None],
    ) -> None:
        """Measure all blocks of both sides, unless a test ends before."""
        for process in self._processes:
            process.pause()
        if ready[BASE]["fixed"] is None:
            turns = turns_of(ready, self._side_s, p99_s=p99_s)
            # They got warm at the same time, and so in each other's way: once more, each alone, not kept.
            block = self._blocks(turns, made, deadline_s)
            for side in (BASE, HEAD):
                alone = self._turn(side, block, made)
                if alone is None:
                    if side == BASE:
                        self._take_turns([HEAD] * turns.blocks, block, made)
                    return
                ready[side]["call_s"] = alone[1] / turns.rounds / turns.iterations
        made.turns = turns = turns_of(ready, self._side_s, p99_s=p99_s)
        announce(turns, p99_remedy(ready))
        with self._pinned(ready) as made.cpu:
            before = trust.read()
            self._take_turns(abba(turns.blocks, made.first), self._blocks(turns, made, deadline_s), made)
            _note_disturbance(made, before, trust.read())

    def _blocks(self, turns: Turns, made: Outcome, deadline_s: float) -> Callable[[int], Any]:
        """What asks a side for a block."""
        return lambda side: self._processes[side].block(turns, made.sides[side], deadline_s)

    def _take_turns(self, order: Iterable[int], ask: Callable[[int], Any], made: Outcome) -> None:
        """All turns, until head's test has ended.

        Where base's ends in one of its own, head takes all of its turns: a test that fails in both must be seen to.
        """
        base_ended = False
        for side in order:
            if base_ended and side == BASE:
                continue
            found = self._turn(side, ask, made)
            if found is not None:
                made.rounds_s[side].extend(found[0])
            elif side == HEAD:
                return
            else:
                base_ended = True

    def _turn(self, side: int, ask: Callable[[int], Any], made: Outcome) -> Any:
        """What that side did; ``None``: its test ended, or base's process, which is noted."""
        found = None
        try:
            found = ask(side)
        except SideLostError as lost:
            if side == HEAD or lost.ending.status == "timeout":  # which leaves head no time either
                raise
            made.sides[side].ending = self._named(lost)
        if found is None:
            made.unlike = f"{self._names[side]}'s test ended before all of its calls were made"
        return found

    def _under_load(self, made: Outcome, ready: Sequence[dict[str, Any]], deadline_s: float) -> None:
        """The same schedules to both sides, A B B A, at a rate by base's capacity; not with a queue that only grows."""
        assert self._load is not None
        for process in self._processes:
            process.pause()
        capacity_per_s = self._processes[BASE].capacity_per_s(made.sides[BASE], deadline_s)
        if capacity_per_s is None:
            return
        orders = schedule_orders(self._load, ready[BASE]["load"], capacity_per_s, self._chance)
        made.rate_per_s = orders[0].rate_per_s
        if made.rate_per_s >= capacity_per_s:
            many = f"{made.rate_per_s:.4g} requests/s overload base, which serves {capacity_per_s:.4g}/s at most"
            made.unlike = f"{many}: its percentiles depend on how long one measures; lower --load"
            return
        made.turns = Turns(1, len(orders[0].due_s), len(orders), 0)
        with self._pinned(ready) as made.cpu:
            before = trust.read()
            left = (iter(orders), iter(orders))

            def segment(side: int) -> Any:
                found = self._processes[side].segment(next(left[side]), made.sides[side], deadline_s)
                if found is not None and found[1] is not None:
                    made.late_s = max(made.late_s or 0.0, found[1][0])
                return found

            self._take_turns(abba(len(orders), made.first), segment, made)
            _note_disturbance(made, before, trust.read())

    def close(self) -> None:
        """End both processes."""
        for process in self._processes:
            process.stop()

    def _pinned(self, ready: Sequence[dict[str, Any]]) -> AbstractContextManager[int | None]:
        if not all(found["one_thread"] for found in ready):
            return nullcontext()
        return on_one_cpu([process.pid for process in self._processes if process.pid], self._chance)

    def _named(self, lost: SideLostError) -> Ending:
        if lost.ending.status == "timeout":
            return Ending(
                "timeout",
                f"timeout: not done after {self._timeout_s:g} s (--benchmark-timeout=SECONDS allows more)",
            )
        if "exit code" in lost.ending.reason and lost.output:
            return Ending("crashed", f"{lost.ending.reason}; its last output: {last_line(lost.output)}")
        return lost.ending


def unlike(ready: Sequence[dict[str, Any]]) -> str | None:
    """Why two tests that call otherwise cannot be compared: one's calls may be cold, or means, and not the other's."""
    ways = [
        "as often as there is time for"
        if found["fixed"] is None
        else f"with warmup_rounds={found['fixed']['warmup_rounds']} and iterations={found['iterations']}"
        for found in ready
    ]
    if ways[BASE] == ways[HEAD] or all(found["fixed"] is None for found in ready):
        return None
    return f"the sides call it differently: base {ways[BASE]}, head {ways[HEAD]} (benchmark.pedantic)"


def _note_disturbance(made: Outcome, before: trust.Reading, after: trust.Reading) -> None:
    seen = between(before, after)
    if seen is not None:
        made.steal_share = None if seen.steal_cpus is None else seen.steal_cpus / (seen.cpus or 1)
        made.other_cpus = seen.other_cpus
