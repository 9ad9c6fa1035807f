"""``--report FILE``: a whole page is on disk as benchmarks end, so that a crash loses next to none before it."""

import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tailgate.errors import one_line
from tailgate.files import replace_text
from tailgate.machine import fingerprint as environment
from tailgate.results.columns import complete
from tailgate.results.pages import html, markdown
from tailgate.results.pages.content import ANY_NAME, content, fingerprint_facts, machine_facts
from tailgate.results.rows import Row, row
from tailgate.results.saved_run import Run
from tailgate.seams import benchmark_names
from tailgate.seams.commit import commit_info
from tailgate.seams.storage import kept
from tailgate.session import reproduce
from tailgate.session.items import whole
from tailgate.session.run import BenchmarkRun

MOST_OF_THE_RUN = 0.02
"""The share of a session's time that writing its page may take: each time it is all of it, so it takes longer and
longer. The page on disk lacks what ended within fifty times as long as the last one took to write."""


class LiveReport:
    """The plug-in of a session with ``--report``."""

    def __init__(self, config: pytest.Config, file: Path, run: BenchmarkRun) -> None:
        self._config = config
        self._file = file
        self._run = run
        self._facts = [f"base: {base}"] if (base := _base(config, run)) else []
        self._commit = commit_info().get("id")
        """Now: a test may change the current directory."""
        self._title = f"Benchmarks of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        self._stats: dict[int, dict[str, Any]] = {}
        self._broken = False
        self._shown = -1
        """How many results the page on disk has."""
        self._due_s = 0.0

    def pytest_runtest_logfinish(self) -> None:
        """A test has ended: the page follows, where there is something new and writing costs little of the run."""
        results = len(benchmark_names.measured(self._config)) + len(self._run.unmeasured)
        if results == self._shown or time.monotonic() < self._due_s:
            return
        start_s = time.monotonic()
        self.write()
        self._shown = results
        end_s = time.monotonic()
        self._due_s = end_s + (end_s - start_s) / MOST_OF_THE_RUN

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """With all that is known, also where nothing was measured."""
        result = yield
        self.write(last=True)
        if self._broken and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    def write(self, *, last: bool = False) -> None:
        """The whole page anew; a full disk costs the page, not what is still to be measured.

        ``last``: nothing more is measured, so pictures are drawn; there may be room again, and where there is not, the
        page is kept elsewhere.
        """
        if self._broken and not last:
            return
        fingerprint = self._run.fingerprint
        machine = {"fingerprint": fingerprint, "fingerprint_id": environment.fingerprint_id(fingerprint)}
        facts = [*machine_facts(machine, self._commit), *self._facts]
        page = content(
            self._title, facts, self._rows(), self._run.verdicts, fingerprint_facts(machine),
            reproduce.command(self._config, ANY_NAME), self._run.explanations,
        )  # fmt: skip
        if self._file.suffix == ".html":
            text = html.page([page], html.draw([self._as_saved(machine)]) if last else None)
        else:
            text = markdown.page([page])
        try:
            replace_text(self._file, text)
        except OSError as error:
            self._broken = True
            if last:
                elsewhere = kept(text, self._file.name, "page")
                self._run.remark(f"--report: {self._file} could not be written ({one_line(error)}); {elsewhere}")
            return
        self._broken = False

    def _as_saved(self, machine: dict[str, Any]) -> Run:
        """What has been measured, with its raw rounds, in the form of a saved run."""
        benches = [
            {
                "name": one.name,
                "fullname": one.fullname,
                "stats": complete({**self._stats_of(one), "data": one.stats.data}, one.extra_info),
                "extra_info": one.extra_info,
            }
            for one in whole(benchmark_names.measured(self._config))
        ]
        return {"machine_info": machine, "benchmarks": benches}

    def _rows(self) -> list[Row]:
        measured = [
            row(one.fullname, self._stats_of(one), one.extra_info)
            for one in whole(benchmark_names.measured(self._config))
        ]
        names = {one["name"] for one in measured}
        return measured + [
            row(one["fullname"], None, {"status": one["status"], "warnings": [one["reason"]]})
            for one in self._run.unmeasured
            if one["fullname"] not in names
        ]

    def _stats_of(self, measured: Any) -> dict[str, Any]:
        """Each once: a percentile is a sort."""
        if id(measured) not in self._stats:
            self._stats[id(measured)] = {**measured.stats.as_dict(), "iterations": measured.iterations}
        return self._stats[id(measured)]


def _base(config: pytest.Config, run: BenchmarkRun) -> str | None:
    """What the session compares with; ``None``: with nothing."""
    saved = config.getoption("benchmark_compare", None)
    if run.settings.duet or not saved:
        return run.settings.duet
    return "the latest saved run" if saved is True else f"saved runs, {saved}"
