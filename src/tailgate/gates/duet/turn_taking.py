"""What ``benchmark(...)`` does in a side: it warms up, says so, and calls whenever the parent asks for a block."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tailgate.gates.duet import side_operators
from tailgate.gates.duet.pinning import is_one_thread
from tailgate.measure.calls import PreparedCall
from tailgate.measure.clocks import Timer, timed_rounds
from tailgate.measure.pacing import Fixture, Rounds

if TYPE_CHECKING:
    from tailgate.processes.messages import Channel

WARMUP_ROUNDS, WARMUP_S = 10, 0.5


@dataclass(frozen=True)
class Taken:
    """The last block: a sample for the row here. The parent has all of them."""

    durations_s: list[float]
    """Of rounds; empty where the other side could not be measured."""
    iterations: int
    """Calls a round."""


class TurnTaker:
    """The pacer of a side: the parent says when to call, and how often."""

    def __init__(self, home: Channel) -> None:
        self._home = home
        self._operators: Callable[[], dict[str, Any]] = dict
        """Asks for the operator times of the present benchmark."""

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """Get warm, take turns; the row here has the last block."""
        timer = fixture.timer
        self._operators = partial(side_operators.ask, fixture.item, call.bare)
        with fixture.without_gc():
            if call.fixed:
                taken = self.take_prepared(call, timer)
                result = call.finish(timer)
            else:
                result = call.once()
                taken = self.take(
                    lambda rounds, iterations: timed_rounds(
                        call.target, call.args, call.kwargs, rounds, iterations, timer
                    ),
                    fixture.iterations_for,
                )
        fixture.keep(taken.durations_s, taken.iterations)
        fixture.extra_info.update(protocol="duet")
        fixture.extra_info.setdefault("status", "ok")
        fixture.extra_info.setdefault("warnings", [])
        return result

    def take(self, rounds_of: Rounds, iterations_for: Callable[[float], int]) -> Taken:
        """Blocks until the parent wants no more."""
        thread_s, process_s = time.thread_time(), time.process_time()
        timed_s, wall_s = warm_round_s(rounds_of)
        thread_s, process_s = time.thread_time() - thread_s, time.process_time() - process_s
        return self._obey(
            rounds_of,
            call_s=wall_s,
            iterations=iterations_for(timed_s),
            one_thread=is_one_thread(thread_s, process_s),
            fixed=None,
        )

    def take_prepared(self, call: PreparedCall, timer: Timer) -> Taken:
        """The same of what an author has counted: warm-up and rounds are as many as the test says."""
        thread_s, process_s = time.thread_time(), time.process_time()
        round_s = call.warm(timer)
        thread_s, process_s = time.thread_time() - thread_s, time.process_time() - process_s
        return self._obey(
            call.rounds_by(timer),
            call_s=None if round_s is None else round_s / call.iterations,
            iterations=call.iterations,
            one_thread=is_one_thread(thread_s, process_s),
            fixed={"rounds": call.rounds, "warmup_rounds": call.warmup_rounds},
        )

    def _obey(self, rounds_of: Rounds, **ready: Any) -> Taken:
        self._home.send(("ready", ready))
        durations_s: list[float] = []
        iterations = 1
        while (order := self._home.receive()) is not None:
            if order == side_operators.ORDER:
                self._home.send((order, self._operators()))
                continue
            rounds, iterations, priming = order
            if priming:
                rounds_of(priming, iterations)
            start_s = time.perf_counter()
            durations_s = rounds_of(rounds, iterations)
            self._home.send(("block", (durations_s, time.perf_counter() - start_s)))
        return Taken(durations_s, iterations)


def warm_round_s(rounds_of: Rounds, now: Callable[[], float] = time.perf_counter) -> tuple[float, float]:
    """Call until warm; then the shortest time of a round, as timed and by the wall clock.

    The shortest, because the other side gets warm at the same time.
    """
    begun_s = now()
    timed_s: list[float] = []
    wall_s: list[float] = []
    while len(timed_s) < WARMUP_ROUNDS and (len(timed_s) < 2 or now() - begun_s < WARMUP_S):
        start_s = now()
        timed_s += rounds_of(1, 1)
        wall_s.append(now() - start_s)
    return min(timed_s), min(wall_s)
