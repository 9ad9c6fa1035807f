"""SIGTERM ends a session as Ctrl-C does; and who asks twice does not lose what was measured."""

import os
import signal
import threading
from typing import Any, NoReturn

import pytest

MESSAGE = b"\nSaving what was measured; once more ends it without.\n"


class Signals:
    """The session's handlers, from its first benchmark to its end; another program's own are kept."""

    def __init__(self, after: str) -> None:
        """``after``: what is left of the session, for the line that SIGTERM ends it with."""
        self._after = after
        self._kept: dict[int, Any] = {}

    def begin(self) -> None:
        """SIGTERM stops measuring, and what was measured is saved."""
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            self._set(signal.SIGTERM, self._terminated)

    def measured(self) -> None:
        """Measuring has stopped; the next SIGINT or SIGTERM is answered, the one after it obeyed."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler, self._terminated):
                self._set(number, self._saving)

    def end(self) -> None:
        """Put the handlers back."""
        for number, handler in self._kept.items():
            signal.signal(number, handler)
        self._kept.clear()

    def _saving(self, number: int, frame: Any) -> None:
        os.write(2, MESSAGE)
        self.end()

    def _set(self, number: int, handler: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(number, handler)
            self._kept.setdefault(number, before)

    def _terminated(self, number: int, frame: Any) -> NoReturn:
        pytest.exit(f"terminated (SIGTERM): {self._after}", 2)
