"""The processes that run one benchmark at the same time, tenants or servers: who is alive, who said what, who ended."""

from __future__ import annotations

import contextlib
import pickle
import signal
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tailgate.machine import out_of_memory
from tailgate.processes.attempt import DRAIN_S, INTERRUPTED_S, KILLED_S, Attempt, awaited, conclude, take
from tailgate.processes.child import Outputs
from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.messages import HasDescriptor, ready


class Group:
    """One benchmark's processes; add each as it is started.

    Args:
        outputs: where each process writes.
        timeout_s: what they were granted in all, for the message.
    """

    def __init__(self, outputs: Sequence[Outputs], timeout_s: float) -> None:
        self._outputs, self._timeout_s = outputs, timeout_s
        self._processes: list[Process] = []
        self._made = [Attempt() for _ in outputs]
        self._open: set[int] = set()
        self._kills_before = out_of_memory.oom_kills()
        self._start_s = time.monotonic()

    def add(self, process: Process) -> None:
        """Add a process that has been started."""
        self._open.add(len(self._processes))
        self._processes.append(process)

    @property
    def running(self) -> list[Process]:
        """The processes that have not been seen to end."""
        return [self._processes[index] for index in sorted(self._open)]

    def close(self) -> None:
        """Close the channels of all."""
        for process in self._processes:
            process.close()

    def _heard(self, among: Iterable[int], deadline_s: float) -> set[int]:
        """Which of them sent something, or have ended; none: the time is up."""
        by_end: dict[int, int] = {}
        ends: list[HasDescriptor] = []
        for index in among:
            for channel in (self._processes[index].results, self._processes[index].control):
                by_end[channel.fileno()] = index
                ends.append(channel)
        return {by_end[end.fileno()] for end in ready(ends, deadline_s)}

    def _stage(self, index: int) -> tuple[str, Any] | None:
        """What a process tells the others, by one message; ``None``: the message is of its test, or it has ended."""
        made = self._made[index]
        try:
            # A process that has ended may have said something that is still to be read.
            kind, content = self._processes[index].results.receive(time.monotonic() + DRAIN_S)
        except (EOFError, TimeoutError, pickle.UnpicklingError):  # the last: somebody else has written there
            self._ended(index)
            return None
        if kind == "tenant":
            stage, details = content
            return stage, details
        take((kind, content), made)
        if made.final_message:
            self._ended(index)
        return None

    def _ended(self, index: int, *, timed_out: bool = False) -> None:
        """Wait for the end of a process, and note how it came."""
        self._open.discard(index)
        made = self._made[index]
        end = awaited(self._processes[index], made, timed_out=timed_out)
        made.duration_s = time.monotonic() - self._start_s
        conclude(made, end, self._outputs[index], self._timeout_s, self._kills_before)


def end_all(processes: Sequence[Process]) -> None:
    """Interrupt all so that fixtures are torn down; kill those that do not end in time."""
    left = list(processes)
    try:
        for process in left:
            process.signal(signal.SIGINT)
        _await(left, time.monotonic() + INTERRUPTED_S)
    finally:
        for process in left:
            process.signal(signal.SIGKILL)
        _await(left, time.monotonic() + KILLED_S)
        for process in left:  # it waits for a driver or a disk; another supervisor starts the next benchmark
            process.control.close()


def _await(left: list[Process], deadline_s: float) -> None:
    """Take those that end in time off the list."""
    for process in list(left):
        with contextlib.suppress(TimeoutError):
            with contextlib.suppress(SupervisorGoneError):
                process.wait(deadline_s)
            left.remove(process)
