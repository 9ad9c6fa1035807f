"""One benchmark as several servers of one queue: the session hands out schedules, and makes one row of what comes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tailgate.machine import trust
from tailgate.machine.cpus import usable_cpus
from tailgate.measure import serving
from tailgate.measure.load_row import LoadRow, NoRowError
from tailgate.measure.open_loop import LEAD_S, under_load
from tailgate.measure.serving import ClosedLoop
from tailgate.processes.attempt import Attempt, MeasuredInterrupt
from tailgate.processes.child import Outputs
from tailgate.processes.endings import Ending
from tailgate.processes.messages import HasDescriptor
from tailgate.processes.tenants import rows
from tailgate.processes.tenants.cpus import reading_of
from tailgate.processes.tenants.failures import named, named_report
from tailgate.processes.tenants.group import Group, end_all
from tailgate.results.rows import add_warning, threads_of
from tailgate.session.load import Load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Queue(Group):
    """Of one benchmark; add each server's process as it is started, then run.

    Args:
        outputs: where each server writes.
        timeout_s: what they were granted in all, for the message.
        load: what was asked for.
        seed: of the first schedule.
        tell: is told each probe of a search in a line.
    """

    def __init__(
        self, outputs: Sequence[Outputs], timeout_s: float, load: Load, seed: int, tell: Callable[[str], None]
    ) -> None:
        super().__init__(outputs, timeout_s)
        self._load, self._seed, self._tell = load, seed, tell
        self._died: dict[int, str] = {}
        """While requests were served: why, by server."""
        self._rows: list[tuple[LoadRow, trust.Reading, trust.Reading]] = []
        """Of each measurement of the test, with the machine before and after."""
        self._no_row: str | None = None
        """Why there is none."""
        self._deadline_s = 0.0

    def run(self, deadline_s: float) -> Attempt:
        """Until all have ended; whoever is not done by then is ended."""
        self._deadline_s = deadline_s
        count = len(self._processes)
        while len(loaded := self._all_say("loaded")) == count:
            self._send("get warm")
            warm = self._all_say("warm")
            if len(warm) < count:
                break
            try:
                self._measure([told["pid"] for told in loaded.values()], list(warm.values()))
            except NoRowError as error:
                self._no_row = str(error)
            self._send(None)
            if self._died or self._no_row:
                break
        self._all_say("")
        for index in sorted(self._open):
            self._ended(index, timed_out=time.monotonic() >= deadline_s)
        made = self._result()
        if any(row.interrupted for row, _, _ in self._rows):
            raise MeasuredInterrupt(made)
        return made

    def _measure(self, pids: Sequence[int], warm: Sequence[dict[str, Any]]) -> None:
        import numpy as np

        loops: list[ClosedLoop] = [told["closed_loop"] for told in warm]
        all_loops = ClosedLoop(
            np.concatenate([one.services_s for one in loops]),
            sum(one.capacity_per_s for one in loops),
            sum(one.calls for one in loops),
            tuple(failure for one in loops for failure in one.failures),
        )
        before = reading_of(pids)
        row = under_load(warm[0]["load"], self._load, self._seed, all_loops, self._play, self._tell)
        self._rows.append((row, before, reading_of(pids)))

    def _play(self, due_s: NDArray[np.float64]) -> serving.Served:
        """One schedule, by all servers that are alive; a server that dies takes what it has served with it."""
        with tempfile.TemporaryFile(buffering=0) as file:
            try:
                serving.write_shared(due_s, file.fileno())
            except OSError as error:
                whose = f"the schedule that the servers share, {len(due_s):,} requests, cannot be written to"
                room = f"it needs {len(due_s) * serving.RECORD.size:,} bytes; free them, or set TMPDIR"
                raise NoRowError(f"{whose} {tempfile.gettempdir()} ({error}): {room}") from error
            self._send(time.perf_counter() + LEAD_S, file)
            alive = set(self._open)
            try:
                found = self._all_say("served")
            except KeyboardInterrupt:
                file.truncate(0)  # nothing more to take; each server ends with the request that it is at
                self._all_say("served")
                raise
        if self._open - set(found):
            raise NoRowError("the time was up")  # whoever took it says so
        for index in alive - set(found):
            ending = self._made[index].ending
            self._died[index] = ending.reason if ending else "its test ended"
        if not found:
            raise NoRowError(f"all {len(self._processes)} servers died")  # the first says how
        return serving.together(found.values())

    def _send(self, word: Any, *files: HasDescriptor) -> None:
        for index in sorted(self._open):
            try:
                self._processes[index].results.send(word, files)
            except OSError:  # it has ended: that is heard next
                continue

    def _all_say(self, stage: str) -> dict[int, Any]:
        """What every server says at a stage, those left out that end before; ``""``: until all have ended."""
        found: dict[int, Any] = {}
        while waiting := self._open - set(found):
            heard = self._heard(waiting, self._deadline_s)
            if not heard:
                return found
            for index in sorted(heard):
                told = self._stage(index)
                if told is not None and told[0] == stage:
                    found[index] = told[1]
                elif told is not None:  # it measures once more than the others
                    self._ended(index)
        return found

    def _result(self) -> Attempt:
        """As if it were one process: the first that did not die while it served."""
        end_all(self.running)
        alive = [index for index in range(len(self._made)) if index not in self._died]
        broken = next((index for index in alive if self._made[index].failed), alive[0] if alive else 0)
        made = self._made[broken]
        made.duration_s = max(one.duration_s for one in self._made)
        if made.failed:
            name = f"server {broken + 1} of {len(self._made)}"
            if made.ending is not None:
                made.ending = named(made.ending, name)
            made.reports = [named_report(report, name) for report in made.reports]
            return made
        if self._no_row is not None and all(report["outcome"] == "passed" for report in made.reports):
            setup = [report for report in made.reports if report["when"] == "setup"]
            return Attempt(setup, ending=Ending("failed", self._no_row), phase="call", duration_s=made.duration_s)
        measured = [self._made[index].rows for index in alive if self._made[index].rows]
        if measured and self._rows:
            made.rows = [self._together(found, *same) for found, *same in zip(self._rows, *measured, strict=False)]
        elif self._rows:
            made.ending = Ending("failed", "failed: no server has a row")
        return made

    def _together(self, found: tuple[LoadRow, trust.Reading, trust.Reading], *same: dict[str, Any]) -> dict[str, Any]:
        """One row: the responses of all, and what the servers say of themselves."""
        load_row, before, after = found
        info = rows.merged([row["extra_info"] for row in same])
        info.update(load_row.fields)
        for text in load_row.warnings:
            add_warning(info, text)
        threads = len(self._made) * threads_of(info)
        rows.trusted(info, trust.judge(before, after, threads))
        if load_row.status != "ok":
            info["status"] = load_row.status
        elif info.get("status", "ok") == "ok" and threads > usable_cpus():
            info["status"] = "oversubscribed"
        for index, reason in self._died.items():
            info.update(status="errors", load_valid=False)
            lost = f"errors: server {index + 1} of {len(self._made)} died ({reason}), and what it had served is lost"
            add_warning(info, f"{lost}; the others went on")
        return {**same[0], "data": load_row.responses_s, "iterations": 1, "extra_info": info}
