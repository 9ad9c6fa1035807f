"""The plug-in of a session: it announces each benchmark, then records and judges what came of it.

A process that a session has started does neither. A forked one inherits the session's plug-ins and leaves them.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tailgate.session.items import ROWS, is_benchmark
from tailgate.session.run import BenchmarkRun

SESSION_PLUGINS = pytest.StashKey[list[object]]()


def register(config: pytest.Config, plugin: object, name: str) -> None:
    """Register a plug-in for the session's own process alone."""
    config.pluginmanager.register(plugin, name)
    config.stash.setdefault(SESSION_PLUGINS, []).append(plugin)


def leave_session(config: pytest.Config) -> None:
    """Unregister all of them: this process is a benchmark's own from now on."""
    for plugin in config.stash.get(SESSION_PLUGINS, []):
        config.pluginmanager.unregister(plugin)
    config.stash[SESSION_PLUGINS] = []


class SessionPlugin:
    """Registered before every other plug-in of the session."""

    def __init__(self, run: BenchmarkRun) -> None:
        self._run = run

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """A progress line around each benchmark."""
        self._run.item_begins(item)
        try:
            return (yield)
        finally:
            self._run.item_ends(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: Any
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what came of a benchmark that ran in this process."""
        report = yield
        if is_benchmark(item):
            self._run.judge(report, item, self._run.note(item, report, item.stash[ROWS]))
        return report
