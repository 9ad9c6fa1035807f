"""pytest-benchmark's own fixture, with its calls made by a pacer where there is one.

``benchmark.pedantic`` keeps the rounds its author wrote; the meters and the watch on the machine are around both.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture, PauseInstrumentation

from tailgate.measure.by_protocol import BY_PROTOCOL, DEVICE_CLOCK, ByProtocol
from tailgate.measure.calls import PreparedCall, prepared_call
from tailgate.measure.clocks import DeviceClock, Timer
from tailgate.measure.pacing import PACER
from tailgate.measure.profiling import Profile
from tailgate.measure.watch import Watch
from tailgate.meters import meters
from tailgate.results.noted import NOTED, Noted, as_info
from tailgate.results.rows import add_warning
from tailgate.session.settings import SETTINGS, Settings

MOST_CALLS_UNSEEN = 1000
"""A round, where one call takes 0 s by the benchmark's timer."""
MARKS = pytest.StashKey[dict[str, Any]]()
"""What each meter noted before a test's set-up."""


def use_device_clock(node: pytest.Item, clock: DeviceClock | None) -> None:
    """For a fixture: ``clock`` also times the rounds of this benchmark; ``None``: no longer."""
    if clock is not None:
        node.stash[DEVICE_CLOCK] = clock
    elif DEVICE_CLOCK in node.stash:
        del node.stash[DEVICE_CLOCK]


def mark_meters(node: pytest.Item) -> None:
    """Let every meter note where a benchmark begins: before its set-up, and again where a fixture asks for it.

    A fixture does after something that is not the benchmark's own, such as a framework's first import.
    """
    profile = node.config.stash.get(PACER, None)
    if isinstance(profile, Profile):
        profile.mark()
        return
    settings = node.config.stash[SETTINGS]
    # First those that load a library for it: resident memory's mark comes after.
    wanted = sorted((*settings.gpu_meters, *settings.meters), key=lambda name: not hasattr(meters()[name], "for_row"))
    node.stash.setdefault(MARKS, {}).update({name: meters()[name].before_setup() for name in wanted})


class TailgateBenchmark(BenchmarkFixture):
    """``benchmark``, its calls made by the session's protocol or by another pacer."""

    extra_info: dict[str, Any]
    disabled: bool

    def __init__(self, node: pytest.Item, *args: Any, **kwargs: Any) -> None:
        super().__init__(node, *args, **kwargs)
        self.item = node
        self.settings = node.config.stash.get(SETTINGS, Settings())
        self._marks = node.stash.get(MARKS, {})
        self._pacer = node.config.stash.get(PACER, None)

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """pytest-benchmark's."""
        with self._noting():
            return super().__call__(function_to_benchmark, *args, **kwargs)

    def pedantic(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """pytest-benchmark's."""
        with self._noting():
            return super().pedantic(target, *args, **kwargs)

    @property
    def timer(self) -> Timer:
        """``--benchmark-timer``, or the group's."""
        found: Timer = self._timer
        return found

    @property
    def budget(self) -> tuple[float, int]:
        """``--benchmark-max-time`` in seconds, and ``--benchmark-min-rounds``."""
        return self._max_time, self._min_rounds

    def iterations_for(self, call_s: float) -> int:
        """Calls per round: 1 unless one call is shorter than the clock can tell.

        pytest-benchmark's rule (``--benchmark-calibration-precision`` times the clock's resolution),
        on a warm call, and without its floor of ``--benchmark-min-time``: single calls keep the tail honest.
        """
        least_s = (self._get_precision(self._timer) or 0.0) * self._calibration_precision
        return max(1, ceil(least_s / call_s)) if call_s > 0 else MOST_CALLS_UNSEEN

    @contextlib.contextmanager
    def without_gc(self) -> Iterator[None]:
        """With ``--benchmark-disable-gc``: no garbage is collected meanwhile."""
        gc_was_enabled = gc.isenabled()
        if self._disable_gc:
            gc.disable()
        try:
            yield
        finally:
            if gc_was_enabled:
                gc.enable()

    def watch(self, *, among_tenants: bool = False) -> Watch:
        """The meters, and the watch on the machine; close it."""
        return Watch(self.settings, self._marks, self.extra_info, among_tenants=among_tenants)

    def keep(self, durations_s: Sequence[float], iterations: int) -> None:
        """Put rounds into the row, once all are made: an exception in a timed call leaves no row."""
        metadata = self._make_stats(iterations)
        for duration_s in durations_s:
            metadata.update(duration_s)
        metadata.stats.extra_info = self.extra_info  # what its statistics are of: a load, or rounds

    def _raw(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        pacer = self._pacer or (BY_PROTOCOL if self.settings.protocol else None)
        if not self.enabled:
            return super()._raw(function, *args, **kwargs)
        if pacer is None:
            with self._watched():
                return super()._raw(function, *args, **kwargs)
        with PauseInstrumentation():
            result = pacer.measure(PreparedCall(function, args, kwargs), self)
        if self.cprofile and isinstance(pacer, ByProtocol):
            self._profile(function, args, kwargs)
        return result

    def _raw_pedantic(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self.enabled:
            return super()._raw_pedantic(target, *args, **kwargs)
        if self._pacer is None:
            with self._watched():
                return super()._raw_pedantic(target, *args, **kwargs)
        with PauseInstrumentation():
            return self._pacer.measure(prepared_call(target, *args, **kwargs), self)

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """Give each measurement of a test an ``extra_info`` of its own."""
        self.extra_info = as_info(self.extra_info)
        noted = self.item.stash.setdefault(NOTED, [])
        shared = next((one for one in reversed(noted) if one.info is self.extra_info), None)
        if shared is not None:
            self.extra_info = shared.without()
        noted.append(Noted(self.extra_info))
        try:
            yield
        finally:
            noted[-1].end()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Watch what pytest-benchmark measures in its own ways; the device clock does not time those rounds."""
        with contextlib.closing(self.watch()) as watch:
            with watch.around():
                yield
            watch.timed(None, None)
        clock = self.item.stash.get(DEVICE_CLOCK, None)
        if clock:
            add_warning(
                self.extra_info,
                f"{clock.name}: the device's clock was not read: only rounds of a --protocol are timed by both clocks, "
                "and not benchmark.pedantic's",
            )

    def _profile(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        import cProfile

        profile = cProfile.Profile()
        for _ in range(self.cprofile_loops or 1):
            profile.runcall(function, *args, **kwargs)
        self._save_cprofile(profile)
