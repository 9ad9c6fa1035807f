"""A disk that fills up during a bisect: one line, nothing lost, the repository as it was, and the same command goes on.

The Python that is named after ``--`` measures nothing: it knows how slow each commit is. All else is the command's own.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from histories_of_git import linear
from patience import PATIENCE_S, until

COMMITS, SLOW = 8, 5
LIMIT_BYTES = 12_000
"""Of every file that the command and its children write."""
TAILGATE = (sys.executable, "-c", "import sys; from tailgate.commands.main import main; sys.exit(main())")
PYTHON = """#!{python}
import json, os, pathlib, subprocess, sys

if "pytest" not in sys.argv:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])

def is_slow(commit):
    return int(subprocess.run(["git", "show", commit + ":file"], check=True, capture_output=True).stdout) >= {slow}

(base,) = (word.partition("=")[2] for word in sys.argv if word.startswith("--duet="))
change_rel = 0.05 * (is_slow("HEAD") - is_slow(base))
print(os.environ.get("PRINTED", ""))
if os.environ.get("FAILS") == pathlib.Path("file").read_text().strip():
    sys.exit("OSError: [Errno 28] No space left on device: 'some/file'")
step = json.loads(pathlib.Path(os.environ["TAILGATE_BISECT"]).read_text())
verdict = {{
    "fullname": "test_a.py::test_a", "metric": "median", "verdict": "fail" if change_rel else "pass",
    "change_rel": change_rel, "limit_rel": 0.02, "replicates": 5, "notes": [os.environ.get("NOTE", "")],
}}
pathlib.Path(step["verdicts"]).write_text(json.dumps([verdict]))
"""


class Bisect:
    """The command in a repository of its own, with a cache and a temporary folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._top = folder / "project"
        self._top.mkdir()
        self.commits = linear(self._top, COMMITS)
        (self._top / "file").write_text("edited\n")
        self._folder = folder
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        self._python = folder / "python-fake"
        self._python.write_text(PYTHON.format(python=sys.executable, slow=SLOW))
        self._python.chmod(0o755)
        self._before = self._everything()
        self.output = folder / "output"
        self.output.touch()

    def run(self, *, limited: bool = False, output: IO[str] | None = None, **variables: str) -> tuple[int, str, str]:
        """Its exit code, what it wrote to standard output, and to standard error; it leaves no trace."""
        command = [*TAILGATE, "bisect", f"--good={self.commits[0]}", "--", str(self._python), "-m", "pytest"]
        places = {"TAILGATE_CACHE": str(self._folder / "cache"), "TMPDIR": str(self._temporary)}
        with output or self.output.open("a") as stream:
            done = subprocess.run(
                command, check=False, cwd=self._top, env={**os.environ, **places, **variables}, stdout=stream,
                stderr=subprocess.PIPE, text=True, preexec_fn=limit if limited else None, timeout=PATIENCE_S,
            )  # fmt: skip
        until(lambda: not list(self._temporary.iterdir()), "an empty temporary folder")
        assert self._everything() == self._before
        told = self.output.read_text()
        self.output.write_text("")
        return done.returncode, told, done.stderr

    @property
    def known(self) -> int:
        """Duets in its journal."""
        files = list(self._folder.glob("cache/bisect/*/bisect.json"))
        return sum(len(json.loads(file.read_text())["duets"]) for file in files)

    def _everything(self) -> dict[str, bytes]:
        files = [path for path in self._top.rglob("*") if path.is_file() and "objects" not in path.parts]
        return {str(path): path.read_bytes() for path in files}


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))


@pytest.fixture
def bisect(tmp_path: Path) -> Bisect:
    return Bisect(tmp_path)


def finds_it(bisect: Bisect, known: int) -> None:
    """The same command goes on with what is known, and finds the commit."""
    code, told, said = bisect.run()
    assert (code, said) == (0, ""), told
    assert f'{bisect.commits[SLOW][:10]} "c{SLOW}" (a, ' in told
    assert f"bisect: {known} duet{'s are' if known > 1 else ' is'} known from " in told


def test_a_journal_that_does_not_fit(bisect: Bisect) -> None:
    code, told, said = bisect.run(limited=True, NOTE="x" * (LIMIT_BYTES * 3 // 5))
    assert (code, said.count("\n")) == (4, 1), said
    assert said.startswith("tailgate: error: bisect: ")
    assert said.endswith("/bisect.json: File too large; once that is mended, the same command goes on\n")
    assert "the first bad commit" not in told
    assert bisect.known == 1, "the earlier one, whole"
    finds_it(bisect, 1)


def test_a_log_that_does_not_fit_costs_no_verdict(bisect: Bisect) -> None:
    code, told, said = bisect.run(limited=True, PRINTED="x" * LIMIT_BYTES)
    assert (code, said) == (0, ""), told
    steps = [line for line in told.splitlines() if " bad; " in line or " good; " in line]
    assert len(steps) == bisect.known
    assert all("its output is not kept: " in line and ".log: File too large" in line for line in steps)
    assert f'{bisect.commits[SLOW][:10]} "c{SLOW}" (a, ' in told


@pytest.mark.parametrize("printed", ["", "x" * LIMIT_BYTES])
def test_a_session_whose_disk_is_full_is_no_commit_to_skip(bisect: Bisect, printed: str) -> None:
    code, told, said = bisect.run(FAILS=str(COMMITS // 2 - 1), PRINTED=printed)
    assert code == 4, told
    assert said == (
        f"tailgate: error: bisect: {bisect.commits[COMMITS // 2 - 1][:10]} was not measured (OSError: [Errno 28] "
        "No space left on device: 'some/file'); make room, and the same command goes on\n"
    )
    assert " skip" not in told
    finds_it(bisect, bisect.known)


def test_a_standard_output_that_is_full_from_the_first_line(bisect: Bisect) -> None:
    code, _, said = bisect.run(output=Path("/dev/full").open("w"))  # noqa: SIM115 (closed there)
    assert (code, said) == (4, "tailgate: error: the output cannot be written (No space left on device)\n")
    assert bisect.known == 0


def test_a_standard_output_that_fills_up(bisect: Bisect) -> None:
    bisect.output.write_text("x" * (LIMIT_BYTES - 300) + "\n")
    code, told, said = bisect.run(limited=True)
    assert (code, said) == (4, "tailgate: error: the output cannot be written (File too large)\n")
    assert " is bad: 7 commits" in told
    known = bisect.known
    assert known >= 1
    finds_it(bisect, known)


def test_a_reader_that_has_gone_is_no_full_disk(bisect: Bisect) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, _, said = bisect.run(output=os.fdopen(writer, "w"))
    assert (code, said) == (1, "")
