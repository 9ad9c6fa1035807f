"""One benchmark in several processes at once: the messages between them, and their result."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

from tailgate.machine import trust
from tailgate.processes.attempt import Attempt
from tailgate.processes.child import Outputs
from tailgate.processes.endings import Ending
from tailgate.processes.tenants import rows
from tailgate.processes.tenants.barrier import STAGES, Barrier, agreed
from tailgate.processes.tenants.cpus import reading_of
from tailgate.processes.tenants.failures import named, named_report
from tailgate.processes.tenants.group import Group, end_all
from tailgate.processes.tenants.overlap import Span
from tailgate.results.rows import threads_of

IN_ORDER_S = 1.0
"""When one has ended in order before the others were done (skipped, or a test that fails), they may follow so long."""
NOT_TOGETHER = "not of the benchmark fixture, so not at the same time; leave out --tenants"


class Tenancy(Group):
    """One benchmark's tenants; add each process as it is started, then run.

    Args:
        outputs: where each tenant writes.
        timeout_s: what they were granted in all, for the message.
        cpu_mode: ``split`` or ``shared``.
        cpus: by tenant, where split.
    """

    def __init__(
        self, outputs: Sequence[Outputs], timeout_s: float, cpu_mode: str, cpus: Sequence[frozenset[int]] | None
    ) -> None:
        super().__init__(outputs, timeout_s)
        self._cpu_mode, self._cpus = cpu_mode, cpus
        self._barriers: list[Barrier] = []
        """Of each measurement of the test, in order."""
        self._at = [-1] * len(outputs)
        """By tenant: which of them it is in."""
        self._first_lost: int | None = None
        """The first that did not go on with the others."""
        self._readings: dict[Barrier, list[trust.Reading]] = {}

    def run(self, deadline_s: float) -> Attempt:
        """Run until all have ended; after the deadline the rest is ended."""
        while self._open and (found := self._heard(self._open, deadline_s)):
            for index in sorted(found):
                self._listen(index)
            if self._first_lost is not None and not self._all_stopped:
                deadline_s = self._deadline_without(self._first_lost, deadline_s)
        if self._open and self._first_lost is None:
            self._ended(min(self._open, key=self._reached), timed_out=True)  # the others wait for the last one
        end_all(self.running)
        self._open.clear()
        return self._result()

    def _listen(self, index: int) -> None:
        """Take one message of one tenant, or its end."""
        if (found := self._stage(index)) is None:
            return
        stage, details = found
        if stage == STAGES[0]:
            self._begins_another(index)
        barrier = self._barriers[self._at[index]]
        if barrier.heard(index, stage, details):
            self._all_are(barrier, stage)

    def _begins_another(self, index: int) -> None:
        """A tenant calls ``benchmark``, or a copy of it, for the first or a further time."""
        self._at[index] += 1
        if self._at[index] == len(self._barriers):
            self._barriers.append(Barrier(len(self._made)))
        gone = [one for one in range(len(self._made)) if one not in self._open and self._at[one] < self._at[index]]
        if gone and self._first_lost is None:
            self._blame(gone[0])

    def _blame(self, index: int) -> None:
        """The others wait for one who will not come."""
        self._first_lost = index
        if not self._made[index].failed and self._at[index] >= 0:
            reason = f"its test made {self._at[index] + 1} measurements, and another tenant's made more"
            self._made[index].ending = Ending("failed", f"failed: {reason}")

    @property
    def _all_stopped(self) -> bool:
        return bool(self._barriers) and all(barrier.passed("stopped") for barrier in self._barriers)

    def _all_are(self, barrier: Barrier, stage: str) -> None:
        """Answer all of them."""
        if stage in ("prepared", "timed"):
            pids = [content["pid"] for content in barrier.contents("loaded")]
            self._readings.setdefault(barrier, []).append(reading_of(pids))
        answers: dict[str, Any] = {"loaded": "get warm", "prepared": "go", "timed": "stop"}
        answer = agreed(barrier.contents("warm")) if stage == "warm" else answers.get(stage)
        if answer is None:
            return
        for index in sorted(self._open):
            with contextlib.suppress(OSError):  # it has ended: that is heard next
                self._processes[index].results.send(answer)

    def _ended(self, index: int, *, timed_out: bool = False) -> None:
        super()._ended(index, timed_out=timed_out)
        made = self._made[index]
        if self._first_lost is None and (made.failed or not self._all_stopped):
            if self._barriers and max(self._at) > self._at[index] and not made.failed:
                self._blame(index)
            self._first_lost = index

    def _deadline_without(self, lost: int, deadline_s: float) -> float:
        """How long the others may still take: they wait for one who will not come."""
        if self._made[lost].ending is not None:
            return time.monotonic()
        return min(deadline_s, self._start_s + self._made[lost].duration_s + IN_ORDER_S)

    def _reached(self, index: int) -> tuple[int, int]:
        """How far a tenant is: in which measurement, at which stage of it."""
        at = self._at[index]
        return at, self._barriers[at].reached[index] if at >= 0 else 0

    def _result(self) -> Attempt:
        """The result of all tenants, as if they were one process."""
        count = len(self._made)
        lost = self._first_lost or 0
        made = self._made[lost]
        measured = [one.rows for one in self._made]
        through = sum(barrier.passed("stopped") for barrier in self._barriers)
        if max(map(len, measured)) > through and not any(one.failed for one in self._made):
            others = max(map(len, measured)) - through
            text = "1 measurement is" if others == 1 else f"{others} measurements are"
            made.ending = Ending("failed", f"failed: {text} {NOT_TOGETHER}")
            measured = [[] for _ in measured]
        made.rows = self._together(measured) if all(measured) else []
        made.duration_s = max(one.duration_s for one in self._made)
        if self._first_lost is None or not made.failed:
            return made
        name = f"tenant {lost + 1} of {count}"
        if made.ending is not None:
            made.ending = named(made.ending, name)
        made.reports = [named_report(report, name) for report in made.reports]
        return made

    def _together(self, measured: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
        """One row per measurement that all tenants completed; one that raised has none."""
        through = [barrier for barrier in self._barriers if barrier.passed("stopped")]
        found = []
        for barrier, *same in zip(through, *measured, strict=False):
            spans = [Span(**content) for content in barrier.contents("stopped")]
            row = rows.together(same, spans, self._cpu_mode, self._cpus)
            info = row["extra_info"]
            before, after = self._readings[barrier]
            rows.trusted(info, trust.judge(before, after, len(spans) * threads_of(info)))
            found.append(row)
        return found
