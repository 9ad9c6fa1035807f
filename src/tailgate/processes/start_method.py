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
from tailgate.processes.forking import Template, UnsafePreloadError
from tailgate.processes.handle import KeeperGoneError, Process
from tailgate.processes.spawning import Spawner
from tailgate.session.settings import Settings


class Starter:
    """Decides once, before anything has run, and again where a template turns out to be unfit."""

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
        self._templates: dict[tuple[str, ...], Template | None] = {}
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
        channels = [template.control for one in others for template in one._templates.values() if template]
        template = self._templates[()] = Template.fork(items, outputs, channels)
        self._bind(template.pid)
        self._spawner = Spawner(config, outputs, template.control)

    def start(self, item: pytest.Item, deadline_s: float, task: ProfileTask | None = None) -> Process:
        """A process that runs the item; ``task``: for a profiling meter.

        Raises:
            TimeoutError: importing what it names took too long.
        """
        anew = task is not None and bool(profilers()[task.meter].command(Path(task.folder)))
        template = None if anew else self._template(self.modules_of(item), deadline_s)
        if template is not None:
            try:
                return template.start(self._index[item], task)
            except KeeperGoneError:
                self._without_template("a template process was lost")
        index = self._index[item]
        nth = self._names[:index].count(item.nodeid)
        try:
            return self._spawner.start(item, nth, task)
        except KeeperGoneError:
            self._without_template("the process that starts them was lost")
            return self._spawner.start(item, nth, task)

    def modules_of(self, item: pytest.Item) -> tuple[str, ...]:
        """What its ``preload`` markers name, each module once."""
        return tuple(dict.fromkeys(module for marker in item.iter_markers("preload") for module in marker.args))

    def _bind(self, pid: int | None) -> None:
        """A keeper that has started nothing yet; what it starts inherits its CPUs."""
        if self._cpus is not None and pid is not None:
            os.sched_setaffinity(pid, self._cpus)

    def close(self) -> None:
        """End every template; the first one last, because the others are its children."""
        for template in reversed(self._templates.values()):
            if template is not None:
                template.close()
        self._templates.clear()
        self._spawner.close()

    def _template(self, modules: tuple[str, ...], deadline_s: float) -> Template | None:
        """The template for these modules; ``None``: spawn instead."""
        base = self._templates.get(())
        if base is None or modules in self._templates:
            return self._templates.get(modules)
        try:
            self._templates[modules] = base.preloaded(modules, deadline_s)
        except UnsafePreloadError as error:
            self._templates[modules] = None
            names = ", ".join(modules)
            self.remarks.append(f"Benchmarks that preload {names} started a new interpreter each, because {error}.")
        except KeeperGoneError:
            # An import that ends the process ends the benchmark's own, too, and is reported there.
            self._templates[modules] = base
        return self._templates[modules]

    def _without_template(self, reason: str) -> None:
        self.close()
        self._spawner = Spawner(self._config, self._outputs, None)
        self._bind(self._spawner.pid)
        self.method = "spawn"
        self.remarks.append(f"From then on each benchmark started a new interpreter, because {reason}.")
