"""``tailgate bisect`` as a user runs it: interrupted in every way, with commits that do not import, in a dirty tree."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from foreign import CONFTEST, OTHERS_OFF
from histories_of_git import git
from patience import PATIENCE_S, until
from repositories import SHORT

pytestmark = pytest.mark.end_to_end
COMMITS, SLOW, BROKEN = 9, 6, 4
TAILGATE = (sys.executable, "-c", "import sys; from tailgate.commands.main import main; sys.exit(main())")
TEST = """
import work

def test_work(benchmark):
    benchmark(work.work)

def test_other(benchmark):
    benchmark(work.other)
"""
WORK = """
import time
{line}
def work(): time.sleep({ms} / 1000)
def other(): time.sleep(0.002)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """From its seventh commit on twice as slow; the fifth does not import. Benchmarks and sources in two folders."""
    top = tmp_path / "a project"
    place = top / "speed tests"
    for folder in (place, top / "src"):
        folder.mkdir(parents=True)
    (top / "pytest.ini").write_text("[pytest]\npythonpath = src\n")
    (place / "conftest.py").write_text(CONFTEST)
    (place / "test_work.py").write_text(TEST)
    (top / ".gitignore").write_text("__pycache__\n")
    git(top, "init", "-q", ".")
    for number in range(COMMITS):
        line = "import nothing_of_that_name" if number == BROKEN else f"COMMIT = {number}"
        (top / "src" / "work.py").write_text(WORK.format(line=line, ms=4 if number >= SLOW else 2))
        git(top, "add", ".")
        git(top, "commit", "-q", "-m", f"commit {number}, \x1b[31m=1")
    (top / "src" / "work.py").write_text("edited = True\n")
    (top / "new.txt").write_text("new\n")
    return top


def everything(top: Path) -> dict[str, bytes]:
    """Every file of the working tree, and of git's own folder but for objects, which are only added to."""
    files = [path for path in top.rglob("*") if path.is_file() and "objects" not in path.parts]
    return {str(path): path.read_bytes() for path in files}


def test_interrupted_and_resumed_it_finds_the_commit_and_leaves_no_trace(project: Path, tmp_path: Path) -> None:
    before = everything(project)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TAILGATE_CACHE": str(tmp_path / "cache"), "TMPDIR": str(temporary)}
    good = git(project, "rev-parse", f"HEAD~{COMMITS - 1}")
    words = ["-p", "no:cacheprovider", *OTHERS_OFF[2:], *SHORT]
    command = [*TAILGATE, "bisect", f"--good={good}", "--", "pytest", *words]
    output = tmp_path / "output"

    def start() -> subprocess.Popen[bytes]:
        with output.open("wb") as stream:
            return subprocess.Popen(
                command, cwd=project / "speed tests", env=environment, stdout=stream, stderr=subprocess.STDOUT
            )

    def left() -> list[str]:
        return [path.name for path in temporary.iterdir() if path.name.startswith(".tailgate-duet")]

    first = start()
    until(lambda: list(temporary.glob(".tailgate-duet-*/temporary/.tailgate-duet-*")), "the first duet")
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE_S) == 2
    assert "bisect: interrupted; the duets that ended are kept" in output.read_text()
    until(lambda: not left(), "the end of the checkouts")
    assert everything(project) == before

    second = start()
    until(lambda: " bad; test_work" in output.read_text(), "the first duet")
    second.kill()
    second.wait()
    until(lambda: not left(), "the end of the checkouts")
    until(lambda: everything(project) == before, "the repository as it was")

    assert start().wait(PATIENCE_S) == 0, output.read_text()
    told = output.read_text()
    slow = git(project, "rev-parse", f"HEAD~{COMMITS - 1 - SLOW}")
    assert "bisect: 1 duet is known from" in told
    assert "the working tree (1 changed file) stays as it is and is not measured" in told
    assert "skip; ModuleNotFoundError: No module named 'nothing_of_that_name'" in told
    assert f'\n{slow[:10]} "commit {SLOW}, \\x1b[31m=1" (a, ' in told
    assert "is the first bad commit\n  test_work median +" in told
    assert "test_other" not in told
    assert not left()
    assert everything(project) == before
