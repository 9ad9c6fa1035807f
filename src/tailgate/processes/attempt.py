"""One benchmark, once, in one process: what came back, how it ended, within its time."""

import contextlib
import os
import pickle
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tailgate.machine import out_of_memory
from tailgate.processes import endings
from tailgate.processes.child import FAULT_SIGNAL, Outputs
from tailgate.processes.endings import Ending
from tailgate.processes.handle import Process, SupervisorGoneError

INTERRUPTED_S = 3.0
"""What an interrupted benchmark is given to end its fixtures, which remove what they made; a second interrupt
ends it at once."""
STACK_S = 0.3
"""What a process that took too long is given to write where it is."""
DRAIN_S = 1.0
EXIT_S = 30.0
"""From the final message of a process to its end; its leftovers are ended in this time, too."""
KILLED_S = 5.0
"""The same for a killed process, while the user waits for the session to stop."""
OUTPUT_BYTES = 1 << 20
"""What is kept of the output of a process that did not end in order: the last so many bytes."""


@dataclass
class Attempt:
    """The results of one process."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    profile: dict[str, Any] | None = None
    """What a profiling meter found in the process, once all its calls were made."""
    further: int = 0
    """In a duet: how many more measurements its test has made, which took no turns."""
    final_message: dict[str, Any] = field(default_factory=dict)
    ending: Ending | None = None
    """Why it did not end in order, or ``None``."""
    phase: str = "setup"
    sections: list[tuple[str, str]] = field(default_factory=list)
    """Its last output, where it did not end in order."""
    duration_s: float = 0.0

    @property
    def failed(self) -> bool:
        """The test failed, or its process did, or pytest in it: whatever was measured before."""
        broken = self.ending is not None or "internal_error" in self.final_message
        return broken or any(report["outcome"] == "failed" for report in self.reports)

    @property
    def measured(self) -> bool:
        """Whether it has a row, and the test passed as far as it went, to the end of its process."""
        passed = all(report["outcome"] == "passed" for report in self.reports)
        return bool(self.rows) and passed and not self.failed

    @property
    def contended(self) -> str | None:
        """Why its numbers are not to be trusted."""
        for row in self.rows:
            info = row["extra_info"]
            if info.get("status") == "contended":
                return str(next((text for text in info.get("warnings", []) if "contended" in str(text)), "contended"))
        return None


class MeasuredInterrupt(KeyboardInterrupt):
    """The session was interrupted, and the benchmark ended with a row of what it had: a search and its probes."""

    def __init__(self, made: Attempt) -> None:
        super().__init__()
        self.made = made


def to_nobody(text: str) -> None:
    """There is no progress line."""


def attend(
    process: Process, outputs: Outputs, left_s: float, timeout_s: float, tell: Callable[[str], None] = to_nobody
) -> Attempt:
    """Listen to a process until it has ended, or end it.

    Args:
        process: just started.
        outputs: where it writes.
        left_s: how long it may still take.
        timeout_s: what it was granted in all, for the message.
        tell: is told how far a long measurement is, in a line.

    Whatever interrupts the session meanwhile interrupts the process first.
    """
    made = Attempt()
    start_s = time.monotonic()
    kills_before = out_of_memory.oom_kills()
    try:
        end = awaited(process, made, timed_out=not _listen(process, made, start_s + left_s, tell))
    except pytest.fail.Exception as failure:  # another plug-in's time-out, raised in the session
        interrupt(process)
        made.ending = Ending("timeout", f"timeout: {failure.msg}, in {made.phase}")
        return made
    except KeyboardInterrupt as stop:
        interrupt(process)
        _listen(process, made, time.monotonic() + DRAIN_S, tell)
        if made.measured:
            raise MeasuredInterrupt(made) from stop
        raise
    except BaseException:
        interrupt(process)
        raise
    finally:
        made.duration_s = time.monotonic() - start_s
        process.close()
    conclude(made, end, outputs, timeout_s, kills_before)
    return made


@dataclass(frozen=True)
class End:
    """How a process ended."""

    status: tuple[int, int | None] | None = None
    """Its exit status and peak memory; ``None``: it cannot be ended."""
    timed_out: bool = False
    lingered: bool = False
    """It had sent its final message, and did not end."""
    supervisor_gone: bool = False


def awaited(process: Process, made: Attempt, *, timed_out: bool) -> End:
    """Wait for the end of a process that has nothing more to say; one that took too long is ended."""
    try:
        if timed_out and FAULT_SIGNAL is not None:
            process.signal(FAULT_SIGNAL)
            time.sleep(STACK_S)
        if timed_out:
            process.signal(signal.SIGKILL)
        try:
            return End(process.wait(time.monotonic() + EXIT_S), timed_out)
        except TimeoutError:
            return End(_killed(process), timed_out, lingered=True)
    except SupervisorGoneError:
        return End(supervisor_gone=True)


def conclude(made: Attempt, end: End, outputs: Outputs, timeout_s: float, kills_before: int | None) -> None:
    """Note why it did not end in order, if so, with its last output.

    ``kills_before``: :func:`tailgate.processes.endings.oom_kills` when it was started.
    """
    if end.supervisor_gone:
        made.ending = _in_order(made) if made.final_message else endings.WITH_ITS_SUPERVISOR
        return
    if made.final_message and end.status:
        made.ending = _in_order(made)
        return
    output = [tail(stream.fileno()) for stream in outputs]
    output[1] = endings.without_pytest(output[1])
    named = zip((f"Captured stdout {made.phase}", f"Captured stderr {made.phase}"), output, strict=True)
    made.sections = [(name, text) for name, text in named if text]
    place = f"in {made.phase}{endings.where(output[1])}"
    if end.status is None:
        reason = f"it, or what it left running, cannot be ended ({place}): it waits for a driver or a disk"
        made.ending = Ending("timeout", f"timeout: {reason}")
    elif end.timed_out:
        limit = "it was ended (--benchmark-timeout=SECONDS allows more)"
        made.ending = Ending("timeout", f"timeout: not done after {timeout_s:g} s, {place}; {limit}")
    elif end.lingered:
        reason = f"not done {EXIT_S:g} s after it had closed its channel to the session, {place}; it was ended"
        made.ending = Ending("timeout", f"timeout: {reason}")
    else:
        kills = 0 if kills_before is None else (out_of_memory.oom_kills() or 0) - kills_before
        status, peak_rss_bytes = end.status
        said = output[1][-20_000:]
        made.ending = endings.of_exit(status, oom_kills=kills, output=said, peak_rss_bytes=peak_rss_bytes)


def tail(descriptor: int, most_bytes: int = OUTPUT_BYTES) -> str:
    """The end of a file another process writes, leaving its position alone."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - most_bytes)
    text = os.pread(descriptor, most_bytes, start).decode("utf8", errors="replace")
    return text if not start else f"(the first {start} bytes are left out)\n{text}"


