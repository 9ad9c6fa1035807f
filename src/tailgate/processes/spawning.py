"""Processes that start a new interpreter, where forking is unsafe or not wanted.

Each runs pytest with the session's own arguments, collects anew and runs one test. Slower by as long as
that takes, but with an address space and hash seed of its own, on every platform with Unix sockets.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tailgate.measure.profiling import ProfileTask
from tailgate.meters import profilers
from tailgate.processes import child, variables
from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.messages import Channel
from tailgate.processes.supervisor import (
    END_S,
    PR_SET_PDEATHSIG,
    Order,
    Supervisor,
    prctl,
    settle_as_supervisor,
)
from tailgate.seams import pytest_names

START = (
    "import json, sys; sys.path[:], sys.argv[:] = json.loads(sys.argv[1]); "
    "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)
KEEP = (
    "import json, sys; sys.path[:], order = json.loads(sys.argv[1]); "
    "from tailgate.processes.spawning import supervise; supervise(**order)"
)
NOT_AGAIN: dict[str, Any] = {
    "benchmark_compare": None, "benchmark_compare_fail": [], "benchmark_save": None, "benchmark_autosave": None,
    "benchmark_json": None, "benchmark_histogram": None, "xmlpath": None, "lf": False, "failedfirst": False,
    "newfirst": False, "stepwise": False, "stepwise_skip": False, "cacheclear": False,
    "log_file": os.devnull,
}  # fmt: skip
"""What is the session's to do, once."""


@dataclass(frozen=True)
class ChildTask:
    """What a spawned process is for."""

    nodeid: str
    nth: int
    """Among the items of that name: a name can be collected twice."""
    outputs: tuple[int, int]
    base_temp: str | None
    """Where the session's ``tmp_path`` are made."""
    task: dict[str, Any] | None = None
    """For a profiling meter: a :class:`ProfileTask`."""
    only: str | None = None
    """All there is to collect, as on a command line; ``None``: what the session collects."""


def child_task() -> tuple[ChildTask, Channel] | None:
    """What this process was spawned for, and the channel to the session; ``None``: it is a session itself."""
    text, home = os.environ.pop(variables.SPAWNED, None), os.environ.pop(variables.HOME, None)
    if text is None or home is None:
        return None
    found = json.loads(text)
    return ChildTask(**{**found, "outputs": tuple(found["outputs"])}), Channel.of(int(home))


class SpawnedChild:
    """The plug-in of a spawned process: one item, then the end."""

    def __init__(self, config: pytest.Config, task: ChildTask, home: Channel) -> None:
        self._task = task
        self._home = home
        for name, value in NOT_AGAIN.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        if task.only is not None:
            config.args = [task.only]
        if task.task is not None:  # it may be a tool's child, and not its supervisor's
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Silence the terminal reporter before it writes its header."""
        pytest_names.silence_terminal(session.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        """Run the one item; the session's ends (reports, caches, files) are not reached."""
        home = self._home
        session.config.stash[child.MODULES] = frozenset(sys.modules)
        pytest_names.use_base_temp(session.config, self._task.base_temp)
        found = [item for item in session.items if item.nodeid == self._task.nodeid]
        if len(found) <= self._task.nth:
            home.send(("end", {"internal_error": f"{self._task.nodeid} was not collected again in a new process"}))
            os._exit(1)
        out, err = (os.fdopen(descriptor, "r+b", buffering=0) for descriptor in self._task.outputs)
        task = None if self._task.task is None else ProfileTask(**self._task.task)
        child.run_and_leave(found[self._task.nth], home, (out, err), forked=False, task=task)


class Spawner:
    """Starts a new interpreter for each benchmark, from a supervisor that has seen no test.

    What the session's own tests do to its environment, limits or signals is not passed on.
    """

    def __init__(self, config: pytest.Config, outputs: child.Outputs, supervisor: Channel | None) -> None:
        self._config = config
        self._outputs = outputs
        interpreter = [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]
        arguments = [str(argument) for argument in config.invocation_params.args]
        self._command = [*interpreter, "-c", START, json.dumps([sys.path, ["pytest", *arguments]])]
        self._own = OwnSupervisor([stream.fileno() for stream in outputs]) if supervisor is None else None
        self._supervisor = supervisor or self._own.channel  # type: ignore[union-attr]

    @property
    def pid(self) -> int | None:
        """The process id of its own supervisor."""
        return self._own.pid if self._own is not None else None

    def start(self, item: pytest.Item, nth: int, task: ProfileTask | None = None) -> Process:
        """A process that runs the ``nth`` item of this one's name; ``task``: for a profiling meter.

        Raises:
            SupervisorGoneError: there is no supervisor any more.
        """
        ours, home = Channel.pair()
        outputs = (self._outputs[0].fileno(), self._outputs[1].fileno())
        child_task = ChildTask(item.nodeid, nth, outputs, pytest_names.base_temp(self._config))
        command, added = self._command, dict[str, str]()
        if task is not None:
            meter, folder = profilers()[task.meter], Path(task.folder)
            command, added = [*meter.command(folder), *command], dict(meter.variables())
            # Collecting everything again may take a tool that counts each instruction very long.
            place = f"{item.path}::{item.nodeid.partition('::')[2]}"
            child_task = replace(child_task, task=asdict(task), only=None if nth else place)
        captured = self._config.getoption("capture", "fd") == "fd"  # else a descriptor's output is the terminal's
        order = Order(
            command=command,
            cwd=str(self._config.invocation_params.dir),
            variables={**added, variables.SPAWNED: json.dumps(vars(child_task))},
            descriptors=outputs,
            streams=outputs if captured else (),
        )
        try:
            self._supervisor.send(("spawn", order), [home])
        except OSError as error:
            ours.close()
            raise SupervisorGoneError from error
        finally:
            home.close()
        return Process(ours, self._supervisor)

    def close(self) -> None:
        """End its own supervisor; it does not touch another's."""
        if self._own is not None:
            self._own.close()


class OwnSupervisor:
    """A supervisor started for this session; it can hand ``descriptors`` on to the processes it starts.

    ``variables``: its whole environment, and theirs; ``None``: this process's.
    """

    def __init__(self, descriptors: Sequence[int], variables: dict[str, str] | None = None) -> None:
        self.channel, theirs = Channel.pair()
        order = {"control": theirs.fileno(), "session_pid": os.getpid()}
        interpreter = [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]
        self._process = subprocess.Popen(
            [*interpreter, "-c", KEEP, json.dumps([sys.path, order])],
            pass_fds=[theirs.fileno(), *descriptors],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C does not reach it while it imports, either
            env=variables,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def close(self) -> None:
        """It has ended, and with it what it kept."""
        self.channel.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:  # it waits for a process that cannot be ended
            self._process.kill()
            self._process.wait()


def supervise(control: int, session_pid: int) -> NoReturn:
    """The supervisor of spawned processes."""
    settle_as_supervisor()
    Supervisor(Channel.of(control), session_pid).serve()
