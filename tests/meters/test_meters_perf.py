"""``--meters=perf``: what perf prints in its several versions, and its runs from beginning to end."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isolated import CONFTEST, FORK, Project, Session

from tailgate.machine.doctor.host import Host
from tailgate.meters import perf
from tailgate.meters._perf_out import Count, counts, speaks_json

QUIET: Any = SimpleNamespace(profiling=lambda name: None)
JSON_61 = """\
# started on Sat Nov 21 18:14:00 2026

{"counter-value" : "<not supported>", "unit" : "", "event" : "cpu-cycles", "event-runtime" : 0, "pcnt-running" : 100.00, "metric-value" : 0.000000, "metric-unit" : ""}
{"counter-value" : "<not supported>", "unit" : "", "event" : "dTLB-load-misses", "event-runtime" : 0, "pcnt-running" : 100.00, "metric-value" : 0.000000, "metric-unit" : ""}
{"counter-value" : "0.700797", "unit" : "msec", "event" : "task-clock", "event-runtime" : 700797, "pcnt-running" : 100.00, "metric-value" : 0.384453, "metric-unit" : "CPUs utilized"}
{"counter-value" : "50.000000", "unit" : "", "event" : "page-faults", "event-runtime" : 700797, "pcnt-running" : 100.00, "metric-value" : 71.347337, "metric-unit" : "K/sec"}
"""  # noqa: E501 (as perf 6.1 wrote it on this project's virtual machine)
CSV_61 = """\
# started on Sat Nov 21 18:14:01 2026

