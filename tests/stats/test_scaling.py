import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.stats.scaling import over_batches, over_threads, oversubscription, saturation_point

RATES = st.dictionaries(st.integers(1, 64), st.floats(0.01, 1e5), min_size=1, max_size=8)


def test_speed_up_and_efficiency_are_relative_to_the_smallest_thread_count():
    points = over_threads({4: 30.0, 1: 10.0, 2: 19.0})
    assert [(p.threads, p.speed_up, p.parallel_efficiency) for p in points] == [
        (1, 1.0, 1.0),
        (2, pytest.approx(1.9), pytest.approx(0.95)),
        (4, pytest.approx(3.0), pytest.approx(0.75)),
    ]


def test_a_base_of_two_threads_counts_its_own_growth_in_threads():
    (_, eight) = over_threads({2: 20.0, 8: 60.0})
    assert (eight.speed_up, eight.parallel_efficiency) == (pytest.approx(3.0), pytest.approx(0.75))


@given(RATES)
def test_the_base_has_speed_up_and_efficiency_one(rates):
    base = over_threads(rates)[0]
    assert (base.threads, base.speed_up, base.parallel_efficiency) == (min(rates), 1.0, 1.0)


@given(RATES)
def test_points_ascend_and_keep_every_measured_throughput(rates):
    assert [(p.threads, p.throughput_items_per_s) for p in over_threads(rates)] == sorted(rates.items())


@given(st.sets(st.integers(1, 64), min_size=1), st.floats(0.1, 100))
def test_perfect_scaling_has_efficiency_one_everywhere(threads, rate):
    points = over_threads({count: count * rate for count in threads})
    assert [p.parallel_efficiency for p in points] == pytest.approx([1.0] * len(threads))


@pytest.mark.parametrize(
    ("rates", "point"),
    [
        ({1: 10, 2: 20, 4: 40}, None),  # still grows at the largest
        ({1: 10, 2: 20, 4: 20.9}, 2),  # 4.5 % more is none
        ({1: 10, 2: 20, 4: 21}, None),  # 5 % more is some
        ({1: 10, 2: 20, 4: 15}, 2),  # falls
        ({1: 10, 2: 10.1, 4: 30}, None),  # a plateau below a later gain is none
        ({1: 10, 2: 10, 4: 10}, 1),
        ({4: 10, 1: 10, 2: 10}, 1),  # in whatever order it was measured
        ({1: 10}, None),
        ({}, None),
    ],
)
def test_saturation_is_the_smallest_step_from_which_nothing_gains_5_percent(rates, point):
    assert saturation_point(rates) == point


@given(RATES)
def test_no_step_after_saturation_gains_5_percent_and_some_does_before(rates):
    point = saturation_point(rates)
    if point is None:
        before = sorted(rates)[:-1]
    else:
        assert all(rate < rates[point] * 1.05 for step, rate in rates.items() if step > point)
        before = [step for step in rates if step < point]
    for step in before:
        assert max(rate for later, rate in rates.items() if later > step) >= rates[step] * 1.05


@pytest.mark.parametrize(
    ("rates", "usable_cpus", "penalty"),
    [
        ({1: 10, 2: 20, 4: 15}, 2, 0.25),
        ({1: 30, 2: 20, 4: 15}, 2, 0.5),  # the best within is not always the most threads
        ({2: 20, 4: 19, 8: 10}, 2, 0.5),  # the worst beyond
        ({2: 20, 4: 25}, 2, -0.25),  # a gain is a negative penalty
        ({1: 10, 2: 20}, 2, None),  # nothing beyond the CPUs
        ({4: 10, 8: 20}, 2, None),  # nothing within
        ({1: 10, 4: 19}, 2, None),  # not as many threads as CPUs: what 4 gain is an idle CPU's
        ({}, 2, None),
    ],
)
def test_oversubscription_costs_the_best_within_against_the_worst_beyond(rates, usable_cpus, penalty):
    found = oversubscription(rates, usable_cpus)
    assert (found and found.penalty_rel) == (None if penalty is None else pytest.approx(penalty))


@given(RATES, st.integers(1, 64))
def test_oversubscription_never_costs_more_than_everything(rates, usable_cpus):
    found = oversubscription(rates, usable_cpus)
    assert found is None or (found.penalty_rel < 1 and found.base_threads <= usable_cpus < found.threads)


def test_a_larger_batch_costs_latency_and_gives_throughput():
    one, four = over_batches({4: 0.2, 1: 0.1})
    assert (one.batch_size, one.throughput_items_per_s) == (1, pytest.approx(10))
    assert (one.latency_factor, one.throughput_factor) == (1.0, 1.0)
    assert (four.batch_size, four.median_s) == (4, 0.2)
    assert (four.throughput_items_per_s, four.latency_factor) == (pytest.approx(20), pytest.approx(2))
    assert four.throughput_factor == pytest.approx(2)


@given(st.dictionaries(st.integers(1, 512), st.floats(1e-6, 100), min_size=1, max_size=8))
def test_throughput_and_latency_factors_of_a_batch_agree(median_s):
    base = min(median_s)
    for step in over_batches(median_s):
        assert step.throughput_factor * step.latency_factor == pytest.approx(step.batch_size / base)


@pytest.mark.parametrize("analyse", [over_threads, over_batches])
def test_nothing_measured_gives_no_points(analyse):
    assert analyse({}) == []
