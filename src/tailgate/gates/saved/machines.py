"""Whether two saved runs are of the same machine; of plain pytest-benchmark's, only the processor is known."""

from __future__ import annotations

from collections.abc import Sequence

from tailgate.gates.saved.sessions import Session
from tailgate.machine import fingerprint
from tailgate.results import processor


def differences(ours: Session, theirs: Session) -> list[str]:
    """What differs, one short text each; empty: as far as is known, nothing."""
    if ours.machine and theirs.machine:
        found = fingerprint.difference(ours.machine, theirs.machine)
        if found or ours.machine_id == theirs.machine_id:
            return found
    if ours.machine_id and theirs.machine_id and ours.machine_id != theirs.machine_id:
        return [f"fingerprint {theirs.machine_id} there, {ours.machine_id} here"]
    return processor.differences(ours.processor, theirs.processor)


def remark(sessions: Sequence[Session]) -> str | None:
    """One line where machines are compared by less than a fingerprint."""
    plain = [one for one in sessions if not one.machine]
    if not plain:
        return None
    others = f" and {len(plain) - 1} more" if plain[1:] else ""
    how = processor.compared_by(plain[0].processor)
    return f"{plain[0].path.name}{others}: no fingerprint (saved without Tailgate); machines are compared {how}"