<not supported>,,cpu-cycles:u,0,100.00,,
0.85,msec,task-clock:u,847761,100.00,0.075,CPUs utilized
44,,page-faults:u,847761,100.00,51.901,K/sec
"""
CSV_MULTIPLEXED = """\
4784039493,,cpu-cycles,775410000,62.51,,
<not counted>,,branch-misses,0,0.00,,
100.5,,cache-misses,775410000,37.49,,
"""
JSON_HYBRID = """\
{"counter-value" : "<not counted>", "unit" : "", "event" : "cpu_atom/branch-misses/", "event-runtime" : 0, "pcnt-running" : 0.00, "metric-value" : "0.000000", "metric-unit" : ""}
{"counter-value" : "6326.000000", "unit" : "", "event" : "cpu_core/branch-misses/", "event-runtime" : 293786, "pcnt-running" : 100.00, "metric-value" : "3.553394", "metric-unit" : "of all branches"}
{"counter-value" : "15.000000", "unit" : "", "event" : "cpu_core/instructions/", "event-runtime" : 16, "pcnt-running" : 100.00}
{"counter-value" : "38.000000", "unit" : "", "event" : "cpu_atom/instructions/", "event-runtime" : 10, "pcnt-running" : 54.00}
{"metric-value" : "237.237504", "metric-unit" : "MB/s"}
"""  # noqa: E501 (after the kernel's mailing list: a processor with two kinds of cores)
CSV_MANUAL = """\
233066666,,cpu_core/cycles/,4285,0.43,,
604097080,,cpu_atom/cycles/,992142,99.57,,
"""
"""Hybrid's example in perf-stat's manual page: a process that spent 0.43 % of its time on the other kind of core."""
JSON_LOCALE = (
    '{"counter-value" : "1,202545", "unit" : "msec", "event" : "task-clock", "event-runtime" : 1202545, '
    '"pcnt-running" : 100,00, "metric-value" : "0,473483", "metric-unit" : "CPUs utilized"}\n'
)
JSON_NAN = '{"counter-value" : "5", "event" : "cpu-cycles:u", "pcnt-running" : 100.00, "metric-value" : -nan}\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            JSON_61,
            {
                "cpu-cycles": Count(None, 1.0, "not supported"),
                "dTLB-load-misses": Count(None, 1.0, "not supported"),
                "task-clock": Count(0.700797, 1.0),
                "page-faults": Count(50.0, 1.0),
            },
        ),
        (
            CSV_61,
            {
                "cpu-cycles": Count(None, 1.0, "not supported"),
                "task-clock": Count(0.85, 1.0),
                "page-faults": Count(44.0, 1.0),
            },
        ),
        (
            CSV_MULTIPLEXED,
            {
                "cpu-cycles": Count(4784039493.0, 0.6251),
                "branch-misses": Count(None, 0.0, "not counted"),
                "cache-misses": Count(100.5, 0.3749),
            },
        ),
        (JSON_HYBRID, {"branch-misses": Count(6326.0, 1.0), "instructions": Count(53.0, 0.54)}),
        (JSON_LOCALE, {"task-clock": Count(1.202545, 1.0)}),
        (JSON_NAN, {"cpu-cycles": Count(5.0, 1.0)}),
        ("", {}),
        ("perf: command failed\n{broken\n", {}),
    ],
    ids=["json 6.1", "csv 6.1", "multiplexed", "hybrid", "comma locale", "nan", "empty", "no output"],
)
def test_what_perf_prints(text: str, wanted: dict[str, Count]) -> None:
    found = counts(text, (*perf.EVENTS, "task-clock", "page-faults"))
    assert found.keys() == wanted.keys()
    for event, one in wanted.items():
        assert found[event].value == one.value
        assert found[event].running_share == pytest.approx(one.running_share)
        assert found[event].reason == one.reason


def hybrid(*lines: tuple[str, str, str, float]) -> str:
    """Kind of core, event, value, percent."""
    return "".join(f"{value},,{cores}/{event}/,1000,{percent:.2f},,\n" for cores, event, value, percent in lines)


HALVES = hybrid(("cpu_core", "cpu-cycles", "1000", 50.0), ("cpu_atom", "cpu-cycles", "1000", 50.0))
ALL_THE_TIME = hybrid(("cpu_core", "instructions", "9000", 60.0), ("cpu_atom", "instructions", "1000", 40.0))


@pytest.mark.parametrize(
    ("text", "event", "wanted"),
    [
        (HALVES, "cpu-cycles", Count(1000.0, 1.0)),
        (CSV_MANUAL.replace("cycles", "cpu-cycles"), "cpu-cycles", Count(233066666 * 0.0043 + 604097080 * 0.9957, 1.0)),
        (ALL_THE_TIME, "instructions", Count(5800.0, 1.0)),
        (  # took turns on one kind: counted for half of the 60 %, and all of the 40 %
            ALL_THE_TIME + hybrid(("cpu_core", "cpu-cycles", "900", 30.0), ("cpu_atom", "cpu-cycles", "100", 40.0)),
            "cpu-cycles",
            Count(900 * 0.6 + 100 * 0.4, 0.7),
        ),
        (  # none was counted all the time: by the shares that there are
            hybrid(("cpu_core", "cpu-cycles", "900", 30.0), ("cpu_atom", "cpu-cycles", "100", 20.0)),
            "cpu-cycles",
            Count(900 * 0.6 + 100 * 0.4, 0.5),
        ),
        (  # on one kind of core only, taking turns there
            hybrid(("cpu_core", "cpu-cycles", "900", 62.5), ("cpu_atom", "cpu-cycles", "<not counted>", 0.0)),
            "cpu-cycles",
            Count(900.0, 0.625),
        ),
        (
            hybrid(("cpu_core", "cpu-cycles", "900", 100.0), ("cpu_atom", "cpu-cycles", "0", 0.0)),
            "cpu-cycles",
            Count(900.0, 1.0),
        ),
        (
            hybrid(("cpu_core", "cpu-cycles", "0", 0.0), ("cpu_atom", "cpu-cycles", "0", 0.0)),
            "cpu-cycles",
            Count(None, 0.0, "not counted"),
        ),
        ("0,,cpu-cycles,0,0.00,,\n", "cpu-cycles", Count(None, 0.0, "not counted")),
        ("0,,cpu-cycles,1000,100.00,,\n", "cpu-cycles", Count(0.0, 1.0)),
        (  # real on some: the smaller cores do not have the event
            ALL_THE_TIME
            + hybrid(("cpu_core", "cpu-cycles", "900", 60.0), ("cpu_atom", "cpu-cycles", "<not supported>", 100.0)),
            "cpu-cycles",
            Count(None, 1.0, "not supported on cpu_atom, where it ran 40% of the time"),
        ),
        (
            hybrid(("cpu_core", "cpu-cycles", "900", 100.0), ("cpu_atom", "cpu-cycles", "<not supported>", 100.0)),
            "cpu-cycles",
            Count(900.0, 1.0),
        ),
        (  # of the whole machine each kind's counter is on all the time: they add up
            hybrid(("cpu_core", "cpu-cycles", "900", 100.0), ("cpu_atom", "cpu-cycles", "100", 100.0)),
            "cpu-cycles",
            Count(1000.0, 1.0),
        ),
    ],
)
def test_counts_of_two_kinds_of_cores_are_weighted_by_the_time_on_each(text: str, event: str, wanted: Count) -> None:
    found = counts(text, perf.EVENTS)[event]
    assert (found.value, found.reason) == (pytest.approx(wanted.value), wanted.reason)
    assert found.running_share == pytest.approx(wanted.running_share)


@given(
    raw=st.lists(st.integers(1, 10**12), min_size=2, max_size=4),
    time=st.lists(st.integers(1, 1000), min_size=4, max_size=4),
)
def test_what_perf_scaled_up_by_kind_comes_back_as_what_was_counted(raw: list[int], time: list[int]) -> None:
    shares = [one / sum(time[: len(raw)]) for one in time[: len(raw)]]
    lines = [
        {"counter-value": str(count / share), "event": f"kind_{kind}/cpu-cycles/", "pcnt-running": 100 * share}
        for kind, (count, share) in enumerate(zip(raw, shares, strict=True))
    ]
    found = counts("\n".join(map(json.dumps, lines)), perf.EVENTS)
    assert found["cpu-cycles"].value == pytest.approx(sum(raw), rel=1e-6)


def test_an_event_that_was_counted_none_of_the_time_is_none_with_the_reason(tmp_path: Path) -> None:
    runs = [written(tmp_path / str(n), {"cpu-cycles": 0, "instructions": 100 * n}, percent=0.0) for n in (1, 2)]
    read = perf.Perf(("cpu-cycles",)).read(runs, [{}, {}])
    assert set(read.fields.values()) == {None}
    assert read.warnings == [
        "cpu-cycles counted 0 % of the time: the processor has fewer counters than events, or others had them"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "dTLB-load-misses",
        "dTLB-load-misses:u",
        "cpu_core/dTLB-load-misses/",
        "cpu/dTLB-load-misses:u/",
        "cpu_core/dTLB-load-misses/u",
    ],
)
def test_an_event_is_known_in_every_dress(name: str) -> None:
    assert counts(f"7,,{name},1,100.00,,\n", perf.EVENTS) == {"dTLB-load-misses": Count(7.0, 1.0)}


@pytest.mark.parametrize(
    ("version", "json"),
    [("perf version 6.1.187", True), ("perf version 6.0", True), ("perf version 5.15.173", False), ("", False)],
)
def test_json_is_asked_of_those_that_have_it(version: str, json: bool) -> None:
    assert speaks_json(version) == json


def written(folder: Path, values: dict[str, int | str], percent: float = 100.0) -> Path:
    """A run's folder, as perf leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{value},,{event},1000,{percent:.2f},,\n" for event, value in values.items()]
    (folder / perf.OUT).write_text("# started\n\n" + "".join(lines))
    return folder


