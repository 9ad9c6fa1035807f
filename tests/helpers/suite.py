"""Run the suite as a user does: a pytest of its own, from the repository's root."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    text: str

    def lines(self, pattern: str) -> list[str]:
        return [line for line in self.text.splitlines() if re.search(pattern, line)]


def suite(*arguments: str, baselines: Path | None = None, within: str = "benchmarks", **environment: str) -> Outcome:
    place = [] if baselines is None else ["-o", f"tailgate_baselines={baselines}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", within, "-p", "no:cacheprovider", *place, *arguments],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout + done.stderr)


def python(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script in a process of its own, which has this checkout on its path."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def printed(script: str, *arguments: str, **environment: str) -> str:
    """What it printed, once it ended well."""
    done = python(script, *arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def saved(baselines: Path, name: str) -> dict[str, Any]:
    (file,) = baselines.glob(f"*/{name}.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found
