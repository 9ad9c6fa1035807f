"""``--meters=heap``: a run of its own after the timed one, whose failures cost a field and nothing else."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from foreign import run_all
from isolated import CONFTEST, FORK, Project, Session, adopting, run_together

from tailgate.meters import heap, meters, not_profiled, profilers

pytest.importorskip("memray", reason="the heap meter's tool is not installed")

MIB = 2**20
IN_SETUP, IN_CALL, BEFORE_MARK = 64 * MIB, 32 * MIB, 200 * MIB
KNOWN = f"""
import os, time
import pytest
from tailgate.measure.fixture import mark_meters
from tailgate.measure.profiling import profiling

@pytest.fixture
def framework(request):
    passing = bytearray({BEFORE_MARK})
    del passing
    mark_meters(request.node)

@pytest.fixture
def model(framework):
    return bytearray({IN_SETUP})

def say(request, word):
    with open(os.environ["LOG"], "a") as log:
        log.write(f"{{request.node.name}} {{profiling(request.node)}} {{word}}\\n")

def test_known(benchmark, model, request):
    calls = []
    benchmark(lambda: calls.append(len(bytearray({IN_CALL}))))
    say(request, len(calls))
    assert benchmark.disabled == (profiling(request.node) == "heap")

def test_pedantic(benchmark):
    setup = lambda: ((bytearray({IN_SETUP}),), {{}})
    benchmark.pedantic(lambda held: len(bytearray({IN_CALL})), setup=setup, rounds=2)
"""
BAD = """
import os, time
import pytest
from tailgate.measure.profiling import profiling

def test_crash(benchmark, request):
    benchmark(int)
    if profiling(request.node):
        os.abort()

def test_fails(benchmark, request):
    benchmark(int)
    assert not profiling(request.node), "only here"

def test_never_calls(benchmark, request):
    if not profiling(request.node):
        benchmark(int)

def test_hang(benchmark, request):
    benchmark(int)
    if profiling(request.node):
        time.sleep(600)

def test_skipped(benchmark, request):
    if profiling(request.node):
        pytest.skip("not twice")
    benchmark(int)

def test_fine(benchmark):
    benchmark(int)
"""


@pytest.fixture(scope="module")
def known_and_bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Session, Project]:
    known = Project(tmp_path_factory.mktemp("known"), test_known=KNOWN)
    bad = Project(tmp_path_factory.mktemp("bad"), test_bad=BAD)
    sessions = run_together(
        (known, (*FORK, "--meters=heap", "--progress=on")), (bad, (*FORK, "--meters=heap", "--benchmark-timeout=6"))
    )
    assert not known.temporary_files()
    assert not bad.temporary_files()
    return sessions[0], sessions[1], known


def test_the_peak_is_the_known_number_of_bytes_and_nothing_before_the_mark(
    known_and_bad: tuple[Session, Session, Project],
) -> None:
    session, _, _ = known_and_bad
    assert session.code == 0, session.out
    info = session.rows["test_known"]["extra_info"]
    assert info["heap_peak_bytes"] == pytest.approx(IN_SETUP + IN_CALL, rel=0.05)
    assert info["status"] in ("ok", "contended")
    assert not [text for text in info["warnings"] if text.startswith("heap")]


def test_the_calls_are_few_and_in_a_process_of_their_own(known_and_bad: tuple[Session, Session, Project]) -> None:
    session, _, project = known_and_bad
    said = [line.split() for line in project.logged]
    assert ["test_known", "heap", str(heap.CALLS)] in said
    assert {words[1] for words in said} == {"None", "heap"}
    assert session.lines(r"test_known \.\.\. heap \.\.\. median ")


def test_pedantic_keeps_its_set_up_there(known_and_bad: tuple[Session, Session, Project]) -> None:
    session, _, _ = known_and_bad
    peak_bytes = session.rows["test_pedantic"]["extra_info"]["heap_peak_bytes"]
    # The former call's argument goes when the next one's has been made.
    assert IN_SETUP + IN_CALL <= peak_bytes <= 2 * IN_SETUP + IN_CALL + MIB


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_crash", "heap: crashed: SIGABRT in test_crash"),
        ("test_fails", "heap: its run failed in call: AssertionError: only here"),
        ("test_never_calls", "heap: its run never called the benchmark's function"),
        ("test_hang", "heap: timeout: not done after 6 s, in call in test_hang"),
        ("test_skipped", "heap: its run was skipped: not twice"),
    ],
)
def test_a_run_in_vain_costs_its_field_and_nothing_else(
    known_and_bad: tuple[Session, Session, Project], name: str, reason: str
) -> None:
    _, session, _ = known_and_bad
    assert session.code == 0, session.out
    row = session.rows[name]
    assert row["stats"]["rounds"] > 0
    assert row["extra_info"]["heap_peak_bytes"] is None
    assert [text for text in row["extra_info"]["warnings"] if text.startswith(reason)]
    assert not session.left


def test_the_others_have_theirs(known_and_bad: tuple[Session, Session, Project]) -> None:
    _, session, _ = known_and_bad
    assert session.rows["test_fine"]["extra_info"]["heap_peak_bytes"] is not None


RESUMED = """
import os, time
import pytest
from tailgate.measure.profiling import profiling

def test_first(benchmark, request):
    with open(os.environ["LOG"], "a") as log:
        log.write(f"first {profiling(request.node)}\\n")
    benchmark(int)

def test_second(benchmark, request):
    with open(os.environ["LOG"], "a") as log:
        log.write(f"second {profiling(request.node)}\\n")
    benchmark(int)
    if profiling(request.node) and "STOP" in os.environ:
        with open(os.environ["LOG"], "a") as log:
            log.write("waits\\n")
        time.sleep(600)
