"""Long work shows where it is: which benchmark, how many of how many, time left."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from tailgate.text import duration, milliseconds, printable


def summary(measured: Sequence[tuple[Any, str]]) -> str:
    """What one benchmark's test came to: statistics and status of each of its measurements."""
    others = ", ".join(dict.fromkeys(status for _, status in measured if status != "ok"))
    if len(measured) == 1:
        ((stats, _),) = measured
        text = f"median {milliseconds(stats.median)}, p99 {milliseconds(stats.p99)}, {stats.rounds} rounds"
    else:
        medians_s = [stats.median for stats, _ in measured]
        spread = f"{milliseconds(min(medians_s))} to {milliseconds(max(medians_s))}"
        text = f"{len(measured)} measurements, medians {spread}"
    return f"{text} ({others})" if others else text


class Progress:
    """Writes one line a benchmark: ``[ 3/24] name ... median 12.3 ms, p99 13 ms, 243 rounds; 2:10 min left``."""

    def __init__(self, write: Callable[..., None], total: int, now: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._total = total
        self._now = now
        self._start_s = now()
        self._done = 0
        self._measured = 0
        self._measured_s = 0.0
        self._begun_s = self._start_s

    def begin(self, name: str) -> None:
        """Say which benchmark runs now."""
        self._begun_s = self._now()
        width = len(str(self._total))
        self._write(f"[{self._done + 1:>{width}}/{self._total}] {printable(name)} ... ", flush=True)

    def go_on(self, what: str) -> None:
        """Say what is done with the benchmark beside timing."""
        self._write(f"{what} ... ", flush=True)

    def end(self, outcome: str, *, measured: bool) -> None:
        """Say the outcome, and about how long the rest will take."""
        self._done += 1
        if measured:
            self._measured += 1
            self._measured_s += self._now() - self._begun_s
        left = self._total - self._done
        rest = ""
        if left and self._measured:
            rest = f"; about {duration(left * self._measured_s / self._measured)} left"
        self._write(f"{printable(outcome)}{rest}\n", flush=True)
