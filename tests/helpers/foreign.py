"""Run sessions of a foreign pytest-benchmark project, many of them in one fresh process."""

import json
import os
import subprocess
import sys
from pathlib import Path

OTHERS_OFF = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:pytest_cov", "-p", "no:anyio")
SHORT = "--benchmark-max-time=0.001"
# A machine of one fact: what pytest-benchmark finds out about a processor takes longer than these tests, and its clock
# differs from run to run, of which pytest-benchmark warns.
CONFTEST = "def pytest_benchmark_generate_machine_info(): return {'node': 'here'}\n"
UNDISTURBED = "from tailgate.machine.trust import stretch\nstretch.SHORTEST_S = 1e9\n"
"""A conftest's: every row is too short for other work to be seen beside it, and so is ``ok`` on a busy machine too."""

# Most of a session's time is spent on starting it.
MANY = """
import contextlib, io, json, pytest, sys, traceback
said = []
for arguments in json.load(sys.stdin):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            code = pytest.main(arguments)
        except Exception:  # a process of its own would end with it
            code = 1
            traceback.print_exc()
    said.append([int(code), text.getvalue()])
json.dump(said, sys.stdout)
"""


def written(folder: Path, tests: str, **more: str) -> Path:
    """Written to the folder: ``test_project.py``, that conftest, and other modules by name."""
    for name, text in {"conftest": CONFTEST, "test_project": tests, **more}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def run_one(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A session in a process of its own, at a wide terminal."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *OTHERS_OFF, *arguments],
        cwd=folder, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def run_all(folder: Path, *sessions: tuple[str, ...]) -> dict[tuple[str, ...], list]:
    """Exit code and output of each session, by its arguments."""
    every = json.dumps([[*OTHERS_OFF, SHORT, *arguments] for arguments in sessions])
    done = subprocess.run(
        [sys.executable, "-c", MANY], input=every, cwd=folder, capture_output=True, text=True, check=True
    )
    return dict(zip(sessions, json.loads(done.stdout), strict=True))
