"""The fork server: a supervisor that imports once and forks processes, which need not import it again."""

import contextlib
import faulthandler
import gc
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import pytest

from tailgate.processes.child import Outputs, run_and_leave
from tailgate.processes.fork_safety import quiet_fork, unsafe_still
from tailgate.processes.messages import Channel
from tailgate.processes.supervisor import Supervisor, settle_as_supervisor


def serve(control: Channel, items: Sequence[pytest.Item], outputs: Outputs, session_pid: int) -> NoReturn:
    """Run a fork server; it prints an error itself, because no other process would."""
    try:
        settle_as_supervisor()
        server = _ForkServerProcess(control, session_pid, items, outputs)
        server.settle()
        server.serve()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(70)


class _ForkServerProcess(Supervisor):
    """It never runs a test: everything it does but import happens in its children."""

    def __init__(self, control: Channel, session_pid: int, items: Sequence[pytest.Item], outputs: Outputs) -> None:
        super().__init__(control, session_pid)
        self._items = items
        self._outputs = outputs

    def settle(self) -> None:
        """Freeze all objects made so far: a benchmark's garbage collections then neither visit nor copy them."""
        gc.collect()
        gc.freeze()

    def obey(self, order: str, argument: Any, handed_over: Sequence[Channel]) -> None:
        """``run`` an item, or ``preload`` modules into another fork server."""
        if order == "run":
            (home,) = handed_over
            index, task = argument
            item = self._items[index]
            self.start(lambda: run_and_leave(item, home, self._outputs, forked=True, task=task))
            home.close()
        elif order == "preload":
            (control,) = handed_over
            self._preload(argument, control)
        else:
            super().obey(order, argument, handed_over)

    def _preload(self, modules: Sequence[str], control: Channel) -> None:
        session_pid = os.getpid()
        pid = quiet_fork()
        if pid:
            control.close()
            self.kept.add(pid)
            return
        try:
            self.control.close()
            control.send(os.getpid())
            _import_quietly(modules)
            control.send(unsafe_still())
        except BaseException:
            traceback.print_exc()
            os._exit(70)
        serve(control, self._items, self._outputs, session_pid)


def _import_quietly(modules: Sequence[str]) -> None:
    """Import modules and drop what they print."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a descriptor, not a path, is what is wanted)
        kept, reporting = [os.dup(1), os.dup(2)], faulthandler.is_enabled()
        for descriptor in (1, 2):
            os.dup2(nowhere.fileno(), descriptor)
        faulthandler.disable()  # a crash is reported where the test itself imports
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for module in modules:
                    # The test's own import says what is wrong with it.
                    with contextlib.suppress(Exception, SystemExit):
                        importlib.import_module(module)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):  # closed by an import
                    stream.flush()  # else every process forked from here would write it
            for descriptor, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, descriptor)
                os.close(saved)
            if reporting:
                faulthandler.enable(file=2)
