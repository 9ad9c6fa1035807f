"""Tenants without a process: shares of CPUs, what was done in a window, who is how far, rows as one, reports."""

from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import ROOT

from tailgate.commands.formats import formats
from tailgate.errors import TailgateError
from tailgate.machine.nvml.summary import of_an_item
from tailgate.machine.trust import Judgement
from tailgate.measure.device_rounds import FIELDS, device_fields
from tailgate.processes.endings import Ending
from tailgate.processes.tenants import rows, summary
from tailgate.processes.tenants.barrier import STAGES, Barrier, agreed
from tailgate.processes.tenants.cpus import by_core, reading_of, shares
from tailgate.processes.tenants.failures import named, named_report
from tailgate.processes.tenants.options import refuse
from tailgate.processes.tenants.overlap import Span, common_interval, overlap, rounds_within, start_skew_s
from tailgate.results.comparability import other_workload
from tailgate.results.rows import alone

LENGTHS_S = st.floats(0.001, 10.0)
MOMENTS_S = st.floats(0.0, 100.0)
DURATIONS_S = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=50)


@given(cpus=st.sets(st.integers(0, 500), min_size=1, max_size=100), data=st.data())
def test_shares_are_a_partition_as_even_as_can_be(cpus: set[int], data: st.DataObject) -> None:
    tenants = data.draw(st.integers(1, len(cpus)))
    found = shares(sorted(cpus), tenants)
    assert len(found) == tenants
    assert set().union(*found) == cpus
    assert sum(map(len, found)) == len(cpus)
    sizes = [len(share) for share in found]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1


def test_a_cores_threads_go_to_the_same_tenant(tmp_path: Path) -> None:
    for cpu in range(8):  # numbered as on many machines: a core's second thread comes after all first ones
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text("0\n")
        (topology / "core_id").write_text(f"{cpu % 4}\n")
    ordered = by_core(range(8), tmp_path)
    assert shares(ordered, 4) == [frozenset({core, core + 4}) for core in range(4)]
    assert by_core([3, 1, 2], tmp_path / "nothing") == [1, 2, 3]


@given(durations_s=DURATIONS_S, start_s=MOMENTS_S, stretch=st.floats(1.0, 3.0))
def test_the_whole_span_holds_all_rounds(durations_s: list[float], start_s: float, stretch: float) -> None:
    span = Span(0.0, start_s, start_s + sum(durations_s) * stretch + 1e-3, 1e3)
    assert rounds_within(durations_s, span, (0.0, 1e3)) == pytest.approx(len(durations_s))
    assert rounds_within(durations_s, span, (500.0, 600.0)) == 0


@given(durations_s=DURATIONS_S, start_s=MOMENTS_S, where=st.floats(0.0, 1.0))
def test_a_windows_halves_add_up(durations_s: list[float], start_s: float, where: float) -> None:
    span = Span(0.0, start_s, start_s + sum(durations_s) + 1e-3, 1e3)
    cut_s = span.start_s + where * (span.end_s - span.start_s)
    first = rounds_within(durations_s, span, (span.start_s, cut_s))
    second = rounds_within(durations_s, span, (cut_s, span.end_s))
    assert first + second == pytest.approx(len(durations_s))


def test_calls_across_an_edge_count_by_their_part_inside() -> None:
    span = Span(0.0, 10.0, 14.0, 20.0)
    assert rounds_within([1.0] * 4, span, (10.5, 13.0)) == pytest.approx(2.5)
    assert rounds_within([0.5] * 4, span, (11.0, 12.0)) == pytest.approx(1.0)  # half of the time lies between rounds
    assert rounds_within([0.0] * 4, span, (11.0, 12.0)) == pytest.approx(1.0)  # a clock that saw nothing


@given(st.lists(st.tuples(MOMENTS_S, LENGTHS_S), min_size=2, max_size=8))
def test_load_around_all_rounds_is_full_overlap(timed: list[tuple[float, float]]) -> None:
    ends_s = [start_s + length_s for start_s, length_s in timed]
    first_s, last_s = min(start_s for start_s, _ in timed), max(ends_s)
    spans = [Span(first_s, start_s, end_s, last_s) for (start_s, _), end_s in zip(timed, ends_s, strict=True)]
    assert overlap(spans) == pytest.approx(1.0)
    alone = [Span(span.start_s, span.start_s, span.end_s, span.end_s) for span in spans]
    assert 0.0 <= overlap(alone) <= 1.0
    window = common_interval(spans)
    assert (window is None) == (min(ends_s) <= max(start_s for start_s, _ in timed))
    assert start_skew_s(spans) >= 0