@given(
    start=st.dictionaries(st.sampled_from(perf.EVENTS), st.integers(0, 10**12), min_size=1),
    per_call=st.integers(0, 10**9),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_call_is_the_slope_and_the_process_the_longer_run(
    tmp_path_factory: pytest.TempPathFactory, start: dict[str, int], per_call: int
) -> None:
    place = tmp_path_factory.getbasetemp()
    runs = [
        written(place / str(calls), {event: base + per_call * calls for event, base in start.items()})
        for calls in perf.PROFILER.calls
    ]
    fields = perf.PROFILER.read(runs, [{}, {}]).fields
    assert set(fields) == set(perf.PROFILER.fields)
    for event in perf.EVENTS:
        name = event.replace("-", "_")
        known = event in start
        assert fields[f"perf_{name}_per_inference"] == (pytest.approx(per_call) if known else None)
        assert fields[f"perf_process_{name}"] == (start[event] + per_call * perf.MANY if known else None)
    assert fields["perf_calls"] == perf.MANY


def test_what_is_not_counted_is_none_with_the_reason(tmp_path: Path) -> None:
    few = written(tmp_path / "0", {"cpu-cycles": 900, "instructions": 50, "dTLB-load-misses": "<not supported>"})
    many = written(tmp_path / "1", {"cpu-cycles": 800, "instructions": 140, "dTLB-load-misses": "<not supported>"})
    read = perf.Perf(("cpu-cycles", "instructions", "dTLB-load-misses", "cache-misses")).read([few, many], [{}, {}])
    assert read.fields == {
        "perf_process_cpu_cycles": 800,
        "perf_process_instructions": 140,
        "perf_process_dTLB_load_misses": None,
        "perf_process_cache_misses": None,
        "perf_cpu_cycles_per_inference": None,
        "perf_instructions_per_inference": 1.0,
        "perf_dTLB_load_misses_per_inference": None,
        "perf_cache_misses_per_inference": None,
        "perf_calls": 100,
    }
    assert read.warnings == [
        "dTLB-load-misses not supported on this machine",
        "cache-misses not in perf's output on this machine",
        "100 calls counted no more cpu-cycles than 10: one call's share is not known",
    ]


def test_events_that_took_turns_are_marked(tmp_path: Path) -> None:
    runs = [written(tmp_path / str(n), {"cpu-cycles": 1000 * n}, percent=62.51) for n in (1, 2)]
    read = perf.Perf(("cpu-cycles",)).read(runs, [{}, {}])
    assert read.warnings == [
        "the processor has fewer counters than events: cpu-cycles ran 63% of the time, and is extrapolated"
    ]


def test_what_smir_needs_is_among_the_fields() -> None:
    wanted = {"perf_process_dTLB_load_misses", "perf_dTLB_load_misses_per_inference", "perf_calls"}
    assert wanted <= set(perf.PROFILER.fields)
    assert perf.MANY == 100


def test_where_nothing_counts_no_run_is_started(request: pytest.FixtureRequest) -> None:
    from tailgate.processes.attempt import Attempt
    from tailgate.processes.profiles import Profiles

    started: list[Any] = []
    one = perf.Perf(cannot_count=lambda: "perf_event_paranoid is 4: sudo sysctl kernel.perf_event_paranoid=2")
    profiles = Profiles((), lambda item, task: started.append(task) or Attempt(), QUIET)
    profiles._wanted = [one]
    one.unavailable = one._cannot_count  # type: ignore[method-assign]  # with or without the command
    made = Attempt(rows=[{"extra_info": {}}])
    profiles.take(request.node, made)
    assert not started
    info = made.rows[0]["extra_info"]
    assert info["perf_process_instructions"] is None
    assert info["warnings"] == ["perf: perf_event_paranoid is 4: sudo sysctl kernel.perf_event_paranoid=2"]


def test_missing_perf_is_a_reason_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailgate.machine.doctor.host.Host", lambda: Host(which=lambda name: None))
    monkeypatch.setattr(
        "tailgate.machine.doctor.programs.install_command", lambda host, name: f"sudo apt install linux-{name}"
    )
    assert perf.PROFILER.unavailable() == "the perf command: not installed: sudo apt install linux-perf"


PROJECT = """
import mmap, os
from tailgate.measure.profiling import profiling

def touch(pages=200):
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        for page in range(pages):
            memory[page * mmap.PAGESIZE] = 1

def test_touch(benchmark, request):
    benchmark(touch)
    with open(os.environ["LOG"], "a") as log:
        log.write(f"{profiling(request.node)}\\n")

def test_crash(benchmark, request):
    benchmark(int)
    if profiling(request.node):
        os.abort()
"""
SOFTWARE = """
from tailgate.machine.doctor.host import Host
from tailgate.meters import perf
perf.PROFILER = perf.Perf(("task-clock", "page-faults"), cannot_count=lambda: None)
"""


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Project]:
    """With events that the kernel counts itself, wherever perf is installed."""
    reason = perf.Perf(cannot_count=lambda: None).unavailable()
    if reason:
        pytest.skip(reason)
    project = Project(tmp_path_factory.mktemp("perf"), test_perf=PROJECT)
    project.write("conftest.py", CONFTEST + SOFTWARE)
    return project.run(*FORK, "-p", "no:anyio", "--meters=perf"), project


def test_a_call_that_touches_pages_faults_so_often(touched: tuple[Session, Project]) -> None:
    session, project = touched
    assert session.code == 0, session.out
    info = session.rows["test_touch"]["extra_info"]
    assert info["perf_page_faults_per_inference"] == pytest.approx(200, rel=0.1)
    assert info["perf_process_page_faults"] > 100 * 200
    assert info["perf_process_task_clock"] > 0
    assert info["perf_calls"] == 100
    assert project.logged == ["None", "perf", "perf"]
    assert not session.left
    assert not project.temporary_files()


def test_a_crash_under_perf_costs_its_fields_and_nothing_else(touched: tuple[Session, Project]) -> None:
    session, _ = touched
    info = session.rows["test_crash"]["extra_info"]
    assert info["perf_page_faults_per_inference"] is None
    assert [text for text in info["warnings"] if text.startswith("perf: crashed: ")]
