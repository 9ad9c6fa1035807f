"""A session's handle on a benchmark's process, whose supervisor announces its end."""

import contextlib
from dataclasses import dataclass

from tailgate.processes.messages import Channel, ready


class SupervisorGoneError(Exception):
    """Somebody ended the supervisor of a process, and with it the process."""


@dataclass
class Process:
    """One benchmark's process."""

    results: Channel
    """What the process sends."""
    control: Channel
    """Where its supervisor announces its end."""

    def next_event(self, deadline_s: float) -> bool:
        """Wait until there is something to read (``True``) or the process has ended (``False``).

        Raises:
            TimeoutError: neither came.
        """
        found = ready([self.results, self.control], deadline_s)
        if not found:
            raise TimeoutError
        return self.results in found

    def wait(self, deadline_s: float | None = None) -> tuple[int, int | None]:
        """The exit status as ``subprocess`` has it, and the peak resident memory in bytes, where known.

        Raises:
            SupervisorGoneError, TimeoutError.
        """
        try:
            _, status, peak_rss_bytes = self.control.receive(deadline_s)
        except EOFError as error:
            raise SupervisorGoneError from error
        return status, peak_rss_bytes

    def signal(self, number: int) -> None:
        """Send it a signal; one that has ended is left in peace."""
        with contextlib.suppress(OSError):  # the supervisor is gone: wait() says so
            self.control.send(("signal", number))

    def close(self) -> None:
        """Close its results channel."""
        self.results.close()
