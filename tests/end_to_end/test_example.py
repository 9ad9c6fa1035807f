"""The example project, as its README has it: measured, saved, judged against itself, and against a slower checkout."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from drawn_runs import Page
from suite import ROOT

from tailgate.machine import git

pytestmark = pytest.mark.end_to_end
EXAMPLE = ROOT / "examples" / "word_index"
AS_SOMEBODY = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
LEAN = ("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider", "--benchmark-max-time=0.1")
FAST = "for word in set(line.lower().split()):"
SLOW = "for word in set(line.lower().split()) | set(line.upper().lower().split()):"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the example in it."""
    folder = tmp_path_factory.mktemp("example") / "word_index"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "baselines"))
    for arguments in (("init", "-q", "-b", "main", "."), ("add", "."), ("commit", "-qm", "one")):
        subprocess.run(["git", *AS_SOMEBODY, *arguments], cwd=folder, env=git.environment(), check=True)
    return folder


def tailgate(project: Path, *arguments: str) -> str:
    """What the command says, run where the project is."""
    script = "import sys; from tailgate.commands.main import main; sys.exit(main())"
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout


def session(project: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", *LEAN, *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=git.environment())
    return done.returncode, done.stdout + done.stderr


def test_it_is_ten_lines_of_tests() -> None:
    lines = (EXAMPLE / "test_word_index.py").read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.startswith(('"""', "import", "from"))]
    assert len(code) <= 10


def test_it_is_measured_saved_and_reported(project: Path) -> None:
    code, said = session(project, "--benchmark-save=here", "--report=page.html")
    assert code == 0, said
    page = Page((project / "page.html").read_text())
    assert len(page.all("figure")) == 2
    assert page.texts["pre"] == ["pytest NAME " + " ".join(LEAN)]
    (file,) = (project / "baselines").rglob("*.json")
    assert tailgate(project, "report", str(file), "--out=site").startswith("Wrote site/index.html")
    assert (project / "site" / "latency-test_build.png").exists()


def test_one_saved_session_is_too_few_to_judge_by(project: Path) -> None:
    code, said = session(project, "--benchmark-compare=here", "--gate", "-k", "test_build")
    assert code in (0, 1), said  # 1: the saved session was disturbed, so nothing was compared
    assert "1 undecided" in said


def test_a_duet_catches_a_slower_checkout(project: Path) -> None:
    file = project / "word_index.py"
    text = file.read_text()
    assert FAST in text
    file.write_text(text.replace(FAST, SLOW))
    code, said = session(project, "--duet=HEAD", "-k", "test_build", "--duet-seconds=0.1", "--gate-metrics=median")
    file.write_text(text)
    assert code == 1, said
    assert re.search(r"test_build median \+\d+\.\d %.*confirmed", said)
