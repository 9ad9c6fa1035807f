"""``--tenants N`` for real: sessions of a foreign project, its benchmarks in several processes at once."""

import os
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest
from foreign import run_all
from isolated import FORK, SAY, SPAWN, Project, Session, adopting, run_scenarios
from isolated import Scenario as Sc
from test_isolation_interrupts import press_ctrl_c

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="CPUs are bound as Linux binds them")

CPUS = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
SPLIT = pytest.mark.skipif(len(CPUS) < 2, reason="one CPU cannot be split")
WORK = (
    SAY
    + """
CPUS_AT_IMPORT = sorted(os.sched_getaffinity(0))

def work():
    return sum(range(2000))

def first_of(name):  # one of the tenants
    try:
        os.close(os.open(os.path.join(os.environ["TMPDIR"], "..", name), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True

def fellow():
    return first_of("fellow")
"""
)
MEASURED = (
    WORK
    + """
@pytest.mark.throughput(items=3)
def test_work(benchmark):
    benchmark(work)

def test_long_enough(benchmark):  # for the kernel's accounts, in steps of 10 ms
    benchmark.pedantic(work, rounds=20, iterations=1000)

def test_pedantic(benchmark):
    benchmark.pedantic(work, setup=lambda: None, rounds=5)

def test_skipped(benchmark):
    pytest.skip("not here")

def test_plain():
    pass
"""
)
FAULTS = (
    WORK
    + """
def test_one_crashes(benchmark):
    if not first_of("crash"):
        os.abort()
    benchmark(work)

def test_one_runs_out_of_memory(benchmark):
    if not first_of("memory"):
        raise MemoryError("no more")
    benchmark(work)

def test_one_fails(benchmark):
    if not first_of("assert"):
        assert work() == 0
    benchmark(work)

def test_one_crashes_while_all_are_timed(benchmark):
    second, calls = not first_of("late"), []
    def call():
        calls.append(1)
        if second and len(calls) > 5000:
            os._exit(3)
    benchmark(call)

def test_after_all(benchmark):
    benchmark(work)
"""
)
HANG = (
    WORK
    + """
@pytest.fixture
def torn_down():
    yield
    say("torn down")

def test_one_hangs(benchmark, torn_down):
    if not first_of("hang"):
        time.sleep(1000)
    benchmark(work)

def test_after_all(benchmark):
    benchmark(work)
"""
)
PINNED = (
    WORK
    + """
import preloaded

@pytest.mark.preload("late")
def test_work(benchmark):
    import late
    benchmark.extra_info.update(at_import=CPUS_AT_IMPORT, late=late.CPUS, now=sorted(os.sched_getaffinity(0)))
    benchmark(work)
"""
)
LATE = "import os\nCPUS = sorted(os.sched_getaffinity(0))\n"
TWO = "--tenants=2"
SCENARIOS = {
    "measured": Sc((*FORK, TWO, "--protocol=quick", "--rounds=1000", "--progress=on"), {"test_it": MEASURED}),
    "faults": Sc((*FORK, TWO, "-v"), {"test_it": FAULTS}),
    "hang": Sc((*FORK, TWO, "-v", "--benchmark-timeout=6"), {"test_it": HANG}),
    "split, fork": Sc((*FORK, TWO, "--tenant-cpus=split"), {"test_it": PINNED, "late": LATE, "preloaded": LATE}),
    "split, spawn": Sc((*SPAWN, TWO, "--tenant-cpus=split"), {"test_it": PINNED, "late": LATE, "preloaded": LATE}),
}
Sessions = dict[str, tuple[Session, Project]]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    chosen = SCENARIOS if len(CPUS) > 1 else {name: one for name, one in SCENARIOS.items() if "split" not in name}
    return run_scenarios(tmp_path_factory, chosen)


def info_of(session: Session, name: str) -> dict[str, Any]:
    found: dict[str, Any] = session.rows[name]["extra_info"]
    return found


