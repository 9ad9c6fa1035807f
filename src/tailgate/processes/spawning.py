"""Processes that start a new interpreter, where forking is unsafe or not wanted.

Each runs pytest with the session's own arguments, collects anew and runs one test. Slower by as long as
that takes, but with an address space and hash seed of its own, on every platform with Unix sockets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from tailgate.processes import child, pytest_seams
from tailgate.processes.handle import Process
from tailgate.processes.keeper import Keeper, settle_as_keeper
from tailgate.processes.messages import Channel

VARIABLE = "TAILGATE_PROCESS"
"""Tells the new interpreter what it is for; removed from the environment before any test sees it."""
START = (
    "import json, sys; sys.path[:], sys.argv[:] = json.loads(sys.argv[1]); "
    "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)
KEEP = (
    "import json, sys; sys.path[:], order = json.loads(sys.argv[1]); "
    "from tailgate.processes.spawning import keep; keep(order)"
)
NOT_AGAIN: dict[str, Any] = {
    "benchmark_compare": None, "benchmark_compare_fail": [], "benchmark_save": None, "benchmark_autosave": None,
    "benchmark_json": None, "benchmark_histogram": None, "xmlpath": None, "lf": False, "failedfirst": False,
    "newfirst": False, "stepwise": False, "stepwise_skip": False, "cacheclear": False, "tailgate_csv": None,
}  # fmt: skip
"""What is the session's to do, once."""


@dataclass(frozen=True)
class Errand:
    """What a spawned process is for."""

    nodeid: str
    nth: int
    """Among the items of that name: a name can be collected twice."""
    home: int
    outputs: tuple[int, int]


def errand() -> Errand | None:
    """What this process was spawned for; ``None``: it is a session like any other."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return None
    found = json.loads(text)
    return Errand(found["nodeid"], found["nth"], found["home"], tuple(found["outputs"]))


class SpawnedChild:
    """The plug-in of a spawned process: one item, then the end."""

    def __init__(self, config: pytest.Config, task: Errand) -> None:
        self._task = task
        for name, value in NOT_AGAIN.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Before the terminal reporter writes its header."""
        pytest_seams.silence_terminal(session.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        """Run the one item; the session's ends (reports, caches, files) are not reached."""
        home = Channel.of(self._task.home)
        found = [item for item in session.items if item.nodeid == self._task.nodeid]
        if len(found) <= self._task.nth:
            home.send(("end", {"internal_error": f"{self._task.nodeid} was not collected again in a new process"}))
            os._exit(1)
        out, err = (os.fdopen(descriptor, "r+b", buffering=0) for descriptor in self._task.outputs)
        child.run_and_leave(found[self._task.nth], home, (out, err))


class Spawner:
    """Starts a new interpreter for each benchmark, kept by another that does nothing else."""

    def __init__(self, config: pytest.Config, outputs: child.Outputs) -> None:
        self._config = config
        self._outputs = outputs
        self._keepers: list[subprocess.Popen[bytes]] = []

    def start(self, nodeid: str, nth: int) -> Process:
        """A process that runs the ``nth`` item of this name."""
        self._bury()
        results, home = Channel.pair()
        control, theirs = Channel.pair()
        outputs = [stream.fileno() for stream in self._outputs]
        task = {"nodeid": nodeid, "nth": nth, "home": home.fileno(), "outputs": outputs}
        arguments = [str(argument) for argument in self._config.invocation_params.args]
        interpreter = [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]
        command = [*interpreter, "-c", START, json.dumps([sys.path, ["pytest", *arguments]])]
        captured = self._config.getoption("capture", "fd") != "no"
        order = {
            "control": theirs.fileno(),
            "session_pid": os.getpid(),
            "command": command,
            "cwd": str(self._config.invocation_params.dir),
            "variables": {VARIABLE: json.dumps(task)},
            "descriptors": [home.fileno(), *outputs],
            "streams": outputs if captured else None,
        }
        keeper = subprocess.Popen(
            [*interpreter, "-c", KEEP, json.dumps([sys.path, order])],
            pass_fds=[theirs.fileno(), home.fileno(), *outputs],
            stdin=subprocess.DEVNULL,
        )
        self._keepers.append(keeper)
        for end in (home, theirs):
            end.close()
        return Process(results, control, control_is_its_own=True)

    def close(self) -> None:
        """Every keeper has ended."""
        for keeper in self._keepers:
            keeper.wait()

    def _bury(self) -> None:
        self._keepers = [keeper for keeper in self._keepers if keeper.poll() is None]


def keep(order: dict[str, Any]) -> NoReturn:
    """The keeper of one spawned process."""
    settle_as_keeper()
    keeper = Keeper(Channel.of(order["control"]), order["session_pid"])

    def become() -> NoReturn:
        for descriptor in order["descriptors"]:
            os.set_inheritable(descriptor, True)
        for number, descriptor in zip((1, 2), order["streams"] or (), strict=False):
            os.dup2(descriptor, number)
        os.chdir(order["cwd"])
        os.execve(order["command"][0], order["command"], {**os.environ, **order["variables"]})

    keeper.start(become)
    for descriptor in order["descriptors"]:
        os.close(descriptor)
    keeper.serve()
