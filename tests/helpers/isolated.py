"""Sessions of a foreign project with a process for each benchmark, and what they leave behind."""

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from foreign import CONFTEST
from patience import PATIENCE_S, until

PR_SET_CHILD_SUBREAPER = 36
LEAVING_S = 6.0
"""After the session itself was killed, its processes have ended in this time."""
OTHERS_OFF = ("-p", "no:hypothesispytest", "-p", "no:pytest_cov", "-p", "no:anyio", "-p", "no:randomly")
SHORT = ("--benchmark-max-time=0.001", "--benchmark-min-rounds=3")
FORK = ("--isolation=process", "--start-method=fork")
SPAWN = ("--isolation=process", "--start-method=spawn")

SAY = """
import os, signal, sys, threading, time
import pytest

def say(line):
    with open(os.environ.get("LOG", "log.txt"), "a") as log:
        log.write(f"{line}\\n")
"""
"""At the head of a module whose tests write down what they did."""


@dataclass
class Session:
    """What came of one."""

    code: int
    out: str
    saved: dict[str, Any] | None
    left: list[str] = field(default_factory=list)
    """Processes that outlived it."""

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """By test name."""
        return {row["name"]: row for row in (self.saved or {"benchmarks": []})["benchmarks"]}

    @property
    def unmeasured(self) -> dict[str, tuple[str, str]]:
        """Status and reason by test name."""
        entries = (self.saved or {}).get("unmeasured", [])
        return {entry["fullname"].rpartition("::")[2]: (entry["status"], entry["reason"]) for entry in entries}

    @property
    def outcomes(self) -> dict[str, list[str]]:
        """With ``-v``: what was said of each test, in order."""
        found: dict[str, list[str]] = {}
        for nodeid, outcome in re.findall(
            r"^\S+?::(\S+) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", self.out, re.MULTILINE
        ):
            found.setdefault(nodeid, []).append(outcome)
        return found

    def lines(self, pattern: str) -> list[str]:
        """Those of the output that hold it."""
        return [line for line in self.out.splitlines() if re.search(pattern, line)]