def test_nothing_is_left_of_any(sessions: Sessions) -> None:
    assert {name: session.left for name, (session, _) in sessions.items()} == {name: [] for name in sessions}
    assert not [name for _, project in sessions.values() for name in project.temporary_files()]


def test_a_row_has_every_tenants_rounds_and_what_they_did_together(sessions: Sessions) -> None:
    session, _ = sessions["measured"]
    assert session.code == 0, session.out
    info = info_of(session, "test_work")
    rounds_s = info["tenant_rounds_s"]
    assert [len(one) for one in rounds_s] == [1000, 1000]
    assert session.rows["test_work"]["stats"]["data"] == [*rounds_s[0], *rounds_s[1]]
    assert info["tenant_medians_s"] == [statistics.median(one) for one in rounds_s]
    assert info["tenant_worst_p99_s"] == max(info["tenant_p99s_s"])
    assert (info["tenants"], info["tenant_cpus"], info["tenant_overlap"]) == (2, "shared", 1.0)
    assert info["tenant_start_skew_s"] >= 0
    assert info["total_throughput_items_per_s"] == pytest.approx(sum(info["tenant_throughputs_items_per_s"]))
    assert len(info["tenant_cpu_utilization"]) == 2
    assert info["total_rss_peak_bytes"] > info["rss_peak_bytes"] > 0
    assert session.saved is not None
    assert session.saved["tailgate_run"]["tenants"] == 2


def test_a_tenants_throughput_is_what_it_did_in_the_window(sessions: Sessions) -> None:
    """3 items a call; with all rounds in the window it would be their count over the window."""
    info = info_of(sessions["measured"][0], "test_work")
    for rate, rounds_s in zip(info["tenant_throughputs_items_per_s"], info["tenant_rounds_s"], strict=True):
        assert 0 < rate * info["tenant_window_s"] <= 3 * len(rounds_s) * 1.001
        assert rate <= 3 / min(rounds_s)


def test_pedantic_skipped_and_plain_tests_are_what_they_are(sessions: Sessions) -> None:
    session, _ = sessions["measured"]
    assert [len(one) for one in info_of(session, "test_pedantic")["tenant_rounds_s"]] == [5, 5]
    assert session.unmeasured == {"test_skipped": ("unsupported", "not here")}
    assert session.lines(r"test_work x2 tenants \.\.\. median .* 2000 rounds")
    assert session.lines(r"^  test_it\.py::test_work x2 \(shared CPUs\)$")
    assert session.lines(r"^    P99 .* \(worst: tenant [12]\); together .* items/s$")
    assert not session.lines("other workload")


def test_one_that_fails_is_named_the_others_end_and_the_next_goes_on(sessions: Sessions) -> None:
    session, _ = sessions["faults"]
    assert session.code == 1
    assert list(session.rows) == ["test_after_all"]
    said = session.unmeasured
    assert said["test_one_crashes"][0] == "crashed"
    assert "tenant 1 of 2: SIGABRT in " in said["test_one_crashes"][1].replace("tenant 2", "tenant 1")
    status, reason = said["test_one_runs_out_of_memory"]
    assert (status, reason.replace("tenant 2", "tenant 1")) == ("oom", "oom: tenant 1 of 2: no more")
    status, reason = said["test_one_fails"]
    assert status == "failed"
    assert reason.replace("tenant 2", "tenant 1").startswith("tenant 1 of 2: assert ")
    status, reason = said["test_one_crashes_while_all_are_timed"]
    assert status == "crashed"
    assert "of 2: the process ended itself with exit code 3" in reason


def test_one_that_hangs_is_named_and_the_other_is_torn_down(sessions: Sessions) -> None:
    session, project = sessions["hang"]
    status, reason = session.unmeasured["test_one_hangs"]
    assert status == "timeout"
    assert "of 2: not done after 6 s, in call in test_one_hangs" in reason
    assert project.logged == ["torn down"]
    assert list(session.rows) == ["test_after_all"]


