"""Processes forked from a fork server: a copy of the session that has collected the tests and run none.

One fork server is forked before the first test. From it come others that have imported what a benchmark's
``preload`` marker names, each kept as long as the session, and from those the benchmarks' own processes,
one at a time. So a framework is imported once, and each benchmark's process holds only its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import pytest

from tailgate.measure.profiling import ProfileTask
from tailgate.processes.child import Outputs, leave_session
from tailgate.processes.fork_safety import quiet_fork
from tailgate.processes.fork_server import serve
from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.messages import Channel
from tailgate.processes.supervisor import END_S


class UnsafePreloadError(Exception):
    """What was imported into a fork server started something that cannot be forked."""


class ForkServer:
    """The session's handle of a fork server."""

    def __init__(self, control: Channel, pid: int | None = None) -> None:
        self.control = control
        """As every supervisor it also spawns."""
        self._pid = pid

    @property
    def pid(self) -> int | None:
        """The process id of a fork server that the session forked itself and has not closed."""
        return self._pid

    @classmethod
    def fork(cls, items: Sequence[pytest.Item], outputs: Outputs, others: Sequence[Channel] = ()) -> ForkServer:
        """Fork this process as it is: call it before anything has run here.

        ``others``: the session's ends of channels that are not this fork server's; open here, they would keep other
        fork servers from noticing the session's end.
        """
        ours, theirs = Channel.pair()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # what is buffered would be written by every process
        session_pid = os.getpid()
        pid = quiet_fork()
        if pid == 0:
            try:
                for channel in (ours, *others):
                    channel.close()
                leave_session(items[0].config)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
            serve(theirs, items, outputs, session_pid)
        theirs.close()
        return cls(ours, pid)

    def preloaded(self, modules: Sequence[str], deadline_s: float) -> ForkServer:
        """Another fork server, with these modules imported; one that cannot be imported is left to the test.

        Raises:
            UnsafePreloadError: it may not be forked from.
            SupervisorGoneError: an import ended the process.
            TimeoutError: importing took too long.
        """
        ours = self._send("preload", tuple(modules))
        pid = None
        try:
            pid = ours.receive(deadline_s)
            reason = ours.receive(deadline_s)
        except EOFError as error:
            raise SupervisorGoneError from error
        except BaseException:  # it may be at an import that never ends
            ours.close()
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            raise
        if reason is not None:
            ours.close()
            raise UnsafePreloadError(reason)
        return ForkServer(ours)

    def start(self, index: int, task: ProfileTask | None = None) -> Process:
        """A benchmark's process, running the item at this place of the list; ``task``: for a profiling meter.

        Raises:
            SupervisorGoneError: there is no fork server any more.
        """
        return Process(self._send("run", (index, task)), self.control)

    def close(self) -> None:
        """End the fork server and everything below it."""
        self.control.close()
        if self._pid is None:
            return
        deadline_s = time.monotonic() + END_S
        with contextlib.suppress(ChildProcessError):  # a test of this process waited for any child
            while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline_s:
                    os.kill(self._pid, signal.SIGKILL)
                time.sleep(0.005)
        self._pid = None

    def _send(self, order: str, argument: Any) -> Channel:
        """Our end of the channel that goes with the order."""
        ours, theirs = Channel.pair()
        try:
            self.control.send((order, argument), [theirs])
        except OSError as error:
            ours.close()
            raise SupervisorGoneError from error
        finally:
            theirs.close()
        return ours
