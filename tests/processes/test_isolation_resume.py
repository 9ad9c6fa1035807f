"""The journal of a session: what is finished and still comparable is never measured again."""

import os
import resource
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from isolated import FORK, SAY, Project, Session

from tailgate.processes.journal.file import Journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes of this kind are not available here")

PROJECT = (
    SAY
    + """
def test_a(benchmark, record_property):
    say("a")
    print("output of a")
    record_property("colour", "red")
    benchmark.group = "letters"
    benchmark.extra_info.update(answer=42, nested={"list": [1.5, None, True]}, function=say)
    benchmark(sum, [1])

def test_b(benchmark):
    say("b")
    benchmark.pedantic(sum, args=([1],), rounds=5)

def test_plain_one_ends_the_session():
    say("plain")
    if os.environ.get("END"):
        os.kill(os.getpid(), signal.SIGKILL)

def test_c(benchmark):
    say("c")
    benchmark(sum, [1])

def test_crashes(benchmark):
    say("crashes")
    if os.environ.get("CRASH", "yes") == "yes":
        os.abort()
    benchmark(sum, [1])

def test_skipped(benchmark):
    say("skipped")
    pytest.skip("not today")

@pytest.mark.xfail(strict=False)
def test_passes_unexpectedly(benchmark):
    say("unexpected")
    benchmark(sum, [1])
"""
)
ALL = ["a", "b", "plain", "c", "crashes", "skipped", "unexpected"]


def measured(project: Project, *arguments: str, **how: Any) -> tuple[Session, list[str]]:
    """A session, and what it ran."""
    project.log.unlink(missing_ok=True)
    session = project.run("-v", *FORK, *arguments, **how)
    return session, project.logged


def test_a_session_killed_between_two_benchmarks_is_gone_on_from(tmp_path: Path) -> None:
    project = Project(tmp_path, test_project=PROJECT)
    options = ("--benchmark-cprofile=tottime", "--junitxml=junit.xml")
    killed, ran = measured(project, *options, grace_s=6.0, END="yes")
    assert killed.code == -signal.SIGKILL
    assert killed.left == []
    assert ran == ["a", "b", "plain"]

    resumed, ran = measured(project, *options, "--resume")
    assert ran == ALL[2:]
    assert resumed.code == pytest.ExitCode.TESTS_FAILED
    assert set(resumed.rows) == {"test_a", "test_b", "test_c", "test_passes_unexpectedly"}
    assert resumed.outcomes["test_a"] == resumed.outcomes["test_b"] == ["PASSED"]
    assert resumed.lines(r"^--resume: 2 already finished, taken from .*/d/tailgate/journal\.jsonl$")
    row = resumed.rows["test_a"]
    assert row["group"] == "letters"
    assert {"answer": 42, "nested": {"list": [1.5, None, True]}}.items() <= row["extra_info"].items()
    assert row["extra_info"]["function"].startswith("UNSERIALIZABLE[<function say at")
    assert any("sum" in entry["function_name"] for entry in row["cprofile"])
    assert resumed.rows["test_b"]["stats"]["rounds"] == 5
    assert 'name="colour" value="red"' in (tmp_path / "junit.xml").read_text()

    # What failed or was skipped is tried again; the rest, from two sessions, is known.
    again, ran = measured(project, *options, "--resume", CRASH="no")
    assert ran == ["plain", "crashes", "skipped"]
    assert again.code == 0
    assert again.outcomes["test_passes_unexpectedly"] == ["XPASS"]
    del again.rows["test_crashes"]
    assert {name: again.rows[name] for name in resumed.rows} == resumed.rows


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def test_what_is_no_longer_comparable_is_measured_again_and_says_why(tmp_path: Path) -> None:
    text = SAY + "def test_a(benchmark):\n    say('a')\n    benchmark(sum, [1])\n"
    project = Project(tmp_path, helper="VALUE = 1\n", test_a=text)
    with (tmp_path / "conftest.py").open("a") as conftest:
        conftest.write("import os\ndef pytest_tailgate_workload(item): return {'model': os.environ['MODEL']}\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")

    def resumed(*arguments: str, model: str = "one") -> tuple[list[str], list[str]]:
        session, ran = measured(project, "--resume", *arguments, MODEL=model)
        assert session.code == 0
        return ran, [line.removeprefix("--resume: ").partition(" taken from ")[0] for line in session.lines("^--res")]

    assert measured(project, MODEL="one")[1] == ["a"]
    # How it is shown, where it is saved, or how long it may take changes no number.
    shown = (
        "--benchmark-timeout=50",
        "--csv=rows.csv",
        "--order=random",
        "--seed=7",
        "--benchmark-sort=name",
        "--progress=on",
    )
    assert resumed(*shown, "-q") == ([], ["1 already finished,"])
    assert (tmp_path / "rows.csv").read_text().count("\n") == 2

    project.write("test_a.py", text + "\n# changed\n")
    said = [
        "1 measured again, because the code changed or is not known",
        "1 measured again, because the test file changed or is not known",
    ]
    assert resumed() == (["a"], said)
    options = "--benchmark-min-rounds=4"
    assert resumed(options) == (["a"], ["1 measured again, because the options changed or is not known"])
    assert resumed(options, model="2") == (["a"], ["1 measured again, because the model changed or is not known"])
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "two")
    assert resumed(options, model="2") == (["a"], ["1 measured again, because the code changed or is not known"])


FULL_BYTES = 2**20
ROOM_BYTES = 2**13


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))


def on_a_small_disk(project: Project) -> Session:
    """The session in a mount namespace of its own, so that nothing stays mounted whatever happens."""
    script = 'mount -t tmpfs -o size=1m tmpfs small && cp kept.jsonl small/ && exec "$@"'
    (project.folder / "small").mkdir()
    return project.run(
        *FORK, "--resume", "--journal=small/kept.jsonl", prefix=("unshare", "--mount", "sh", "-c", script, "sh")
    )


def mounting_works() -> bool:
    try:
        command = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("disk", ["small tmpfs", "limited file size"])
def test_a_full_disk_stops_measuring_cleanly_and_saves_what_was_measured(tmp_path: Path, disk: str) -> None:
    text = SAY + "".join(
        f"def test_{name}(benchmark):\n    say('{name}')\n    benchmark.pedantic(int, rounds={rounds})\n"
        for name, rounds in {"a": 3, "b": 2000, "c": 3}.items()
    )
    project = Project(tmp_path, test_project=text)
    # One line that is no entry, and almost as much as there is room for.
    (tmp_path / "kept.jsonl").write_bytes(b"x" * (FULL_BYTES - ROOM_BYTES - 1) + b"\n")
    if disk == "small tmpfs":
        if not mounting_works():
            pytest.skip("mounting needs root; RLIMIT_FSIZE stands in for it")
        session = on_a_small_disk(project)
    else:
        session = project.run(*FORK, "--resume", "--journal=kept.jsonl", before=limit_files)
    assert session.code == pytest.ExitCode.INTERRUPTED
    assert project.logged == ["a", "b"]
    assert set(session.rows) == {"test_a", "test_b"}
    assert "Traceback" not in session.out
    assert len(session.lines(r"the journal \S*kept\.jsonl cannot be written \(.*(No space left|too large).*\); "
                             "measuring stops here, what was measured is kept")) == 1  # fmt: skip
    assert session.left == []
    if disk == "limited file size":
        kept = Journal(tmp_path / "kept.jsonl", resume=True)
        assert kept.done("test_project.py::test_a", 0, {})
        assert kept.done("test_project.py::test_b", 0, {}) == [], "not half of it"
        kept.close()
