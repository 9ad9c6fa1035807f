"""The order of sessions: that of their commits where git knows it, else that of their numbers; never that of clocks."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tailgate.gates.saved.sessions import Session
from tailgate.history.commits import Repository
from tailgate.history.machines import time_of
from tailgate.text import counted


@dataclass(frozen=True)
class Order:
    """Sessions in their order."""

    sessions: Sequence[Session]
    how: str
    notes: Sequence[str] = ()


def ordered(sessions: Sequence[Session], repository: Repository) -> Order:
    """Order them.

    Args:
        sessions: by number; of several folders one after the other.
        repository: asked for the ancestry of their commits.
    """
    ids = list(dict.fromkeys(one.commit.id for one in sessions if one.commit))
    ancestors = repository.ancestors(ids)
    notes = []
    if unknown := len(ids) - len(ancestors):
        notes.append(f"{unknown} of {counted(len(ids), 'commits')} not known: {repository.why_unknown}")
    if unrelated := sum(1 for one in ids if one in ancestors and not _related(one, ancestors)):
        notes.append(f"{counted(unrelated, 'commits')} of other branches: their sessions stay where their numbers are")
    if _backwards(sessions):
        notes.append("the clock went backwards between two sessions: the order does not go by it")
    by_commit = _by_commit(sessions, ancestors)
    if len(ancestors) < 2:
        return Order(list(sessions), "by number", notes)
    if by_commit == list(sessions):
        return Order(by_commit, "by number, as their commits are", notes)
    return Order(by_commit, "by commit, which their numbers do not follow", notes)


def _related(commit: str, ancestors: dict[str, set[str]]) -> bool:
    """Whether it is before or after every other one."""
    return all(other == commit or other in ancestors[commit] or commit in ancestors[other] for other in ancestors)


def _by_commit(sessions: Sequence[Session], ancestors: dict[str, set[str]]) -> list[Session]:
    """The order of the numbers, each commit after its ancestors; an unknown one stays behind the one before it."""
    units: dict[str, list[Session]] = {}
    current = ""
    for session in sessions:
        if session.commit and session.commit.id in ancestors:
            current = session.commit.id
        units.setdefault(current, []).append(session)
    left = [unit for unit in units if unit]
    found = list(units.get("", []))
    while left:
        following = next(one for one in left if not ancestors[one].intersection(left))
        left.remove(following)
        found += units[following]
    return found


def _backwards(sessions: Sequence[Session]) -> bool:
    times = [time for one in sessions if (time := time_of(one)) is not None]
    return any(one > other for one, other in itertools.pairwise(times))
