"""Hooks that a project may implement to tell the instrument more."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookspec
def pytest_tailgate_workload(item: pytest.Item) -> dict[str, Any] | None:
    """What, beside code, options and machine, a benchmark's numbers belong to: such as its model's hash.

    Asked before the benchmark runs, so it must be cheap. ``--resume`` uses a finished benchmark only where
    every value returned is the one it was finished with.
    """
