"""Hooks that a project may implement to tell the instrument more."""

from collections.abc import Callable, Mapping
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


@pytest.hookspec(firstresult=True)
def pytest_tailgate_explain(item: pytest.Item, call: Callable[[], Any]) -> Mapping[str, Any] | None:
    """Where the time of a benchmark's call goes: its operators, by whatever profiler the project has.

    Asked in a side of a duet, in processes that are not judged: the benchmark is set up (``item.funcargs`` has its
    fixtures' values) and warm. ``call`` makes one call of its function. Each process is asked twice, so the hook turns
    off again what it turns on.

    Returns:
        ``operators``: of each ``name``, and ``time_s``, its seconds in one call of the benchmark; where known ``kind``
        (such as ``Conv``), ``shapes`` (of its inputs, as text with commas between them), ``calls`` (how often it ran in
        one call), and ``sources`` (names of the operators that were fused into it). ``profiler``: its name, for people.
        ``call_s``: seconds of one call under it, by the wall. ``None``: it knows none of this benchmark.
    """
