"""The roofline's arithmetic: a bound that holds, is monotone, and is believed neither too early nor too late."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.roofline.bound import (
    ABOVE,
    COMPUTE,
    NOT_JUDGED,
    ON_OR_UNDER,
    OVERHEAD,
    TOLERANCE_REL,
    UNDECIDED,
    Call,
    Level,
    attainable,
    bound_of,
    consistent,
    crossing_bytes,
    judge,
    layerwise_roof,
    ridge,
)


def source_intensity(forward_macs: float, parameters: float) -> float:
    """What the source of study 5 drew as "FLOP/byte": 10^9 forward MACs per image over megabytes of FP32 weights."""
    return (forward_macs / 1e9) / (parameters * 4 / 1e6)


def source_excess(images_per_s: float, forward_macs: float, parameters: float, bytes_per_s: float) -> float:
    """How many times above its own roof the source drew a point; the MACs cancel out."""
    return images_per_s * forward_macs / (bytes_per_s * source_intensity(forward_macs, parameters))


rates = st.floats(1e6, 1e15)
intensities = st.floats(1e-3, 1e6)
sizes = st.floats(0, 1e12)
L2 = Level("l2", 100e9, inner_bytes=32e3, held_bytes=544e3)
MEMORY = Level("memory", 10e9, inner_bytes=1e6)


@given(rates, rates, intensities, intensities)
def test_attainable_is_the_lower_of_two_roofs_and_grows_with_intensity(peak, bandwidth, one, other):
    low, high = sorted((one, other))
    assert attainable(peak, bandwidth, low) <= attainable(peak, bandwidth, high) <= peak
    assert attainable(peak, bandwidth, low) <= bandwidth * low


@given(rates, rates, st.floats(1.01, 100))
def test_the_two_roofs_meet_at_the_ridge(peak, bandwidth, factor):
    there = ridge(peak, bandwidth)
    assert attainable(peak, bandwidth, there) == pytest.approx(peak)
    assert attainable(peak, bandwidth, there * factor) == peak
    assert attainable(peak, bandwidth, there / factor) == pytest.approx(peak / factor)


@given(rates, sizes, sizes, sizes, rates, rates)
def test_larger_caches_more_bandwidth_and_less_traffic_only_raise_the_roof(flops, traffic, more, inner, slow, peak):
    def roof(traffic_bytes, inner_bytes, bandwidth):
        return bound_of(Call(flops, traffic_bytes), peak, [Level("memory", bandwidth, inner_bytes)]).flop_per_s

    base = roof(traffic + more, inner, slow)
    assert base <= roof(traffic, inner, slow)
    assert base <= roof(traffic + more, inner + more, slow)
    assert base <= roof(traffic + more, inner, slow * 2)
    assert base <= peak


@given(rates, st.floats(1, 1e12), sizes, rates, rates, st.integers(1, 2))
def test_no_call_that_takes_the_time_its_traffic_needs_is_above_the_roof(flops, traffic, inner, bandwidth, peak, each):
    """However much of what is kept the caches keep: the bound is a theorem, not a fit."""
    call, level = Call(flops, traffic, transfers_per_kept_byte=each), Level("memory", bandwidth, inner)
    least_s = max(max(0.0, traffic - each * inner) / bandwidth, flops / peak)
    assert judge(call, flops / least_s, peak, [level]).word == ON_OR_UNDER


@given(st.lists(rates, min_size=1, max_size=5))
def test_no_level_is_slower_than_one_outside_it(bandwidths):
    levels = [Level(f"l{index}", rate, 0) for index, rate in enumerate(bandwidths)]
    found = [level.bytes_per_s for level in consistent(levels)]
    assert found == sorted(found, reverse=True)
    assert found == [max(bandwidths[index:]) for index in range(len(bandwidths))]


def test_by_hand():
    call = Call(flops=2e6, compulsory_bytes=3e6)
    assert crossing_bytes(call, MEMORY) == 2e6
    assert bound_of(call, 1e12, [L2, MEMORY]).by == "memory"
    assert bound_of(call, 1e12, [L2, MEMORY]).flop_per_s == pytest.approx(2e6 / (2e6 / 10e9))
    assert bound_of(call, 1e9, [L2, MEMORY]).by == COMPUTE
    assert crossing_bytes(Call(1, 3e6, transfers_per_kept_byte=2), MEMORY) == 1e6


def test_what_caches_hold_is_not_bound_by_memory_and_unknown_caches_bound_nothing():
    small = Call(flops=1e5, compulsory_bytes=5e5)
    assert bound_of(small, None, [MEMORY]) is None
    assert bound_of(small, None, [L2, MEMORY]).by == "l2"
    assert bound_of(small, None, [Level("memory", 1e9, None)]) is None


@pytest.mark.parametrize(
    ("achieved", "doubt", "word"),
    [
        (0.9e12, None, ON_OR_UNDER),
        ((1 + TOLERANCE_REL) * 0.999e12, None, ON_OR_UNDER),
        ((1 + TOLERANCE_REL) * 1.001e12, None, ABOVE),
        (2e12, "a peak was contended", UNDECIDED),
    ],
)
def test_above_the_roof_is_an_error_unless_the_peak_is_in_doubt(achieved, doubt, word):
    found = judge(Call(1e9, 1e3), achieved, 1e12, [MEMORY], doubt=doubt)
    assert found.word == word
    assert found.failed == (word == ABOVE)
    assert ("Winograd" in found.because) == (word == ABOVE)


def test_without_a_peak_nothing_is_judged():
    assert judge(Call(1e9, 1e3), 1.0, None, [MEMORY]).word == NOT_JUDGED


@pytest.mark.parametrize(
    ("achieved", "bound"), [(0.6e12, COMPUTE), (0.4e12, "memory (layer by layer)"), (0.05e12, OVERHEAD)]
)
def test_what_a_row_is_bound_by(achieved, bound):
    call = Call(1e9, 1e5, layerwise_bytes=2e7, layerwise_set_bytes=1e7)
    assert layerwise_roof(call, 1e12, [L2, MEMORY]).flop_per_s == pytest.approx(0.5e12)
    assert judge(call, achieved, 1e12, [L2, MEMORY]).bound == bound
    assert layerwise_roof(Call(1e9, 1e5), 1e12, [MEMORY]) is None


def test_layerwise_traffic_comes_from_the_innermost_level_that_holds_it():
    call = Call(1e9, 1e4, layerwise_bytes=1e9, layerwise_set_bytes=3e5)
    assert layerwise_roof(call, math.inf, [MEMORY, L2]).by == "l2"


@pytest.mark.parametrize(
    ("model", "images_per_s", "macs", "parameters", "excess"),
    [("resnet18", 315.7, 1_814_073_344, 11_689_512, 46.1), ("squeezenet1_1", 346.6, 349_151_936, 1_235_496, 5.35)],
)
def test_the_sources_points_lie_above_its_own_roof(model, images_per_s, macs, parameters, excess):
    """A T4's 320 GB/s, as the source typed in. Its unit is 1000 times too large, so its roof is 1000 times too low."""
    assert source_excess(images_per_s, macs, parameters, 320e9) == pytest.approx(excess, rel=0.01)
    flop_per_byte = macs / (4 * parameters)
    assert source_intensity(macs, parameters) == pytest.approx(flop_per_byte / 1000)
