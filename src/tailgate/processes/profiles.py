"""After a benchmark was measured: the runs of the meters that have some of their own, each in a further process.

Whatever becomes of them, the measured row stays as it is: a value that could not be had is ``None``, with one line of
reason.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tailgate.errors import one_line
from tailgate.measure.profiling import ProfileTask
from tailgate.meters import Profiled, Profiler, profilers
from tailgate.processes.attempt import Attempt
from tailgate.results.rows import add_warning
from tailgate.session.items import failure_line, skip_reason
from tailgate.session.run import BenchmarkRun

Once = Callable[[pytest.Item, ProfileTask], Attempt]


class FailedRunError(Exception):
    """A run gave nothing; the text says why."""


class Profiles:
    """The profiling meters that a session asked for.

    Args:
        names: of the meters.
        once: starts a process for an item and a task, and listens to it until it has ended.
        run: told a meter's name before its runs.
    """

    def __init__(self, names: tuple[str, ...], once: Once, run: BenchmarkRun) -> None:
        self._wanted = [profilers()[name] for name in names]
        self._once = once
        self._session = run
        self._unavailable: dict[str, str | None] = {}

    def missing(self, made: Attempt) -> list[Profiler]:
        """The meters whose values its rows lack: not taken yet, or without success."""
        had = {field for row in made.rows for field, value in row["extra_info"].items() if value is not None}
        return [one for one in self._wanted if not had & set(one.fields)]

    def take(self, item: pytest.Item, made: Attempt) -> bool:
        """Add every missing meter's fields to the rows; whether there is anything new to write down."""
        for profiler in (missing := self.missing(made)):
            _forget(profiler, made)
            try:
                found = self._profile(item, profiler)
            except pytest.fail.Exception as failure:  # another plug-in's time-out, raised in the session
                found = _nothing(profiler, f"timeout: {failure.msg}")
            except BaseException:
                _add(profiler, _nothing(profiler, "interrupted"), made)
                raise
            _add(profiler, found, made)
        return bool(missing)

    def _profile(self, item: pytest.Item, profiler: Profiler) -> Profiled:
        if profiler.name not in self._unavailable:
            self._unavailable[profiler.name] = profiler.unavailable()
        reason = self._unavailable[profiler.name]
        if reason:
            return _nothing(profiler, reason)
        self._session.profiling(profiler.name)
        with tempfile.TemporaryDirectory(prefix="tailgate-profile-", ignore_cleanup_errors=True) as place:
            folders, found = [], []
            for number, calls in enumerate(profiler.calls):
                folder = Path(place) / str(number)
                folder.mkdir()
                try:
                    found.append(self._run(item, ProfileTask(profiler.name, calls, str(folder))))
                except FailedRunError as error:
                    return _nothing(profiler, f"{error}{profiler.hint(folder)}")
                folders.append(folder)
            try:
                return profiler.read(folders, found)
            except (OSError, ValueError) as error:
                text = f"what it wrote cannot be read ({one_line(error)})"
                return _nothing(profiler, f"{text}{profiler.hint(folders[-1])}")

    def _run(self, item: pytest.Item, task: ProfileTask) -> dict[str, Any]:
        made = self._once(item, task)
        if made.ending is not None:
            raise FailedRunError(made.ending.reason)
        for name in ("internal_error", "exit", "interrupted"):
            if name in made.final_message:
                raise FailedRunError(f"its run ended early ({name.replace('_', ' ')})")
        for data in made.reports:
            report: Any = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
            if report.failed:
                raise FailedRunError(f"its run failed in {report.when}: {failure_line(report)}")
            if report.skipped:
                raise FailedRunError(f"its run was skipped: {skip_reason(report)}")
        if made.profile is None:
            raise FailedRunError("its run never called the benchmark's function")
        return made.profile


def _nothing(profiler: Profiler, reason: str) -> Profiled:
    return Profiled(dict.fromkeys(profiler.fields), [reason])


def _add(profiler: Profiler, found: Profiled, made: Attempt) -> None:
    for row in made.rows:
        row["extra_info"].update(found.fields)
        for text in found.warnings:
            add_warning(row["extra_info"], f"{profiler.name}: {text}")


def _forget(profiler: Profiler, made: Attempt) -> None:
    """Remove the warnings of an earlier run without success."""
    for row in made.rows:
        warnings = row["extra_info"].get("warnings")
        if isinstance(warnings, list):
            warnings[:] = [text for text in warnings if not str(text).startswith(f"{profiler.name}: ")]
