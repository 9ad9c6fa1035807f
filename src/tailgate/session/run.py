"""One pytest session with benchmarks: what was measured, what was not and why, where it is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tailgate.machine import fingerprint as environment
from tailgate.results import comparability
from tailgate.results.columns import P99_BLOCKS
from tailgate.results.saved_run import Run
from tailgate.seams import benchmark_names
from tailgate.session import outputs
from tailgate.session.calibrations import Calibrations
from tailgate.session.extent_watch import ExtentWatch
from tailgate.session.findings import Findings, never_measured
from tailgate.session.items import is_benchmark, is_only_marked
from tailgate.session.progress import ProgressLines
from tailgate.session.recorder import Recorder
from tailgate.session.refusals import refuse, why_not_isolated
from tailgate.session.settings import Settings
from tailgate.text import printable

if TYPE_CHECKING:
    from tailgate.results.explanation import Explanation
    from tailgate.results.verdict import Verdict

RUN = pytest.StashKey["BenchmarkRun"]()


class Gate(Protocol):
    """Judges each benchmark as it is measured."""

    def verdict(
        self, report: Any, item: pytest.Item, rows: Sequence[Any], again: Callable[[], Sequence[Any]] | None
    ) -> str | None:
        """What it says, which may fail the report; ``again`` measures once more."""


class BenchmarkRun:
    """Made before pytest-benchmark makes its own session.

    Raises:
        TailgateError: a path that will be written to cannot be.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self.settings = settings
        self._progress = ProgressLines(config, 0, 1, wanted=False)
        self._from_journal = False
        self.found = Findings()
        self.calibrations = Calibrations()
        self.extent = ExtentWatch(config)
        """What of its benchmarks this session came to."""
        self._only_marked: list[str] = []
        self.compared: list[Run] = []
        """Saved runs that this one is compared with."""
        self.verdicts: list[Verdict] = []
        """Of every gate, as they fall."""
        self.explanations: dict[str, Explanation] = {}
        """Of a duet: where a benchmark's difference lies, by full name."""
        self.gate: Gate | None = None
        """Judges what is measured, where the session has a gate."""
        self.isolation: str | None = None
        """How processes are started, where each benchmark has its own."""
        refuse(config, settings)
        self._variables = dict(os.environ)
        """Before the project's tests are imported, which may set some."""
        self._present = hasattr(config.option, "benchmark_storage")
        """pytest-benchmark itself; ``-p no:benchmark`` leaves nothing for us to do."""
        self.not_isolated = why_not_isolated(config) if self._present else "pytest-benchmark is turned off"
        """Why benchmarks run in this process although processes were wanted."""
        if self._present:
            outputs.use_baselines(config, settings, lambda: self.fingerprint)
            if settings.active or {"p99", P99_BLOCKS} & {*(config.getoption("benchmark_columns", None) or ())}:
                benchmark_names.add_p99_intervals()
            outputs.check_writable(config, settings)
        self._recorder = Recorder(
            config, replace(settings, csv=settings.csv if self._present else None), self.found,
            lambda: environment.fingerprint_id(self.fingerprint), self._say,
        )  # fmt: skip

    @property
    def isolating(self) -> bool:
        """Whether each benchmark gets a process of its own: wanted, and possible in this session."""
        return self.settings.isolated and self.not_isolated is None

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """This machine's, taken once: before the first test where there are benchmarks."""
        return environment.fingerprint(self.settings.fingerprint_packages, self._variables)

    def begin(self, items: list[pytest.Item]) -> None:
        """Start counting, now that all benchmarks are known."""
        self.found.selected = sum(is_benchmark(item) for item in items)
        if self.found.selected and self.measuring:
            _ = self.fingerprint
        self._only_marked = [item.nodeid for item in items if is_only_marked(item)]
        if self.settings.isolated and self.not_isolated and self.found.selected:
            self.remark(f"Benchmarks were not isolated: {self.not_isolated}.")
        processes, tenants = (self.settings.processes, self.settings.tenants) if self.isolating else (1, 1)
        self._progress = ProgressLines(
            self._config, self.found.selected, processes, tenants=tenants, wanted=self.settings.progress
        )

    def item_begins(self, item: pytest.Item) -> None:
        """Announce a benchmark."""
        if self._watching and is_benchmark(item) and not self.calibrations.values:
            self.calibrate(None)
        self._from_journal = False
        self._progress.begin(item)

    def item_ends(self, item: pytest.Item) -> None:
        """Say the outcome."""
        self._progress.end(item, costs_time=not self._from_journal)

    @property
    def _why_not_profiled(self) -> str:
        if self.settings.duet:
            return "a duet has no runs for it"
        if self.settings.isolated:
            return f"benchmarks were not isolated: {self.not_isolated}"
        return "it needs --isolation=process"

    @property
    def _watching(self) -> bool:
        return self.settings.active and self._present and not self._off

    def calibrate(self, after: str | None) -> dict[str, float]:
        """How fast the machine is now, ``after`` which benchmark: fields for its row."""
        return self.calibrations.after(after)

    def passed_over(self, rows: list[dict[str, Any]]) -> None:
        """Say the medians of one of several processes; the row is made when all have ended."""
        self._progress.medians(rows)

    def resumed(self) -> None:
        """The present benchmark's result is the journal's."""
        self._from_journal = True
        self._progress.remark = " (from the journal)"

    def retried(self) -> None:
        """It was contended, and measured a second time."""
        self._progress.remark = " (2nd try)"

    def going(self, text: str) -> None:
        """How far a long measurement is."""
        self._progress.doing(text)

    def profiling(self, meter: str) -> None:
        """The present benchmark is measured; a meter's own run of it begins."""
        self._progress.doing(meter)

    def judged(self, verdict: str | None) -> None:
        """The present benchmark's verdict, for its progress line."""
        self._progress.remark = f", {verdict}" if verdict else ""

    def remark(self, *lines: str) -> None:
        """Print lines at the end of the run."""
        self.found.remarks += lines

    def note(self, item: pytest.Item, report: Any, rows: Sequence[Any]) -> list[Any]:
        """Record a benchmark's results; ``rows``: all that its test has made so far. Returns the new ones."""
        return self._recorder.note(item, report, rows, lambda new: self._complete(item, new))

    def judge(
        self, report: Any, item: pytest.Item, rows: Sequence[Any], again: Callable[[], Sequence[Any]] | None = None
    ) -> None:
        """What the gate says of a benchmark; a test that passed fails, where it got slower.

        ``again`` measures it once more.
        """
        if self.gate is None or not report.passed or not rows:
            return
        verdict = self.gate.verdict(report, item, rows, again)
        self._progress.outcome = f"{self._progress.outcome}, gate: {verdict}"

    @property
    def unmeasured(self) -> list[dict[str, str]]:
        """``fullname``, ``status`` and ``reason`` of each benchmark without numbers."""
        return self.found.unmeasured

    def teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """No dot for a benchmark that has a progress line."""
        return self._progress.status(report)

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """What a reader must not miss."""
        for line in [*self.found.to_mind(), *self._machine_moved(), *self._never_measured()]:
            reporter.write_line(printable(line), yellow=True)
        if not self.settings.active or not self.found.unmeasured:
            return
        if self.nothing_measured:
            reporter.write_line(self.found.nothing_measured(), red=True)
        else:
            reporter.write_line(
                f"Measured {self.found.measured} of {self.found.selected} selected benchmarks. Not measured, or failed:"
            )
        for line in self.found.reasons():
            reporter.write_line(printable(line))

    def _machine_moved(self) -> list[str]:
        """Lines where the calibration kernel shows that the machine changed."""
        if not self.calibrations.values:
            return []
        from tailgate.machine import trust

        seen = comparability.calibrations(self.calibrations.values)
        moved = [trust.remark(seen), *(comparability.machine_moved(run, seen) for run in self.compared)]
        return [f"Warning: {text}" for text in moved if text]

    def _never_measured(self) -> list[str]:
        """Tests that are called benchmarks and ask for nothing that measures."""
        # Not by their arguments: a test may ask for the fixture as it runs.
        measured = {one.fullname for one in benchmark_names.measured(self._config)}
        return never_measured(self._only_marked, measured) if self._watching else []

    def close(self) -> None:
        """Close what is open."""
        self._recorder.close()

    @property
    def nothing_measured(self) -> bool:
        """Whether benchmarks were selected and not one was measured."""
        # pytest-benchmark also disables itself, under xdist for one.
        if not self._present:
            return False
        wanted = self.settings.active and not (self._config.option.collectonly or self._off)
        return bool(wanted and self.found.selected and not self.found.measured)

    @property
    def measuring(self) -> bool:
        """Whether benchmarks are measured in this session, by whatever way."""
        return self._present and not self._off and not self._config.option.collectonly

    @property
    def _off(self) -> bool:
        """Benchmarks are disabled or skipped by pytest-benchmark itself."""
        session: Any = getattr(self._config, "_benchmarksession", None)
        return bool(session is None or session.disabled or session.skip)

    def _complete(self, item: pytest.Item, rows: Sequence[Any]) -> None:
        """What a row measured in this process lacks."""
        if not self._watching or self.isolation is not None:
            return
        from tailgate.meters import not_profiled

        calibrated = self.calibrate(item.nodeid)
        for one in rows:
            one.extra_info.update(calibrated)
            not_profiled(one.extra_info, self.settings.profilers, self._why_not_profiled)

    def _say(self, outcome: str) -> None:
        self._progress.outcome = outcome


def remark(config: pytest.Config, *lines: str) -> None:
    """Print lines at the end of the session."""
    config.stash[RUN].remark(*lines)
