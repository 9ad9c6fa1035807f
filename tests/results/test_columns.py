import copy
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.results.columns import (
    ADDED_COLUMNS,
    HIGHER_IS_BETTER,
    LABELS,
    P99_BLOCKS_INTERVAL,
    P99_INTERVAL,
    PERCENTILES,
    SORTABLE,
    STOCK,
    complete,
    items_per_call,
    p99_blocks_interval,
    p99_interval,
    throughput,
)

SAMPLES_S = st.lists(st.floats(1e-6, 10), min_size=1, max_size=500)


def old_stats(samples: list[float]) -> dict:
    """What pytest-benchmark alone saves, of what matters here."""
    return {
        "min": min(samples),
        "max": max(samples),
        "mean": statistics.fmean(samples),
        "median": statistics.median(samples),
        "rounds": len(samples),
    }


@settings(deadline=None)
@given(SAMPLES_S)
def test_columns_missing_from_an_old_run_come_from_its_raw_data(samples):
    stats = complete({**old_stats(samples), "data": samples}, {})
    for name, percent in PERCENTILES.items():
        assert stats[name] == np.percentile(samples, percent)
    assert {name: stats[name] for name in P99_INTERVAL} == p99_interval(sorted(samples))
    assert {name: stats[name] for name in P99_BLOCKS_INTERVAL} == p99_blocks_interval(samples)
    assert stats["throughput"] == 1 / statistics.median(samples)


def test_raw_data_stays_in_the_order_it_was_measured():
    samples = [3.0, 1.0, 2.0]
    assert complete({**old_stats(samples), "data": samples}, {})["data"] == [3.0, 1.0, 2.0]


def test_without_raw_data_percentiles_are_missing_and_not_zero():
    stats = complete(old_stats([1.0, 2.0]), {})
    assert {name: stats[name] for name in (*PERCENTILES, *P99_INTERVAL)} == dict.fromkeys((*PERCENTILES, *P99_INTERVAL))


def test_without_raw_data_throughput_still_follows_from_the_median():
    assert complete(old_stats([1.0, 3.0]), {"items_per_call": 8})["throughput"] == 4.0


@pytest.mark.parametrize("data", [None, []])
def test_empty_raw_data_are_no_raw_data(data):
    assert complete({**old_stats([1.0]), "data": data}, {})["p99"] is None


def test_without_data_and_median_nothing_is_made_up():
    stats = complete({}, {})
    assert stats == dict.fromkeys((*PERCENTILES, *P99_INTERVAL, *P99_BLOCKS_INTERVAL, "throughput", *STOCK))


def test_values_that_were_saved_are_kept():
    saved = {**dict.fromkeys((*ADDED_COLUMNS, *P99_BLOCKS_INTERVAL), 42.0), "p99_low": 1.0, "p99_high": None}
    saved["data"] = [1.0] * 400
    assert complete(copy.deepcopy(saved), {}) == {**dict.fromkeys(STOCK), **saved}


@settings(deadline=None)
@given(SAMPLES_S)
def test_completing_twice_changes_nothing(samples):
    once = complete({**old_stats(samples), "data": samples}, {"items_per_call": 2})
    assert complete(copy.deepcopy(once), {"items_per_call": 2}) == once


def test_p99_interval_ends_are_named_and_missing_where_there_are_too_few_rounds():
    assert p99_interval([1.0] * 10) == {"p99_low": 1.0, "p99_high": None}
    assert p99_interval([1.0] * 368) == {"p99_low": 1.0, "p99_high": 1.0}


@pytest.mark.parametrize(("median_s", "items", "rate"), [(0.5, 1, 2.0), (0.5, 8, 16.0), (2.0, 1, 0.5), (0.0, 8, None)])
def test_throughput_is_items_over_the_median(median_s, items, rate):
    assert throughput(median_s, items) == rate


@pytest.mark.parametrize(
    ("extra_info", "items"),
    [({}, 1), ({"items_per_call": None}, 1), ({"items_per_call": 8}, 8), ({"items_per_call": 0.5}, 0.5)],
)
def test_a_call_processes_one_item_unless_somebody_says_otherwise(extra_info, items):
    assert items_per_call(extra_info) == items


@pytest.mark.parametrize("column", ADDED_COLUMNS)
def test_every_added_column_has_a_label_and_can_be_sorted_on(column):
    assert LABELS[column]
    assert column in SORTABLE


def test_of_the_added_columns_only_throughput_is_better_when_higher():
    assert set(ADDED_COLUMNS) & set(HIGHER_IS_BETTER) == {"throughput"}


@given(st.floats(1e-9, 1e3), st.integers(1, 10_000))
def test_throughput_is_one_division(median_s: float, items: int) -> None:
    assert throughput(median_s, items) == items / median_s
