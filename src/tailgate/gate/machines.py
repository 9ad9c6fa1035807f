"""Whether two saved runs are of the same machine; of plain pytest-benchmark's, only the processor's name is known."""

from __future__ import annotations

from collections.abc import Sequence

from tailgate import environment
from tailgate.gate.sessions import Session


def differences(ours: Session, theirs: Session) -> list[str]:
    """What differs, one short text each; empty: as far as is known, nothing."""
    if ours.machine and theirs.machine:
        found = environment.difference(ours.machine, theirs.machine)
        if found or ours.machine_id == theirs.machine_id:
            return found
    if ours.machine_id and theirs.machine_id and ours.machine_id != theirs.machine_id:
        return [f"fingerprint {theirs.machine_id} there, {ours.machine_id} here"]
    if ours.cpu_brand is None or theirs.cpu_brand is None:
        return ["of one of them the machine is not known"]
    if ours.cpu_brand != theirs.cpu_brand:
        return [f"cpu {theirs.cpu_brand!r} there, {ours.cpu_brand!r} here"]
    return []


def remark(sessions: Sequence[Session]) -> str | None:
    """One line where machines are compared by less than a fingerprint."""
    plain = [one.path.name for one in sessions if not one.machine]
    if not plain:
        return None
    others = f" and {len(plain) - 1} more" if plain[1:] else ""
    return f"{plain[0]}{others}: no fingerprint (saved without Tailgate); machines are compared by processor name only"
