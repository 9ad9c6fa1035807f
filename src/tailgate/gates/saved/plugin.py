"""The plug-in behind ``--benchmark-compare=NAME --gate``: judges each benchmark as it ends, and what is not there."""

import functools
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tailgate.errors import TailgateError, as_usage_error, nearest
from tailgate.gates.limits import limits_of
from tailgate.gates.missing import report_failure, turn
from tailgate.gates.saved.family import together
from tailgate.gates.saved.judgement import RULE, judged, settled
from tailgate.gates.saved.samples import of_row
from tailgate.gates.saved.sessions import MARK, History, history_of
from tailgate.gates.scope import Scope, is_of, split
from tailgate.results.limits import Limits
from tailgate.results.verdict import Verdict, compared, line, overall
from tailgate.seams import benchmark_names
from tailgate.session import reproduce
from tailgate.session.items import is_benchmark
from tailgate.session.run import BenchmarkRun
from tailgate.session.selection import selection_of
from tailgate.session.settings import Settings
from tailgate.stats.decision import ALPHA, FAIL, INCOMPARABLE, MISSING
from tailgate.text import printable

Again = Callable[[], Sequence[Any]]
"""Measures the present benchmark once more, in fresh processes; its rows."""
NOT_CONFIRMED_HERE = "not confirmed: needs --isolation=process"
INTERRUPTED = "not confirmed: interrupted before"
ONE_NAME = " measurements of one name in one test: give each copy of the fixture a fullname of its own"


