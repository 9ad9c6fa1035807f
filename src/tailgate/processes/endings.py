"""What an exit status means: the signal by name, the out-of-memory killer, an exit in the middle of a test."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from tailgate.machine.out_of_memory import OUT_OF_MEMORY

FAULT_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (\S+)', re.MULTILINE)
"""The innermost Python frame of faulthandler's report: it comes first."""

ADDRESS_TAKEN = re.compile(r"[Aa]ddress already in use|EADDRINUSE|WinError 10048")
PYTEST_FRAME = re.compile(r'^  File ".*[/\\](_pytest|pluggy)[/\\]')


CANNOT_REPORT = 97
"""A benchmark's process ends itself with it when its channel to the session is closed."""
CLOSED = "its test closed the file descriptor by which it reports, so what it measured is lost (os.closerange?)"


@dataclass(frozen=True)
class Ending:
    """Why a process did not report its benchmark: a status of docs/reference/json-fields.md and one line."""

    status: str
    reason: str


def at_once_hint(reason: str) -> str:
    """What to do where several processes want one port: those of ``--tenants`` and ``--duet`` are alive at once."""
    if not ADDRESS_TAKEN.search(reason):
        return ""
    return "; several processes of this benchmark are alive at once: let each take a free port (bind port 0)"


WITH_ITS_SUPERVISOR = Ending("crashed", "crashed: its supervisor was ended from outside, and the process with it")
WITHOUT_A_REPORT = Ending(
    "failed",
    "failed: its process ended without a report (did another plug-in's pytest_runtest_protocol take the test?)",
)


def of_exit(exit_status: int, *, oom_kills: int, output: str, peak_rss_bytes: int | None) -> Ending:
    """Judge a process that ended by itself before its test did.

    Args:
        exit_status: as ``subprocess`` has it: the code, or minus the signal's number.
        oom_kills: how many processes the kernel's out-of-memory killer ended meanwhile.
        output: the end of what it wrote, faulthandler's report included.
        peak_rss_bytes: its peak resident memory, where known.
    """
    place = where(output)
    if exit_status == CANNOT_REPORT:
        return Ending("crashed", f"crashed: {CLOSED}")
    if exit_status >= 0:
        return Ending("crashed", f"crashed: the process ended itself with exit code {exit_status} in its test")
    name = signal_name(-exit_status)
    memory = f" at {peak_rss_bytes / 2**20:.0f} MiB" if peak_rss_bytes else ""
    if -exit_status == signal.SIGKILL:
        if oom_kills:
            return Ending("oom", f"oom: the kernel's out-of-memory killer ended the process{memory}")
        return Ending(
            "crashed",
            f"crashed: {name} from outside{memory} (a person, a service, or the out-of-memory killer of an outer "
            "container, which cannot be seen from here)",
        )
    if -exit_status == signal.SIGABRT and OUT_OF_MEMORY.search(output):  # std::terminate
        return Ending("oom", f"oom: an allocation failed and the process ended with {name}{place}")
    return Ending("crashed", f"crashed: {name}{place}")


def signal_name(number: int) -> str:
    """``11`` -> ``SIGSEGV``; a number without a name keeps it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def where(output: str) -> str:
    """`` in FUNCTION (FILE:LINE)`` from faulthandler's report, or nothing."""
    _, current, after = output.rpartition("Current thread")
    match = FAULT_FRAME.search(after if current else output)
    return f" in {match[3]} ({Path(match[1]).name}:{match[2]})" if match else ""


def without_pytest(output: str) -> str:
    """Faulthandler's report without the frames of pytest that lead to every test."""
    kept: list[str] = []
    inside = False
    for line in output.splitlines(keepends=True):
        frame = line.startswith('  File "')
        inside = frame and (inside or PYTEST_FRAME.match(line) is not None)
        if not inside:
            kept.append(line)
    return "".join(kept)
