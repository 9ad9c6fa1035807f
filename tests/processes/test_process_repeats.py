"""A benchmark in several processes: their order, the second try, and their results as one row."""

import random
import statistics
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.machine.nvml.summary import of_an_item
from tailgate.measure.device_rounds import FIELDS, device_fields
from tailgate.processes.attempt import Attempt
from tailgate.processes.endings import Ending
from tailgate.processes.passes import interleaved
from tailgate.processes.pooling import better, pooled


class Item(NamedTuple):
    place: int
    chosen: bool


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 5), st.integers(0, 50))
def test_passes_are_interleaved_over_the_whole_selection(kinds: list[bool], processes: int, seed: int) -> None:
    items: list[Any] = [Item(place, chosen) for place, chosen in enumerate(kinds)]
    chosen = [item for item in items if item.chosen]
    order = interleaved(items, chosen, processes, seed)
    assert order == interleaved(items, chosen, processes, seed), "seeded"
    first, later = order[: len(items)], order[len(items) :]
    assert Counter(first) == Counter(items)
    assert [item for item in first if not item.chosen] == [item for item in items if not item.chosen]
    assert [item.chosen for item in first] == kinds, "other tests stay where they are"
    assert len(later) == (processes - 1) * len(chosen)
    for start in range(0, len(later), len(chosen) or 1):
        assert Counter(later[start : start + len(chosen)]) == Counter(chosen)
    if processes == 1:
        assert order == items


def test_another_seed_gives_another_order_and_every_pass_its_own() -> None:
    items: list[Any] = [Item(place, True) for place in range(30)]
    orders = {tuple(item.place for item in interleaved(items, items, 3, seed)) for seed in range(10)}
    assert len(orders) == 10
    (one, *_) = orders
    assert len({one[:30], one[30:60], one[60:]}) == 3


CRASH = Ending("crashed", "crashed: SIGSEGV")
PASSED = ["passed"] * 3


def attempt(outcomes: list[str], median_s: float | None = None, busy: float | None = None, **more: Any) -> Attempt:
    info = {} if busy is None else {"status": "contended", "other_cpus_busy": busy}
    rows = [] if median_s is None else [{"fullname": "test_a.py::test_a", "data": [median_s], "extra_info": info}]
    return Attempt(reports=[{"outcome": outcome} for outcome in outcomes], rows=rows, **more)


def contended() -> Attempt:
    return attempt(PASSED, 1.0, 1.0, final_message={"in_order": True})


@pytest.mark.parametrize(
    "second",
    [
        attempt(["passed"], ending=CRASH),
        attempt(["passed", "passed"], 2.0, ending=CRASH),  # in its teardown
        attempt(["passed", "failed", "passed"]),
        attempt(["passed", "passed", "failed"], 2.0),
        attempt(PASSED, 2.0, final_message={"internal_error": "Traceback"}),
    ],
    ids=["crash", "crash in teardown", "failure", "failure in teardown", "internal error"],
)
def test_a_failure_of_the_second_try_is_what_came_of_it_and_the_first_ones_row_is_kept(second: Attempt) -> None:
    first = contended()
    kept = better(first, second)
    assert kept is second
    assert kept.failed
    assert not kept.measured, "so it is not journaled, and the session fails"
    (row,) = kept.rows
    assert (row["data"], row["extra_info"]["tries"]) == ([1.0], 2)
    assert row["extra_info"]["status"] == "contended"


def test_where_the_second_try_was_skipped_the_first_counts() -> None:
    first = contended()
    assert better(first, attempt(["skipped", "passed"])) is first


def test_where_the_second_try_stopped_the_session_the_first_counts_and_it_stops() -> None:
    first = contended()
    kept = better(first, attempt(["passed"], final_message={"in_order": True, "exit": ("enough", 7)}))
    assert kept is first
    assert kept.final_message["exit"] == ("enough", 7)


@pytest.mark.parametrize(
    ("second", "kept_s", "discarded_s"),
    [
        (attempt(PASSED, 9.0), 9.0, 1.0),  # not contended: slower or not
        (attempt(PASSED, 9.0, 0.5), 9.0, 1.0),
        (attempt(PASSED, 0.5, 1.5), 1.0, 0.5),
    ],
    ids=["quiet", "less disturbed", "more disturbed"],
)
def test_of_two_measured_tries_the_less_disturbed_is_kept(second: Attempt, kept_s: float, discarded_s: float) -> None:
    (row,) = better(contended(), second).rows
    assert row["data"] == [kept_s]
    assert (row["extra_info"]["tries"], row["extra_info"]["discarded_median_s"]) == (2, discarded_s)


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
        ("gpu_times_s", [[0.1, 0.2], [0.1, 0.2]], [0.1, 0.2, 0.1, 0.2]),
        ("gpu_times_s", [[0.1, None], [0.3]], [0.1, None, 0.3]),
        ("gpu_times_s", [[0.1, 0.2], None], None),
        ("throttled", [True, False], True),
        ("throttled", [None, True], True),
        ("throttled", [False, None], None),
        ("throttled", [False, False], False),
        ("throttle_reasons", ["sw_power_cap,gpu_idle", "gpu_idle", ""], "gpu_idle,sw_power_cap"),
        ("throttle_reasons", ["gpu_idle", None], None),
        ("pstate", ["P2", "P0"], "P0,P2"),
        ("energy_source", ["integrated", "counter"], "counter,integrated"),
        ("temperature_max_c", [61.0, 83.0, 70.0], 83.0),
        ("temperature_max_c", [61.0, None], None),
        ("rss_growth_bytes", [3, 9, 5], 9),
        ("gpu_memory_used_peak_bytes", [9, None], None),
        ("involuntary_switches", [3, 4, 0], 7),
        ("involuntary_switches", [4, 4], 8),
        ("involuntary_switches", [4, None], None),
        ("nvml_readings", [50, 50], 100),
        ("steal_cpus", [0.1, None], None),
        ("trust_missing", ["all: too short", None], "all: too short"),
        ("h2d_bytes_per_s", [2e9, 4e9], 1 / ((1 / 2e9 + 1 / 4e9) / 2)),
        ("h2d_bytes_per_s", [0, 4], 2.0),
        ("power_idle_before_w", [20.0, 30.0, 90.0], 30.0),
    ],
)
def test_what_differs_between_processes_is_merged_by_its_kind(key: str, values: list[Any], merged: Any) -> None:
    (row,) = pooled([run_of([1.0], **{key: value}) for value in values])
    assert row["extra_info"][key] == merged


