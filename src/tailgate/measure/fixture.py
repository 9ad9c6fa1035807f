"""One benchmark measured by a protocol: first call, warm-up, rounds fixed, meters around them.

pytest-benchmark's own fixture, with ``benchmark(function)`` replaced when a protocol is asked for.
``benchmark.pedantic`` keeps the rounds its author wrote; the meters and the watch on the machine are around both.
"""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import ceil
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture, PauseInstrumentation

from tailgate.gates.duet.turn_taking import TURNS, Taken
from tailgate.measure.calls import PreparedCall, prepared_call
from tailgate.measure.clocks import DeviceClock, timed_rounds
from tailgate.measure.device_rounds import DeviceRounds
from tailgate.measure.profiling import PROFILE
from tailgate.measure.warmup import Walled, Warm, warm_up, warm_up_device
from tailgate.measure.watch import Watch
from tailgate.meters import meters
from tailgate.processes.tenants.tenant import MEMBER
from tailgate.results.noted import NOTED, Noted, as_info
from tailgate.results.rows import add_warning
from tailgate.session.items import declared_items
from tailgate.session.protocol import PRESETS, Protocol
from tailgate.session.settings import SETTINGS, Settings

Rounds = Callable[[int, int], list[float]]
"""Seconds of each of so many rounds of so many calls."""
MOST_CALLS_UNSEEN = 1000
"""A round, where one call takes 0 s by the benchmark's timer."""
MARKS = pytest.StashKey[dict[str, Any]]()
"""What each meter noted before a test's set-up."""
DEVICE_CLOCK = pytest.StashKey[DeviceClock]()
"""Of the benchmark's device, where its fixture gave one."""


def use_device_clock(node: pytest.Item, clock: DeviceClock | None) -> None:
    """From a fixture: the rounds of this benchmark are timed by ``clock``, too."""
    if clock is not None:
        node.stash[DEVICE_CLOCK] = clock


def mark_meters(node: pytest.Item) -> None:
    """Let every meter note where a benchmark begins: before its set-up, and again where a fixture asks for it.

    A fixture does after something that is not the benchmark's own, such as a framework's first import.
    """
    profile = node.config.stash.get(PROFILE, None)
    if profile is not None:
        profile.mark()
        return
    settings = node.config.stash[SETTINGS]
    # First those that load a library for it: resident memory's mark comes after.
    wanted = sorted((*settings.gpu_meters, *settings.meters), key=lambda name: not hasattr(meters()[name], "for_row"))
    node.stash.setdefault(MARKS, {}).update({name: meters()[name].before_setup() for name in wanted})


