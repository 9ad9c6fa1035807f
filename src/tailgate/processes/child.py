"""A benchmark's own process: run its test as pytest does, and send home what came of it."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import sys
import traceback
import warnings
from typing import IO, Any, NoReturn

import pytest

from tailgate import seams
from tailgate.processes import pytest_seams
from tailgate.processes.messages import Channel

FAULT_SIGNAL = getattr(signal, "SIGUSR2", None)
"""Sent before a process is ended for taking too long: faulthandler then writes where it is."""
INSIDE = pytest.StashKey[bool]()
"""Set in a benchmark's own process: what belongs to the session is not done there."""
Outputs = tuple[IO[bytes], IO[bytes]]
"""Standard output and standard error of the process, as the session can read them after a crash."""


def run_and_leave(item: pytest.Item, home: Channel, outputs: Outputs) -> NoReturn:
    """Run one test, set-up to teardown, and end the process without any clean-up of the session's."""
    farewell: dict[str, Any] = {}
    item.config.stash[INSIDE] = True
    try:
        _own_output(item.config, outputs)
        pytest_seams.silence_terminal(item.config)
        item.config.pluginmanager.register(Messenger(item, home), "tailgate-messenger")
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    except pytest.exit.Exception as stop:
        farewell["exit"] = (str(stop.msg), stop.returncode)
    except KeyboardInterrupt:
        farewell["interrupted"] = True
    except BaseException:  # a broken hook: pytest calls it an internal error, and so will the session
        farewell["internal_error"] = traceback.format_exc()
    farewell["shouldstop"], farewell["shouldfail"] = item.session.shouldstop, item.session.shouldfail
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed by the test
            stream.flush()
    try:
        home.send(("end", farewell))
    except OSError:
        os._exit(1)  # the session is gone, and with it everybody who could be told
    os._exit(0)


class Messenger:
    """The plug-in that sends each phase, report, warning and measurement home as it comes."""

    def __init__(self, item: pytest.Item, home: Channel) -> None:
        self._config = item.config
        self._home = home
        self._nodeid = item.nodeid
        self._first_row = len(seams.measured(item.config))
        self._started = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """From now on; pytest hands the session's earlier warnings to every new plug-in."""
        self._started = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """So that a crash can be told by its phase."""
        self._home.send(("phase", "setup"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """The test itself."""
        self._home.send(("phase", "call"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Its fixtures' ends."""
        self._home.send(("phase", "teardown"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """The rows go first: what was measured is home before anything says that it was."""
        if report.when != "setup":
            rows = seams.measured(self._config)[self._first_row :]
            self._home.send(("rows", [_sendable_row(seams.row_to_plain(row)) for row in rows]))
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._home.send(("report", sendable(data)))

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, when: str, nodeid: str) -> None:
        """As the session would have recorded it."""
        if self._started:
            self._home.send(("warning", {"warning": _sendable_warning(warning_message), "when": when}))


def sendable(value: Any) -> Any:
    """``value``, or what pickle cannot carry there and back replaced by its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if type(value) is dict:
        return {sendable(key): sendable(found) for key, found in value.items()}
    if type(value) in (list, tuple):
        return type(value)(sendable(found) for found in value)
    try:
        pickle.loads(pickle.dumps(value))
    except Exception:  # whatever a stranger's __reduce__ raises: the text is what can be sent
        return repr(value)
    return value


def _sendable_row(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value if key == "data" else sendable(value) for key, value in plain.items()}


def _sendable_warning(recorded: warnings.WarningMessage) -> warnings.WarningMessage:
    """Without the object that caused it, which is of this process."""
    message, category = sendable(recorded.message), sendable(recorded.category)
    if isinstance(message, str) or not isinstance(category, type):
        message, category = UserWarning(str(recorded.message)), UserWarning
    return warnings.WarningMessage(message, category, recorded.filename, recorded.lineno, line=recorded.line)


def _own_output(config: pytest.Config, outputs: Outputs) -> None:
    """Write to files of this process alone, so that two never share one, and a crash leaves them readable."""
    for stream in outputs:
        stream.seek(0)
        stream.truncate()
    if pytest_seams.redirect_capture(config, [stream.fileno() for stream in outputs]):
        faulthandler.enable(file=outputs[1].fileno())
        if FAULT_SIGNAL is not None:
            faulthandler.register(FAULT_SIGNAL, file=outputs[1].fileno())
