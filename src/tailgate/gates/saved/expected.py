"""Which benchmarks a new session has to measure, going by the saved ones.

Each benchmark is looked up by itself: the latest session that can speak of it says whether it is still there. One that
was cut short, or was asked for something else (``-k``, a path, other options), says nothing of what it lacks, so what
is removed after an interrupted run is missing all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailgate.session.selection import Selection

if TYPE_CHECKING:  # it has one of these
    from tailgate.gates.saved.sessions import Session


@dataclass(frozen=True)
class Expected:
    """What a new session has to measure, by full name."""

    sessions: Mapping[str, Session] = field(default_factory=dict)
    """The latest session that has it."""
    notes: tuple[str, ...] = ()
    """Notes on sessions that do not say, or do not have, all that the gate asks of them."""


def expected(sessions: Sequence[Session], today: Selection | None) -> Expected:
    """What ``sessions``, the oldest first, make a session measure that selects its tests as ``today`` does."""
    found: dict[str, Session] = {}
    trusted: dict[str, None] = {}
    for name in dict.fromkeys(name for one in sessions for name in (*one.samples, *one.several)):
        for session in reversed(sessions):
            if session.has(name):
                found[name] = session
                break
            if name in session.allowed_missing or session.extent.shows_gone(name, today):
                if session.extent.complete is None:
                    trusted[session.path.name] = None
                break
    return Expected(found, tuple(_notes(sessions, found, list(trusted))))


def _notes(sessions: Sequence[Session], found: Mapping[str, Session], trusted: list[str]) -> list[str]:
    """Notes on the latest session, and on sessions taken as complete without saying so."""
    latest = sessions[-1]
    notes = [
        f"{one.path.name}: {max(one.several.values())} rows are called {next(iter(one.several))}: not used"
        for one in sessions
        if one.several
    ]
    if latest.extent.complete is False:
        older = sum(session is not latest for session in found.values())
        judged = f"; {older} of its benchmarks are those of older sessions" if older else ""
        notes.append(
            f"{latest.path.name} is not complete ({latest.extent.why}): what it lacks does not count as removed{judged}"
        )
    if latest.extent.complete is None and latest.path.name not in trusted:
        trusted.append(latest.path.name)
    if trusted:
        others = f" and {len(trusted) - 1} more" if trusted[1:] else ""
        notes.append(
            f"{trusted[0]}{others}: taken as complete, for it does not say (saved by plain pytest-benchmark, or by an "
            "older Tailgate)"
        )
    return notes
