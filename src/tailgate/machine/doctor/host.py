"""The machine as the checks see it: files below a root, programs, environment. It can only read.

Everything is a field, so that a test can hand over a fake ``/proc`` and ``/sys``, fake programs and a fake
clock. A file or program that cannot be read is :class:`UnreadableError`, which ends one check and no other;
any other exception is a bug and stays loud.
"""

import contextlib
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import psutil

from tailgate.errors import one_line
from tailgate.machine.cpus import affinity_cpus
from tailgate.machine.doctor.counters import count

PROGRAM_TIMEOUT_S = 15


class UnreadableError(Exception):
    """A file or program does not give what was wanted; the text is the reason."""


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn what the system refuses to psutil into :class:`UnreadableError`."""
    try:
        yield
    except (OSError, psutil.Error) as error:
        raise UnreadableError(f"{what} cannot be read ({one_line(error)})") from error


class Done(NamedTuple):
    """What a program said."""

    code: int
    out: str
    err: str


def run_program(command: Sequence[str]) -> Done:
    """Run a program that only prints; a missing or hanging one is :class:`UnreadableError`."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROGRAM_TIMEOUT_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(f"{command[0]} did not answer within {PROGRAM_TIMEOUT_S} s") from error
    except OSError as error:
        raise UnreadableError(f"{command[0]} cannot be run ({error.strerror or error})") from error
    return Done(done.returncode, done.stdout.strip(), done.stderr.strip())


class Process(NamedTuple):
    """A process and the CPU time it has used since it began."""

    pid: int
    name: str
    cpu_s: float


def running_processes() -> list[Process]:
    """The processes visible from here, without this one."""
    found = []
    with asking("the list of processes"):
        for process in psutil.process_iter(["name", "cpu_times"]):
            times = process.info["cpu_times"]
            if times is not None and process.pid != os.getpid():  # None: not ours to look at
                found.append(Process(process.pid, process.info["name"] or "?", times.user + times.system))
    return found


def _own_cpus() -> frozenset[int]:
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(affinity_cpus()))


@dataclass(frozen=True, eq=False)
class Host:
    """This machine, unless told otherwise. Paths are written as on the machine: ``/proc/stat``."""

    root: Path = Path("/")
    system: str = field(default_factory=platform.system)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    usable: frozenset[int] = field(default_factory=_own_cpus)
    """The CPUs this process may be scheduled on."""
    superuser: bool = field(default_factory=lambda: hasattr(os, "geteuid") and os.geteuid() == 0)
    run: Callable[[Sequence[str]], Done] = run_program
    which: Callable[[str], str | None] = shutil.which
    count: Callable[[int], int] = count
    """Counts a hardware event over a short loop; raises ``OSError`` where the kernel refuses."""
    processes: Callable[[], list[Process]] = running_processes
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.perf_counter
    own_cpu_s: Callable[[], float] = time.process_time

    def read(self, name: str) -> str:
        """A file's text, stripped."""
        try:
            return self._at(name).read_text(encoding="utf8", errors="replace").strip()
        except OSError as error:
            raise UnreadableError(f"{name} cannot be read ({error.strerror or error})") from error

    def read_if_there(self, name: str) -> str | None:
        """A file's text, stripped; ``None`` where there is no such file."""
        return self.read(name) if self.exists(name) else None

    def integer(self, name: str) -> int:
        """A file that holds one whole number."""
        text = self.read(name)
        try:
            return int(text)
        except ValueError as error:
            raise UnreadableError(f"{name} says {text[:40]!r}, not a whole number") from error

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        return os.access(self._at(name), os.F_OK)

    def readable(self, name: str) -> bool:
        """Whether we may read it."""
        return os.access(self._at(name), os.R_OK)

    def writable(self, name: str) -> bool:
        """Whether we might write to it; asked of the kernel, not tried."""
        return os.access(self._at(name), os.W_OK)

    def glob(self, pattern: str) -> list[str]:
        """Names that match, in the order of their numbers."""
        names = [f"/{path.relative_to(self.root)}" for path in self.root.glob(pattern.lstrip("/"))]
        return sorted(
            names, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
        )

    def _at(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    @cached_property
    def cpu_flags(self) -> frozenset[str]:
        """The instruction sets the kernel lists."""
        match = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", self.read("/proc/cpuinfo"), re.MULTILINE)
        if match is None:
            raise UnreadableError("/proc/cpuinfo lists no instruction sets")
        return frozenset(match.group(1).split())

    @cached_property
    def hypervisor(self) -> str | None:
        """What virtualises this machine; ``None`` where nothing is seen to."""
        if self.which("systemd-detect-virt"):
            answer = self.run(["systemd-detect-virt", "--vm"]).out
            if answer:
                return None if answer == "none" else answer
        if kind := self.read_if_there("/sys/hypervisor/type"):
            return kind
        flags = re.search(r"^flags\s*:.*\bhypervisor\b", self.read_if_there("/proc/cpuinfo") or "", re.MULTILINE)
        return "a hypervisor that does not say which" if flags else None
