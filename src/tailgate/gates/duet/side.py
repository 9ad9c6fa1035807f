"""Inside a side: a pytest session that has collected its tests, and runs and measures them when the parent says so."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from typing import Any, NoReturn

import pytest

from tailgate.gates.duet.imported import PLUGINS, imported
from tailgate.gates.duet.load_turns import LoadTurnTaker
from tailgate.gates.duet.turn_taking import TurnTaker
from tailgate.measure.pacing import PACER
from tailgate.processes import variables
from tailgate.processes.child import MODULES, Messenger
from tailgate.processes.messages import Channel
from tailgate.processes.spawning import NOT_AGAIN
from tailgate.seams import pytest_names
from tailgate.session.items import is_benchmark
from tailgate.session.settings import SETTINGS


def side_task() -> tuple[dict[str, Any], Channel]:
    """What this process was started for, and the channel to its parent."""
    text = os.environ.pop(variables.SIDE)
    return json.loads(text), Channel.of(int(os.environ.pop(variables.HOME)))


NO_TERMINAL = {"usepdb": False, "trace": False}
"""Options off in a side: a debugger would wait for a user who is not there."""


class Side:
    """The plug-in of a side."""

    def __init__(self, config: pytest.Config, task: dict[str, Any], home: Channel) -> None:
        self._config = config
        self._task = task
        self._home = home
        self._errors: list[str] = []
        config.stash[PACER] = LoadTurnTaker(home) if config.stash[SETTINGS].load else TurnTaker(home)
        for name, value in {**NOT_AGAIN, **NO_TERMINAL}.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Silence the terminal reporter before it writes its header."""
        pytest_names.silence_terminal(session.config)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Nobody here shows what could not be collected."""
        if report.failed:
            said = [line.strip() for line in report.longreprtext.splitlines() if line.strip()]
            self._errors.append(f"{report.nodeid}: {(said or ['no reason given'])[-1]}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        """Obey until the parent is gone; the session never reaches its end (reports, caches, files)."""
        gc.freeze()
        if gc.get_threshold()[0] == 1_000_000:  # as launch.START has set it: no test's own
            gc.set_threshold(*sys.usual_gc_threshold)  # type: ignore[attr-defined]
        self._config.stash[MODULES] = frozenset(sys.modules)
        pytest_names.use_base_temp(self._config, self._task["base_temp"])
        chosen = [item for item in session.items if is_benchmark(item)]
        self._modules = {one.module.__name__ for one in chosen if isinstance(one, pytest.Function)}
        broken = session.testsfailed and not self._config.option.continue_on_collection_errors
        errors = self._errors if broken else []
        message = {"names": [item.nodeid for item in chosen], "errors": errors, "group": os.getpgid(0)}
        self._home.send(("collected", message))
        by_name: dict[str, pytest.Item] = {item.nodeid: item for item in chosen}
        while True:
            try:
                name, following = self._home.receive()
            except EOFError:
                os._exit(0)
            self._run(by_name[name], by_name.get(following))

    def _run(self, item: pytest.Item, following: pytest.Item | None) -> None:
        messenger = Messenger(item, self._home)
        manager = self._config.pluginmanager
        manager.register(messenger, "tailgate-messenger")
        final_message: dict[str, Any] = {}
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        except (KeyboardInterrupt, pytest.exit.Exception) as stop:
            # Raised by the test's own code: nobody's Ctrl-C comes here. It costs this benchmark, and not the next one.
            final_message["stopped"] = f"{type(stop).__name__}: {stop}".removesuffix(": ")
            with contextlib.suppress(KeyboardInterrupt, pytest.exit.Exception):
                pytest_names.tear_down_to(item, following)
        manager.unregister(messenger)
        final_message["imported"] = imported(self._modules, self._config.stash.get(PLUGINS, frozenset()))
        try:
            self._home.send(("end", final_message))
        except OSError:
            os._exit(1)