"""


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Session, Project, list[str]]:
    """Stopped in the run of the second one's meter, and gone on from there."""
    project = Project(tmp_path_factory.mktemp("resume"), test_resumed=RESUMED)
    arguments = (*FORK, "--meters=heap", "--journal=journal.jsonl")
    with adopting():
        started = project.start(*arguments, STOP="1")
        project.await_line("waits")
        started.send_signal(signal.SIGINT)
        stopped = project.finish(started)
    project.log.unlink()
    resumed = project.run(*arguments, "--resume")
    return stopped, resumed, project, project.logged


def test_what_was_measured_counts_when_its_profile_is_interrupted(
    interrupted: tuple[Session, Session, Project, list[str]],
) -> None:
    stopped = interrupted[0]
    assert stopped.code == 2, stopped.out
    assert stopped.rows["test_first"]["extra_info"]["heap_peak_bytes"] is not None
    info = stopped.rows["test_second"]["extra_info"]
    assert info["heap_peak_bytes"] is None
    assert "heap: interrupted" in info["warnings"]


def test_resume_takes_only_the_profile_that_is_missing(
    interrupted: tuple[Session, Session, Project, list[str]],
) -> None:
    _, resumed, _, logged = interrupted
    assert resumed.code == 0, resumed.out
    assert logged == ["second heap"]
    assert resumed.lines("2 already finished, taken from")
    info = resumed.rows["test_second"]["extra_info"]
    assert info["heap_peak_bytes"] is not None
    assert not [text for text in info["warnings"] if text.startswith("heap")]


WITHOUT_MEMRAY = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "memray" else found(name, package)
"""
ONE = "def test_one(benchmark): benchmark(int)\n"


TYPED, DUET = ("--meters=heap",), ("--isolation=process", "--meters=heap", "--duet=option:-q")
UNKNOWN, INI = (*FORK, "--meters=heep"), ("-o", "tailgate_meters=heap", "--benchmark-json=run.json")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[str, ...], list[Any]]]:
    """Where there is no process for it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_one.py").write_text(ONE)
    return folder, run_all(folder, TYPED, DUET, UNKNOWN, INI)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (TYPED, "--meters=heap needs a process for each benchmark: add --isolation=process"),
        (DUET, "--meters=heap has runs of its own, and a duet has none for it; leave one of them out"),
        (
            UNKNOWN,
            "--meters: unknown value 'heep'; did you mean 'heap'? (allowed: cpu, heap, massif, nvml, perf, rss, none)",
        ),
    ],
    ids=["no process", "duet", "unknown"],
)
def test_where_it_cannot_be_had_it_is_refused_in_one_line(
    elsewhere: tuple[Path, dict[tuple[str, ...], list[Any]]], arguments: tuple[str, ...], line: str
) -> None:
    code, out = elsewhere[1][arguments]
    assert code == 4, out
    assert [text for text in out.splitlines() if text.startswith("ERROR: ")] == [f"ERROR: {line}"]


def test_of_an_ini_file_it_waits_for_a_process_and_says_so(
    elsewhere: tuple[Path, dict[tuple[str, ...], list[Any]]],
) -> None:
    folder, sessions = elsewhere
    code, out = sessions[INI]
    assert code == 0, out
    (row,) = json.loads((folder / "run.json").read_text())["benchmarks"]
    assert row["extra_info"]["heap_peak_bytes"] is None
    assert row["extra_info"]["warnings"] == ["heap: it needs --isolation=process"]


def test_without_memray_the_value_is_none_with_the_command_that_helps(tmp_path: Path) -> None:
    project = Project(tmp_path, test_one=ONE)
    project.write("conftest.py", CONFTEST + WITHOUT_MEMRAY)
    session = project.run(*FORK, "--meters=heap", "--processes=2")
    assert session.code == 0, session.out
    info = session.rows["test_one"]["extra_info"]
    assert info["heap_peak_bytes"] is None
    reason = "heap: memray is not installed in this Python: python -m pip install memray"
    assert info["warnings"].count(reason) == 1
    assert len(session.lines(f"Warning for test_one: {reason}")) == 1


def test_a_name_is_of_one_kind_of_meter() -> None:
    assert not meters().keys() & profilers().keys()
    assert {"cpu", "rss"} <= meters().keys()
    assert {"heap", "massif", "perf"} <= profilers().keys()


def test_fields_of_two_meters_do_not_meet() -> None:
    fields = [field for one in profilers().values() for field in one.fields]
    assert len(fields) == len(set(fields))


def test_not_profiled_leaves_other_fields_and_warnings() -> None:
    info = {"warnings": ["before"], "rss_peak_bytes": 1}
    not_profiled(info, ["heap"], "no")
    assert info == {"warnings": ["before", "heap: no"], "rss_peak_bytes": 1, "heap_peak_bytes": None}


def test_the_tracker_counts_from_the_last_mark(tmp_path: Path) -> None:
    """In a fork: there is one tracker a process, and this one is pytest's."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        tracked = heap.PROFILER.inside(tmp_path)
        tracked.mark()
        early = bytearray(50 * MIB)
        tracked.mark()
        late = bytearray(20 * MIB)
        del late
        tracked.stop()
        after = bytearray(90 * MIB)
        found = heap.PROFILER.read([tmp_path], [{}])
        os.write(writer, json.dumps([found.fields["heap_peak_bytes"], len(early) + len(after)]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        peak_bytes, _ = json.loads(answer.read())
    os.waitpid(pid, 0)
    assert peak_bytes == pytest.approx(20 * MIB, rel=0.05)