def test_overlap_is_that_of_the_tenant_that_was_alone_longest() -> None:
    spans = [Span(0.0, 1.0, 5.0, 5.0), Span(2.0, 3.0, 7.0, 8.0)]
    assert overlap(spans) == pytest.approx(0.5)  # the second: from 3 to 7, the first called until 5
    assert common_interval(spans) == (3.0, 5.0)


@given(st.lists(st.integers(0, 2), min_size=15, max_size=60))
def test_a_word_is_due_exactly_when_all_have_come_so_far(order: list[int]) -> None:
    barrier, words = Barrier(3), []
    for tenant in order:
        at = barrier.reached[tenant]
        if at < len(STAGES) and barrier.heard(tenant, STAGES[at], {"by": tenant}):
            words.append(STAGES[at])
            assert [told["by"] for told in barrier.contents(STAGES[at])] == [0, 1, 2]
    assert words == list(STAGES[: min(barrier.reached)])


def test_the_slowest_says_how_many_rounds_and_the_fastest_how_many_calls() -> None:
    wishes = [{"call_s": 1e-6, "rounds": 2000, "iterations": 3}, {"call_s": 2e-6, "rounds": 900, "iterations": 2}]
    assert agreed(wishes) == {"rounds": 900, "iterations": 3}


def row_of(data: list[float], **info: Any) -> dict[str, Any]:
    return {"fullname": "a", "data": data, "iterations": 1, "has_error": False, "extra_info": info}


SPANS = [Span(0.0, 1.0, 3.0, 4.0), Span(0.0, 1.0, 3.0, 4.0)]


def test_rows_as_one_keep_every_round_and_each_tenants_figures() -> None:
    common: dict[str, Any] = {"status": "ok", "warnings": [], "items_per_call": 2, "model": "m"}
    one = row_of([1.0, 1.0], **common, rss_peak_bytes=10, cpu_utilization=0.5, first_call_s=1.0, involuntary_switches=1)
    two = row_of([0.5] * 4, **common, rss_peak_bytes=30, cpu_utilization=0.7, first_call_s=None, involuntary_switches=2)
    found = rows.together([one, two], SPANS, "split", [frozenset({0}), frozenset({1})])
    info = found["extra_info"]
    assert found["data"] == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    assert (info["tenants"], info["tenant_cpus"], info["tenant_cpu_lists"]) == (2, "split", [[0], [1]])
    assert info["tenant_rounds_s"] == [[1.0, 1.0], [0.5] * 4]
    assert info["tenant_medians_s"] == [1.0, 0.5]
    assert (info["tenant_worst"], info["tenant_worst_p99_s"]) == (1, 1.0)
    assert info["tenant_throughputs_items_per_s"] == pytest.approx([2.0, 4.0])
    assert info["total_throughput_items_per_s"] == pytest.approx(6.0)
    assert (info["tenant_rss_peak_bytes"], info["total_rss_peak_bytes"], info["rss_peak_bytes"]) == ([10, 30], 40, 20)
    assert (info["tenant_cpu_utilization"], info["cpu_utilization"]) == ([0.5, 0.7], pytest.approx(0.6))
    assert (info["tenant_first_call_s"], info["first_call_s"]) == ([1.0, None], None)
    assert (info["involuntary_switches"], info["model"]) == (3, "m")
    assert info["warnings"] == []
    assert "tenant_model" not in info


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("throttled", [False, True], True),
        ("throttled", [True, None], True),
        ("throttled", [False, None], None),
        ("throttled", [False, False], False),
        ("throttle_reasons", ["gpu_idle", "sw_power_cap,gpu_idle"], "gpu_idle,sw_power_cap"),
        ("temperature_max_c", [61.0, 83.0], 83.0),
        ("gpu_memory_used_peak_bytes", [5, 9], 9),
        ("gpu_memory_process_peak_bytes", [5, 9], 7),
        ("involuntary_switches", [4, 4], 8),
        ("gpu_times_s", [[0.1], [0.1]], [0.1, 0.1]),
        ("gpu_times_s", [[0.1], None], None),
    ],
)
def test_what_tenants_saw_of_a_device_is_what_any_of_them_saw(name: str, values: list[Any], wanted: Any) -> None:
    found = rows.merged([{name: value} for value in values])
    assert found[name] == wanted
    if values[0] != values[1] or name == "gpu_times_s":
        assert found[f"tenant_{name}"] == values


