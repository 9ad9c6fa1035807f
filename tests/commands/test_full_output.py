"""A standard output that cannot be written is one line and exit code 4, whatever the command; no traceback."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import histories as saved
import pytest
from saved_duets import a_run

TAILGATE = (sys.executable, "-c", "import sys; from tailgate.commands.main import main; sys.exit(main())")
COMMANDS = (
    "history epyc", "history epyc --json", "history epyc --html=site", "compare --columns=median RUNS",
    "compare --columns=median --fail-on-regression RUNS", "report --format=markdown RUNS", "report --format=html RUNS",
    "report --format=bencher RUN", "report --format=markdown --output=page.md RUNS", "duet duet.json",
    "duet --format=comment duet.json", "baselines list", "doctor", "doctor --json",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = saved.project(tmp_path_factory.mktemp("full"))
    saved.series(place, "epyc", 12)
    (place / "duet.json").write_text(json.dumps(a_run(0.0, 0.1)))
    return place


def run(folder: Path, command: str, output: Path, **how: object) -> subprocess.CompletedProcess[str]:
    runs = [str(file) for file in sorted(folder.glob("baselines/*/*.json"))[:2]]
    named = {"RUN": runs[:1], "RUNS": runs}
    words = [word for one in command.split() for word in named.get(one, [one])]
    with output.open("a") as stream:
        return subprocess.run(
            [*TAILGATE, *words],
            check=False,
            cwd=folder,
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
            **how,
        )  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_output_is_one_line(folder: Path, command: str, buffered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if buffered:  # as users' is: what is short is written at the end
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    else:
        monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    done = run(folder, command, Path("/dev/full"))
    assert (done.returncode, done.stderr) == (
        4, "tailgate: error: the output cannot be written (No space left on device)\n"
    )  # fmt: skip


def test_an_output_that_fills_up_is_one_line(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # unbuffered, Python itself drops what a write leaves
    limit_bytes = 200
    done = run(
        folder, "history epyc", tmp_path / "output",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes)),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (4, "tailgate: error: the output cannot be written (File too large)\n")
    assert (tmp_path / "output").stat().st_size == limit_bytes
