"""What is printed, carried home or left undone by tests in processes of their own."""

import sys

import pytest
from isolated import FORK, SAY, SPAWN, Project, Scenario, Session, run_scenarios

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of this kind are not available here")

PRINTS = """
import os, sys

def test_prints(benchmark):
    print("printed by python")
    print("complained by python", file=sys.stderr)
    os.write(1, b"written by descriptor\\n")
    benchmark(sum, [1])

def test_prints_and_fails(benchmark):
    print("printed and failed")
    assert 0

def test_prints_and_dies(benchmark):
    print("printed and died", flush=True)
    os.abort()
"""
CAPTURES = {
    **{f"fork {kind}": (FORK, kind) for kind in ("fd", "sys", "tee-sys", "no")},
    **{f"spawn {kind}": (SPAWN, kind) for kind in ("fd", "tee-sys")},
}
STRANGE = (
    SAY
    + """
import atexit, warnings
from multiprocessing import Process

def test_reaps_any_child():
    with pytest.raises(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
        raise ChildProcessError  # the fork server is there

def test_known_here_only(benchmark, tmp_path, monkeypatch, record_property):
    (tmp_path / "known_here_only.py").write_text(
        "import enum\\nclass Odd(Exception): pass\\nclass Colour(enum.IntEnum):\\n    RED = 1\\n"
        "class OddWarning(UserWarning): pass\\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import known_here_only
    benchmark.extra_info.update(odd=known_here_only.Odd("x"), colour=known_here_only.Colour.RED)
    record_property("odd", known_here_only.Odd("y"))
    warnings.warn(known_here_only.OddWarning("careful"))
    benchmark(sum, [1])

def test_refers_to_itself(benchmark):
    ring = []
    ring.append(ring)
    benchmark.extra_info["ring"] = ring
    benchmark(sum, [1])

def test_forks_and_returns(benchmark):
    benchmark(sum, [1])
    if os.fork() == 0:
        return
    os.wait()

def test_exit_function_hangs(benchmark):
    atexit.register(time.sleep, 1000)
    benchmark(sum, [1])

def test_worker_is_left(benchmark):
    Process(target=time.sleep, args=(1000,), daemon=True).start()
    benchmark(sum, [1])

def test_hook_is_broken(benchmark):
    benchmark(sum, [1])

def test_last(benchmark):
    benchmark(sum, [1])
"""
)
BROKEN_HOOK = """
def pytest_runtest_makereport(item, call):
    if item.name == "test_hook_is_broken" and call.when == "call":
        raise LookupError("in a hook")
"""
Sessions = dict[str, tuple[Session, Project]]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    options = ("-v", "-p", "no:cacheprovider")
    captures = {
        name: Scenario((*options, *way, f"--capture={kind}"), {"test_prints": PRINTS})
        for name, (way, kind) in CAPTURES.items()
    }
    strange = Scenario((*options, *FORK), {"test_strange": STRANGE}, BROKEN_HOOK)
    return run_scenarios(tmp_path_factory, {"strange": strange, **captures})


@pytest.mark.parametrize("name", CAPTURES)
def test_capturing_is_as_asked(sessions: Sessions, name: str) -> None:
    session, _ = sessions[name]
    _, kind = CAPTURES[name]
    assert session.code == pytest.ExitCode.TESTS_FAILED
    live, _, sections = session.out.partition("= FAILURES =")
    for text in ("printed by python", "complained by python", "printed and failed"):
        assert (text in live) == (kind in ("no", "tee-sys")), text
    assert ("written by descriptor" in live) == (kind != "fd")
    assert ("\nprinted and failed" in sections) == (kind != "no")
    if kind != "tee-sys":  # there it is in the buffer of the real standard output, or not (PYTHONUNBUFFERED)
        assert ("printed and died" in session.out) == (kind != "sys"), "in memory, and gone with its process"
    for text in ("printed by python", "written by descriptor"):
        assert text not in sections, "of a test that passed"
    assert session.left == []


def test_strange_projects_are_measured_all_the_same(sessions: Sessions) -> None:
    session, _ = sessions["strange"]
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in session.out
    assert session.left == []
    info = session.rows["test_known_here_only"]["extra_info"]
    assert info["odd"] == "UNSERIALIZABLE[Odd('x')]"
    assert info["colour"] == 1, "an IntEnum is a number, as where the test runs in the session"
    assert session.lines("UserWarning: careful")
    assert "[...]" in str(session.rows["test_refers_to_itself"]["extra_info"]["ring"])
    assert session.unmeasured["test_hook_is_broken"] == (
        "failed", "pytest failed inside the benchmark's process: LookupError: in a hook",
    )  # fmt: skip
    assert set(session.outcomes) - {name for name, outcome in session.outcomes.items() if outcome == ["PASSED"]} == {
        "test_hook_is_broken"
    }
