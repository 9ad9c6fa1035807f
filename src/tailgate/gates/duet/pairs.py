"""One pair: two fresh processes, and every benchmark in turns between them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tailgate.gates.duet.load_turns import schedule_orders
from tailgate.gates.duet.outcome import BASE, HEAD, Names, Outcome
from tailgate.gates.duet.pinning import on_one_cpu
from tailgate.gates.duet.side_process import SideLostError, SideProcess, last_line
from tailgate.gates.duet.turns import Turns, abba, p99_remedy, turns_of
from tailgate.machine import trust
from tailgate.machine.trust.stretch import between
from tailgate.processes.endings import Ending
from tailgate.session.load import Load


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

            def get_ready(side: int) -> Any:
                return self._processes[side].ready(made.sides[side], deadline_s)

            ready = [self._answer(side, get_ready, made) for side in (BASE, HEAD)]
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
        """What that side did; ``None``: its test ended."""
        found = self._answer(side, ask, made)
        if found is None:
            made.unlike = f"{self._names[side]}'s test ended before all of its calls were made"
        return found

    def _answer(self, side: int, ask: Callable[[int], Any], made: Outcome) -> Any:
        """What that side answers; ``None``: its test ended. Where base's process did, head goes on by itself."""
        try:
            return ask(side)
        except SideLostError as lost:
            if side == HEAD or lost.ending.status == "timeout":  # which leaves head no time either
                raise
            made.sides[side].ending = self._named(lost)
            return None

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
