"""A pytest plug-in that prints where the time of a duet goes: ``pytest -p breakdown --duet=...``.

It times what the parent waits for, so it works with any checkout of Tailgate whose sides have these methods.
"""

import functools
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tailgate.gates.duet.pairs import Pair
from tailgate.gates.duet.side_process import SideProcess

STEPS = {
    "start": (Pair, "start"),
    "set-up and warm-up": (SideProcess, "ready"),
    "blocks": (SideProcess, "block"),
    "teardown": (SideProcess, "finish"),
    "end of processes": (Pair, "close"),
    "all of a pair but its start": (Pair, "measure"),
}
SECONDS: defaultdict[str, float] = defaultdict(float)
CALLS: Counter[str] = Counter()
TIMED_S: list[float] = []


def _timed(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        start_s = time.perf_counter()
        try:
            found = function(*args, **kwargs)
            if step == "blocks" and found:
                TIMED_S.append(sum(found[0]))
            return found
        finally:
            SECONDS[step] += time.perf_counter() - start_s
            CALLS[step] += 1

    return call


for _step, (_class, _name) in STEPS.items():
    setattr(_class, _name, _timed(_step, getattr(_class, _name)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds and calls of each step."""
    for step in STEPS:
        terminalreporter.write_line(f"breakdown: {step}: {SECONDS[step]:.2f} s in {CALLS[step]} calls")
    terminalreporter.write_line(f"breakdown: timed calls: {sum(TIMED_S):.2f} s")