@SPLIT
@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_split_cpus_are_a_tenants_own_before_it_imports(sessions: Sessions, way: str) -> None:
    session, _ = sessions[f"split, {way}"]
    assert session.code == 0, session.out
    info = info_of(session, "test_work")
    shares = info["tenant_cpu_lists"]
    assert sorted(cpu for share in shares for cpu in share) == sorted(CPUS)
    assert info["tenant_now"] == info["tenant_late"] == shares
    # Collecting imports in the session, of which a forked tenant is a copy.
    assert info.get("tenant_at_import") == (shares if way == "spawn" else None)


BUSY = (
    WORK
    + """
def test_work(benchmark):
    benchmark(work)
"""
)


def test_fellow_tenants_are_no_strangers(sessions: Sessions) -> None:
    """What all tenants used is the row's own, on whatever machine; others are what is beyond."""
    info = info_of(sessions["measured"][0], "test_long_enough")
    assert info["cpu_per_wall"] >= 0.6 * sum(info["tenant_cpu_per_wall"])
    if info["other_cpus_busy"] is not None:
        assert info["other_cpus_busy"] + info["cpu_per_wall"] <= len(CPUS) * 1.2


def test_a_row_measured_alone_is_neither_resumed_nor_compared(tmp_path: Path) -> None:
    project = Project(tmp_path, test_it=BUSY)
    storage = ("--benchmark-storage=file://./saved", "--journal=j.jsonl", "--benchmark-columns=median,p99")
    alone = project.run(*FORK, *storage, "--benchmark-save=one", "--benchmark-save-data")
    assert "tenants" not in info_of(alone, "test_work")
    several = project.run(*FORK, *storage, TWO, "--resume", "--benchmark-compare", "--gate")
    assert several.lines(r"^--resume: 1 measured again, because the options changed")
    assert several.lines("--gate: nothing was compared: another workload: tenants None there, 2 here")
    assert several.lines(r"\(other workload\): differs in tenants; not comparable, shown only")
    assert several.lines(r"together .* (times|beside) one tenant of the baseline, whose P99 is ")
    assert several.code == 1


SLOW = (
    SAY
    + """
@pytest.fixture
def torn_down():
    yield
    say("torn down")

def test_first(benchmark):
    benchmark(sum, [1])

def test_long(benchmark, torn_down):
    say("long")
    time.sleep(1000)

def test_last(benchmark):
    benchmark(sum, [1])
"""
)


def test_ctrl_c_ends_all_of_them(tmp_path: Path) -> None:
    project = Project(tmp_path, test_it=SLOW)
    with adopting():
        running = project.start(*FORK, "--tenants=3")
        project.await_line("long", 3)
        press_ctrl_c(project, running)
        session = project.finish(running)
    assert session.code == pytest.ExitCode.INTERRUPTED, session.out
    assert project.logged == ["long"] * 3 + ["torn down"] * 3
    assert list(session.rows) == ["test_first"]
    assert session.left == []


REFUSED = {
    (TWO,): "--tenants needs a process for each benchmark: add --isolation=process",
    (*FORK, "--tenant-cpus=split"): "--tenant-cpus says how tenants have the CPUs: add --tenants=N",
    (*FORK, "--tenants=64", "--tenant-cpus=split"): "use --tenant-cpus=shared",
    (*FORK, "--tenants=65"): "--tenants: 65 is out of range (allowed: 1 to 64)",
    (*FORK, TWO, "--setup-show"): "--tenants=2 needs a process for each tenant, and fixtures are to be shown",
}


def test_what_cannot_be_is_refused_with_one_line(tmp_path: Path) -> None:
    if len(CPUS) >= 64:
        pytest.skip("this machine could split them")
    for arguments, (code, text) in run_all(tmp_path, *REFUSED).items():
        assert code == pytest.ExitCode.USAGE_ERROR
        assert text.startswith("ERROR: ")
        assert REFUSED[arguments] in text.splitlines()[0]
