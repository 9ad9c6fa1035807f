"""The pytest plug-in of a session on a node: it says what was collected and what is measured, and keeps to its share.

The role is taken by the variable that ``node.py`` puts into the session's environment.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from tailgate import __version__
from tailgate.fleet.shards import unit_of
from tailgate.machine import fingerprint as environment
from tailgate.machine import trust
from tailgate.processes import variables
from tailgate.session.items import is_benchmark
from tailgate.session.run import RUN

CALIBRATIONS = 5


@dataclass(frozen=True)
class Task:
    """What the fleet wants of this session."""

    events: str
    """A file for one line of JSON for each thing that happens."""
    share: Sequence[str] | None = None
    """Node ids to measure; ``None``: all that are selected."""
    calibrate: bool = False
    """Time the calibration kernel once the tests are collected."""

    def as_variable(self) -> dict[str, str]:
        """For the environment of the session."""
        return {variables.FLEET: json.dumps(asdict(self))}


def node_task() -> Task | None:
    """What this session is for; ``None``: it is no node's. The processes that it starts do not see it."""
    text, home = os.environ.pop(variables.FLEET, None), os.environ.pop(variables.HOME, None)
    if text is None:
        return None
    if home is not None:
        os.close(int(home))  # a session has nothing to answer
    return Task(**json.loads(text))


class FleetSession:
    """The session's side of the fleet."""

    def __init__(self, config: pytest.Config, task: Task) -> None:
        self._config = config
        self._task = task
        self._events = Path(task.events)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave the other nodes' benchmarks to them."""
        if self._task.share is None:
            return
        mine = set(self._task.share)
        others = [item for item in items if is_benchmark(item) and item.nodeid not in mine]
        if others:
            left_out = set(others)
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=others)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What there is to measure, and on what machine; said by the session that collects alone."""
        if not session.config.option.collectonly:
            return
        benchmarks = [item for item in session.items if is_benchmark(item)]
        group_by = getattr(session.config.option, "benchmark_group_by", None) or "group"
        self._say(
            "collected",
            {
                "benchmarks": [[item.nodeid, unit_of(item, group_by)] for item in benchmarks],
                "tailgate": __version__,
                "fingerprint": session.config.stash[RUN].fingerprint,
                "facts": environment.machine_facts(),
                "calibrations": [vars(trust.calibrate()) for _ in range(CALIBRATIONS if self._task.calibrate else 0)],
            },
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A benchmark begins."""
        self._say("begins", nodeid)

    def pytest_tailgate_result(self, item: pytest.Item, status: str, reason: str | None) -> None:
        """A benchmark has ended."""
        self._say("ends", [item.nodeid, status, reason])

    def _say(self, kind: str, value: Any) -> None:
        with self._events.open("a", encoding="utf8") as stream:
            stream.write(json.dumps([kind, value]) + "\n")


def events_in(data: bytes) -> tuple[list[Sequence[Any]], bytes]:
    """The whole lines among what was written: kind and value of each; and the rest, which is not whole yet."""
    *lines, rest = data.split(b"\n")
    return [json.loads(line) for line in lines if line], rest
