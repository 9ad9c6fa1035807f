"""In the session of one step, and in its sides: only the benchmarks that are looked for; its verdicts into a file.

The saved run is no place for them: pytest-benchmark writes none where nothing was measured.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tailgate.files import replace_text
from tailgate.session.run import RUN
from tailgate.session.settings import SETTINGS

STEP = "TAILGATE_BISECT"
"""A file: ``names``, full names of benchmarks or ``null`` for all; ``verdicts``, where to write them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the first duet did not find worse."""
    names = _step()["names"]
    if names is None:
        return
    left_out = [item for item in items if item.nodeid not in set(names)]
    items[:] = [item for item in items if item.nodeid in set(names)]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what the duet found; its sides have no verdicts."""
    stash = session.config.stash
    settings, run = stash.get(SETTINGS, None), stash.get(RUN, None)
    if settings is not None and run is not None and settings.duet is not None:
        verdicts = [one.as_json() for one in run.verdicts]
        replace_text(Path(_step()["verdicts"]), json.dumps(verdicts))


def _step() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ[STEP]).read_text(encoding="utf8"))
    return found
