"""Rounds that a device's clock times beside the host's: what is called when, what a row says, when it is warm."""

import json
import statistics
import time
from itertools import repeat

import numpy as np
import pytest
from foreign import run_all, written
from hypothesis import given
from hypothesis import strategies as st

from tailgate.measure.device_rounds import FIELDS, DeviceRounds, device_fields
from tailgate.measure.warmup import DEVICE_WARMUP_LIMIT_S, warm_up_device
from tailgate.session.protocol import PRESETS, WARMUP_LIMIT_S

SECONDS = st.floats(1e-6, 10.0)


class FakeClock:
    """Writes down what is called, and tells what it is given."""

    name = "fake-events"

    def __init__(self, told_s):
        self.called, self._told_s = [], iter(told_s)

    def before_round(self):
        self.called.append("before")

    def after_round(self):
        self.called.append("after")
        return next(self._told_s)

    def facts(self):
        return {"gpu_memory_peak_bytes": 5, "l2_flushed": True}


def test_calls_after_the_timed_rounds_are_not_described():
    rounds = DeviceRounds(FakeClock([0.1, 0.2, 0.9]), lambda: None, (), {})
    rounds.timed(2, 1, time.perf_counter)
    rounds.keep()
    rounds.timed(1, 1, time.perf_counter)
    assert rounds.described(1)[0]["gpu_times_s"] == [0.1, 0.2]


def test_a_round_is_before_call_after_and_only_the_call_is_timed():
    clock = FakeClock([0.1, 0.2])
    readings = iter([0.0, 0.5, 1.0, 1.25])

    def timer():
        clock.called.append("timer")
        return next(readings)

    rounds = DeviceRounds(clock, lambda word, *, times: clock.called.append(word * times), ("call",), {"times": 1})
    assert rounds.timed(2, 1, timer) == [0.5, 0.25]
    assert clock.called == ["before", "timer", "call", "timer", "after"] * 2
    rounds.keep()
    fields, warnings = rounds.described(1)
    assert fields["gpu_times_s"] == [0.1, 0.2]
    assert fields["gpu_memory_peak_bytes"] == 5
    assert rounds.median_s() == pytest.approx(0.15)
    assert not warnings


@given(st.lists(SECONDS, min_size=1, max_size=400))
def test_the_statistics_are_those_of_the_host_clock(device_s):
    fields, warnings = device_fields("x", device_s, device_s)
    assert fields["gpu_times_s"] == device_s
    assert fields["gpu_time_median_s"] == statistics.median(device_s)
    assert fields["gpu_time_p99_s"] == np.percentile(device_s, 99)
    assert (fields["gpu_time_p99_high_s"] is None) == (len(device_s) < 368)
    assert not warnings


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=50))
def test_a_device_time_longer_than_its_call_is_told(pairs):
    host_s, device_s = zip(*pairs, strict=True)
    _, warnings = device_fields("x", host_s, device_s)
    clearly = any(device > host * 1.01 + 1e-5 for host, device in pairs)
    assert bool(warnings) >= clearly
    if all(device <= host for host, device in pairs):
        assert not warnings
    assert all("one of the clocks is wrong" in text for text in warnings)


@pytest.mark.parametrize(
    ("device_s", "iterations", "reason"),
    [
        ([0.1, 0.1], 7, "x: a round is 7 calls"),
        ([None, None], 1, "x: the device's clock told the time of no round"),
        ([0.1, None], 1, "x: the device's clock could not tell 1 of 2 rounds"),
    ],
)
def test_what_is_not_known_is_none_with_a_reason(device_s, iterations, reason):
    fields, (warning,) = device_fields("x", [0.2, 0.2], device_s, iterations)
    assert warning.startswith(reason)
    assert {fields[name] for name in FIELDS if name != "gpu_times_s"} == {None}
    assert set(FIELDS) <= fields.keys()


class Warming:
    """Calls of 10 ms on a clock that only they move, beside a device that becomes steady after some batches."""

    def __init__(self, unsteady_batches):
        self.now_s, self.calls, self.batches, self._unsteady = 0.0, 0, 0, unsteady_batches

    def rounds_of(self, rounds):
        self.now_s += rounds * 0.01
        self.calls += rounds
        return [0.01] * rounds

    def beside(self):
        self.batches += 1
        return {"device times": 2.0 if self.batches < self._unsteady and self.batches % 2 else 1.0, "SM clock": None}

    def warm_up(self, protocol):
        return warm_up_device(protocol, self.rounds_of, self.beside, now=lambda: self.now_s)


