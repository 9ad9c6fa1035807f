"""A side of a duet under load: the parent names a rate and a seed, and both sides play the same schedules.

The sides play one after the other, A B B A, each from an empty queue. The rate follows from base's capacity, and is the
same number of requests per second for both.
"""

from __future__ import annotations

import math
import random
import time
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailgate.gates.duet.pinning import is_one_thread
from tailgate.gates.duet.turns import LEAST_BLOCKS
from tailgate.measure.calls import PreparedCall
from tailgate.measure.load_row import late
from tailgate.measure.open_loop import checked, closed_loop, local, warm_up_closed
from tailgate.measure.pacing import Fixture
from tailgate.measure.schedule import schedule
from tailgate.session.load import Load, parsed

if TYPE_CHECKING:
    from tailgate.processes.messages import Channel

LEAST_REQUESTS = 50
"""A schedule: below, a P99 is hardly more than the slowest response."""
SCHEDULE_S = 1.0
"""A side's turn, where that is long enough: shorter than the machine's drift, and longer than a queue needs to fill."""


@dataclass(frozen=True)
class ScheduleOrder:
    """One schedule that a side is to play."""

    rate_per_s: float
    due_s: array[float]
    """Drawn by the parent: another numpy on a side could draw others from the same seed."""


def schedule_orders(load: Load, name: str, capacity_per_s: float, chance: random.Random) -> list[ScheduleOrder]:
    """The schedules that each side plays in a pair, ``load.seconds`` in all, at a rate by base's capacity."""
    rate_per_s = parsed(name).rate_for(capacity_per_s)
    requests = max(LEAST_REQUESTS, math.ceil(rate_per_s * SCHEDULE_S))
    count = max(LEAST_BLOCKS, 2 * round(rate_per_s * load.seconds / requests / 2))
    drawn = [schedule(parsed(name), rate_per_s, requests, chance.randrange(2**31)) for _ in range(count)]
    return [ScheduleOrder(rate_per_s, array("d", due_s.tobytes())) for due_s in drawn]


class LoadTurnTaker:
    """The pacer of a side under load."""

    def __init__(self, home: Channel) -> None:
        self._home = home

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """Get warm, then obey: ``None`` ends it, ``"capacity"`` asks for a closed loop, an order for its responses.

        A request that fails fails the test, as it would in a closed loop.
        """
        import numpy as np

        load = fixture.settings.load
        assert load is not None
        name = checked(call, fixture, load)
        result = call.once()
        thread_s, process_s = time.thread_time(), time.process_time()
        warm_s = warm_up_closed(call, fixture)
        one_thread = is_one_thread(time.thread_time() - thread_s, time.process_time() - process_s)
        responses_s: list[float] = []
        self._home.send(("ready", {"load": name, "one_thread": one_thread, "fixed": None, "iterations": 1}))
        with fixture.without_gc():
            while (order := self._home.receive()) is not None:
                if order == "capacity":
                    self._home.send(("capacity", closed_loop(call, warm_s)[1]))
                    continue
                served = local(call)(np.frombuffer(order.due_s))
                if served.failures:
                    index, text = served.failures[0]
                    raise RuntimeError(f"request {index + 1} of {len(order.due_s)} failed: {text}")
                responses_s = (served.end_s - served.due_s).tolist()
                self._home.send(
                    (
                        "block",
                        (
                            responses_s,
                            late((served.start_s - served.due_s)[served.waited], served.end_s - served.due_s),
                        ),
                    )
                )
        fixture.keep(responses_s, 1)
        fixture.extra_info.update(protocol="duet", load_arrivals=name)
        fixture.extra_info.setdefault("status", "ok")
        fixture.extra_info.setdefault("warnings", [])
        return result
