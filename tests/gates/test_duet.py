"""Duets from the command line to the exit code, on calls that sleep: what else the machine does hardly moves those."""

import gc
import re
import sys
from xml.etree import ElementTree

import pytest
from isolated import Project, Session, run_together
from repositories import SHORT, committed, verdicts, worktrees

pytestmark = pytest.mark.end_to_end

LATE = """
def test_fails_late(benchmark):
    left = iter(range(30))
    benchmark(lambda: (next(left), rest(1)))
def test_crashes_late(benchmark):
    left = list(range(30))
    benchmark(lambda: (left.pop() if left else os.kill(os.getpid(), signal.SIGSEGV), rest(1)))
def test_crashes_early(benchmark):
    os.kill(os.getpid(), signal.SIGSEGV)
def test_is_left_late(benchmark):
    left = iter(range(30))
    try: benchmark(lambda: (next(left), rest(1)))
    except StopIteration: pass
"""
BASE = """
import os, pytest, signal, time
def rest(ms): time.sleep(ms / 1000)
def test_same(benchmark): benchmark(rest, 2)
def test_slower(benchmark): benchmark(rest, 2)
def test_faster(benchmark): benchmark(rest, 4)
def test_own_limit(benchmark): benchmark(rest, 2)
def test_with_setup(benchmark): benchmark.pedantic(rest, setup=lambda: ((2,), {}), rounds=2)
def test_removed(benchmark): benchmark(rest, 2)
def test_renamed(benchmark): benchmark(rest, 2)
def test_skipped(benchmark): benchmark(rest, 2)
def test_skipped_in_both(benchmark): pytest.skip("not here")
def test_crashes(benchmark): benchmark(rest, 2)
def test_wrong(benchmark): benchmark(rest, 2)
def test_was_broken(benchmark): assert False, "not yet"
def test_failed_late(benchmark):
    left = iter(range(30))
    benchmark(lambda: (next(left), rest(1)))
def test_unused(benchmark): pass
def test_disabled(benchmark): benchmark(rest, 2)
def test_plain(): pass
"""
HEAD = """
import os, pytest, signal, time
def rest(ms): time.sleep(ms / 1000)
def test_same(benchmark): benchmark(rest, 2)
def test_slower(benchmark): benchmark(rest, 3)
def test_faster(benchmark): benchmark(rest, 2)
@pytest.mark.gate(median="90%")
def test_own_limit(benchmark): benchmark(rest, 3)
def test_with_setup(benchmark): benchmark.pedantic(rest, setup=lambda: ((3,), {}), rounds=2)
def test_renamed_now(benchmark): benchmark(rest, 2)
def test_skipped(benchmark): pytest.skip("does not work yet")
def test_skipped_in_both(benchmark): pytest.skip("not here")
def test_crashes(benchmark): os.kill(os.getpid(), signal.SIGSEGV)
def test_wrong(benchmark):
    benchmark(rest, 2)
    assert 1 == 2, "wrong answer"
def test_was_broken(benchmark): benchmark(rest, 2)
def test_failed_late(benchmark): benchmark(rest, 1)
def test_unused(benchmark): pass
def test_disabled(benchmark): pass
def test_plain(): pass
"""
WAITING = """
import os, pathlib, psutil, time
def test_a(benchmark):
    places = pathlib.Path(os.environ["HERE"])
    (places / f"{os.getpid()}.pid").touch()
    states = []
    def call():
        time.sleep(0.002)
        others = [int(path.stem) for path in places.glob("*.pid") if path.stem != str(os.getpid())]
        states.append([psutil.Process(pid).status() for pid in others if psutil.pid_exists(pid)])
    benchmark(call)
    (places / f"{os.getpid()}.pid").unlink()
    with open(os.environ["LOG"], "a") as log:
        log.write(f"seen {states[-1]}\\n")
"""
CONFIGURED = """
import time
def pytest_addoption(parser): parser.addoption("--ms", type=int, default=2)
def pytest_generate_tests(metafunc): metafunc.parametrize("ms", [metafunc.config.getoption("ms")])
"""


