"""Whatever is in a saved run, every command that reads one ends by itself: with its answer, or with one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SCRIPT = TESTS / "helpers" / "broken_runs.py"
IMPORTED = [str(TESTS / folder) for folder in ("gates", "results", "studies")]


@pytest.mark.parametrize("seed", range(2))
def test_every_command_ends_by_itself_whatever_is_in_a_run(tmp_path: Path, seed: int) -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPT, str(seed), "6"], check=False, cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*IMPORTED, *filter(None, sys.path)])},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
