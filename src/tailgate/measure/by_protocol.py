"""One benchmark measured by a protocol: first call, warm-up, rounds fixed, meters around them."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from tailgate.measure.calls import PreparedCall
from tailgate.measure.clocks import DeviceClock, timed_rounds
from tailgate.measure.device_rounds import DeviceRounds
from tailgate.measure.pacing import Fixture, Rounds
from tailgate.measure.warmup import Walled, Warm, warm_up, warm_up_device
from tailgate.results.rows import add_warning
from tailgate.session.items import declared_items
from tailgate.session.protocol import PRESETS, Protocol

DEVICE_CLOCK = pytest.StashKey[DeviceClock]()
"""Of the benchmark's device, where its fixture gave one."""


class ByProtocol:
    """The pacer of a session; tenants take its steps together."""

    among_tenants = False

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """First call, warm-up, rounds, meters."""
        protocol = fixture.settings.protocol or PRESETS["quick"]
        function, args, kwargs = call.target, call.args, call.kwargs
        start_s = time.perf_counter()
        result = function(*args, **kwargs)
        first_call_s = time.perf_counter() - start_s
        clock = fixture.item.stash.get(DEVICE_CLOCK, None)
        device = DeviceRounds(clock, function, args, kwargs) if clock else None

        def rounds_of(rounds: int, iterations: int = 1) -> list[float]:
            if device:
                return device.timed(rounds, iterations, fixture.timer)
            return timed_rounds(function, args, kwargs, rounds, iterations, fixture.timer)

        walled = Walled(rounds_of)
        with contextlib.closing(fixture.watch(among_tenants=self.among_tenants)) as watch:
            watch.prepare()
            self.gather()
            if device:
                warmed = warm_up_device(
                    protocol,
                    walled,
                    lambda: {"device times": device.median_s(), "SM clock": watch.sm_clock_hz()},
                )
            else:
                warmed = warm_up(protocol, walled)
            # A fixture that had to call the function before (to check its answer) knows the real first call.
            fixture.extra_info.setdefault("first_call_s", first_call_s)
            rounds, iterations = self._fixed(protocol, warmed, walled, fixture)
            with watch.around(), fixture.without_gc():
                durations_s = self.timed(rounds_of, rounds, iterations, device.keep if device else None)
            fixture.keep(durations_s, iterations)
        if device:
            fields, warnings = device.described(iterations)
            fixture.extra_info.update(fields)
            for text in warnings:
                add_warning(fixture.extra_info, text)
        watch.timed(rounds * iterations, declared_items(fixture.item))
        return result

    def gather(self) -> None:
        """Set up, and called once."""

    def agree(self, rounds: int, iterations: int, call_s: float, rounds_of: Rounds | None) -> tuple[int, int]:
        """How many rounds of how many calls are timed, now that it is warm; ``call_s``: of one by the wall clock."""
        return rounds, iterations

    def timed(
        self, rounds_of: Rounds, rounds: int, iterations: int, kept: Callable[[], None] | None = None
    ) -> list[float]:
        """Seconds of each round; ``kept`` is called right after the last of them."""
        durations_s = rounds_of(rounds, iterations)
        if kept:
            kept()
        return durations_s

    def _fixed(self, protocol: Protocol, warmed: Warm, walled: Walled, fixture: Fixture) -> tuple[int, int]:
        """Rounds and calls a round, by the warm calls; the row says so."""
        warm_s, warmup_rounds, warning = warmed
        max_time_s, min_rounds = fixture.budget
        wanted = fixture.iterations_for(statistics.median(warm_s))
        iterations = min(wanted, protocol.calls_that_fit(walled.call_s, max_time_s, min_rounds))
        if iterations < wanted:
            add_warning(
                fixture.extra_info,
                f"by this timer a round would need {wanted} calls, of {walled.call_s:.2g} s each by the wall clock: "
                f"--benchmark-max-time leaves time for {iterations}",
            )
        rounds = protocol.rounds_after(
            [duration_s * iterations for duration_s in warm_s], max_time_s, min_rounds, walled.call_s * iterations
        )
        rounds, iterations = self.agree(rounds, iterations, walled.call_s, walled)
        fixture.extra_info.update(protocol=protocol.name, warmup_rounds=warmup_rounds)
        if warning:
            add_warning(fixture.extra_info, warning)
        if iterations > 1:
            add_warning(
                fixture.extra_info,
                f"a call is too short for the clock: each round is the mean of {iterations} calls, "
                "so percentiles are of such means",
            )
        return rounds, iterations


BY_PROTOCOL = ByProtocol()
