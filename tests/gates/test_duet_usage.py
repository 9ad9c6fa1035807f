"""What a duet refuses, in one line; and what an interrupted one leaves."""

import re
import signal
from pathlib import Path

import pytest
from foreign import run_all
from isolated import Project, adopting
from patience import until
from repositories import SHORT, committed, verdicts, worktrees

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return committed(
        Project(
            tmp_path_factory.mktemp("usage"),
            test_a="import time\ndef test_a(benchmark): benchmark(time.sleep, 0.002)\n",
        )
    )


REFUSED = [
    (("--duet=mian",), "git knows no commit 'mian' in .*; did you mean 'main'?"),
    (("--duet=",), "--duet: no side named"),
    (("--duet=main", "--benchmark-save=x"), "--duet does not go with --benchmark-save"),
    (("--duet=main", "--benchmark-disable"), "--duet does not go with --benchmark-disable"),
    (("--duet=main", "--gate"), "two gates"),
    (("--duet=main", "--pdb"), "needs processes of its own: the debugger needs"),
    (("--duet=main", "--duet-pairs=7"), "--duet-pairs: 7 is out of range (allowed: 8 to 25)"),
    (("--duet=main", "--gate-metrics=mean"), "unknown metric 'mean'.*allowed: median, p99, throughput"),
    (("--duet=main", "--gate-min-effect=2"), "'2' is not a limit (allowed: a percentage above 0 and up to 1000%"),
    (("--duet=main", "--gate-min-effect=1001%"), "'1001%' is not a limit (allowed: .* up to 1000%"),
    (("--explain",), "--explain says which operators .*: add --duet=SIDE"),
    (
        ("--duet=main", "--explain", "--load=poisson:70%"),
        "--explain tells where a call's time goes.*leave one out",
    ),
    (("--duet=main", "-o", "tailgate_explain=of"), "--explain: unknown value 'of'.*allowed: failed, on, off"),
    (("--duet=python:nowhere",), "python:nowhere is not there"),
    (("--duet=main", "new.py"), "base does not have new.py"),
    (("--duet=option:--no-such-option",), "the base side .* could not collect its tests: .*no-such-option"),
]


@pytest.fixture(scope="module")
def refusals(project: Project) -> dict[tuple[str, ...], list]:  # type: ignore[type-arg]
    """Exit code and output of each, from one process."""
    project.write("new.py", "def test_b(benchmark): benchmark(len, '')\n")
    return run_all(project.folder, *(arguments for arguments, _ in REFUSED))


@pytest.mark.parametrize(("arguments", "said"), REFUSED)
def test_wrong_usage_is_one_line(
    project: Project,
    refusals: dict[tuple[str, ...], list],  # type: ignore[type-arg]
    arguments: tuple[str, ...],
    said: str,
) -> None:
    code, out = refusals[arguments]
    assert code == 4, out
    pattern = said.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")
    assert len(re.findall(f"^ERROR: .*{pattern}", out, re.MULTILINE)) == 1, out
    assert "Traceback" not in out
    assert "duet: head against" not in out  # no verdicts of what was never begun
    assert worktrees(project) == []


def test_what_the_messages_of_a_duet_recommend_is_taken(project: Project) -> None:
    session = project.run("--duet=main", *SHORT, "--benchmark-timeout=60", "--benchmark-disable", "--benchmark-enable")
    assert session.code == 0, session.out
    assert set(verdicts(session)) == {"test_a"}


def test_outside_of_a_repository(tmp_path: Path) -> None:
    outside = Project(tmp_path, test_a="def test_a(benchmark): benchmark(len, '')\n")
    session = outside.run("--duet=main", save=False, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert session.code == 4
    assert session.lines("ERROR: --duet: .* is not inside a git repository")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_duet_leaves_nothing_and_keeps_what_it_measured(tmp_path: Path, number: signal.Signals) -> None:
    text = "import os, time\ndef test_a(benchmark):\n    benchmark(time.sleep, 0.002)\n"
    text += "    open(os.environ['LOG'], 'a').write('called\\n')\n"
    interrupted = committed(Project(tmp_path, test_a=text))
    with adopting():
        session = interrupted.start("--duet=HEAD", *SHORT)
        interrupted.await_line("called", 4)
        session.send_signal(number)
        found = interrupted.finish(session, grace_s=6.0)
    assert found.left == []
    until(lambda: not worktrees(interrupted), "their end")  # after SIGKILL somebody else cleans up, a moment later
    if number != signal.SIGKILL:
        assert found.code == 2, found.out
        assert len(found.saved["tailgate_duet"]["benchmarks"][0]["pairs"]) >= 1  # type: ignore[index]
        assert verdicts(found)["test_a"]["verdict"] == "undecided"
        assert "--resume" not in found.out  # a duet has no journal to go on from
