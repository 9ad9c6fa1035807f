"""One pytest session with benchmarks: what was measured, what was not and why, where it is written."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from tailgate import columns, comparison, environment, places, seams
from tailgate.errors import TailgateError, one_line
from tailgate.history import Run
from tailgate.measure import declared_items
from tailgate.progress import Progress, summary
from tailgate.reports.tidy_csv import TidyCsv
from tailgate.rows import row, warnings_of
from tailgate.schema import SCHEMA_VERSION
from tailgate.settings import Settings

RUN = pytest.StashKey["BenchmarkRun"]()


def is_benchmark(item: pytest.Item) -> bool:
    """Whether a test asks for pytest-benchmark's fixture."""
    names = getattr(item, "fixturenames", ())
    return "benchmark" in names or "benchmark_weave" in names


class BenchmarkRun:
    """Made before pytest-benchmark makes its own session.

    Raises:
        TailgateError: a path that will be written to cannot be.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._fingerprint: dict[str, Any] | None = None
        self._progress: Progress | None = None
        self._reporter: Any = None
        self._selected = 0
        self._measured = 0
        self._unmeasured: list[dict[str, str]] = []
        self._outcome: str | None = None
        self._remarks: list[str] = []
        self._warnings: dict[str, list[str]] = {}
        if settings.protocol and getattr(config.option, "benchmark_precision", None) is not None:
            raise TailgateError(
                f"--benchmark-precision stops at the first round that looks precise, and the protocol "
                f"{settings.protocol.name} fixes the rounds before timing; use --protocol=adaptive instead, or turn "
                "the protocol off with -o tailgate_protocol="
            )
        disabled = getattr(config.option, "benchmark_disable", False) and not config.option.benchmark_enable
        wanted = [flag for flag in ("compare", "save") if getattr(config.option, f"benchmark_{flag}", None)]
        if settings.active and disabled and wanted:
            raise TailgateError(
                f"--benchmark-{wanted[0]} measures nothing with --benchmark-disable; leave one of them out"
            )
        self._present = hasattr(config.option, "benchmark_storage")
        """pytest-benchmark itself; ``-p no:benchmark`` leaves nothing for us to do."""
        self._csv: TidyCsv | None = None
        if not self._present:
            return
        places.use_baselines(config, settings, self.fingerprint)
        if settings.active or "p99" in (config.getoption("benchmark_columns", None) or ()):
            seams.add_p99_interval()
        places.check_writable(config, settings)
        if settings.csv:
            self._csv = TidyCsv(settings.csv)

    @property
    def fingerprint(self) -> dict[str, Any]:
        """This machine's, taken once."""
        if self._fingerprint is None:
            self._fingerprint = environment.fingerprint(self._settings.fingerprint_packages)
        return self._fingerprint

    def begin(self, items: list[pytest.Item]) -> None:
        """All benchmarks are known; start counting them."""
        self._selected = sum(is_benchmark(item) for item in items)
        self._reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        wanted = self._settings.progress and not self._config.option.collectonly
        if self._reporter is not None and wanted and self._config.get_verbosity() == 0:
            self._progress = Progress(self._reporter.write, self._selected)

    def item_begins(self, item: pytest.Item) -> None:
        """Announce a benchmark."""
        if self._progress is None or self._reporter is None or not is_benchmark(item):
            return
        self._reporter.ensure_newline()
        self._outcome = None
        self._progress.begin(item.name)
        # pytest would now start a line of its own with the file's name.
        self._reporter.currentfspath = item.path

    def item_ends(self, item: pytest.Item) -> None:
        """Say what came of it."""
        if self._progress is None or self._reporter is None or not is_benchmark(item):
            return
        outcome = self._outcome or "not measured"
        self._progress.end(outcome, measured=not outcome.startswith(("skipped", "not")))
        self._reporter.currentfspath = None

    def note(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Keep the result, or the reason why there is none."""
        if not is_benchmark(item):
            return
        metadata = getattr(getattr(item, "funcargs", {}).get("benchmark"), "stats", None)
        if metadata and report.when == "call":
            _connect(item, metadata)
        if hasattr(report, "wasxfail") and report.skipped:
            self._not_measured(item, "failed", "failed as expected", report.wasxfail or "no reason given")
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._not_measured(item, "unsupported", "skipped", reason.removeprefix("Skipped: "))
        elif report.failed and report.when != "teardown":  # what was measured before stays measured
            crash = getattr(report.longrepr, "reprcrash", None)
            message = crash.message if crash is not None else str(report.longrepr)
            first_line = message.strip().partition("\n")[0].removeprefix("Failed: ")
            self._not_measured(item, "failed", "FAILED", first_line)
            fixture = getattr(item, "funcargs", {}).get("benchmark")
            if fixture is not None and self._settings.active:
                fixture.skipped = True  # else pytest-benchmark also warns that it "was not used at all"
        elif report.when == "call":
            self._measured_item(item, metadata)

    def teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """No dot for a benchmark that has a progress line."""
        quiet = self._progress is not None and self._outcome is not None
        if not quiet or not hasattr(report, "when"):
            return None
        if hasattr(report, "wasxfail"):
            return ("xfailed", "", "XFAIL") if report.skipped else ("xpassed", "", "XPASS")
        if report.failed and report.when != "call":
            return "error", "", "ERROR"
        return (report.outcome, "", report.outcome.upper()) if report.when == "call" or not report.passed else None

    def finish(self, session: pytest.Session) -> None:
        """Exit code 5 when benchmarks were selected and none was measured, none failed."""
        if self._nothing_measured and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """What a reader must not miss."""
        for line in self._remarks:
            reporter.write_line(line, yellow=True)
        for warning, names in self._warnings.items():
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            reporter.write_line(f"Mind {names[0]}{others}: {warning}", yellow=True)
        if not self._settings.active or not self._unmeasured:
            return
        reasons: dict[str, int] = {}
        for entry in self._unmeasured:
            reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + 1
        if self._nothing_measured:
            failed = sum(entry["status"] == "failed" for entry in self._unmeasured)
            what = f"{failed} failed and the others" if failed else f"all {self._selected} selected benchmarks"
            what = (
                f"all {self._selected} selected benchmarks failed"
                if failed == self._selected
                else f"{what} were skipped"
            )
            reporter.write_line(f"Nothing was measured: {what}.", red=True)
        elif any(entry["status"] == "unsupported" for entry in self._unmeasured):
            reporter.write_line(f"Measured {self._measured} of {self._selected} selected benchmarks. Not measured:")
        for reason, count in reasons.items():
            reporter.write_line(f"  {count} x {reason}")

    def describe_machine(self, machine_info: dict[str, Any]) -> None:
        """Add the fingerprint and the facts beside it."""
        machine_info["fingerprint"] = self.fingerprint
        machine_info["fingerprint_id"] = environment.fingerprint_id(self.fingerprint)
        machine_info["machine_facts"] = environment.machine_facts()

    def complete_json(self, benchmarks: list[Any], output_json: dict[str, Any]) -> None:
        """Add what CONTRACT.md promises beyond the columns."""
        settings = self._settings
        output_json["tailgate_schema_version"] = SCHEMA_VERSION
        output_json["tailgate_run"] = {
            "protocol": settings.protocol.name if settings.protocol else None,
            "order": settings.order,
            "seed": settings.seed if settings.order == "random" else None,
        }
        output_json["unmeasured"] = self._unmeasured
        by_name = {bench.fullname: bench for bench in benchmarks}
        for bench in output_json["benchmarks"]:
            if bench["fullname"] in by_name:  # a project's own hook may add others
                bench["stats"].update(columns.p99_interval(by_name[bench["fullname"]].stats.sorted_data))

    def comparing(self, machine_info: Run, compared: Run) -> AbstractContextManager[None]:
        """Around pytest-benchmark's comparison of machines."""
        if not self._settings.active:
            return comparison.stock(machine_info, compared)
        comparison.keep_workloads(compared)
        self._remarks += comparison.mark_other_machine(self.fingerprint, compared)
        return comparison.silenced(machine_info, compared)

    def close(self) -> None:
        """Close the CSV."""
        if self._csv:
            self._csv.close()
            self._csv = None

    @property
    def _nothing_measured(self) -> bool:
        # pytest-benchmark also disables itself, under xdist for one.
        if not self._present:
            return False
        off = self._config._benchmarksession.disabled or self._config.option.benchmark_skip  # type: ignore[attr-defined]
        wanted = self._settings.active and not (self._config.option.collectonly or off)
        return bool(wanted and self._selected and not self._measured)

    def _measured_item(self, item: pytest.Item, metadata: Any) -> None:
        if not metadata:
            self._outcome = "passed, without a measurement"
            return
        self._measured += 1
        for warning in warnings_of(metadata.extra_info) if self._settings.active else []:
            self._warnings.setdefault(warning, []).append(item.name)
        if self._progress:
            self._outcome = summary(metadata.stats, metadata.extra_info.get("status", "ok"))
        if self._csv:
            stats = {**metadata.stats.as_dict(), "iterations": metadata.iterations}
            self._append_csv(row(metadata.fullname, stats, metadata.extra_info))

    def _not_measured(self, item: pytest.Item, status: str, word: str, reason: str) -> None:
        self._outcome = f"{word}: {reason}"
        self._unmeasured.append({"fullname": item.nodeid, "status": status, "reason": reason})
        self._append_csv(row(item.nodeid, None, {"status": status, "warnings": [reason]}))

    def _append_csv(self, found: dict[str, Any]) -> None:
        if self._csv:
            identity = environment.fingerprint_id(self.fingerprint)
            row_now = {**found, "timestamp_utc": datetime.now(UTC).isoformat(), "fingerprint_id": identity}
            try:
                self._csv.append(row_now)
            except OSError as error:  # a full disk costs the CSV, not what is still to be measured
                self._remarks.append(f"--csv: no row could be written from {found['name']} on ({one_line(error)})")
                self._csv = None


def _connect(item: pytest.Item, metadata: Any) -> None:
    """Tell the statistics how many items a call processed, whatever became of the test after measuring."""
    items = declared_items(item)
    if items is not None:
        metadata.extra_info["items_per_call"] = items
    metadata.stats.extra_info = metadata.extra_info
