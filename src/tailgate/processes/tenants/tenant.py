"""A tenant's part: it meets the others, gets warm and is timed while they call too, and calls on until all are done."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tailgate.measure.by_protocol import ByProtocol
from tailgate.measure.calls import PreparedCall
from tailgate.measure.pacing import Fixture, Rounds
from tailgate.processes.messages import ready
from tailgate.session.items import declared_items

if TYPE_CHECKING:
    from tailgate.processes.messages import Channel

LOOK_S = 0.001
"""Calls that nobody times are made in batches of this length; between two of them it is looked for a word."""
MOST_AT_ONCE = 100_000


class Tenant(ByProtocol):
    """The pacer of a tenant.

    In this order: :meth:`gather`, then warm calls, :meth:`agree`, :meth:`timed`. Each says that this tenant is so
    far, and comes back when all are.
    """

    among_tenants = True

    def __init__(self, home: Channel) -> None:
        self._home = home

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """By the protocol; of a call that its author has counted those rounds, at the same time in all tenants."""
        if not call.fixed:
            return super().measure(call, fixture)
        self.gather()
        round_s = call.warm(fixture.timer)
        rounds, iterations = self.agree(call.rounds, call.iterations, round_s or 0.0, None)
        with contextlib.closing(fixture.watch(among_tenants=True)) as watch:
            with watch.around(), fixture.without_gc():
                durations_s = self.timed(call.rounds_by(fixture.timer), rounds, iterations, calls_on=False)
            fixture.keep(durations_s, iterations)
            watch.timed(rounds * iterations, declared_items(fixture.item))
        return call.finish(fixture.timer)

    def gather(self) -> None:
        """Set up, and called once: wait, idle, until all are."""
        self._home.send(("tenant", ("loaded", {"pid": os.getpid()})))
        self._home.receive()

    def agree(self, rounds: int, iterations: int, call_s: float, rounds_of: Rounds | None) -> tuple[int, int]:
        """How many rounds of how many calls all will time.

        ``rounds``, ``iterations``: as this tenant would have them by its warm calls, of ``call_s`` seconds by the wall
        clock. It calls on until the others are warm, so that they get warm under load, too. ``rounds_of`` ``None``: it
        waits instead, because each call counts.
        """
        self._home.send(("tenant", ("warm", {"rounds": rounds, "iterations": iterations, "call_s": call_s})))
        agreed = self._call_until_word(rounds_of)
        return agreed["rounds"], agreed["iterations"]

    def timed(
        self, rounds_of: Rounds, rounds: int, iterations: int, kept: Callable[[], None] | None = None,
        *, calls_on: bool = True,
    ) -> list[float]:  # fmt: skip
        """Seconds of each round; before and after them it calls untimed, for the others' sake, if ``calls_on``.

        ``kept`` is called right after the last timed round: whoever notes more of the rounds must not take the untimed
        ones after it for them.
        """
        load_start_s = time.monotonic()
        between = rounds_of if calls_on else None
        self._home.send(("tenant", ("prepared", {})))
        self._call_until_word(between)
        start_s = time.monotonic()
        durations_s = rounds_of(rounds, iterations)
        end_s = time.monotonic()
        if kept:
            kept()
        self._home.send(("tenant", ("timed", {})))
        self._call_until_word(between)
        load_start_s, load_end_s = (load_start_s, time.monotonic()) if calls_on else (start_s, end_s)
        span = {"load_start_s": load_start_s, "start_s": start_s, "end_s": end_s, "load_end_s": load_end_s}
        self._home.send(("tenant", ("stopped", span)))
        return durations_s

    def _call_until_word(self, rounds_of: Rounds | None) -> Any:
        if rounds_of is None:
            return self._home.receive()
        count = 1
        while True:
            begun_s = time.monotonic()
            rounds_of(count, 1)
            took_s = time.monotonic() - begun_s
            if ready([self._home], time.monotonic()):
                return self._home.receive()
            count = max(1, min(MOST_AT_ONCE, 2 * count, round(count * LOOK_S / took_s) if took_s > 0 else 2 * count))
