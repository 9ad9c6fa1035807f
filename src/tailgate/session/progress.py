"""Progress lines: which benchmark runs, how many of how many, what came of it, time left."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tailgate.session.items import is_benchmark
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


class ProgressLines:
    """Writes through pytest's terminal reporter; silent where there is none, or where pytest says more (``-v``)."""

    def __init__(self, config: pytest.Config, selected: int, processes: int, *, tenants: int = 1, wanted: bool) -> None:
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._reporter = reporter
        self._processes = processes
        self._tenants = f" x{tenants} tenants" if tenants > 1 else ""
        self._begun: dict[pytest.Item, int] = {}
        self.outcome: str | None = None
        """What came of the present benchmark, as soon as that is known."""
        self.remark = ""
        """Said behind it."""
        shown = wanted and self._reporter is not None and not config.option.collectonly
        self._progress: Progress | None = None
        if shown and config.get_verbosity() == 0:
            self._progress = Progress(self._reporter.write, selected * processes)

    def begin(self, item: pytest.Item) -> None:
        """Announce a benchmark."""
        self.outcome, self.remark = None, ""
        if self._progress is None or not is_benchmark(item):
            return
        self._reporter.ensure_newline()
        nth = self._begun[item] = self._begun.get(item, 0) + 1
        name = f"{item.name}{self._tenants}"
        self._progress.begin(name if self._processes == 1 else f"{name} ({nth}/{self._processes})")
        # pytest would now start a line of its own with the file's name.
        self._reporter.currentfspath = item.path

    def doing(self, what: str) -> None:
        """The present benchmark takes longer: this is done with it now."""
        if self._progress is not None:
            self._progress.go_on(what)

    def end(self, item: pytest.Item, *, costs_time: bool = True) -> None:
        """Say the outcome; ``costs_time``: others like it will take as long."""
        if self._progress is None or not is_benchmark(item):
            return
        outcome = self.outcome or "not measured"
        self._progress.end(
            f"{outcome}{self.remark}", measured=costs_time and not outcome.startswith(("skipped", "not"))
        )
        self._reporter.currentfspath = None

    def medians(self, rows: list[dict[str, Any]]) -> None:
        """Say the medians of one of several processes of a benchmark."""
        medians_s = [statistics.median(row["data"]) for row in rows if row["data"]]
        self.outcome = ", ".join(f"median {milliseconds(median_s)}" for median_s in medians_s) or "no measurement"

    def status(self, report: Any) -> tuple[str, str, str] | None:
        """No dot for a benchmark that has a progress line: category, letter and word, as pytest wants them."""
        if self._progress is None or self.outcome is None or not hasattr(report, "when"):
            return None
        if hasattr(report, "wasxfail"):
            return ("xfailed", "", "XFAIL") if report.skipped else ("xpassed", "", "XPASS")
        if report.failed and report.when != "call":
            return "error", "", "ERROR"
        return (report.outcome, "", report.outcome.upper()) if report.when == "call" or not report.passed else None
