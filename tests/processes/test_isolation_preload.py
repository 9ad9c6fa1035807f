"""``@pytest.mark.preload``: what is imported once, in a fork server, and what is better not."""

import sys

import pytest
from isolated import FORK, SAY, Project, Scenario, Session, run_scenarios

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of this kind are not available here")

PRELOADS = (
    SAY
    + """
preload = pytest.mark.preload

@preload("big_module")
@pytest.mark.parametrize("n", [1, 2])
def test_uses_it(benchmark, n):
    before = "big_module" in sys.modules
    import big_module
    benchmark.extra_info.update(pid=os.getpid(), by=big_module.PID, before=before, parent=os.getppid())
    benchmark(sum, [1])

def test_without(benchmark):
    benchmark.extra_info["before"] = "big_module" in sys.modules
    benchmark(sum, [1])

@preload("big_module", "no_such_module", "raises", "sys_exits")
def test_some_cannot_be_imported(benchmark):
    benchmark.extra_info["before"] = "big_module" in sys.modules
    with pytest.raises(ModuleNotFoundError):
        import no_such_module
    with pytest.raises(ZeroDivisionError):
        import raises
    benchmark(sum, [1])

@preload("crashes")
def test_import_crashes(benchmark):
    benchmark(sum, [1])

@preload("crashes")
def test_imports_what_crashes(benchmark):
    import crashes
    benchmark(sum, [1])

@preload("exits")
def test_import_exits(benchmark):
    benchmark(sum, [1])

@preload("busy")
def test_starts_a_busy_thread(benchmark):
    import busy
    benchmark(sum, [1])

@preload("busy")
def test_starts_it_again(benchmark):
    benchmark.extra_info["before"] = "busy" in sys.modules
    benchmark(sum, [1])
"""
)
MODULES = {
    "big_module": "import os\nPID = os.getpid()\nprint('noise')\nopen('imports.txt', 'a').write(f'{PID}\\n')\n",
    "raises": "1 / 0",
    "sys_exits": "raise SystemExit(3)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "exits": "import os\nos._exit(0)",
    "busy": """
import threading, time
def work():
    while True:
        sum(range(1000))
threading.Thread(target=work, daemon=True, name="worker").start()
""",
    "sleepy": """
import threading, time
threading.Thread(target=lambda: time.sleep(60), daemon=True, name="worker").start()
""",
    "hangs": "import time\ntime.sleep(1000)\n",
}


HANGS = """
import pytest

@pytest.mark.preload("hangs")
def test_never(benchmark): benchmark(sum, [1])

def test_last(benchmark): benchmark(sum, [1])
"""


ONE = "def test_one(benchmark): benchmark(sum, [1])\n"
Sessions = dict[str, tuple[Session, Project]]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    options = ("-v", "-p", "no:cacheprovider")
    return run_scenarios(
        tmp_path_factory,
        {
            "preloads": Scenario((*options, *FORK), {"test_preloads": PRELOADS, **MODULES}),
            "hangs": Scenario((*options, *FORK, "--benchmark-timeout=1.5"), {"test_hangs": HANGS, **MODULES}),
            "busy": Scenario((*options, "--isolation=process"), {"test_busy": ONE, **MODULES}, "import sleepy\n"),
        },
    )


@pytest.fixture
def preloads(sessions: Sessions) -> tuple[Session, Project]:
    return sessions["preloads"]


def test_a_preloaded_module_is_imported_once_in_a_template_of_its_own(preloads: tuple[Session, Project]) -> None:
    session, project = preloads
    infos = [session.rows[f"test_uses_it[{n}]"]["extra_info"] for n in (1, 2)]
    (by,) = {info["by"] for info in infos}
    assert all(info["before"] for info in infos)
    assert len({by, *(info["pid"] for info in infos)}) == 3, "imported by neither"
    assert {info["parent"] for info in infos} == {by}
    imported = (project.folder / "imports.txt").read_text().split()
    assert imported.count(str(by)) == 1
    assert len(imported) == 2, "once here, and once for the benchmark that names others, too"
    assert session.rows["test_without"]["extra_info"]["before"] is False
    assert "noise" not in session.out
    assert "Traceback" not in session.out, "what went wrong with an import is told by the test's own"
    assert session.out.count("Segmentation fault") == 1


def test_what_cannot_be_imported_is_left_to_the_test(preloads: tuple[Session, Project]) -> None:
    session, _ = preloads
    assert session.outcomes["test_some_cannot_be_imported"] == ["PASSED"]
    assert session.rows["test_some_cannot_be_imported"]["extra_info"]["before"] is True
    assert session.outcomes["test_import_crashes"] == session.outcomes["test_import_exits"] == ["PASSED"]
    assert session.unmeasured == {
        "test_imports_what_crashes": ("crashed", session.unmeasured["test_imports_what_crashes"][1])
    }
    assert session.unmeasured["test_imports_what_crashes"][1].startswith("crashed: SIGSEGV in string_at")
    assert session.left == []


def test_a_module_that_starts_work_is_not_forked_from(preloads: tuple[Session, Project]) -> None:
    session, _ = preloads
    assert session.outcomes["test_starts_a_busy_thread"] == ["PASSED"]
    assert session.rows["test_starts_it_again"]["extra_info"]["before"] is False
    assert session.lines(
        r"^Benchmarks that preload busy started a new interpreter each, because a Python thread is at work \(worker\)"
    )


def test_an_import_that_hangs_costs_its_benchmarks_only(sessions: Sessions) -> None:
    session, _ = sessions["hangs"]
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert session.unmeasured == {"test_never": ("timeout", "timeout: importing hangs took more than 1.5 s")}
    assert set(session.rows) == {"test_last"}
    assert session.left == []


def test_a_session_with_a_thread_at_work_spawns_and_says_so(sessions: Sessions) -> None:
    session, _ = sessions["busy"]
    assert session.code == 0
    assert session.saved["tailgate_run"]["start_method"] == "spawn"
    assert session.lines(r"^Each benchmark started a new interpreter, because a Python thread is at work \(worker\)\.$")