@given(st.lists(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=200), min_size=2, max_size=3))
def test_device_statistics_of_tenants_are_those_of_all_their_rounds(tenants: list[list[float]]) -> None:
    found = rows.merged([device_fields("cuda events", times_s, times_s)[0] for times_s in tenants])
    every_s = [seconds for times_s in tenants for seconds in times_s]
    assert {name: found[name] for name in FIELDS} == {
        name: value for name, value in device_fields("cuda events", every_s, every_s)[0].items() if name in FIELDS
    }


@pytest.mark.parametrize(("uuids", "energy_j", "per_item_j"), [(("a", "a"), 100.0, 0.5), (("a", "b"), 200.0, 1.0)])
def test_joules_of_a_shared_board_are_of_all_tenants_items(uuids: Any, energy_j: float, per_item_j: float) -> None:
    both = [{"gpu_uuid": uuid, "energy_j": 100.0, **of_an_item({"energy_j": 100.0}, 25, 4)} for uuid in uuids]
    found = rows.merged(both)
    assert (found["energy_j"], found["energy_per_item_j"]) == (energy_j, per_item_j)
    assert found["images_per_joule"] == pytest.approx(1 / per_item_j)


@pytest.mark.parametrize(
    ("spans", "cpus", "said"),
    [
        (
            [Span(0, 1, 3, 3), Span(0, 1, 5, 6)],
            None,
            "only 50.0% of a tenant's timed rounds were under the load of all 2",
        ),
        (
            [Span(0, 1, 2, 9), Span(0, 3, 5, 9)],
            None,
            "total_throughput_items_per_s: a tenant's timed rounds ended before",
        ),
        (SPANS, [frozenset({0, 1}), frozenset({2})], "tenants are not alike: the CPUs do not divide evenly (2, 1)"),
    ],
)
def test_what_is_less_than_promised_is_said(spans: list[Span], cpus: list[frozenset[int]] | None, said: str) -> None:
    info = rows.together([row_of([1.0, 1.0])] * 2, spans, "shared", cpus)["extra_info"]
    assert [text for text in info["warnings"] if text.startswith(said)]
    assert (info["total_throughput_items_per_s"] is None) == (info["tenant_window_s"] is None)


def test_more_threads_than_cpus_between_them_are_oversubscribed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "usable_cpus", lambda: 4)
    alone = row_of([1.0, 1.0], status="ok", threads=2)
    assert rows.together([alone] * 2, SPANS, "shared", None)["extra_info"]["status"] == "ok"
    three = rows.together([alone] * 3, [*SPANS, SPANS[0]], "shared", None)
    assert three["extra_info"]["status"] == "oversubscribed"


def test_the_machines_facts_are_the_parents_and_the_switches_the_tenants() -> None:
    info: dict[str, Any] = {"status": "ok", "warnings": [], "involuntary_switches": 7}
    rows.trusted(info, Judgement({"cpu_per_wall": 2.0, "involuntary_switches": 0}, "contended", "contended: x", None))
    assert (info["status"], info["warnings"], info["involuntary_switches"]) == ("contended", ["contended: x"], 7)


def test_threads_of_all_tenants_are_asked_who_waited(tmp_path: Path) -> None:
    for pid, thread in ((10, 10), (20, 21)):
        folder = tmp_path / str(pid) / "task" / str(thread)
        folder.mkdir(parents=True)
        (folder / "schedstat").write_text(f"{pid}000000000 1000000000 5\n")
    assert reading_of([10, 20, 30], tmp_path).thread_times_s == {10: (10.0, 1.0), 21: (20.0, 1.0)}


def test_whose_failure_it_was_is_in_its_one_line() -> None:
    ending = named(Ending("oom", "oom: the kernel's out-of-memory killer ended the process"), "tenant 2 of 4")
    assert ending.reason == "oom: tenant 2 of 4: the kernel's out-of-memory killer ended the process"
    report = {"outcome": "failed", "longrepr": "oom: MemoryError", "tailgate_status": "oom"}
    assert named_report(report, "tenant 1 of 2")["longrepr"] == "oom: tenant 1 of 2: MemoryError"
    assert named_report({**report, "outcome": "passed"}, "tenant 1 of 2")["longrepr"] == "oom: MemoryError"


