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

from tailgate.clocks import DeviceClock, timed_rounds
from tailgate.device_rounds import DeviceRounds
from tailgate.duet.prepared import PreparedCall, prepared_call
from tailgate.duet.word import TURNS
from tailgate.items import declared_items
from tailgate.meters import meters
from tailgate.noted import NOTED, Noted
from tailgate.profiling import PROFILE
from tailgate.protocol import PRESETS, Protocol
from tailgate.rows import add_warning
from tailgate.settings import Settings
from tailgate.tenants.member import MEMBER
from tailgate.warmup import Warm, warm_up, warm_up_device
from tailgate.watch import Watch

Rounds = Callable[[int, int], list[float]]
"""Seconds of each of so many rounds of so many calls."""
SETTINGS = pytest.StashKey[Settings]()
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
            return self._pedantic_in_turns(target, *args, **kwargs)
        if self._member is not None:
            return self._pedantic_among_tenants(target, *args, **kwargs)
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

        with contextlib.closing(self._watch()) as watch:
            watch.prepare()
            if self._member is not None:
                self._member.gather()
            if device:
                warmed = warm_up_device(
                    protocol,
                    rounds_of,
                    lambda: {"device times": device.median_s(), "SM clock": watch.sm_clock_hz()},
                )
            else:
                warmed = warm_up(protocol, rounds_of)
            rounds, iterations = self._fixed(protocol, warmed, first_call_s, rounds_of)
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
        self, watch: Watch, rounds_of: Rounds, rounds: int, iterations: int, kept: Callable[[], None] | None = None
    ) -> None:
        """The timed rounds, into the row; ``kept`` is called right after the last of them."""
        timed = partial(self._member.timed, rounds_of, kept=kept) if self._member is not None else rounds_of
        with watch.around(), self._without_gc():
            durations_s = timed(rounds, iterations)
            if kept and self._member is None:
                kept()
        metadata = self._make_stats(iterations)  # not before: an exception in a timed call leaves no row
        for duration_s in durations_s:
            metadata.update(duration_s)

    def _fixed(self, protocol: Protocol, warmed: Warm, first_call_s: float, rounds_of: Rounds) -> tuple[int, int]:
        """Rounds and calls a round, by the warm calls; the row says so."""
        warm_s, warmup_rounds, warning = warmed
        iterations = self._iterations(statistics.median(warm_s))
        rounds = protocol.rounds_after(
            [duration_s * iterations for duration_s in warm_s], self._max_time, self._min_rounds
        )
        if self._member is not None:
            rounds, iterations = self._member.agree(rounds, iterations, statistics.median(warm_s), rounds_of)
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
        with PauseInstrumentation():
            result = function(*args, **kwargs)
            self._take_turns(
                lambda rounds, iterations: timed_rounds(function, args, kwargs, rounds, iterations, self._timer)
            )
        return result

    def _pedantic_in_turns(self, target: Callable[..., Any], *args: Any, iterations: int = 1, **kwargs: Any) -> Any:
        """The same, with its author's set-up and teardown around each call; the number of rounds is the duet's."""
        prepared = prepared_call(target, *args, **kwargs)
        with PauseInstrumentation():
            result = prepared.once()
            self._take_turns(prepared.rounds_by(self._timer), least=iterations, set_up=prepared.has_set_up)
        return result

    def _pedantic_among_tenants(
        self, target: Callable[..., Any], *args: Any, rounds: int = 1, warmup_rounds: int = 0, iterations: int = 1,
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Its author's rounds, the same for all tenants."""
        assert self._member is not None
        prepared = prepared_call(target, *args, **kwargs)
        rounds_of = prepared.rounds_by(self._timer)
        with PauseInstrumentation():
            result = prepared.once()
            self._member.gather()
            call_s = statistics.median(rounds_of(max(1, warmup_rounds), iterations)) / iterations
            iterations = 1 if prepared.has_set_up else iterations
            rounds, iterations = self._member.agree(rounds, iterations, call_s, rounds_of)
            with contextlib.closing(self._watch()) as watch:
                self._time(watch, rounds_of, rounds, iterations)
                watch.timed(rounds * iterations, declared_items(self._item))
        return result

    def _take_turns(self, rounds_of: Any, least: int = 1, *, set_up: bool = False) -> None:
        assert self._at_word is not None
        with self._without_gc():
            taken = self._at_word.take(rounds_of, lambda call_s: max(least, self._iterations(call_s)), set_up=set_up)
        metadata = self._make_stats(taken.iterations)
        for duration_s in taken.durations_s:
            metadata.update(duration_s)
        self.extra_info.update(protocol="duet")
        self.extra_info.setdefault("status", "ok")
        self.extra_info.setdefault("warnings", [])

    def _iterations(self, call_s: float) -> int:
        """Calls per round: 1 unless one call is shorter than the clock can tell.

        pytest-benchmark's rule (``--benchmark-calibration-precision`` times the clock's resolution),
        on a warm call, and without its floor of ``--benchmark-min-time``: single calls keep the tail honest.
        """
        least_s = self._get_precision(self._timer) * self._calibration_precision
        return max(1, ceil(least_s / call_s)) if call_s > 0 else 1000

    def _profile(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        import cProfile

        profile = cProfile.Profile()
        for _ in range(self.cprofile_loops or 1):
            profile.runcall(function, *args, **kwargs)
        self._save_cprofile(profile)
