"""The process between a session and a benchmark's process: it starts, watches and cleans up.

It holds the one thing that survives a session killed from outside: the other end of its channel closes,
and it ends what it had running. Processes that a benchmark leaves behind become its children, so none
is forgotten.
"""

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import psutil

from tailgate.processes import variables
from tailgate.processes.fork_safety import quiet_fork
from tailgate.processes.messages import Channel

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""``prctl(2)``."""
LEFTOVERS_S = 1.0
"""What a benchmark's process leaves running may take this long to end by itself: multiprocessing's
resource tracker removes shared memory then."""
END_S = 5.0
"""A supervisor that has not ended so long after its session let go of it is killed."""
LOOK_S = 5.0
"""How often an idle supervisor looks whether its session is still there."""
BLIND_LOOK_S = 0.02
"""How often it looks whether its process has ended, where the kernel cannot tell (before Linux 5.3)."""


@dataclass(frozen=True)
class Order:
    """A command to start."""

    command: list[str]
    cwd: str
    variables: dict[str, str]
    """Added to the environment."""
    descriptors: tuple[int, ...]
    """Which stay open; the supervisor has them."""
    streams: tuple[int, ...]
    """What becomes standard output and standard error; empty: the supervisor's own."""


class Supervisor:
    """Keeps one process at a time."""

    def __init__(self, control: Channel, session_pid: int) -> None:
        self.control = control
        self.session_pid = session_pid
        self.kept: set[int] = set()
        """Children that do not count as leftovers."""
        self._running: int | None = None
        self._descriptor: int | None = None

    def serve(self) -> NoReturn:
        """Obey the session until it is gone."""
        while True:
            ready = self._ready()
            if self._running is not None and (self._descriptor is None or self._descriptor in ready):
                self._ended(os.WNOHANG)
            if self.control.fileno() in ready:
                try:
                    (order, argument), handed_over = self.control.receive_with()
                except EOFError:
                    self.leave()
                self.obey(order, argument, handed_over)
            if os.getppid() != self.session_pid:
                self.leave()

    def obey(self, order: str, argument: Any, handed_over: Sequence[Channel]) -> None:
        """``signal``: pass a signal on; ``spawn``: start a command."""
        if order == "spawn":
            (home,) = handed_over
            self.start(lambda: _become(argument, home))
            home.close()
            return
        assert order == "signal", order
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._running, argument)

    def start(self, body: Callable[[], object]) -> None:
        """Run ``body`` in a process of its own, which ends when this one does."""
        supervisor = os.getpid()
        pid = quiet_fork()
        if pid == 0:
            try:
                self.control.close()
                os.setsid()
                signal.signal(signal.SIGINT, signal.default_int_handler)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                # Who started the session may have blocked it, as Ray does: Ctrl-C would never reach a test.
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != supervisor:  # it ended before its end could be noticed
                    os._exit(1)
                body()
            finally:
                os._exit(70)
        self._running = pid
        with contextlib.suppress(AttributeError, OSError):
            self._descriptor = os.pidfd_open(pid)

    def leave(self) -> NoReturn:
        """End everything, this process last."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._running, signal.SIGKILL)
            os.waitpid(self._running, 0)
        self._end_leftovers(LEFTOVERS_S)
        # The kept ones see their own channels close; one that is busy importing does not look.
        self.kept.clear()
        self._end_leftovers(LEFTOVERS_S)
        os._exit(0)

    def _ready(self) -> list[int]:
        poll = select.poll()
        poll.register(self.control.fileno(), select.POLLIN)
        if self._descriptor is not None:
            poll.register(self._descriptor, select.POLLIN)
        blind = self._running is not None and self._descriptor is None
        return [descriptor for descriptor, _ in poll.poll((BLIND_LOOK_S if blind else LOOK_S) * 1e3)]

    def _ended(self, flags: int) -> None:
        assert self._running is not None
        pid, status, usage = os.wait4(self._running, flags)
        if pid == 0:
            return
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._running = self._descriptor = None
        self._end_leftovers(LEFTOVERS_S)
        with contextlib.suppress(OSError):  # the session is gone: the next look ends us
            self.control.send(("ended", os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024))

    def _end_leftovers(self, patience_s: float) -> None:
        deadline_s = time.monotonic() + patience_s
        while left := _children() - self.kept:
            for pid in left:
                if time.monotonic() > deadline_s:
                    _kill_tree(pid)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.005)


def _become(order: Order, home: Channel) -> NoReturn:
    for descriptor in (home.fileno(), *order.descriptors):
        os.set_inheritable(descriptor, True)
    for number, descriptor in zip((1, 2), order.streams, strict=False):
        os.dup2(descriptor, number)
    os.chdir(order.cwd)
    environment = {**os.environ, **order.variables, variables.HOME: str(home.fileno())}
    os.execve(order.command[0], order.command, environment)


def settle_as_supervisor() -> None:
    """Out of reach of the terminal's Ctrl-C, which is the session's, and heir of every orphan below."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def prctl(option: int, value: int) -> None:
    """Linux only: elsewhere orphans are not inherited, and so may outlive a benchmark."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _children() -> set[int]:
    """The children of this process, which has one thread; psutil reads every process of the machine for that."""
    try:
        return set(map(int, Path("/proc/thread-self/children").read_text().split()))
    except OSError:  # no Linux, or built without CONFIG_PROC_CHILDREN
        return {one.pid for one in psutil.Process().children()}


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
