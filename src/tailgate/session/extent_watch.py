"""The plug-in that notes, while a session runs, what of its benchmarks it chose, left out, and came to."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tailgate.session.items import is_benchmark
from tailgate.session.selection import is_of, narrowed, selection_of


class ExtentWatch:
    """Registered in every session that may be saved, with or without options of Tailgate."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: pytest.Session | None = None
        self._reached: set[str] = set()
        self._collectors_failed: list[str] = []
        self._skipped: list[str] = []
        self._interrupt: str | None = None
        self._deselected_benchmarks: list[str] = []
        self.selected: list[str] = []
        """Node ids of benchmarks."""
        self.deselected: set[str] = set()
        """Node ids of all tests that a plug-in deselected."""
        self.failed: set[str] = set()
        """Node ids of all tests that failed, at whatever stage."""

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """What the user did not want to run."""
        self.deselected.update(item.nodeid for item in items)
        self._deselected_benchmarks += [item.nodeid for item in items if is_benchmark(item)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported, or skips itself, hides the benchmarks in it."""
        if report.failed:
            self._collectors_failed.append(report.nodeid)
        elif report.skipped:
            self._skipped.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note all benchmarks that this session is to measure."""
        self._session = session
        self.selected = [item.nodeid for item in session.items if is_benchmark(item)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How a test ended."""
        if report.failed:
            self.failed.add(report.nodeid)
        if report.skipped:
            self._skipped.append(report.nodeid)
        if report.when == "call" or not report.passed:
            self._reached.add(report.nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, ``pytest.exit``, or a plug-in that stops the session."""
        self._interrupt = str(excinfo.value).strip().partition("\n")[0] or excinfo.typename

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A plug-in broke."""
        self._interrupt = f"an internal error: {excinfo.typename}"

    @property
    def _stopped(self) -> str | None:
        """Why it ended before its end."""
        session = self._session
        asked = (session.shouldfail or session.shouldstop) if session is not None else None
        if self._interrupt or asked:
            return self._interrupt or str(asked)
        early = session is not None and session.exitstatus in (
            pytest.ExitCode.INTERRUPTED,
            pytest.ExitCode.INTERNAL_ERROR,
        )
        return "stopped early" if early else None

    def as_json(self, rows: Iterable[str]) -> dict[str, Any]:
        """What :class:`tailgate.session.extent.Extent` reads; ``rows``: the full names of what was measured."""
        names = set(rows)
        without = [one for one in self.selected if one not in names and not any(is_of(name, one) for name in names)]
        skipped = set(self._skipped)
        chosen = selection_of(self._config)
        found = {
            "deselected": self._deselected_benchmarks,
            "failed": [one for one in self.selected if one in self.failed],
            "skipped": self._skipped_of_ours(),
            "not_reached": [one for one in without if one not in self._reached],
            "called_no_benchmark": [
                one for one in without if one in self._reached and one not in self.failed and one not in skipped
            ],
            "collectors_failed": self._collectors_failed,
        }
        lost = [one for one in found["failed"] if one in without]
        because = [
            *([f"interrupted: {self._stopped}"] if self._stopped else []),
            *_counted(found["not_reached"], "not reached"),
            *_counted(lost, "failed"),
            *_counted(found["collectors_failed"], "not collected"),
            *narrowed(self._config, chosen),
        ]
        return {
            "complete": not because,
            "incomplete_because": because,
            "interrupted": self._stopped,
            "selection": chosen.as_json(),
            **found,
        }

    def _skipped_of_ours(self) -> list[str]:
        """Skipped benchmarks, and skipped files and classes, whose benchmarks are not known."""
        ours = set(self.selected)
        return [one for one in dict.fromkeys(self._skipped) if one in ours or one not in self._reached]


def _counted(names: Sequence[str], word: str) -> list[str]:
    if not names:
        return []
    return [f"{word}: {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else "")]
