"""Inside a process that a profiling meter runs: the benchmark's function is called a few times, and never timed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tailgate.measure.calls import PreparedCall
from tailgate.measure.pacing import PACER, Fixture
from tailgate.meters import profilers


@dataclass(frozen=True)
class ProfileTask:
    """What such a process is for, of JSON's types."""

    meter: str
    calls: int
    folder: str
    """Where the meter keeps its files."""


class Profile:
    """A task at work."""

    def __init__(self, task: ProfileTask) -> None:
        self.task = task
        self.found: dict[str, Any] | None = None
        """What the meter found here; ``None``: the calls were not all made."""
        self._inside = profilers()[task.meter].inside(Path(task.folder))

    def mark(self) -> None:
        """Mark the start of the benchmark's own work."""
        self._inside.mark()

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """Call it as often as the task says, untimed; what the last call gave."""
        result = None
        for _ in range(self.task.calls):
            result = call.once()
        self.found = self._inside.stop()
        fixture.disabled = True  # to the rest of the test, as with --benchmark-disable: there are no stats
        return result


def profiling(node: pytest.Item) -> str | None:
    """The profiling meter that this process runs the test for; ``None``: it is measured as usual.

    A fixture that makes or checks something before it is timed has done so in the timed run, and leaves it here: it
    would be counted.
    """
    profile = node.config.stash.get(PACER, None)
    return profile.task.meter if isinstance(profile, Profile) else None
