"""The plug-in behind ``--isolation=process``: benchmarks run elsewhere, everything else as pytest does it."""

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from tailgate.machine.trust import wait_until_quiet
from tailgate.measure.profiling import ProfileTask
from tailgate.meters import not_profiled
from tailgate.processes import replay
from tailgate.processes.attempt import Attempt, MeasuredInterrupt
from tailgate.processes.child import MODULES
from tailgate.processes.endings import Ending
from tailgate.processes.journal.resume import ResumableJournal
from tailgate.processes.passes import drop_later, interleaved
from tailgate.processes.pooling import better, pooled
from tailgate.processes.profiles import Profiles
from tailgate.processes.signals import Signals
from tailgate.results.rows import add_warning
from tailgate.seams import benchmark_names, pytest_names
from tailgate.session.items import is_benchmark, whole
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings

QUIET_S = 5.0
"""A contended benchmark's second try waits at most this long for the others to come to rest."""
UNQUIET_S = 0.5
NEEDS_BASE_TEMP = {"tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory", "request"}


class Runner(Protocol):
    """How a benchmark is run: in one process, or in several at once."""

    @property
    def method(self) -> str:
        """``fork`` or ``spawn``."""

    @property
    def remarks(self) -> list[str]:
        """What the user should know of how processes were started."""

    def once(self, item: pytest.Item, task: ProfileTask | None = None) -> Attempt:
        """Run it in fresh processes, until they have ended; ``task``: for a profiling meter."""

    def close(self) -> None:
        """End all of its processes."""


