"""Run sessions of a foreign pytest-benchmark project, many of them in one fresh process."""

import json
import subprocess
import sys
from pathlib import Path

OTHERS_OFF = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:pytest_cov", "-p", "no:anyio")
SHORT = "--benchmark-max-time=0.001"

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


def run_all(folder: Path, *sessions: tuple[str, ...]) -> dict[tuple[str, ...], list]:
    """Exit code and output of each session, by its arguments."""
    every = json.dumps([[*OTHERS_OFF, SHORT, *arguments] for arguments in sessions])
    done = subprocess.run(
        [sys.executable, "-c", MANY], input=every, cwd=folder, capture_output=True, text=True, check=True
    )
    return dict(zip(sessions, json.loads(done.stdout), strict=True))
