"""The one door for results: whatever measured a benchmark, its rows and reasons go from here to all who keep them.

They are counted (:mod:`tailgate.session.findings`), appended to the CSV, told to the project's hook and to the progress
line.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tailgate.errors import TailgateError, one_line
from tailgate.results.load import peak_lines
from tailgate.results.plain import plain
from tailgate.results.rows import row, warnings_of
from tailgate.results.tidy_csv import TidyCsv
from tailgate.seams import benchmark_names
from tailgate.session.findings import Findings
from tailgate.session.items import failure_line, is_benchmark, skip_reason
from tailgate.session.progress import summary
from tailgate.session.settings import Settings


class Recorder:
    """Records the results of one session."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        found: Findings,
        fingerprint_id: Callable[[], str],
        outcome: Callable[[str], None],
    ) -> None:
        """``outcome``: what the progress line of the present benchmark says of it.

        Raises:
            TailgateError: the CSV cannot be written.
        """
        self._config = config
        self._settings = settings
        self._found = found
        self._fingerprint_id = fingerprint_id
        self._outcome = outcome
        self._counted: dict[pytest.Item, list[Any]] = {}
        self._csv = TidyCsv(settings.csv) if settings.csv else None

    def note(
        self, item: pytest.Item, report: Any, rows: Sequence[Any], complete: Callable[[Sequence[Any]], None]
    ) -> list[Any]:
        """Keep the results, or the reason why there is none; its status is the report's, where it has one.

        Args:
            item: the test.
            report: of one of its phases.
            rows: all that the test has made so far.
            complete: adds to new rows what the session knows of them.

        Returns:
            The new rows.
        """
        if not is_benchmark(item):
            return []
        if hasattr(report, "wasxfail") and report.skipped:
            self._not_measured(item, "failed", "failed as expected", report.wasxfail or "no reason given")
        elif report.skipped:
            self._not_measured(item, "unsupported", "skipped", skip_reason(report))
        elif report.failed and report.when != "teardown":  # what was measured before stays measured
            self._not_measured(item, getattr(report, "tailgate_status", "failed"), "FAILED", failure_line(report))
        elif report.passed and (report.when == "call" or item in self._counted):  # a rerun is not passed
            return self._measured(item, rows, complete)  # a fixture may measure after the call
        return []

    def close(self) -> None:
        """Close the CSV."""
        if self._csv:
            self._csv.close()
            self._csv = None

    def _measured(self, item: pytest.Item, rows: Sequence[Any], complete: Callable[[Sequence[Any]], None]) -> list[Any]:
        counted = self._counted.setdefault(item, [])
        new = [one for one in rows if not any(one is before for before in counted)]  # a subtest has passed before
        if not rows:
            self._outcome("passed, without a measurement")
        if not new:
            return []
        self._found.measured += not counted
        counted += new
        complete(new)
        for one in new:
            for warning in warnings_of(one.extra_info) if self._settings.active else []:
                self._found.warn(one.name, warning)
            stats = {**one.stats.as_dict(), "iterations": one.iterations}
            info = plain(one.extra_info)
            self._append(row(one.fullname, stats, info))
            self._found.remarks += peak_lines(one.name, info)
            status = one.extra_info.get("status", "ok")
            self._tell(item, status, None, {**stats, "data": list(one.stats.data)}, info)
        self._outcome(summary([(one.stats, one.extra_info.get("status", "ok")) for one in counted]))
        return new

    def _not_measured(self, item: pytest.Item, status: str, word: str, reason: str) -> None:
        self._outcome(f"{word}: {reason}")
        self._found.not_measured(item.nodeid, status, reason)
        self._append(row(item.nodeid, None, {"status": status, "warnings": [reason]}))
        self._tell(item, status, reason, None, {})

    def _tell(self, item: pytest.Item, status: str, reason: str | None, stats: Any, extra_info: dict[str, Any]) -> None:
        """Whoever in the project wants to know."""
        self._config.hook.pytest_tailgate_result(
            item=item, status=status, reason=reason, stats=stats, extra_info=extra_info
        )

    def _append(self, found: dict[str, Any]) -> None:
        """Append a row to the CSV; a full disk costs the CSV, not what is still to be measured."""
        if self._csv is None:
            return
        now = datetime.now(UTC).isoformat()
        row_now = {**found, "timestamp_utc": now, "fingerprint_id": self._fingerprint_id()}
        try:
            self._csv.append(row_now)
        except OSError as error:
            self._config.stash[benchmark_names.UNWRITTEN] = True
            self._found.remarks.append(
                f"--csv: {self._csv.path} took no row from {found['name']} on ({one_line(error)}); "
                f"{self._append_elsewhere(row_now)}"
            )

    def _append_elsewhere(self, row_now: dict[str, Any]) -> str:
        """Append a row to a file in the temporary folder, as all rows after it; returns half a sentence on that."""
        assert self._csv is not None
        try:
            self._csv = self._csv.elsewhere()
            self._csv.append(row_now)
        except (TailgateError, OSError) as error:
            self._csv = None
            return f"nor did the temporary folder ({one_line(error)})"
        return f"it and those after it are in {self._csv.path}"
