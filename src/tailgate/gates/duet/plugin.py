"""The plug-in behind ``--duet``: benchmarks are measured in pairs first, then reported as tests."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tailgate.errors import TailgateError, as_usage_error
from tailgate.gates.duet import reporting, verdicts
from tailgate.gates.duet.base import Base, checked_python, parsed
from tailgate.gates.duet.campaign import Campaign, Record
from tailgate.gates.duet.conflicts import refuse
from tailgate.gates.duet.explain import explain, to_explain
from tailgate.gates.duet.launch import environments, instrument_folder, launches
from tailgate.gates.duet.matching import Matched, matched
from tailgate.gates.duet.outcome import HEAD
from tailgate.gates.duet.pairs import Pair
from tailgate.gates.duet.same_code import Checkouts
from tailgate.gates.duet.saved import duet_json
from tailgate.gates.duet.side_process import SideLostError, SideProcess, last_line
from tailgate.gates.duet.worktree import Worktree
from tailgate.gates.limits import limits_of
from tailgate.gates.missing import report_failure
from tailgate.gates.scope import Scope
from tailgate.processes.signals import Signals
from tailgate.results.verdict import Verdict, compared, line, overall
from tailgate.results.verdict_table import summary, terminal_table
from tailgate.seams import benchmark_names, pytest_names
from tailgate.session import reproduce
from tailgate.session.items import is_benchmark
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings
from tailgate.stats.decision import MISSING, NEW
from tailgate.text import counted


class Duet:
    """The plug-in of a session with ``--duet``.

    Raises:
        TailgateError: what was asked for cannot be.
    """

    def __init__(self, config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
        assert settings.duet is not None
        self._config = config
        self._settings = settings
        self._run = run
        self._base: Base = parsed(settings.duet)
        self._records: dict[str, Record] = {}
        self._campaign: Campaign | None = None
        self._matched = Matched((), (), ())
        self._verdicts: list[Verdict] = []
        self._rows: dict[str, Any] = {}
        self._begun = False
        self._deselected: set[str] = set()
        self._commit: str | None = None
        self._signals = Signals("what was measured is judged, and saved only by --benchmark-json")
        refuse(config, run.not_isolated)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """What the user did not want to run is not missing."""
        self._deselected.update(item.nodeid for item in items)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Measure everything, then let pytest go through the tests."""
        option = session.config.option
        broken = session.testsfailed and not option.continue_on_collection_errors
        chosen = [item for item in session.items if is_benchmark(item)]
        if option.collectonly or broken:
            return (yield)
        self._begun = True
        with as_usage_error():
            limits = {item.nodeid: limits_of(item, self._settings.limits) for item in chosen}
        try:
            with as_usage_error():
                self._measure(chosen, limits)
        finally:
            self._signals.measured()
            self._judge(chosen)
        result = yield
        self._report_missing(session)
        return result

    def pytest_unconfigure(self) -> None:
        """Put the signal handlers back."""
        self._signals.end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """A benchmark's verdict is its test's outcome."""
        if not is_benchmark(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        found, row = self._of(item), self._rows.get(item.nodeid)
        if row is not None:
            self._run.judged(overall(found))
        for report in reporting.reports_of(item, found, self._records.get(item.nodeid)):
            # What fails by its verdict was measured all the same, and counts as that.
            by_verdict = row is not None and any(one.failed for one in found)
            noted = reporting.measured(item, found) if by_verdict else report
            self._run.note(item, noted, [] if row is None else [row])
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(optionalhook=True)
    def pytest_benchmark_update_json(self, output_json: dict[str, Any]) -> None:
        """The verdicts and every number behind them."""
        output_json["tailgate_duet"] = duet_json(
            self._base, self._commit, self._settings, self._records.values(), self._verdicts, self._campaign
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session that compared nothing."""
        if self._begun and not compared(self._verdicts) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Print all verdicts; after wrong usage its one line is enough."""
        if not self._begun or (exitstatus == pytest.ExitCode.USAGE_ERROR and self._campaign is None):
            return
        terminal = terminalreporter._tw
        terminalreporter.section(f"duet: head against {self._base.label}")
        pairs = (
            f"{counted(self._campaign.done, 'pairs')}, {self._campaign.wall_s:.0f} s" if self._campaign else "no pairs"
        )
        if self._verdicts:
            terminalreporter.write_line(terminal_table(self._verdicts, color=terminal.hasmarkup))
        terminalreporter.write_line(f"{summary(self._verdicts)} ({pairs})")
        for text in reporting.operator_lines(self._run.explanations, self._verdicts):
            terminalreporter.write_line(text)
        if not compared(self._verdicts):
            terminalreporter.write_line("--duet: nothing was compared, so the run fails.", red=True)

    def _measure(self, chosen: Sequence[pytest.Item], limits: dict[str, Any]) -> None:
        config = self._config
        pytest_names.make_base_temp(config)
        with contextlib.ExitStack() as ending:
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="tailgate-instrument-")))
            worktree = None
            if self._base.ref is not None:
                worktree = Worktree(Path(config.invocation_params.dir), self._base.ref)
                ending.callback(worktree.close)
                self._commit = worktree.commit
                if self._settings.duet_build is not None:
                    self._tell(f"building base: {self._settings.duet_build}")
                    python = self._base.python and checked_python(self._base.python, Path(config.invocation_params.dir))
                    worktree.build(self._settings.duet_build, python or sys.executable)
            sides = launches(config, self._base, worktree, instrument_folder(folder))
            processes = []
            for launch in sides:
                processes.append(SideProcess(launch, pytest_names.base_temp(config)))
                ending.callback(processes[-1].close)
            # After the supervisors, which would go on with the session's handlers.
            self._signals.begin()
            settings = self._settings
            limit_s = settings.benchmark_timeout_s
            pair = Pair((processes[0], processes[1]), settings.duet_s, limit_s, settings.seed, settings.load)
            try:
                self._matched = self._match(chosen, *pair.start())
            except SideLostError as lost:
                raise self._cannot_start(lost) from lost
            self._records = {head: Record((base, head), limits[head]) for base, head in self._matched.pairs}
            self._campaign = Campaign(
                pair,
                list(self._records.values()),
                settings.duet_pairs,
                settings.seed,
                same_work=not self._base.options,
                checkouts=self._checkouts(worktree),
                tell=self._tell,
                say=self._say,
            )
            self._campaign.run()
            explain(to_explain(self._records, chosen, settings), processes, settings, self._tell)

    def _checkouts(self, worktree: Worktree | None) -> Checkouts | None:
        """Where the sides' code lies; ``None``: both sides run one code with other options."""
        if worktree is None:
            top = Path(os.path.realpath(self._config.rootpath))
            return Checkouts(top, environments=environments(top)) if self._base.python else None
        return Checkouts(
            worktree.top,
            worktree.folder,
            environments(worktree.top),
            worktree.changed(),
            worktree.tracked(),
            self._settings.duet_build is not None,
        )

    def _match(self, chosen: Sequence[pytest.Item], base: Sequence[str], head: Sequence[str]) -> Matched:
        """Match what both sides have collected, which is more than was chosen where a node id stood for its file."""
        wanted = [item.nodeid for item in chosen]
        found = matched(base, head, by_order=bool(self._base.options))
        pairs = tuple(pair for pair in found.pairs if pair[HEAD] in set(wanted))
        scope = Scope(self._config, wanted, self._deselected)
        return Matched(
            pairs=pairs,
            missing=tuple(name for name in found.missing if scope.holds(name, {})),
            new=tuple(name for name in wanted if name not in {pair[HEAD] for pair in pairs}),
        )

    def _cannot_start(self, lost: SideLostError) -> TailgateError:
        what = f"the base side ({self._base.label})" if lost.side == "base" else "the head side"
        ended_itself = lost.ending.reason.endswith("in its test")
        how = last_line(lost.output) if ended_itself else lost.ending.reason
        if self._commit and lost.side == "base" and "Error: No module named" in how and not self._settings.duet_build:
            how += " (base is a checkout without what git ignores: --duet-build=COMMAND builds it there)"
        return TailgateError(f"--duet: {what} could not collect its tests: {how}")

    def _tell(self, text: str) -> None:
        if self._settings.progress:
            self._say(text)

    def _say(self, text: str) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"duet: {text}")

    def _judge(self, chosen: Sequence[pytest.Item]) -> None:
        """Judge and keep what was measured, also after an interrupt."""
        made = verdicts.Judge(self._settings.duet_pairs, lambda name: reproduce.command(self._config, name))
        for record in self._records.values():
            self._verdicts += made.of(record)
        self._verdicts += [verdicts.unmatched(name, MISSING) for name in self._matched.missing]
        self._verdicts += [verdicts.unmatched(name, NEW) for name in self._matched.new]
        self._run.verdicts += self._verdicts
        self._run.explanations |= {name: one.explanation for name, one in self._records.items() if one.explanation}
        for item in chosen:
            measured = self._records.get(item.nodeid)
            row = reporting.row_of(item, measured, overall(self._of(item))) if measured else None
            if row is not None:
                self._rows[item.nodeid] = row
        benchmark_names.add_measured(self._config, self._rows.values())

    def _of(self, item: pytest.Item) -> list[Verdict]:
        return [one for one in self._verdicts if one.fullname == item.nodeid]

    def _report_missing(self, session: pytest.Session) -> None:
        session.testscollected += len(self._matched.missing)  # else they would be more than 100 % of the tests
        for one in self._verdicts:
            if one.fullname in self._matched.missing:
                report_failure(self._config, one.fullname, line(one))
