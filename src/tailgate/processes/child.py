"""A benchmark's own process: run its test as pytest does, and send the results to the session."""

import contextlib
import faulthandler
import mmap
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import IO, Any, NoReturn

import pytest

from tailgate.measure.pacing import PACER, PACER_OF_CHILD, TELL
from tailgate.measure.profiling import Profile, ProfileTask
from tailgate.processes.endings import CANNOT_REPORT
from tailgate.processes.finalizers import Finalizers
from tailgate.processes.messages import Channel
from tailgate.processes.pickling import Sendable
from tailgate.seams import benchmark_names, pytest_names
from tailgate.session import plugin as session

FAULT_SIGNAL = getattr(signal, "SIGUSR2", None)
"""Sent before a process is ended for taking too long: faulthandler then writes where it is."""
MODULES = pytest.StashKey[frozenset[str]]()
"""What was imported when collection had ended, in the session and so in every process of it."""
RESERVE_BYTES = 32 * 2**20
"""Address space only: nothing is written there, so no memory is used. (A ``bytearray`` writes zeros to all of it.)"""
Outputs = tuple[IO[bytes], IO[bytes]]
"""Standard output and standard error of the process, as the session can read them after a crash."""


def leave_session(config: pytest.Config) -> None:
    """From now on this process is no session; what forks benchmarks does so once for all of them."""
    session.leave_session(config)
    pytest_names.silence_terminal(config)


def run_and_leave(
    item: pytest.Item, home: Channel, outputs: Outputs, *, forked: bool, task: ProfileTask | None = None
) -> NoReturn:
    """Run one test, set-up to teardown, and end the process without any clean-up of the session's.

    ``task``: for a profiling meter, instead of measuring it.
    """
    final_message: dict[str, Any] = {}
    if not forked:
        leave_session(item.config)
    if task is not None:
        item.config.stash[PACER] = Profile(task)
    elif PACER_OF_CHILD in item.config.stash:
        item.config.stash[PACER] = item.config.stash[PACER_OF_CHILD](home)
    process, finalizers = os.getpid(), Finalizers(inherited=forked)
    with _noted(final_message):
        _own_output(item.config, outputs)
        item.config.pluginmanager.register(Messenger(item, home), "tailgate-messenger")
        item.stash[TELL] = lambda text: home.send(("progress", text))
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    if os.getpid() != process:
        os._exit(0)  # the test has forked, and this is not the process that was to run it
    if final_message:  # stopped in the middle; pytest itself tears down at the end of the session then
        with _noted(final_message):
            _tear_down(item)
    final_message["shouldstop"], final_message["shouldfail"] = item.session.shouldstop, item.session.shouldfail
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed by the test
            stream.flush()
    try:
        home.send(("end", final_message))
    except OSError:
        os._exit(CANNOT_REPORT)  # or the session is gone, and with it everybody who could be told
    finalizers.run()
    os._exit(0)


@contextlib.contextmanager
def _noted(final_message: dict[str, Any]) -> Iterator[None]:
    """Note what stops pytest here, for the session."""
    try:
        yield
    except pytest.exit.Exception as stop:
        final_message["exit"] = (str(stop.msg), stop.returncode)
    except KeyboardInterrupt:
        final_message["interrupted"] = True
    except BaseException:  # a broken hook: pytest calls it an internal error, and so will the session
        final_message["internal_error"] = traceback.format_exc()


def _tear_down(item: pytest.Item) -> None:
    call = pytest_names.tear_down_to(item, None)
    if call is not None and call.excinfo is not None:
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        item.ihook.pytest_runtest_logreport(report=report)


class Messenger:
    """The plug-in that sends each phase, report, warning and row to the session as it comes."""

    def __init__(self, item: pytest.Item, home: Channel) -> None:
        self._config = item.config
        self._home = home
        self._first_row = len(benchmark_names.measured(item.config))
        self._started = False
        modules = item.config.stash[MODULES]
        self._sendable = Sendable(modules)
        self._reserve: mmap.mmap | None = mmap.mmap(-1, RESERVE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._process = os.getpid()

    def _send(self, kind: str, content: Any) -> None:
        if os.getpid() == self._process:  # what a fixture forks has no say
            self._home.send((kind, content))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Begin to send warnings; pytest hands the session's earlier ones to every new plug-in."""
        self._started = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Send the phase, so that a crash can be reported with it."""
        self._send("phase", "setup")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """The test itself."""
        self._send("phase", "call")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Send the phase of the fixtures' ends."""
        self._send("phase", "teardown")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Free the reserve first: a test that holds all memory leaves none to report that.

        And a process that the test has forked, and let return, ends here: its fixtures are not its to tear down.
        """
        if os.getpid() != self._process:
            os._exit(0)
        if call.excinfo is not None and issubclass(call.excinfo.type, MemoryError):
            self._reserve = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Send the rows before the report that says that they were measured."""
        if report.when != "setup":
            rows = [
                row for row in benchmark_names.measured(self._config)[self._first_row :] if row
            ]  # else it has no rounds
            self._send("rows", [self._sendable.row(benchmark_names.row_to_plain(row)) for row in rows])
            profile = self._config.stash.get(PACER, None)
            if isinstance(profile, Profile) and profile.found is not None:
                self._send("profile", profile.found)
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._send("report", self._sendable.value(data))

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, when: str, nodeid: str) -> None:
        """Send a warning as the session would have recorded it."""
        if self._started:
            self._send("warning", {"warning": self._sendable.warning(warning_message), "when": when})


def _own_output(config: pytest.Config, outputs: Outputs) -> None:
    """Write to files of this process alone, so that two never share one, and a crash leaves them readable."""
    for stream in outputs:
        stream.seek(0)
        stream.truncate()
    if pytest_names.redirect_capture(config, [stream.fileno() for stream in outputs]):
        faulthandler.enable(file=outputs[1].fileno())
        if FAULT_SIGNAL is not None:
            faulthandler.register(FAULT_SIGNAL, file=outputs[1].fileno())
