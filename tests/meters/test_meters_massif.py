"""``--meters=massif``: Valgrind's own file, and one benchmark under it from beginning to end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isolated import FORK, Project, Session

from tailgate.machine.doctor.host import Host
from tailgate.measure.profiling import ProfileTask
from tailgate.meters import massif
from tailgate.meters._massif_out import Snapshot, snapshots
from tailgate.processes.attempt import Attempt
from tailgate.processes.profiles import Profiles

QUIET: Any = SimpleNamespace(profiling=lambda name: None)
MIB = 2**20
IN_SETUP, IN_CALL = 64 * MIB, 32 * MIB
KNOWN = f"""
import os, sys
import pytest
from tailgate.measure.profiling import profiling

@pytest.fixture
def model():
    return bytearray({IN_SETUP})

def test_other(benchmark):
    assert False, "is not to be run"

def test_known(benchmark, model, request):
    calls = []
    benchmark(lambda: calls.append(len(bytearray({IN_CALL}))))
    with open(os.environ["LOG"], "a") as log:
        said = [os.environ.get(name) for name in ("PYTHONMALLOC", "OPENBLAS_NUM_THREADS")]
        names = [item.name for item in request.session.items]
        log.write(f"{{profiling(request.node)}} {{len(calls)}} {{said}} {{names}}\\n")