@pytest.fixture(scope="module")
def duets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Session, Project]]:
    def project(name: str, base: str, conftest: str = "") -> Project:
        made = Project(tmp_path_factory.mktemp(name), test_a=base)
        made.write("conftest.py", (made.folder / "conftest.py").read_text() + conftest)
        return committed(made)

    changed = project("changed", BASE + LATE)
    changed.write("test_a.py", HEAD + LATE)
    option = project("option", "import time\ndef test_a(benchmark, ms): benchmark(time.sleep, ms / 1000)\n", CONFIGURED)
    python = project(
        "python",
        f"import gc, time\ndef test_a(benchmark):\n    assert gc.get_threshold() == {gc.get_threshold()}\n"
        "    benchmark(time.sleep, 0.002)\n",
    )
    strange = project(
        "strange",
        "import sys, time\nsys.path.insert(0, open('/proc/self/environ').read() and __import__('os').environ['HERE'])\n"
        "import lib\ndef test_a(benchmark): benchmark(lib.rest)\n",
    )
    strange.write("lib.py", "import time\ndef rest(): time.sleep(0.002)\n")
    fresh = project("fresh", "def test_old(): pass\n")
    fresh.write("test_a.py", "import time\ndef test_new(benchmark): benchmark(time.sleep, 0.002)\n")
    gone = project("gone", "import time\ndef test_a(benchmark): benchmark(time.sleep, 0.002)\n")
    gone.write("test_a.py", "def test_b(): pass\n")
    empty = project("empty", "def test_b(): pass\n")
    waiting = project("waiting", WAITING)
    together = {
        "waiting": (waiting, (*SHORT, "--duet=HEAD")),
        "gone": (gone, (*SHORT, "--duet=HEAD")),
        "empty": (empty, (*SHORT, "--duet=HEAD")),
        "changed": (changed, (*SHORT, "--duet=HEAD", "--junitxml=junit.xml", "--report=out.md")),
        "option": (option, (*SHORT, "--duet=option:--ms=4")),
        "python": (python, (*SHORT, f"--duet=main,python:{sys.executable}", "test_a.py::test_a")),
        "strange": (strange, (*SHORT, "--duet=HEAD")),
        "fresh": (fresh, (*SHORT, "--duet=HEAD")),
    }
    sessions = run_together(*together.values(), HERE=str(strange.folder))
    return {name: (session, project) for (name, (project, _)), session in zip(together.items(), sessions, strict=True)}


@pytest.mark.parametrize(
    ("name", "verdict", "outcome"),
    [
        ("test_same", "pass", "PASSED"),
        ("test_slower", "fail", "FAILED"),
        ("test_faster", "improved", "PASSED"),
        ("test_own_limit", "pass", "PASSED"),
        ("test_with_setup", "fail", "FAILED"),
        ("test_skipped", "missing", "FAILED"),
        ("test_disabled", "missing", "FAILED"),
        ("test_skipped_in_both", "incomparable", "SKIPPED"),
        ("test_crashes", "incomparable", "FAILED"),
        ("test_wrong", "incomparable", "FAILED"),
        ("test_was_broken", "incomparable", "SKIPPED"),
        ("test_failed_late", "incomparable", "SKIPPED"),
        ("test_fails_late", "incomparable", "FAILED"),
        ("test_crashes_late", "incomparable", "FAILED"),
        ("test_crashes_early", "incomparable", "FAILED"),
        ("test_is_left_late", "incomparable", "SKIPPED"),
        ("test_unused", "incomparable", "SKIPPED"),
        ("test_renamed_now", "new", "SKIPPED"),
    ],
)
def test_each_verdict_is_its_tests_outcome(
    duets: dict[str, tuple[Session, Project]], name: str, verdict: str, outcome: str
) -> None:
    session, _ = duets["changed"]
    assert verdicts(session)[name]["verdict"] == verdict, session.out
    assert session.outcomes[name] == [outcome], session.out


@pytest.mark.parametrize("name", ["test_removed", "test_renamed"])
def test_what_only_base_has_is_missing_and_fails(duets: dict[str, tuple[Session, Project]], name: str) -> None:
    session, _ = duets["changed"]
    assert verdicts(session)[name]["verdict"] == "missing"
    assert session.lines(f"FAILED test_a.py::{name} - test_a.py::{name} missing: base has this benchmark")