class Project:
    """A folder with tests, its sessions' temporary folder, and a mark in their environment."""

    sessions: ClassVar[set[int]] = set()
    """Process ids of all that run."""
    bystanders: ClassVar[set[int]] = set()
    """Children that this process had before: another test's, such as multiprocessing's resource tracker."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder
        self.mark = f"tailgate-test-{uuid.uuid4().hex}"
        self.log = folder / "log.txt"
        """Where tests write what they did, each line at once."""
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.write("conftest.py", CONFTEST)
        for name, text in files.items():
            self.write(f"{name}.py", text)

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        (self.folder / name).write_text(text)

    @property
    def logged(self) -> list[str]:
        """What its tests wrote."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def start(
        self,
        *arguments: str,
        save: bool = True,
        prefix: Sequence[str] = (),
        before: Callable[[], None] | None = None,
        **variables: str,
    ) -> subprocess.Popen[str]:
        """A session, in a process group of its own as a terminal makes one; ``before``: called in its process."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "COV_", "TAILGATE_", "TOX_"))
        }
        environment |= {"TMPDIR": str(self.temporary), "MARK": self.mark, "LOG": str(self.log), "COLUMNS": "300"}
        if save:
            arguments = ("--benchmark-json=run.json", *arguments)
        # Read by finish(); a session's output is never so long that it waits for a reader before.
        self._out = (self.folder / "output.txt").open("w+")
        session = subprocess.Popen(
            [*prefix, sys.executable, "-m", "pytest", *OTHERS_OFF, *SHORT, *arguments],
            cwd=self.folder, stdout=self._out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            env=environment | variables, start_new_session=True, preexec_fn=before,  # noqa: PLW1509 (no threads here)
        )  # fmt: skip
        self.sessions.add(session.pid)
        return session

    def run(self, *arguments: str, grace_s: float = 0.0, **how: Any) -> Session:
        """A session from beginning to end."""
        saved = self.folder / "run.json"
        saved.unlink(missing_ok=True)
        with adopting():
            return self.finish(self.start(*arguments, **how), grace_s)

    def finish(self, session: subprocess.Popen[str], grace_s: float = 0.0) -> Session:
        """Wait for its end; what it leaves running may take ``grace_s``. Call it while :func:`adopting`."""
        try:
            code = session.wait(PATIENCE_S)
            left = self.left_behind(grace_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(session.pid, signal.SIGKILL)
            self._end_what_is_left()
            self.sessions.discard(session.pid)
        self._out.seek(0)
        out = self._out.read()
        self._out.close()
        saved = self.folder / "run.json"
        text = saved.read_text() if saved.exists() else ""
        return Session(code, out, json.loads(text) if text else None, left)

    def await_line(self, line: str, times: int = 1) -> None:
        """Until tests have written it so often."""
        until(lambda: self.logged.count(line) >= times, f"{line!r} in {self.log}")

    def left_behind(self, grace_s: float) -> list[str]:
        """Processes of a session that has ended; after its death by SIGKILL nobody but we can bury some."""
        deadline_s = time.monotonic() + grace_s
        while True:
            left = [_told(one) for one in self._living(bury=grace_s > 0)]
            if not left or time.monotonic() >= deadline_s:
                return left
            time.sleep(0.05)

    def temporary_files(self) -> list[str]:
        """But for pytest's own folder."""
        return [path.name for path in self.temporary.iterdir() if not path.name.startswith("pytest-of-")]

    def _living(self, *, bury: bool) -> list[psutil.Process]:
        """What has our mark in its environment; and orphans, which come to us, dead or alive."""
        ours = os.getpid()
        orphans = [one for one in psutil.Process().children() if one.pid not in self.sessions | self.bystanders]
        marked = [one for one in psutil.process_iter() if one.pid != ours and _mark(one) == self.mark]
        found = {one.pid: one for one in [*marked, *orphans] if _mark(one) in (None, self.mark)}
        if bury:
            for pid in list(found):
                with contextlib.suppress(ChildProcessError):
                    if os.waitpid(pid, os.WNOHANG)[0]:
                        del found[pid]
        return list(found.values())

    def _end_what_is_left(self) -> None:
        for one in self._living(bury=True):
            with contextlib.suppress(psutil.Error):
                one.kill()
            with contextlib.suppress(psutil.Error, ChildProcessError):
                os.waitpid(one.pid, 0)


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Orphans of what is started meanwhile become children of this process, and so cannot be overlooked."""
    Project.bystanders = {one.pid for one in psutil.Process().children()} - Project.sessions
    prctl = getattr(ctypes.CDLL(None), "prctl", lambda *_: None)  # Linux only
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


MOST_AT_ONCE = 3
"""Sessions; they also wait, so one more than the usual two CPUs."""


def run_together(*wanted: tuple[Project, tuple[str, ...]], **variables: str) -> list[Session]:
    """Several sessions at the same time, each of a project of its own."""
    running: list[tuple[Project, subprocess.Popen[str]]] = []
    ended: list[Session] = []
    with adopting():
        for project, arguments in wanted:
            if len(running) - len(ended) == MOST_AT_ONCE:
                first, session = running[len(ended)]
                ended.append(first.finish(session))
            running.append((project, project.start(*arguments, **variables)))
        for project, session in running[len(ended) :]:
            ended.append(project.finish(session))
    return ended


@dataclass(frozen=True)
class Scenario:
    """A project and what to ask of it."""

    arguments: tuple[str, ...]
    files: dict[str, str]
    """Modules by name."""
    conftest: str = ""


def run_scenarios(
    factory: pytest.TempPathFactory, scenarios: dict[str, Scenario]
) -> dict[str, tuple[Session, Project]]:
    """Each in a project of its own."""
    projects = {name: Project(factory.mktemp(name), **scenario.files) for name, scenario in scenarios.items()}
    for name, scenario in scenarios.items():
        projects[name].write("conftest.py", CONFTEST + scenario.conftest)
    sessions = run_together(*((projects[name], scenario.arguments) for name, scenario in scenarios.items()))
    return dict(zip(projects, zip(sessions, projects.values(), strict=True), strict=True))


def _mark(one: psutil.Process) -> str | None:
    """A zombie has no environment."""
    with contextlib.suppress(psutil.Error):
        return one.environ().get("MARK")
    return None


def _told(one: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{one.pid} {one.status()} {' '.join(one.cmdline())[:100]}"
    return str(one.pid)