@pytest.mark.parametrize(
    ("saved", "now", "differs"),
    [
        ({}, {"tenants": 2, "tenant_cpus": "split"}, ["tenants"]),
        ({"tenants": 2, "tenant_cpus": "split"}, {}, ["tenants"]),
        ({"tenants": 2, "tenant_cpus": "split"}, {"tenants": 2, "tenant_cpus": "shared"}, ["tenant_cpus"]),
        ({"tenants": 2, "tenant_cpus": "split"}, {"tenants": 2, "tenant_cpus": "split"}, []),
        ({}, {}, []),
    ],
)
def test_a_row_of_tenants_is_another_workload(saved: dict[str, Any], now: dict[str, Any], differs: list[str]) -> None:
    assert other_workload(saved, now) == differs


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"duet": "HEAD"}, "--tenants=2 cannot be one side of a duet"),
        ({"processes": 3}, "--processes=3 one after the other"),
        ({"profilers": ("heap", "perf")}, "--meters=heap,perf has runs of its own"),
    ],
)
def test_what_cannot_be_combined_is_refused(asked: dict[str, Any], said: str) -> None:
    nothing: dict[str, Any] = {"processes": 1, "duet": None, "profilers": ()}
    refuse(2, **nothing)
    refuse(1, **{**nothing, **asked})
    with pytest.raises(TailgateError, match=said):
        refuse(2, **{**nothing, **asked})


def measured(fullname: str, extra_info: dict[str, Any]) -> Any:
    """As much of a row of pytest-benchmark's as the summary reads."""
    return SimpleNamespace(fullname=fullname, extra_info=extra_info)


def two_of_them() -> dict[str, Any]:
    info: dict[str, Any] = rows.together([row_of([1.0, 1.0]), row_of([0.5] * 4)], SPANS, "shared", None)["extra_info"]
    return info


def base(stats: Any = MappingProxyType({"throughput": 1.5, "p99": 0.25}), **info: Any) -> dict[str, Any]:
    """A saved run of one tenant."""
    return {"benchmarks": [{"fullname": "a", "stats": stats, "extra_info": info}]}


def test_the_summary_tells_best_median_and_worst_and_one_tenant_beside() -> None:
    info = two_of_them()
    _, name, said = summary.lines([measured("a", info), measured("b", {})], [base()])
    assert name == "  a x2 (shared CPUs)"
    assert said.startswith("    P99 500 ms / 750 ms / 1000 ms (worst: tenant 1); together 3 items/s, ")
    assert said.endswith("2.00 times one tenant of the baseline, whose P99 is 250 ms")
    assert summary.lines([measured("b", {})]) == []


@pytest.mark.parametrize("saved", [{"batch_size": 8}, {"tenants": 2}], ids=str)
def test_one_tenant_that_did_other_work_is_no_base(saved: dict[str, Any]) -> None:
    info = two_of_them()
    info["batch_size"] = 4
    assert summary.lines([measured("a", info)], [base(**saved)])[-1].endswith("together 3 items/s")


def test_a_base_that_was_disturbed_says_so() -> None:
    info = two_of_them()
    said = summary.lines([measured("a", info)], [base({"throughput": 1.5}, status="contended")])[-1]
    assert said.endswith("2.00 times one tenant of the baseline; that row was contended")


def test_one_tenant_stands_beside_tenants_whose_rounds_did_not_meet() -> None:
    info = two_of_them()
    said = summary.lines([measured("a", {**info, "total_throughput_items_per_s": None})], [base()])[-1]
    assert said.endswith("together not known, beside one tenant of the baseline, whose P99 is 250 ms")


def saved_run(**changes: Any) -> dict[str, Any]:
    info = {
        "study": "framework-comparison", "model": "resnet18", "runtime": "pytorch", "precision": "fp32",
        "device": "cpu", "threads": 1, "batch_size": 1, "image_size": 224, "status": "ok", "warnings": [], **changes,
    }  # fmt: skip
    stats = {"min": 1.0, "max": 1.0, "median": 1.0, "mean": 1.0, "stddev": 0.0, "rounds": 1, "data": [1.0]}
    row = {"name": "test_a", "fullname": "a.py::test_a", "group": None, "stats": stats, "extra_info": info}
    return {"machine_info": {}, "datetime": "2026-01-02", "benchmarks": [row]}


@pytest.mark.parametrize(("tenants", "is_alone"), [(None, True), (1, True), (2, False), ("theirs", True)])
def test_only_more_than_one_is_several(tenants: Any, is_alone: bool) -> None:
    assert alone({"tenants": tenants}) == is_alone


@pytest.mark.parametrize("name", ["gdev-ai", "scaling", "framework-comparison"])
def test_a_report_of_rows_measured_alone_leaves_it_out(name: str) -> None:
    render = formats(ROOT)[name].render
    assert "resnet18" in render([saved_run()])
    with pytest.raises(TailgateError, match="no "):
        render([saved_run(tenants=2)])


def test_threads_of_a_gpus_host_are_no_scaling() -> None:
    with pytest.raises(TailgateError, match="no row"):
        formats(ROOT)["scaling"].render([saved_run(device="cuda:0")])