def test_a_failed_duet_in_numbers(duets: dict[str, tuple[Session, Project]]) -> None:
    session, project = duets["changed"]
    assert session.code == 1, session.out
    slower = verdicts(session)["test_slower"]
    assert 0.2 < slower["change_rel"] < 0.8
    # Beside other work a pair may turn out the other way, and the question stay open for more.
    assert slower["replicates"] in {first + fresh for first in (4, 5, 6, 8, 12, 20) for fresh in (4, 5, 8, 12, 20)}
    assert slower["worse"] > 0.8 * slower["replicates"]
    assert slower["confirmed"] is True
    assert slower["base_s"] < slower["head_s"]
    assert slower["p"] < 0.01
    (told,) = session.lines(r"^test_slower median \+")
    assert f"{slower['worse']} of {slower['replicates']} pairs slower; limit 20 %" in told
    assert "confirmed" in told
    assert re.search(r"reproduce: pytest test_a.py::test_slower .*--duet-pairs=8 .*--duet=HEAD", told)
    # Base and head were there: the rounds of both, of every pair, confirmation included.
    assert session.saved is not None
    duet = session.saved["tailgate_duet"]
    assert duet["base"]["ref"] == "HEAD"
    assert len(duet["base"]["commit"]) == 40
    (rounds,) = [one["pairs"] for one in duet["benchmarks"] if one["fullname"].endswith("test_slower")]
    assert len(rounds) >= slower["replicates"]
    head_s, base_s = ([min(pair[f"{side}_rounds_s"]) for pair in rounds] for side in ("head", "base"))
    assert min(head_s) > 0.003
    assert min(head_s) > min(base_s) > 0.002
    assert {pair["first"] for pair in rounds} == {"base", "head"}
    # The row is head's.
    assert session.rows["test_slower"]["stats"]["min"] > 0.003
    assert session.rows["test_slower"]["extra_info"]["gate_verdict"] == "fail"
    junit = ElementTree.parse(project.folder / "junit.xml").getroot()
    cases = {case.get("name"): case for case in junit.iter("testcase")}
    assert [child.tag for child in cases["test_slower"]] == ["failure"]
    assert [child.tag for child in cases["test_removed"]] == ["failure"]
    assert "## " in (project.folder / "out.md").read_text() or "|" in (project.folder / "out.md").read_text()
    assert "pass" not in "".join(child.tag for child in cases["test_slower"])


def test_a_crash_of_head_is_told_as_what_it_is(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["changed"]
    assert session.unmeasured["test_crashes"][1].startswith("head crashed: SIGSEGV")
    assert session.lines("wrong answer")


def test_nothing_is_left_of_a_duet(duets: dict[str, tuple[Session, Project]]) -> None:
    for session, project in duets.values():
        assert session.left == []
        assert worktrees(project) == []
        assert project.temporary_files() == []


def test_the_side_that_waits_is_stopped(duets: dict[str, tuple[Session, Project]]) -> None:
    session, project = duets["waiting"]
    seen = [line for line in project.logged if line.startswith("seen")]
    assert len(seen) >= 10, session.out
    # Whoever ends first has seen the other one at its last call; the other one may see nobody any more.
    assert {line for line in seen if line != "seen []"} == {"seen ['stopped']"}


def test_another_configuration_is_compared_in_order(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["option"]
    assert session.code == 0, session.out
    assert verdicts(session)["test_a[2]"]["verdict"] == "improved"


def test_a_ref_in_another_python(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["python"]
    assert session.code == 0, session.out
    assert verdicts(session)["test_a"]["verdict"] == "pass"
    assert session.saved is not None
    assert session.saved["tailgate_duet"]["base"]["python"] == sys.executable


def test_a_base_that_runs_heads_code_is_never_green(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["strange"]
    assert verdicts(session)["test_a"]["verdict"] == "incomparable"
    assert session.lines("base imported lib from head's checkout")
    assert session.code == 1


def test_nothing_compared_is_never_green(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["fresh"]
    assert session.code == 1, session.out
    assert session.lines("^new: test_new: base does not have this benchmark")
    assert session.lines("nothing was compared, so the run fails")


def test_benchmarks_that_are_all_gone_are_missing(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["gone"]
    assert session.code == 1, session.out
    assert session.lines("FAILED test_a.py::test_a - test_a.py::test_a missing: ")


def test_no_benchmark_on_either_side_is_never_green(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["empty"]
    assert session.code == 1, session.out
    assert session.lines("nothing was compared, so the run fails")
