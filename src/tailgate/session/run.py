"""One pytest session with benchmarks: what was measured, what was not and why, where it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tailgate.machine import fingerprint as environment
from tailgate.machine import trust
from tailgate.meters import not_profiled
from tailgate.results import comparability
from tailgate.results.columns import P99_BLOCKS
from tailgate.results.saved_run import Run
from tailgate.seams import benchmark_names
from tailgate.session import outputs, run_json
from tailgate.session.calibrations import Calibrations
from tailgate.session.extent import partial
from tailgate.session.extent_watch import ExtentWatch
from tailgate.session.findings import Findings, never_measured
from tailgate.session.items import is_benchmark, is_only_marked
from tailgate.session.progress_lines import ProgressLines
from tailgate.session.recorder import Recorder
from tailgate.session.refusals import refuse
from tailgate.session.settings import Settings
from tailgate.session.why_not_isolated import why_not_isolated
from tailgate.text import printable

if TYPE_CHECKING:
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
        self._settings = settings
        self._fingerprint: dict[str, Any] | None = None
        self._progress = ProgressLines(config, 0, 1, wanted=False)
        self._from_journal = False
        self._found = Findings()
        self._calibrations = Calibrations()
        self.extent = ExtentWatch(config)
        """What of its benchmarks this session came to."""
        self._only_marked: list[str] = []
        self.compared: list[Run] = []
        """Saved runs that this one is compared with."""
        self.verdicts: list[Verdict] = []
        """Of every gate, as they fall."""
        self.gate: Gate | None = None
        """Judges what is measured, where that was asked for."""
        self.isolation: str | None = None
        """How processes are started, where each benchmark has its own."""
        refuse(config, settings)
        self._present = hasattr(config.option, "benchmark_storage")
        """pytest-benchmark itself; ``-p no:benchmark`` leaves nothing for us to do."""
        self.not_isolated = why_not_isolated(config) if self._present else "pytest-benchmark is turned off"
        """Why benchmarks run in this process although others were asked for."""
        if self._present:
            outputs.use_baselines(config, settings, self.fingerprint)
            if settings.active or {"p99", P99_BLOCKS} & {*(config.getoption("benchmark_columns", None) or ())}:
                benchmark_names.add_p99_intervals()
            outputs.check_writable(config, settings)
        self._recorder = Recorder(
            config, replace(settings, csv=settings.csv if self._present else None), self._found,
            lambda: environment.fingerprint_id(self.fingerprint), self._say,
        )  # fmt: skip

    @property
    def isolating(self) -> bool:
        """Whether each benchmark gets a process of its own: asked for, and possible in this session."""
        return self._settings.isolated and self.not_isolated is None

    @property
    def fingerprint(self) -> dict[str, Any]:
        """This machine's, taken once."""
        if self._fingerprint is None:
            self._fingerprint = environment.fingerprint(self._settings.fingerprint_packages)
        return self._fingerprint

    def begin(self, items: list[pytest.Item]) -> None:
        """All benchmarks are known; start counting them."""
        self._found.selected = sum(is_benchmark(item) for item in items)
        self._only_marked = [item.nodeid for item in items if is_only_marked(item)]
        if self._settings.isolated and self.not_isolated and self._found.selected:
            self.remark(f"Benchmarks were not isolated: {self.not_isolated}.")
        processes = self._settings.processes if self.isolating else 1
        tenants = self._settings.tenants if self.isolating else 1
        self._progress = ProgressLines(
            self._config, self._found.selected, processes, tenants=tenants, wanted=self._settings.progress
        )

    def item_begins(self, item: pytest.Item) -> None:
        """Announce a benchmark."""
        if self._watching and is_benchmark(item) and not self._calibrations.values:
            self.calibrate(None)
        self._from_journal = False
        self._progress.begin(item)

    def item_ends(self, item: pytest.Item) -> None:
        """Say what came of it."""
        self._progress.end(item, costs_time=not self._from_journal)

    @property
    def _why_not_profiled(self) -> str:
        if self._settings.duet:
            return "a duet has no runs for it"
        if self._settings.isolated:
            return f"benchmarks were not isolated: {self.not_isolated}"
        return "it needs --isolation=process"

    @property
    def _watching(self) -> bool:
        return self._settings.active and self._present and not self._off

    def calibrate(self, after: str | None) -> dict[str, float]:
        """How fast the machine is now, ``after`` which benchmark: fields for its row."""
        return self._calibrations.after(after)

    def passed_over(self, rows: list[dict[str, Any]]) -> None:
        """One of several processes has ended; the row is made when all have."""
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
        """Say something at the end of the run."""
        self._found.remarks += lines

    def note(self, item: pytest.Item, report: Any, rows: Sequence[Any]) -> list[Any]:
        """Keep what came of a benchmark; ``rows``: all that its test has made so far. Returns the new ones."""
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
        """``fullname``, ``status`` and ``reason`` of what has no numbers so far."""
        return self._found.unmeasured

    def teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """No dot for a benchmark that has a progress line."""
        return self._progress.status(report)

    def finish(self, session: pytest.Session) -> None:
        """Exit code 5 when benchmarks were selected and none was measured, none failed."""
        if benchmark_names.unwritten(self._config) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._nothing_measured and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """What a reader must not miss."""
        for line in [*self._found.to_mind(), *self._machine_moved(), *self._never_measured()]:
            reporter.write_line(printable(line), yellow=True)
        if not self._settings.active or not self._found.unmeasured:
            return
        if self._nothing_measured:
            reporter.write_line(self._found.nothing_measured(), red=True)
        else:
            reporter.write_line(
                f"Measured {self._found.measured} of {self._found.selected} selected benchmarks. "
                "Not measured, or failed:"
            )
        for line in self._found.reasons():
            reporter.write_line(printable(line))

    def _machine_moved(self) -> list[str]:
        """Where the calibration kernel says that the machine is not what it was."""
        seen = comparability.calibrations(self._calibrations.values)
        moved = [trust.remark(seen), *(comparability.machine_moved(run, seen) for run in self.compared)]
        return [f"Mind: {text}" for text in moved if text]

    def _never_measured(self) -> list[str]:
        """Tests that are called benchmarks and ask for nothing that measures."""
        # Not by their arguments: a test may ask for the fixture as it runs.
        measured = {one.fullname for one in benchmark_names.measured(self._config)}
        return never_measured(self._only_marked, measured) if self._watching else []

    def describe_machine(self, machine_info: dict[str, Any]) -> None:
        """Add the fingerprint and the facts beside it."""
        run_json.describe_machine(machine_info, self.fingerprint)

    def complete_json(self, benchmarks: list[Any], output_json: dict[str, Any]) -> None:
        """Add what docs/reference/json-fields.md promises beyond the columns."""
        extent = self.extent.as_json(bench["fullname"] for bench in output_json["benchmarks"])
        output_json["tailgate_run"] = {
            **run_json.settings_of(self._settings, self.isolation),
            "selected": self._found.selected,
            "measured": self._found.measured,
            "calibrations": self._calibrations.values,
            **extent,
        }
        if self._settings.active and not extent["complete"]:
            self._found.remark_once(run_json.incomplete(extent))
        output_json["unmeasured"] = self._found.unmeasured
        run_json.complete_json(benchmarks, output_json)

    def comparing(self, machine_info: Run, compared: Run) -> AbstractContextManager[None]:
        """Around pytest-benchmark's comparison of machines."""
        if not self._settings.active:
            return comparability.stock(machine_info, compared)
        comparability.keep_workloads(compared)
        self._found.remarks += comparability.mark_other_machine(self.fingerprint, compared)
        if self.gate is None:  # it says so itself, and looks at older runs
            self._found.remarks += partial(compared)
        self.compared.append(compared)
        return comparability.silenced(machine_info, compared)

    def close(self) -> None:
        """Close what is open."""
        self._recorder.close()

    @property
    def _nothing_measured(self) -> bool:
        # pytest-benchmark also disables itself, under xdist for one.
        if not self._present:
            return False
        wanted = self._settings.active and not (self._config.option.collectonly or self._off)
        return bool(wanted and self._found.selected and not self._found.measured)

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
        calibrated = self.calibrate(item.nodeid)
        for one in rows:
            one.extra_info.update(calibrated)
            not_profiled(one.extra_info, self._settings.profilers, self._why_not_profiled)

    def _say(self, outcome: str) -> None:
        self._progress.outcome = outcome


def remark(config: pytest.Config, *lines: str) -> None:
    """Print lines at the end of the session."""
    config.stash[RUN].remark(*lines)
