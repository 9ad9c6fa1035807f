"""Who says when a benchmark's function is called: a protocol, the other side of a duet, tenants, a profiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from tailgate.measure.calls import PreparedCall
    from tailgate.measure.clocks import Timer
    from tailgate.measure.watch import Watch
    from tailgate.session.settings import Settings

Rounds = Callable[[int, int], list[float]]
"""Seconds of each of so many rounds of so many calls."""


class Fixture(Protocol):
    """What a pacer may use of ``benchmark``."""

    item: pytest.Item
    settings: Settings
    extra_info: dict[str, Any]
    disabled: bool

    @property
    def timer(self) -> Timer:
        """``--benchmark-timer``, or the group's."""

    @property
    def budget(self) -> tuple[float, int]:
        """``--benchmark-max-time`` in seconds, and ``--benchmark-min-rounds``."""

    def iterations_for(self, call_s: float) -> int:
        """Calls in a round, so that the clock can tell it."""

    def without_gc(self) -> AbstractContextManager[None]:
        """With ``--benchmark-disable-gc``: no garbage is collected meanwhile."""

    def watch(self, *, among_tenants: bool = False) -> Watch:
        """The meters, and the watch on the machine; close it."""

    def keep(self, durations_s: Sequence[float], iterations: int) -> None:
        """Put rounds into the row: seconds of each, and how many calls each was."""


class Pacer(Protocol):
    """Makes the calls of one measurement."""

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """Call, time, keep the rounds; returns what the function returned."""


PACER = pytest.StashKey[Pacer]()
"""In a process where somebody else than the session's protocol says when to call."""
PACER_OF_CHILD = pytest.StashKey[Callable[[Any], Pacer]]()
"""Makes the pacer of a benchmark's own process; called with the channel to the session."""
TELL = pytest.StashKey[Callable[[str], None]]()
"""Of an item: who is told how far a long measurement is, in a line."""


def is_paced(node: pytest.Item) -> bool:
    """Whether a duet, tenants or a profiling meter decides when to call, and not the session's protocol."""
    return PACER in node.config.stash