def _listen(process: Process, made: Attempt, deadline_s: float, tell: Callable[[str], None]) -> bool:
    """Take messages until the process has sent its final one or ended; ``False``: the time is up."""
    try:
        while not made.final_message:
            if process.next_event(deadline_s):
                take(process.results.receive(deadline_s), made, tell)
            else:
                while True:  # it has ended; what it had sent is still to be read
                    take(process.results.receive(time.monotonic() + DRAIN_S), made)
    except (EOFError, pickle.UnpicklingError):  # the latter: somebody else has written to its channel
        return True
    except TimeoutError:
        return time.monotonic() < deadline_s
    return True


def _in_order(made: Attempt) -> Ending | None:
    """A process that sent its final message must have sent a report, or what stopped it."""
    stopped = {"exit", "interrupted", "internal_error"} & set(made.final_message)
    return None if made.reports or stopped else endings.WITHOUT_A_REPORT


def _killed(process: Process) -> tuple[int, int | None] | None:
    """Kill a process; returns its exit status and peak memory, or ``None`` where it cannot be ended.

    That supervisor is let go of, so that the next benchmark is started by another.
    """
    process.signal(signal.SIGKILL)
    try:
        return process.wait(time.monotonic() + KILLED_S)
    except TimeoutError:
        process.control.close()
        return None


def interrupt(process: Process) -> None:
    """End it as Ctrl-C would, so that its fixtures are torn down; at once when that is not enough."""
    with contextlib.suppress(SupervisorGoneError):
        try:
            process.signal(signal.SIGINT)
            process.wait(time.monotonic() + INTERRUPTED_S)
        except SupervisorGoneError:
            raise
        except BaseException:  # not in time, or interrupted once more
            _killed(process)


def take(message: tuple[str, Any], made: Attempt, tell: Callable[[str], None] = to_nobody) -> None:
    """Keep what a process says; ``tell`` is told how far a long measurement is."""
    kind, content = message
    if kind in ("phase", "rows", "profile"):
        setattr(made, kind, content)
    elif kind in ("report", "warning"):
        getattr(made, f"{kind}s").append(content)
    elif kind == "progress":
        tell(content)
    else:
        made.final_message = {"in_order": True, **content}
