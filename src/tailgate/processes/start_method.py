"""Which way a benchmark's process is started: forked where that is safe, spawned where it is not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tailgate.measure.profiling import ProfileTask
from tailgate.meters import profilers
from tailgate.processes.child import Outputs
from tailgate.processes.fork_safety import unsafe_still
from tailgate.processes.forking import ForkServer, UnsafePreloadError
from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.spawning import Spawner
from tailgate.session.settings import Settings


class Starter:
    """Decides once, before anything has run, and again where a fork server turns out to be unfit."""

    def __init__(
        self,
        config: pytest.Config,
        items: Sequence[pytest.Item],
        outputs: Outputs,
        settings: Settings,
        cpus: frozenset[int] | None = None,
        others: Sequence[Starter] = (),
    ) -> None:
        """``cpus``: all that its processes may use, from before they import anything; ``others``: of the session."""
        self._cpus = cpus
        self._index = {item: index for index, item in enumerate(items)}
        self._config = config
        self._outputs = outputs
        self._names = [item.nodeid for item in items]
        self._fork_servers: dict[tuple[str, ...], ForkServer | None] = {}
        self.remarks: list[str] = []
        reason = unsafe_still() if settings.start_method == "auto" else None
        if settings.start_method == "spawn" or reason:
            self.method = "spawn"
            if reason:
                self.remarks.append(f"Each benchmark started a new interpreter, because {reason}.")
            self._spawner = Spawner(config, outputs, None)
            self._bind(self._spawner.pid)
            return
        self.method = "fork"
        channels = [fork_server.control for one in others for fork_server in one._fork_servers.values() if fork_server]
        fork_server = self._fork_servers[()] = ForkServer.fork(items, outputs, channels)
        self._bind(fork_server.pid)
        self._spawner = Spawner(config, outputs, fork_server.control)

    def start(self, item: pytest.Item, deadline_s: float, task: ProfileTask | None = None) -> Process:
        """A process that runs the item; ``task``: for a profiling meter.

        Raises:
            TimeoutError: importing what it names took too long.
        """
        anew = task is not None and bool(profilers()[task.meter].command(Path(task.folder)))
        fork_server = None if anew else self._fork_server(self.modules_of(item), deadline_s)
        if fork_server is not None:
            try:
                return fork_server.start(self._index[item], task)
            except SupervisorGoneError:
                self._without_fork_server("a fork server was lost")
        index = self._index[item]
        nth = self._names[:index].count(item.nodeid)
        try:
            return self._spawner.start(item, nth, task)
        except SupervisorGoneError:
            self._without_fork_server("the process that starts them was lost")
            return self._spawner.start(item, nth, task)

    def modules_of(self, item: pytest.Item) -> tuple[str, ...]:
        """What its ``preload`` markers name, each module once."""
        return tuple(dict.fromkeys(module for marker in item.iter_markers("preload") for module in marker.args))

    def _bind(self, pid: int | None) -> None:
        """A supervisor that has started nothing yet; what it starts inherits its CPUs."""
        if self._cpus is not None and pid is not None:
            os.sched_setaffinity(pid, self._cpus)

    def close(self) -> None:
        """End every fork server; the first one last, because the others are its children."""
        for fork_server in reversed(self._fork_servers.values()):
            if fork_server is not None:
                fork_server.close()
        self._fork_servers.clear()
        self._spawner.close()

    def _fork_server(self, modules: tuple[str, ...], deadline_s: float) -> ForkServer | None:
        """The fork server for these modules; ``None``: spawn instead."""
        base = self._fork_servers.get(())
        if base is None or modules in self._fork_servers:
            return self._fork_servers.get(modules)
        try:
            self._fork_servers[modules] = base.preloaded(modules, deadline_s)
        except UnsafePreloadError as error:
            self._fork_servers[modules] = None
            names = ", ".join(modules)
            self.remarks.append(f"Benchmarks that preload {names} started a new interpreter each, because {error}.")
        except SupervisorGoneError:
            # An import that ends the process ends the benchmark's own, too, and is reported there.
            self._fork_servers[modules] = base
        return self._fork_servers[modules]

    def _without_fork_server(self, reason: str) -> None:
        self.close()
        self._spawner = Spawner(self._config, self._outputs, None)
        self._bind(self._spawner.pid)
        self.method = "spawn"
        self.remarks.append(f"From then on each benchmark started a new interpreter, because {reason}.")