@pytest.mark.parametrize("preset", ["quick", "adaptive"])
def test_a_device_is_warmed_until_its_times_are_steady_too(preset):
    at_once, later = Warming(0), Warming(20)
    assert at_once.warm_up(PRESETS[preset])[2] is None
    _, calls, warning = later.warm_up(PRESETS[preset])
    assert warning is None
    assert calls == later.calls
    assert at_once.batches == 8
    assert later.batches > 20


@pytest.mark.parametrize(("preset", "limit_s"), [("quick", DEVICE_WARMUP_LIMIT_S), ("adaptive", WARMUP_LIMIT_S)])
def test_a_device_that_is_never_steady_ends_the_warm_up_with_a_warning(preset, limit_s):
    work = Warming(10**9)
    warm_s, _, warning = work.warm_up(PRESETS[preset])
    assert warm_s
    assert warning.startswith(f"not steady after {limit_s:g} s of warm-up: device times ±")
    assert work.now_s < limit_s + 1


@pytest.mark.parametrize(
    ("protocol", "calls"), [(PRESETS["paper"], 20), (PRESETS["quick"].overridden(None, 10), 10)], ids=["paper", "typed"]
)
def test_a_warm_up_that_was_published_or_typed_is_as_long_as_it_says(protocol, calls):
    work = Warming(10**9)
    assert work.warm_up(protocol) == (list(repeat(0.01, calls)), calls, None)


PROJECT = """
import pytest
from tailgate.measure.fixture import use_device_clock

class Device:
    name = "fake-events"
    def __init__(self): self.rounds, self.calls = 0, 0
    def before_round(self): self.calls = 0
    def after_round(self):
        self.rounds += 1
        return 1e-9
    def facts(self): return {"gpu_memory_peak_bytes": 7}

@pytest.fixture
def clock(request):
    clock = Device()
    use_device_clock(request.node, clock)
    return clock

def test_device(benchmark, clock):
    benchmark(sum, range(2000))
    benchmark.extra_info["called"] = clock.rounds

def test_pedantic(benchmark, clock):
    benchmark.pedantic(sum, args=([1],), rounds=3)

def test_host(benchmark):
    benchmark(sum, range(2000))
"""
PAPER, OFF = "--protocol=paper", "--meters=cpu"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory):
    folder = written(tmp_path_factory.mktemp("device"), PROJECT)
    sessions = [(flag, f"--benchmark-json={flag.strip('-')}.json", "-q") for flag in (PAPER, OFF)]
    for arguments, (code, text) in run_all(folder, *sessions).items():
        assert code == 0, (arguments, text)
    saved = {flag: json.loads((folder / f"{flag.strip('-')}.json").read_text()) for flag in (PAPER, OFF)}
    return {flag: {row["name"]: row["extra_info"] for row in run["benchmarks"]} for flag, run in saved.items()}


def test_under_a_protocol_a_row_has_both_clocks(rows):
    info = rows[PAPER]["test_device"]
    assert info["gpu_times_s"] == [1e-9] * 100
    assert info["gpu_time_median_s"] == info["gpu_time_p99_s"] == 1e-9
    assert info["device_clock"] == "fake-events"
    assert info["gpu_memory_peak_bytes"] == 7
    assert info["warmup_rounds"] == 20
    assert info["called"] == 120
    assert not [text for text in info["warnings"] if "fake-events" in text]


def test_elsewhere_the_device_clock_is_not_read_and_the_row_says_so(rows):
    for info in (rows[PAPER]["test_pedantic"], rows[OFF]["test_device"]):
        assert "gpu_times_s" not in info
        assert [text for text in info["warnings"] if text.startswith("fake-events: the device's clock was not read")]
    assert rows[OFF]["test_device"]["called"] == 0


def test_without_a_device_clock_nothing_is_added(rows):
    assert not [name for name in rows[PAPER]["test_host"] if name.startswith(("gpu_", "device_"))]
