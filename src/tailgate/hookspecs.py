"""Hooks that a project may implement to tell the instrument more."""

from collections.abc import Mapping
from typing import Any

import pytest


@pytest.hookspec
def pytest_tailgate_workload(item: pytest.Item) -> dict[str, Any] | None:
    """What, beside code, options and machine, a benchmark's numbers belong to: such as its model's hash.

    Asked before the benchmark runs, so it must be cheap. ``--resume`` uses a finished benchmark only where
    every value returned is the one it was finished with.
    """


@pytest.hookspec
def pytest_tailgate_expected(config: pytest.Config, fullname: str, extra_info: Mapping[str, Any]) -> bool | None:
    """Whether this session was to measure a benchmark that is in the baseline and was not measured.

    ``False`` where an option of the project's own leaves it out, so that ``--gate`` does not call it missing;
    anything else leaves it expected. ``extra_info``: what the saved row says of its workload.
    """


@pytest.hookspec
def pytest_tailgate_result(
    item: pytest.Item, status: str, reason: str | None, stats: Mapping[str, Any] | None, extra_info: Mapping[str, Any]
) -> None:
    """A benchmark has ended, measured or not; called in the session's own process, before the next one starts.

    ``stats``: those of the row, with every round in ``data``; ``None``, with a ``reason``, where none was measured.
    What is raised here ends the session: a disk that may be full is the project's to think of.
    """