class Isolation:
    """The plug-in of a session whose benchmarks run in processes."""

    def __init__(
        self, config: pytest.Config, settings: Settings, run: BenchmarkRun, runner: Callable[..., Runner]
    ) -> None:
        self._config = config
        self._make_runner = runner
        self._settings = settings
        self._run = run
        self._journal: ResumableJournal | None = None
        self._runner: Runner | None = None
        self._pending: dict[pytest.Item, list[Attempt]] = {}
        self._passes: dict[pytest.Item, int] = {}
        self._signals = Signals("what was measured is saved, and --resume goes on from it")
        self._wait_s = QUIET_S
        self._profiles = Profiles(settings.profilers, self._once, run)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Start the fork server before anything has run, inside of what others put around it (logging's handlers)."""
        option = session.config.option
        broken = session.testsfailed and not option.continue_on_collection_errors
        chosen = [item for item in session.items if is_benchmark(item)]
        if option.collectonly or broken or not chosen:
            return (yield)
        self._passes = dict.fromkeys(chosen, 0)
        session.items[:] = interleaved(session.items, chosen, self._settings.processes, self._settings.seed)
        if any(NEEDS_BASE_TEMP & set(item.fixturenames) for item in chosen):  # type: ignore[attr-defined]
            pytest_names.make_base_temp(session.config)
        session.config.stash[MODULES] = frozenset(sys.modules)
        self._runner = self._make_runner(session.config, chosen, self._settings, self._run.going)
        self._run.isolation = self._runner.method
        self._signals.begin()
        try:
            # After the fork servers, which would go on holding its lock when the session is killed.
            self._journal = ResumableJournal(self._config, self._settings, self._run, chosen)
            result = yield
            self._journal.complete()
            return result
        finally:
            self._end()

    def _end(self) -> None:
        """Measuring has stopped: everything is closed, whatever becomes of the rest."""
        assert self._runner is not None
        with contextlib.ExitStack() as last:  # read it from below
            last.callback(self._remark)
            if self._journal:
                last.callback(self._journal.close)
            last.callback(self._runner.close)
            last.callback(self._settle)
            last.callback(self._signals.measured)

    def pytest_unconfigure(self) -> None:
        """Put the signal handlers back."""
        self._signals.end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """A benchmark, in a process of its own; anything else is left to pytest."""
        if item not in self._passes:
            return None
        nth = self._passes[item]
        self._passes[item] += 1
        last = nth == self._settings.processes - 1
        if last:
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        made = self._attempt(item, nth)
        if last and made.measured:
            self._profile(item, nth, made)
        self._pending.setdefault(item, []).append(made)
        if last or not made.measured:
            if not last:
                item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
                drop_later(item, self._settings.processes - 1 - nth)
            self._finish(item, lambda: self._fresh(item))
        else:
            self._run.passed_over(made.rows)
        self._tear_down_here(item, nextitem)
        _obey(item, made.final_message)
        return True

    def _attempt(self, item: pytest.Item, nth: int) -> Attempt:
        """Take an attempt from the journal, or measure now and write it there."""
        assert self._journal is not None
        if found := self._journal.finished(item, nth):
            return found
        try:
            made = self._once(item)
        except MeasuredInterrupt as stop:
            self._pending.setdefault(item, []).append(stop.made)
            raise KeyboardInterrupt from stop
        if made.contended and made.measured:
            try:
                made = self._again(item, made)
            except BaseException:  # interrupted: the first try counts
                self._pending.setdefault(item, []).append(made)
                raise
        for row in made.rows:
            row["extra_info"].update(self._run.calibrate(item.nodeid))
        if made.measured:
            self._journal.append(item, nth, made)
        return made

    def _profile(self, item: pytest.Item, nth: int, made: Attempt) -> None:
        """What is counted in runs of its own; the measured row is in the journal already."""
        several = f"its runs count one measurement a test, and this one makes {len(made.rows)}"
        if self._settings.at_once > 1 or len(made.rows) > 1:
            reason = "it runs one process, not several at once" if self._settings.at_once > 1 else several
            for row in made.rows:
                not_profiled(row["extra_info"], self._settings.profilers, reason)
            return
        try:
            if self._profiles.take(item, made):
                assert self._journal is not None
                self._journal.append(item, nth, made)
        except BaseException:  # interrupted: what was measured counts
            self._pending.setdefault(item, []).append(made)
            raise

    def _once(self, item: pytest.Item, task: ProfileTask | None = None) -> Attempt:
        assert self._runner is not None
        return self._runner.once(item, task)

    def _again(self, item: pytest.Item, first: Attempt) -> Attempt:
        """Try once more in a new process."""
        try:
            # Where waiting did not help, a neighbour is here to stay: the next benchmark waits less for it.
            self._wait_s = QUIET_S if wait_until_quiet(self._wait_s) else UNQUIET_S
            second = self._once(item)
        except pytest.fail.Exception:  # another plug-in's time-out
            return first
        self._run.retried()
        return better(first, second)

    def _fresh(self, item: pytest.Item) -> list[Any]:
        """The item's rows from as many new processes; none where one of them did not measure."""
        made = [self._once(item) for _ in range(self._settings.processes)]
        if not all(attempt.measured for attempt in made):
            return []
        return [replay.measured(item, row) for row in pooled([attempt.rows for attempt in made])]

    def _finish(self, item: pytest.Item, again: Callable[[], list[Any]] | None = None) -> None:
        """Tell the session what the item's processes came to; ``again``: the gate may measure it once more."""
        attempts = self._pending.pop(item)
        for recorded in attempts[-1].warnings:  # each process gives the same ones
            replay.warn(item, recorded)
        measured = [attempt.rows for attempt in attempts if attempt.rows]
        rows = pooled(measured or [[]])
        for row in rows:  # a crash, an interrupt between two, or a test that does not always measure the same
            processes = len(row["extra_info"]["process_rounds"]) if len(measured) > 1 else len(measured)
            if processes < self._settings.processes:
                text = f"only {processes} of {self._settings.processes} processes were measured"
                add_warning(row["extra_info"], text)
        metadata = [replay.measured(item, row) for row in rows]
        benchmark_names.add_measured(self._config, metadata)
        made = attempts[-1]
        reports = [replay.rebuilt(item, data) for data in made.reports]
        if made.ending:
            reports.append(replay.failure(item, made, made.ending))
        if "internal_error" in made.final_message:
            trace = made.final_message["internal_error"].rstrip()
            reason = f"pytest failed inside the benchmark's process: {trace.rpartition(chr(10))[2]}\n{trace}"
            reports.append(replay.failure(item, made, Ending("failed", reason)))
        for report in reports:
            new = self._run.note(item, report, whole(metadata))
            try:
                self._run.judge(report, item, new, again)
            finally:  # the gate may have been interrupted while it measured again
                item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _settle(self) -> None:
        """Interrupted between two processes of a benchmark: what was measured counts."""
        for item in list(self._pending):
            if self._pending[item]:
                self._finish(item)

    def _tear_down_here(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        call = pytest_names.tear_down_to(item, nextitem)
        if call is not None and call.excinfo is not None:
            report = item.ihook.pytest_runtest_makereport(item=item, call=call)
            item.ihook.pytest_runtest_logreport(report=report)

    def _remark(self) -> None:
        assert self._runner is not None
        self._run.remark(*self._runner.remarks, *(self._journal.remarks() if self._journal else ()))


def _obey(item: pytest.Item, final_message: dict[str, Any]) -> None:
    """A test may stop the session, from its own process too."""
    session = item.session
    session.shouldstop = final_message.get("shouldstop") or session.shouldstop
    session.shouldfail = final_message.get("shouldfail") or session.shouldfail
    if "exit" in final_message:
        reason, returncode = final_message["exit"]
        pytest.exit(reason, returncode)
    if final_message.get("interrupted"):
        raise KeyboardInterrupt
