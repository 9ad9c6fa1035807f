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
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import Any, NoReturn

import pytest
from pytest_benchmark.fixture import BenchmarkFixture, PauseInstrumentation

from tailgate import trust
from tailgate.clocks import DeviceClock, timed_rounds
from tailgate.duet.prepared import PreparedCall, prepared_call
from tailgate.duet.word import TURNS
from tailgate.meters import meters
from tailgate.profiling import PROFILE
from tailgate.protocol import (
    BATCH_S,
    PRESETS,
    STEADY_HALF_WIDTH_REL,
    WARMUP_LIMIT_S,
    Protocol,
    is_steady,
    steadiness_rel,
)
from tailgate.rows import add_warning
from tailgate.settings import Settings
from tailgate.tenants.member import MEMBER, OF_A_TENANT

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
    wanted = node.config.stash[SETTINGS].meters
    node.stash.setdefault(MARKS, {}).update({name: meters()[name].before_setup() for name in wanted})


class TailgateBenchmark(BenchmarkFixture):
    """``benchmark``, measuring by the session's protocol."""

    def __init__(self, node: pytest.Item, *args: Any, **kwargs: Any) -> None:
        super().__init__(node, *args, **kwargs)
        self._settings = node.config.stash.get(SETTINGS, Settings())
        self._marks = node.stash.get(MARKS, {})
        self._at_word = node.config.stash.get(TURNS, None)
        self._profiled = node.config.stash.get(PROFILE, None)
        self._member = node.config.stash.get(MEMBER, None)

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

        def rounds_of(rounds: int, iterations: int = 1) -> list[float]:
            return timed_rounds(function, args, kwargs, rounds, iterations, self._timer)

        if self._member is not None:
            self._member.gather()
        warm_s, warmup_rounds, warning = warm_up(protocol, rounds_of)
        iterations = self._iterations(statistics.median(warm_s))
        rounds = protocol.rounds_after(
            [duration_s * iterations for duration_s in warm_s], self._max_time, self._min_rounds
        )
        if self._member is not None:
            call_s = statistics.median(warm_s)
            rounds, iterations = self._member.agree(rounds, iterations, call_s, rounds_of)
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
        self._time(rounds_of, rounds, iterations)
        return result

    def _time(self, rounds_of: Callable[[int, int], list[float]], rounds: int, iterations: int) -> None:
        """The timed rounds, into the row."""
        metadata = self._make_stats(iterations)
        timed = rounds_of if self._member is None else partial(self._member.timed, rounds_of)
        with self._watched():
            gc_was_enabled = gc.isenabled()
            if self._disable_gc:
                gc.disable()
            try:
                durations_s = timed(rounds, iterations)
            finally:
                if gc_was_enabled:
                    gc.enable()
        for duration_s in durations_s:
            metadata.update(duration_s)

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
            self._time(rounds_of, rounds, iterations)
        return result

    def _take_turns(self, rounds_of: Any, least: int = 1, *, set_up: bool = False) -> None:
        assert self._at_word is not None
        gc_was_enabled = gc.isenabled()
        if self._disable_gc:
            gc.disable()
        try:
            taken = self._at_word.take(rounds_of, lambda call_s: max(least, self._iterations(call_s)), set_up=set_up)
        finally:
            if gc_was_enabled:
                gc.enable()
        metadata = self._make_stats(taken.iterations)
        for duration_s in taken.durations_s:
            metadata.update(duration_s)
        self.extra_info.update(protocol="duet")
        self.extra_info.setdefault("status", "ok")
        self.extra_info.setdefault("warnings", [])

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """The meters, and whether the machine was ours, around whatever is timed.

        Around pytest-benchmark's own ways of measuring this includes their calibration, warm-up and set-up.
        """
        info = self.extra_info
        before = trust.read()
        readings = self._start_meters()
        yield
        for reading in readings:
            info.update(reading.stop())
        judged = trust.judge(before, trust.read(), self._threads())
        info.update(timestamp_utc=datetime.now(UTC).isoformat())
        info.setdefault("status", "ok")
        info.setdefault("warnings", [])
        if self._member is not None:  # tenants are judged together, by their parent
            info.update((name, judged.fields[name]) for name in OF_A_TENANT)
            return
        info.update(judged.fields, trust_missing=judged.missing)
        if judged.reason:
            add_warning(self.extra_info, judged.reason)
            if info["status"] == "ok":
                info["status"] = judged.status

    def _threads(self) -> int:
        """How many threads the test says it computes with; another project may mean something else by the word."""
        threads = self.extra_info.get("threads")
        return threads if isinstance(threads, int) and threads > 0 else 1

    def _iterations(self, call_s: float) -> int:
        """Calls per round: 1 unless one call is shorter than the clock can tell.

        pytest-benchmark's rule (``--benchmark-calibration-precision`` times the clock's resolution),
        on a warm call, and without its floor of ``--benchmark-min-time``: single calls keep the tail honest.
        """
        least_s = self._get_precision(self._timer) * self._calibration_precision
        return max(1, ceil(least_s / call_s)) if call_s > 0 else 1000

    def _start_meters(self) -> list[Any]:
        readings = []
        for name in self._settings.meters:
            meter = meters()[name]
            reason = meter.unavailable() if self._marks.get(name) is None else None
            if reason:
                add_warning(self.extra_info, reason)
            readings.append(meter.start(self._marks.get(name), threads=self._threads()))
        return readings

    def _profile(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        import cProfile

        profile = cProfile.Profile()
        for _ in range(self.cprofile_loops or 1):
            profile.runcall(function, *args, **kwargs)
        self._save_cprofile(profile)


def warm_up(
    protocol: Protocol, rounds_of: Callable[[int], list[float]], now: Callable[[], float] = time.perf_counter
) -> tuple[list[float], int, str | None]:
    """Call until warm.

    Returns:
        The durations in seconds of warm calls (never empty), how many calls were made (at least one is
        always made, to learn how long a warm call takes), and a warning or ``None``.
    """
    if protocol.warmup_rounds is not None:
        warm_s = rounds_of(max(1, protocol.warmup_rounds))
        return warm_s, len(warm_s), None
    medians_s: list[float] = []
    batches: list[list[float]] = []
    per_batch, calls, start_s = 1, 0, now()
    batch: list[float] = []
    while not is_steady(medians_s):
        if now() - start_s > WARMUP_LIMIT_S:
            seen = steadiness_rel(medians_s)
            found = f"±{seen:.1%}" if seen is not None else f"only {len(medians_s)} batches of calls"
            return (
                _flat(batches) or batch,
                calls,
                (f"not steady after {WARMUP_LIMIT_S:g} s of warm-up: {found}, wanted ±{STEADY_HALF_WIDTH_REL:.0%}"),
            )
        begun_s = now()
        batch = rounds_of(per_batch)
        calls += len(batch)
        median_s = statistics.median(batch)
        # A timer of CPU time does not see a call wait; the batch's length is a matter of wall time.
        call_s = max(median_s, (now() - begun_s) / len(batch))
        if per_batch * call_s >= BATCH_S / 2:
            batches.append(batch)
            medians_s.append(median_s)
        per_batch = max(1, round(BATCH_S / call_s)) if call_s > 0 else per_batch * 10
    return _flat(batches[-max(8, len(batches) // 2) :]), calls, None


def _flat(batches: list[list[float]]) -> list[float]:
    return [duration_s for batch in batches for duration_s in batch]


def declared_items(node: pytest.Item) -> float | None:
    """Items per call from ``@pytest.mark.throughput(items=...)``: a number, or a parameter's name.

    A marker that is misspelt, or names a parameter the test does not have, fails the test with one line.
    """

    def fail(text: str) -> NoReturn:
        pytest.fail(text, pytrace=False)

    marker = node.get_closest_marker("throughput")
    if marker is None:
        return None
    if marker.args or set(marker.kwargs) != {"items"}:
        fail(f"{node.nodeid}: write @pytest.mark.throughput(items=NUMBER_OR_PARAMETER_NAME)")
    items = marker.kwargs["items"]
    if isinstance(items, str):
        params = node.callspec.params if hasattr(node, "callspec") else {}
        if items not in params:
            fail(
                f"{node.nodeid}: throughput(items={items!r}) names no parameter of the test "
                f"(it has: {', '.join(params) or 'none'})"
            )
        items = params[items]
    if isinstance(items, bool) or not isinstance(items, int | float) or items <= 0:
        fail(f"{node.nodeid}: throughput(items={items!r}) must be a positive number")
    return items
