"""Several processes of a benchmark as one row."""

import random
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.processes.pooling import pooled

samples = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=20)


def run_of(data: list[float], **info: Any) -> list[dict[str, Any]]:
    return [{"fullname": "test_a", "name": "a", "data": data, "extra_info": info, "has_error": False}]


@given(samples)
def test_a_single_process_is_left_as_it_is(data: list[float]) -> None:
    run = run_of(data, answer=42)
    assert pooled([run]) == run
    assert "process_rounds" not in pooled([run])[0]["extra_info"]


@given(st.lists(samples, min_size=2, max_size=6))
def test_every_sample_is_kept_in_order_and_rounds_add_up(runs: list[list[float]]) -> None:
    (row,) = pooled([run_of(data, status="ok") for data in runs])
    assert row["data"] == [sample_s for data in runs for sample_s in data]
    info = row["extra_info"]
    assert info["process_rounds"] == [len(data) for data in runs]
    assert sum(info["process_rounds"]) == len(row["data"])
    assert info["process_medians_s"] == [statistics.median(data) for data in runs]
    assert info["process_statuses"] == ["ok"] * len(runs)
    start = 0
    for data, count in zip(runs, info["process_rounds"], strict=True):
        assert row["data"][start : start + count] == data
        start += count


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_pooled_facts_do_not_depend_on_the_order_of_processes(numbers: list[float], shuffle: random.Random) -> None:
    runs = [run_of([1.0], load_s=number, rss_peak_bytes=number) for number in numbers]
    (one,) = pooled(runs)
    shuffle.shuffle(runs)
    (other,) = pooled(runs)
    for row in (one, other):
        assert row["extra_info"]["load_s"] == statistics.median(numbers)
        assert row["extra_info"]["rss_peak_bytes"] == max(numbers)


@pytest.mark.parametrize(
    ("key", "values", "merged"),
    [
        ("model", ["a", "a"], "a"),
        ("status", ["ok", "contended", "ok"], "contended"),
        ("status", ["ok", "ok"], "ok"),
        ("warnings", [["x"], [], ["y", "x"]], ["x", "y"]),
        ("warnings", ["the test's own", ["x"]], ["x"]),
        ("flag", [True, False], False),
        ("note", [{"a": 1}, {"a": 2}], {"a": 2}),
        ("mixed", [1, "one"], "one"),
        ("heap_peak_bytes", [3, 9, 5], 9),
        ("missing", [None, 1.0], 1.0),
        ("gpu_times_s", [[0.1, 0.2], [0.3]], [0.1, 0.2, 0.3]),
        ("throttled", [True, False], True),
    ],
)
def test_what_differs_between_processes_is_merged_by_its_kind(key: str, values: list[Any], merged: Any) -> None:
    (row,) = pooled([run_of([1.0], **{key: value}) for value in values])
    assert row["extra_info"][key] == merged


def test_what_cannot_be_compared_is_the_last_ones() -> None:
    arrays = [np.array([1, 2]), np.array([1, 3])]
    (row,) = pooled([run_of([1.0], array=array) for array in arrays])
    assert row["extra_info"]["array"] is arrays[1]


def test_rows_of_several_names_are_pooled_each_by_its_own() -> None:
    two = [[*run_of([1.0 + n]), *({**row, "fullname": "test_b"} for row in run_of([9.0]))] for n in range(2)]
    assert [(row["fullname"], row["data"]) for row in pooled(two)] == [("test_a", [1.0, 2.0]), ("test_b", [9.0, 9.0])]


def test_an_error_in_one_process_is_the_rows() -> None:
    bad = [{**run_of([1.0])[0], "has_error": True}]
    assert pooled([bad, run_of([1.0])])[0]["has_error"] is True
