"""Whose sessions: a folder per fingerprint; where only the software of a machine changed, its folders are one history.

Levels of different hardware are never compared. Two folders of the same hardware are one history where one's sessions
end before the other's begin; where they take turns, they are two machines.
"""

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.gates.saved.baselines import named
from tailgate.gates.saved.sessions import Session, read
from tailgate.number import is_number
from tailgate.results.plain import json_text

HARDWARE = ("cpu_model", "arch", "usable_cpus", "cpu_quota", "gpu_models")
"""Of a fingerprint; and its memory, to the nearest GiB."""


@dataclass(frozen=True)
class Machine:
    """Sessions by folder, and within it by number."""

    folders: Sequence[str]
    sessions: Sequence[Session]
    notes: Sequence[str]


def machines_of(storage: Path, name: str) -> list[Machine]:
    """The machines that have sessions of this name.

    Raises:
        TailgateError: there is no such folder or name, or none of its runs can be read.
    """
    groups: dict[Hashable, dict[str, list[Session]]] = {}
    broken: list[TailgateError] = []
    for folder, files in named(storage, name, "history"):
        for file in files:
            try:
                session = read(file)
            except TailgateError as error:
                broken.append(error)
            else:
                groups.setdefault(_hardware(session), {}).setdefault(folder, []).append(session)
    if not groups:
        raise broken[0]
    notes = [f"left out: {error}" for error in broken]
    machines = [[Machine([folder], sessions, notes) for folder, sessions in group.items()] for group in groups.values()]
    return [machine for group in machines for machine in _joined(group)]


def time_of(session: Session) -> datetime | None:
    """When it was saved, in UTC; ``None``: it does not say."""
    try:
        found = datetime.fromisoformat(session.date or "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # not a date, or one at the end of all time
        return None


def _hardware(session: Session) -> Hashable:
    facts = session.machine
    if not facts:
        return json_text(["no fingerprint", session.path.parent.name, session.processor.get("brand")])
    memory = facts.get("memory_total_bytes")
    return json_text([*map(facts.get, HARDWARE), round(memory / 2**30) if is_number(memory) else memory])


def _joined(group: list[Machine]) -> list[Machine]:
    """One machine of all where their times do not overlap; else all as they are."""
    if len(group) == 1:
        return group
    spans = []
    for machine in group:
        times = [time for one in machine.sessions if (time := time_of(one)) is not None]
        if not times:
            return group
        spans.append((min(times), max(times), machine))
    spans.sort(key=lambda span: span[:2])
    if any(one[1] > other[0] for one, other in itertools.pairwise(spans)):
        note = "another folder here is of the same hardware, and their sessions take turns: they are kept apart"
        return [Machine(one.folders, one.sessions, [*one.notes, note]) for one in group]
    parts = [span[2] for span in spans]
    return [
        Machine(
            [name for one in parts for name in one.folders], [s for one in parts for s in one.sessions], parts[0].notes
        )
    ]
