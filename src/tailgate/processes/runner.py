"""One process for a benchmark: start it, listen to it until it has ended."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence

import pytest

from tailgate.measure.profiling import ProfileTask
from tailgate.processes.attempt import Attempt, attend
from tailgate.processes.endings import Ending
from tailgate.processes.start_method import Starter
from tailgate.session.settings import Settings


class SingleRunner:
    """For a session, in which one benchmark follows the other."""

    def __init__(
        self, config: pytest.Config, items: Sequence[pytest.Item], settings: Settings, tell: Callable[[str], None]
    ) -> None:
        self._tell = tell
        # Nameless, so that nothing can be left of them.
        self._outputs = (
            tempfile.TemporaryFile(buffering=0),  # noqa: SIM115 (closed when the last benchmark has ended)
            tempfile.TemporaryFile(buffering=0),  # noqa: SIM115
        )
        self._timeout_s = settings.benchmark_timeout_s
        self._starter = Starter(config, items, self._outputs, settings)

    @property
    def method(self) -> str:
        """``fork`` or ``spawn``."""
        return self._starter.method

    @property
    def remarks(self) -> list[str]:
        """What the user should know of how processes were started."""
        return self._starter.remarks

    def once(self, item: pytest.Item, task: ProfileTask | None = None) -> Attempt:
        """The item, in a fresh process; ``task``: for a profiling meter."""
        deadline_s = time.monotonic() + self._timeout_s
        try:
            process = self._starter.start(item, deadline_s, task)
        except TimeoutError:
            return not_imported(self._starter, item, self._timeout_s)
        except pytest.fail.Exception as failure:  # another plug-in's time-out, raised in the session
            return Attempt(ending=Ending("timeout", f"timeout: {failure.msg}"))
        return attend(process, self._outputs, max(0.0, deadline_s - time.monotonic()), self._timeout_s, self._tell)

    def close(self) -> None:
        """No process of it is left."""
        with contextlib.ExitStack() as last:
            for stream in self._outputs:
                last.callback(stream.close)
            last.callback(self._starter.close)


def not_imported(starter: Starter, item: pytest.Item, timeout_s: float) -> Attempt:
    """The attempt of a benchmark whose fork server was not ready in time."""
    names = ", ".join(starter.modules_of(item))
    return Attempt(ending=Ending("timeout", f"timeout: importing {names} took more than {timeout_s:g} s"))