class TailgateBenchmark(BenchmarkFixture):
    """``benchmark``, measuring by the session's protocol."""

    extra_info: dict[str, Any]

    def __init__(self, node: pytest.Item, *args: Any, **kwargs: Any) -> None:
        super().__init__(node, *args, **kwargs)
        self._item = node
        self._settings = node.config.stash.get(SETTINGS, Settings())
        self._marks = node.stash.get(MARKS, {})
        self._at_word = node.config.stash.get(TURNS, None)
        self._profiled = node.config.stash.get(PROFILE, None)
        self._member = node.config.stash.get(MEMBER, None)

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """pytest-benchmark's."""
        with self._noting():
            return super().__call__(function_to_benchmark, *args, **kwargs)

    def pedantic(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """pytest-benchmark's."""
        with self._noting():
            return super().pedantic(target, *args, **kwargs)

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """Around each measurement: another of the same test has an ``extra_info`` of its own."""
        self.extra_info = as_info(self.extra_info)
        noted = self._item.stash.setdefault(NOTED, [])
        shared = next((one for one in reversed(noted) if one.info is self.extra_info), None)
        if shared is not None:
            self.extra_info = shared.without()
        noted.append(Noted(self.extra_info))
        try:
            yield
        finally:
            noted[-1].end()

    def _raw(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        protocol = self._settings.protocol or (PRESETS["quick"] if self._member else None)
        if not self.enabled:
            return super()._raw(function, *args, **kwargs)
        if self._profiled is not None:
            return self._counted(PreparedCall(function, args, kwargs))
        if self._at_word is not None:
            return self._in_turns(function, args, kwargs)
        if protocol is None:
            with self._watched():
                return super()._raw(function, *args, **kwargs)
        with PauseInstrumentation():
            result = self._measure(protocol, function, args, kwargs)
        if self.cprofile:
            self._profile(function, args, kwargs)
        return result

    def _raw_pedantic(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self.enabled:
            return super()._raw_pedantic(target, *args, **kwargs)
        if self._profiled is not None:
            return self._counted(prepared_call(target, *args, **kwargs))
        if self._at_word is not None:
            return self._pedantic_in_turns(prepared_call(target, *args, **kwargs))
        if self._member is not None:
            return self._pedantic_among_tenants(prepared_call(target, *args, **kwargs))
        with self._watched():
            return super()._raw_pedantic(target, *args, **kwargs)

    def _measure(self, protocol: Protocol, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        start_s = time.perf_counter()
        result = function(*args, **kwargs)
        first_call_s = time.perf_counter() - start_s
        clock = self._item.stash.get(DEVICE_CLOCK, None)
        device = DeviceRounds(clock, function, args, kwargs) if clock else None

        def rounds_of(rounds: int, iterations: int = 1) -> list[float]:
            if device:
                return device.timed(rounds, iterations, self._timer)
            return timed_rounds(function, args, kwargs, rounds, iterations, self._timer)

        walled = Walled(rounds_of)
        with contextlib.closing(self._watch()) as watch:
            watch.prepare()
            if self._member is not None:
                self._member.gather()
            if device:
                warmed = warm_up_device(
                    protocol,
                    walled,
                    lambda: {"device times": device.median_s(), "SM clock": watch.sm_clock_hz()},
                )
            else:
                warmed = warm_up(protocol, walled)
            rounds, iterations = self._fixed(protocol, warmed, first_call_s, walled)
            self._time(watch, rounds_of, rounds, iterations, device.keep if device else None)
        if device:
            fields, warnings = device.described(iterations)
            self.extra_info.update(fields)
            for text in warnings:
                add_warning(self.extra_info, text)
        watch.timed(rounds * iterations, declared_items(self._item))
        return result

    def _watch(self) -> Watch:
        return Watch(self._settings, self._marks, self.extra_info, among_tenants=self._member is not None)

    def _time(
        self, watch: Watch, rounds_of: Rounds, rounds: int, iterations: int, kept: Callable[[], None] | None = None,
        *, calls_on: bool = True,
    ) -> None:  # fmt: skip
        """The timed rounds, into the row; ``kept`` is called right after the last of them.

        ``calls_on``: as a tenant, it calls untimed before and after them.
        """
        timed = rounds_of
        if self._member is not None:
            timed = partial(self._member.timed, rounds_of, kept=kept, calls_on=calls_on)
        with watch.around(), self._without_gc():
            durations_s = timed(rounds, iterations)
            if kept and self._member is None:
                kept()
        metadata = self._make_stats(iterations)  # not before: an exception in a timed call leaves no row
        for duration_s in durations_s:
            metadata.update(duration_s)

    def _fixed(self, protocol: Protocol, warmed: Warm, first_call_s: float, walled: Walled) -> tuple[int, int]:
        """Rounds and calls a round, by the warm calls; the row says so."""
        warm_s, warmup_rounds, warning = warmed
        wanted = self._iterations(statistics.median(warm_s))
        iterations = min(wanted, protocol.calls_that_fit(walled.call_s, self._max_time, self._min_rounds))
        if iterations < wanted:
            add_warning(
                self.extra_info,
                f"by this timer a round would need {wanted} calls, of {walled.call_s:.2g} s each by the wall clock: "
                f"--benchmark-max-time leaves time for {iterations}",
            )
        rounds = protocol.rounds_after(
            [duration_s * iterations for duration_s in warm_s],
            self._max_time,
            self._min_rounds,
            walled.call_s * iterations,
        )
        if self._member is not None:
            rounds, iterations = self._member.agree(rounds, iterations, walled.call_s, walled)
        # A fixture that had to call the function before (to check its answer) knows the real first call.
        self.extra_info.setdefault("first_call_s", first_call_s)
        self.extra_info.update(protocol=protocol.name, warmup_rounds=warmup_rounds)
        if warning:
            add_warning(self.extra_info, warning)
        if iterations > 1:
            add_warning(
                self.extra_info,
                f"a call is too short for the clock: each round is the mean of {iterations} calls, "
                "so percentiles are of such means",
            )
        return rounds, iterations

    @contextlib.contextmanager
    def _without_gc(self) -> Iterator[None]:
        gc_was_enabled = gc.isenabled()
        if self._disable_gc:
            gc.disable()
        try:
            yield
        finally:
            if gc_was_enabled:
                gc.enable()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Around what pytest-benchmark measures in its own ways, in rounds that are not ours to time twice."""
        with contextlib.closing(self._watch()) as watch:
            with watch.around():
                yield
            watch.timed(None, None)
        clock = self._item.stash.get(DEVICE_CLOCK, None)
        if clock:
            add_warning(
                self.extra_info,
                f"{clock.name}: the device's clock was not read: only rounds of a --protocol are timed by both clocks, "
                "and not benchmark.pedantic's",
            )

    def _counted(self, call: PreparedCall) -> Any:
        """For a profiling meter: called so often, never timed."""
        assert self._profiled is not None
        with PauseInstrumentation():
            result = self._profiled.run(call.once)
        self.disabled = True  # to the rest of the test, as with --benchmark-disable: there are no stats
        return result

    def _in_turns(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """In a duet the parent says when to call, and how often."""
        assert self._at_word is not None
        with PauseInstrumentation(), self._without_gc():
            result = function(*args, **kwargs)
            taken = self._at_word.take(
                lambda rounds, iterations: timed_rounds(function, args, kwargs, rounds, iterations, self._timer),
                self._iterations,
            )
        self._note_turns(taken)
        return result

    def _pedantic_in_turns(self, call: PreparedCall) -> Any:
        """The same; how often is the author's to say."""
        assert self._at_word is not None
        with PauseInstrumentation(), self._without_gc():
            taken = self._at_word.take_prepared(call, self._timer)
            result = call.finish(self._timer)
        self._note_turns(taken)
        return result

    def _note_turns(self, taken: Taken) -> None:
        metadata = self._make_stats(taken.iterations)
        for duration_s in taken.durations_s:
            metadata.update(duration_s)
        self.extra_info.update(protocol="duet")
        self.extra_info.setdefault("status", "ok")
        self.extra_info.setdefault("warnings", [])

    def _pedantic_among_tenants(self, call: PreparedCall) -> Any:
        """Its author's rounds, at the same time in all tenants; between them nobody calls for the others' sake."""
        assert self._member is not None
        with PauseInstrumentation():
            self._member.gather()
            round_s = call.warm(self._timer)
            rounds, iterations = self._member.agree(call.rounds, call.iterations, round_s or 0.0, None)
            with contextlib.closing(self._watch()) as watch:
                self._time(watch, call.rounds_by(self._timer), rounds, iterations, calls_on=False)
                watch.timed(rounds * iterations, declared_items(self._item))
            return call.finish(self._timer)

    def _iterations(self, call_s: float) -> int:
        """Calls per round: 1 unless one call is shorter than the clock can tell.

        pytest-benchmark's rule (``--benchmark-calibration-precision`` times the clock's resolution),
        on a warm call, and without its floor of ``--benchmark-min-time``: single calls keep the tail honest.
        """
        least_s = (self._get_precision(self._timer) or 0.0) * self._calibration_precision
        return max(1, ceil(least_s / call_s)) if call_s > 0 else MOST_CALLS_UNSEEN

    def _profile(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        import cProfile

        profile = cProfile.Profile()
        for _ in range(self.cprofile_loops or 1):
            profile.runcall(function, *args, **kwargs)
        self._save_cprofile(profile)