"""
HEADER = "desc: --stacks=yes\ncmd: python\ntime_unit: i\n"


def as_file(*found: Snapshot) -> str:
    """As Massif writes it."""
    bodies = [
        f"#-----------\nsnapshot={number}\n#-----------\ntime={one.time}\nmem_heap_B={one.heap_bytes}\n"
        f"mem_heap_extra_B={one.extra_bytes}\nmem_stacks_B={one.stacks_bytes}\nheap_tree="
        + ("peak\nn1: 5 (heap allocation functions)\n n0: 5 0x1: f (a.c:1)\n" if number % 2 else "empty\n")
        for number, one in enumerate(found)
    ]
    return HEADER + "".join(bodies)


COUNT = st.integers(min_value=0, max_value=2**48)


@given(st.lists(st.builds(Snapshot, COUNT, COUNT, COUNT, COUNT), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_snapshot_is_read(tmp_path_factory: pytest.TempPathFactory, found: list[Snapshot]) -> None:
    file = tmp_path_factory.getbasetemp() / "massif.out"
    file.write_text(as_file(*found))
    assert snapshots(file) == found


@pytest.mark.parametrize("text", ["", HEADER, "no such thing\n", HEADER + "#---\nsnapshot=0\ntime=5\n"])
def test_a_file_without_a_snapshot_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "massif.out").write_text(text)
    with pytest.raises(ValueError, match=r"massif\.out holds no snapshot"):
        snapshots(tmp_path / "massif.out")


def test_peak_baseline_and_growth(tmp_path: Path) -> None:
    every = [Snapshot(1, 10, 1, 1), Snapshot(2, 50, 2, 3), Snapshot(3, 90, 5, 5), Snapshot(4, 20, 1, 1)]
    (tmp_path / massif.OUT).write_text(as_file(*every))
    (tmp_path / massif.MARK).write_text(as_file(Snapshot(2, 48, 1, 1)))
    read = massif.PROFILER.read([tmp_path], [{"mark_missing": None}])
    assert read.fields == {"massif_peak_bytes": 100, "massif_baseline_bytes": 50, "massif_growth_bytes": 50}
    assert not read.warnings


def test_a_peak_before_the_mark_is_said(tmp_path: Path) -> None:
    (tmp_path / massif.OUT).write_text(as_file(Snapshot(1, 100, 0, 0), Snapshot(3, 60, 0, 0)))
    (tmp_path / massif.MARK).write_text(as_file(Snapshot(2, 40, 0, 0)))
    read = massif.PROFILER.read([tmp_path], [{"mark_missing": None}])
    assert read.fields == {"massif_peak_bytes": 100, "massif_baseline_bytes": 40, "massif_growth_bytes": 20}
    assert read.warnings == [
        "its peak was before the benchmark's own work began; the growth is that of the snapshots after it"
    ]


def test_without_a_mark_there_is_a_peak_but_no_growth(tmp_path: Path) -> None:
    (tmp_path / massif.OUT).write_text(as_file(Snapshot(1, 100, 0, 0)))
    read = massif.PROFILER.read([tmp_path], [{"mark_missing": "vgdb cannot be run"}])
    assert read.fields == {"massif_peak_bytes": 100, "massif_baseline_bytes": None, "massif_growth_bytes": None}
    assert read.warnings == ["no baseline, and so no growth: vgdb cannot be run"]


def test_the_flags_are_the_sources(tmp_path: Path) -> None:
    command = massif.PROFILER.command(tmp_path)
    assert {"--tool=massif", "--stacks=yes"} <= set(command)
    assert massif.PROFILER.variables()["PYTHONMALLOC"] == "malloc"
    assert massif.PROFILER.variables()["OPENBLAS_NUM_THREADS"] == "1"
    assert massif.PROFILER.calls == (10,)


def test_missing_valgrind_is_a_reason_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailgate.machine.doctor.host.Host", lambda: Host(which=lambda name: None))
    monkeypatch.setattr(
        "tailgate.machine.doctor.programs.install_command", lambda host, name: f"sudo apt install {name}"
    )
    assert massif.PROFILER.unavailable() == "valgrind: not installed: sudo apt install valgrind"


def test_an_instruction_valgrind_does_not_know_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """AVX-512 and AMX, with every valgrind so far."""
    from tailgate.processes.endings import Ending

    def once(item: pytest.Item, task: ProfileTask) -> Attempt:
        said = "==7== valgrind: Unrecognised instruction at address 0x4a7b2c0.\n"
        (Path(task.folder) / massif.LOG).write_text(said)
        return Attempt(ending=Ending("crashed", "crashed: SIGILL"))

    monkeypatch.setattr(massif.PROFILER, "unavailable", lambda: None, raising=False)
    made = Attempt(rows=[{"extra_info": {"status": "ok", "warnings": ["massif: of an earlier run", "kept"]}}])
    assert Profiles(("massif",), once, QUIET).take(request.node, made)
    info = made.rows[0]["extra_info"]
    assert info["massif_peak_bytes"] is None
    assert info["status"] == "ok"
    assert info["warnings"] == [
        "kept",
        "massif: crashed: SIGILL; this valgrind does not know an instruction that a library uses on this CPU: "
        "a newer one may",
    ]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Project]:
    """One benchmark; Valgrind takes some fifteen seconds to start pytest."""
    reason = massif.PROFILER.unavailable()
    if reason:
        pytest.skip(reason)
    project = Project(tmp_path_factory.mktemp("massif"), test_known=KNOWN)
    lean = ("-p", "no:anyio", "--assert=plain")  # what else is installed here is not to be read under Valgrind
    return project.run(*FORK, *lean, "--meters=massif", "-k", "known and not other"), project


@pytest.mark.end_to_end
def test_its_growth_is_the_known_number_of_bytes(known: tuple[Session, Project]) -> None:
    session, _ = known
    assert session.code == 0, session.out
    info = session.rows["test_known"]["extra_info"]
    assert info["massif_growth_bytes"] == pytest.approx(IN_SETUP + IN_CALL, rel=0.05)
    whole_bytes = info["massif_baseline_bytes"] + IN_SETUP + IN_CALL
    assert info["massif_peak_bytes"] == pytest.approx(whole_bytes, rel=0.05)
    assert 5 * MIB < info["massif_baseline_bytes"] < 100 * MIB  # the interpreter and pytest


@pytest.mark.end_to_end
def test_it_runs_this_one_test_in_a_new_interpreter(known: tuple[Session, Project]) -> None:
    _, project = known
    said = [line for line in project.logged if line.startswith("massif")]
    assert said == ["massif 10 ['malloc', '1'] ['test_known']"]
    assert not project.temporary_files()