class SavedGate:
    """The plug-in of a session with ``--gate``."""

    def __init__(self, config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
        self._config = config
        self._settings = settings
        self._run = run
        self._history: History | None = None
        self._limits: dict[str, Limits] = {}
        self._planned = 0
        """Comparisons that this session will make, as far as its tests tell."""
        self._measured: set[str] = set()
        self._alone: list[Verdict] = []
        """Each as it is by itself."""
        self._rows: dict[str, Any] = {}
        self._reported: set[str] = set()
        """Benchmarks whose test failed for their verdict."""
        self.verdicts = run.verdicts
        """As they are together."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find everything that is wrong before anything is measured."""
        benchmarks = [item for item in session.items if is_benchmark(item)]
        with as_usage_error():
            self._limits = {item.nodeid: limits_of(item, self._settings.limits) for item in benchmarks}
            self._planned = sum(len(limits.relative) for limits in self._limits.values())
            isolation = "process" if self._run.isolating else "none"
            today = selection_of(self._config)
            self._history = history_of(
                benchmark_names.compared_files(self._config), self._run.fingerprint, isolation, today
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fail, as a test fails, what should have been measured and was not, and what only all verdicts bear out."""
        result = yield
        self._alone += self._missing()
        self.verdicts[:] = together(self._alone)
        late = [one for one in self.verdicts if one.failed and one.fullname not in self._reported]
        names = dict.fromkeys(one.fullname for one in late)
        session.testscollected += len(names)  # else they would be more than 100 % of the tests
        for name in names:
            if name in self._rows:
                self._rows[name].extra_info["gate_verdict"] = FAIL
            report_failure(self._config, name, " | ".join(line(one) for one in late if one.fullname == name))
        return result

    def verdict(
        self, report: pytest.TestReport, item: pytest.Item, rows: Sequence[Any], again: Again | None
    ) -> str | None:
        """Judge a benchmark that was just measured, and fail its test where it got worse.

        ``again``: what fails is confirmed by it first.
        """
        counts = Counter(row.fullname for row in rows)
        names = set(counts)
        self._measured |= names
        once = functools.cache(again) if again else None  # for all measurements of the test
        try:
            for row in rows:
                if counts[row.fullname] == 1:
                    self._judged(item, row, once)
            for name, count in counts.items():
                if count > 1:
                    self._alone[:] = [one for one in self._alone if one.fullname != name]
                    self._alone.append(Verdict(name, "median", INCOMPARABLE, reason=f"{count}{ONE_NAME}"))
        finally:  # interrupted while confirming, it is a failure all the same
            self.verdicts[:] = together(self._alone, self._planned)
            failed = [one for one in self.verdicts if one.fullname in names and one.failed]
            if hasattr(report, "wasxfail"):
                self._reported |= names  # it was expected to fail, so it may
            if failed:
                self._reported |= {one.fullname for one in failed}
                turn(report, " | ".join(map(line, failed)))
        return overall(one for one in self.verdicts if one.fullname in names)

    def _judged(self, item: pytest.Item, row: Any, again: Again | None) -> None:
        assert self._history is not None
        limits = self._limits.get(item.nodeid) or self._settings.limits
        sample = of_row(row)
        # A plug-in may have run the test before, and run it again because it failed.
        self._alone[:] = [one for one in self._alone if one.fullname != row.fullname]
        command = reproduce.command(self._config, item.nodeid)
        first = judged([sample], self._history, limits)
        kept = slice(len(self._alone), len(self._alone) + len(first))
        note = INTERRUPTED if again or self._run.isolating else NOT_CONFIRMED_HERE
        self._keep(kept, row, [_noted(one, note, command) if one.failed else one for one in first])
        if again and any(one.failed for one in first):
            fresh = next((one for one in again() if one.fullname == row.fullname), None)
            confirmed = self._confirmed(first, row, fresh, limits)
            self._keep(kept, row, [replace(one, reproduce=command) if one.failed else one for one in confirmed])

    def _confirmed(self, first: list[Verdict], row: Any, fresh: Any, limits: Limits) -> list[Verdict]:
        """What failed must fail again by itself; then both measurements are judged together."""
        assert self._history is not None
        if fresh is None:
            lost = "not confirmed: the second measurement failed"
            return [replace(one, confirmed=False, notes=(*one.notes, lost)) if one.failed else one for one in first]
        row.extra_info["gate_confirmation_median_s"] = fresh.stats.median
        alone = judged([of_row(fresh)], self._history, limits)
        both = judged([of_row(row), of_row(fresh)], self._history, limits)
        return [settled(*three) for three in zip(first, alone, both, strict=True)]

    def _keep(self, place: slice, row: Any, verdicts: list[Verdict]) -> None:
        """At once, so that an interrupt later on loses nothing."""
        self._alone[place] = verdicts
        self._rows[row.fullname] = row
        self.verdicts[:] = together(self._alone, self._planned)
        row.extra_info["gate_verdict"] = overall(one for one in self.verdicts if one.fullname == row.fullname)

    def _missing(self) -> list[Verdict]:
        """Benchmarks that this session should have measured, going by its history."""
        if self._history is None:
            return []
        expected = self._history.expected.sessions
        scope = Scope(self._config, self._run.extent.selected, self._run.extent.deselected)
        reasons = {entry["fullname"]: entry["reason"] for entry in self._run.unmeasured}
        new = self._measured - set(expected)
        return [
            Verdict(name, "median", MISSING, reason=f"{self._why(name, reasons, new)} (it is in {session.path.name})")
            for name, session in expected.items()
            if name not in self._measured and not self._test_failed(name) and scope.holds(name, session.info(name))
        ]

    def _test_failed(self, name: str) -> bool:
        """Whether the test that made this measurement failed: a copy of its fixture is called by its name and more."""
        return any(is_of(name, nodeid) for nodeid in self._run.extent.failed)

    def _why(self, name: str, reasons: dict[str, str], new: set[str]) -> str:
        if name in reasons:
            return f"in the baseline and not measured now: {reasons[name]}"
        if any(is_of(name, nodeid) for nodeid in self._run.extent.selected):
            return "in the baseline and not measured now: its test called no benchmark"
        match = nearest(name, (one for one in new if split(one)[0] == split(name)[0]))
        hint = f"; renamed to {match.rpartition('::')[2]}?" if match else ""
        return f"in the baseline and not measured now: removed, renamed or not selected any more{hint}"

    @property
    def nothing_compared(self) -> str | None:
        """The line that says that nothing was compared; such a gate fails."""
        if compared(self.verdicts) or any(one.failed for one in self.verdicts):
            return None
        reasons = list(dict.fromkeys(one.reason for one in self.verdicts if one.reason))
        why = f": {reasons[0]}" + (f" (other reasons: {len(reasons) - 1})" if reasons[1:] else "") if reasons else ""
        name = self._config.option.benchmark_compare
        word = name if isinstance(name, str) and name.isidentifier() else "NAME"
        return printable(
            f"--gate: nothing was compared{why or ', because nothing was measured'}; "
            f"save sessions of this machine with --benchmark-save={word}, and see them with: tailgate baselines list"
        )

    def mark(self, output_json: dict[str, Any]) -> None:
        """The verdicts and all numbers behind them; a run that failed says so of itself."""
        assert self._history is not None
        output_json[MARK] = {
            "rule": RULE,
            "alpha": ALPHA,
            "failed": any(one.failed for one in self.verdicts),
            "history": [str(one.path) for one in self._history.sessions],
            "verdicts": [one.as_json() for one in self.verdicts],
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_benchmark_update_json(self, output_json: dict[str, Any]) -> None:
        """In every file that this session saves."""
        if self._history is not None:
            self.mark(output_json)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fail a session that compared nothing."""
        result = yield
        green = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if green and self._history is not None and self.nothing_compared:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print all verdicts."""
        if self._history is None:
            return
        from tailgate.gates.saved.summary import write

        write(terminalreporter, self._config, self._history, self.verdicts, self.nothing_compared)


def _noted(failed: Verdict, note: str, command: str) -> Verdict:
    return replace(failed, notes=(*failed.notes, note), reproduce=command)


def check(config: pytest.Config) -> None:
    """What ``--gate`` needs.

    Raises:
        TailgateError: it does not have it.
    """
    option = config.option
    if not option.benchmark_compare:
        raise TailgateError(
            "--gate judges against saved runs: add --benchmark-compare=NAME (save runs with --benchmark-save=NAME)"
        )
    if "://" in str(option.benchmark_storage).removeprefix("file://"):
        raise TailgateError(f"--gate: cannot read the history in {option.benchmark_storage}; use file://DIR")
    for name in ("disable", "skip"):
        wanted = getattr(option, f"benchmark_{name}", False)
        if wanted and not (name == "disable" and option.benchmark_enable):
            raise TailgateError(f"--gate judges nothing with --benchmark-{name}; leave one of them out")
    if getattr(option, "dist", "no") != "no" or getattr(option, "numprocesses", None):
        raise TailgateError("--gate: pytest-xdist turns benchmarks off; leave -n and --dist out")