def test_a_profile_of_one_process_is_the_rows_own() -> None:
    (row,) = pooled([run_of([1.0]), run_of([1.0], heap_peak_bytes=5, perf_calls=100)])
    assert (row["extra_info"]["heap_peak_bytes"], row["extra_info"]["perf_calls"]) == (5, 100)


device_times = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=300)


@settings(max_examples=50, deadline=None)
@given(st.lists(device_times, min_size=2, max_size=4))
def test_device_statistics_are_those_of_the_pooled_device_times(processes: list[list[float]]) -> None:
    runs = [run_of(times_s, **device_fields("cuda events", times_s, times_s)[0]) for times_s in processes]
    (row,) = pooled(runs)
    every_s = row["extra_info"]["gpu_times_s"]
    assert every_s == row["data"] == [seconds for times_s in processes for seconds in times_s]
    wanted, _ = device_fields("cuda events", every_s, every_s)
    assert {name: row["extra_info"][name] for name in FIELDS} == {name: wanted[name] for name in FIELDS}


def test_rounds_that_a_devices_clock_could_not_tell_leave_no_statistics() -> None:
    fields, _ = device_fields("cuda events", [1.0, 2.0], [0.5, None])
    (row,) = pooled([run_of([1.0, 2.0], **fields), run_of([1.0], **device_fields("cuda events", [1.0], [0.7])[0])])
    assert row["extra_info"]["gpu_times_s"] == [0.5, None, 0.7]
    assert {row["extra_info"][name] for name in FIELDS if name != "gpu_times_s"} == {None}


measured_energy = st.tuples(st.floats(1.0, 1e4), st.floats(5.0, 700.0), st.integers(1, 10**6), st.floats(1e-4, 0.5))


@given(st.lists(measured_energy, min_size=2, max_size=5))
def test_energy_is_the_sum_and_all_that_is_of_it_follows(processes: list[tuple[float, float, int, float]]) -> None:
    runs = []
    for joules, watts, calls, rel in processes:
        per_item = of_an_item({"energy_j": joules}, calls, 4)
        runs.append(run_of([1.0], energy_j=joules, power_mean_w=watts, energy_uncertainty_rel=rel, **per_item))
    info = pooled(runs)[0]["extra_info"]
    total_j = sum(joules for joules, *_ in processes)
    assert info["energy_j"] == pytest.approx(total_j)
    assert info["energy_per_item_j"] == pytest.approx(total_j / (4 * sum(calls for _, _, calls, _ in processes)))
    assert info["images_per_joule"] * info["energy_per_item_j"] == pytest.approx(1.0)
    assert info["power_mean_w"] == pytest.approx(total_j / sum(joules / watts for joules, watts, *_ in processes))
    off_by_j = sum(joules * rel for joules, _, _, rel in processes)
    assert info["energy_uncertainty_rel"] * total_j == pytest.approx(off_by_j)


def test_energy_that_one_process_lacks_is_none_of_the_whole_and_kept_of_the_others() -> None:
    fields = {"energy_j": 10.0, "power_mean_w": 100.0, "energy_uncertainty_rel": 0.1, "energy_per_item_j": 1.0,
              "images_per_joule": 1.0}  # fmt: skip
    (row,) = pooled([run_of([1.0], **fields), run_of([1.0], **dict.fromkeys(fields), warnings=["nvml: too short"])])
    assert {row["extra_info"][name] for name in fields} == {None}
    assert row["extra_info"]["process_values"]["energy_j"] == [10.0, None]


def test_shares_count_by_the_time_and_the_readings_they_are_of() -> None:
    (row,) = pooled([
        [{**run_of([1.0] * 3, cpu_utilization=1.0, sm_clock_mean_hz=1e9, nvml_readings=10)[0], "iterations": 1}],
        [{**run_of([1.0] * 3, cpu_utilization=0.2, sm_clock_mean_hz=2e9, nvml_readings=30)[0], "iterations": 3}],
    ])  # fmt: skip
    assert row["extra_info"]["cpu_utilization"] == pytest.approx((3 * 1.0 + 9 * 0.2) / 12)
    assert row["extra_info"]["sm_clock_mean_hz"] == pytest.approx(1.75e9)


def test_what_each_process_had_is_kept_where_they_differ() -> None:
    one = {"load_s": 1.0, "model": "a", "note": "x", "losses": [1.0, 2.0], "gpu_times_s": [1.0], "warnings": ["w"]}
    other = {"load_s": 3.0, "model": "a", "losses": [3.0, 4.0], "gpu_times_s": [2.0], "warnings": []}
    (row,) = pooled([run_of([1.0], **one), run_of([1.0], **other)])
    assert row["extra_info"]["process_values"] == {
        "load_s": [1.0, 3.0], "note": ["x", None], "losses": [[1.0, 2.0], [3.0, 4.0]],
    }  # fmt: skip
    assert "process_values" not in pooled([run_of([1.0], a=1), run_of([1.0], a=1)])[0]["extra_info"]


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
