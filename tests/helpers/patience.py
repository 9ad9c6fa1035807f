"""Waiting for what will come: for as long as a busy machine may take, and no longer than it takes."""

import time
from collections.abc import Callable

PATIENCE_S = 240.0
LOOK_S = 0.01


def until(true: Callable[[], object], what: str = "what was waited for") -> None:
    """Until it is true."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, f"{what} never came"
        time.sleep(LOOK_S)
