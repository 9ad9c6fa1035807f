"""Whether the machine changed where a level did: its fingerprint, its software, and the speed of a fixed work."""

import itertools
import math
from collections.abc import Iterator, Sequence

from tailgate.gates.saved.sessions import Session
from tailgate.machine.fingerprint import differing_parts
from tailgate.machine.trust import Calibration
from tailgate.machine.trust.drift import typical
from tailgate.stats.intervals import difference_interval
from tailgate.text import percent

SOFTWARE = ("kernel", "os", "pytest-benchmark")
"""What the fingerprint leaves out."""
CONFIDENCE = 0.99
LEAST_SHARE = 1 / 3
"""Of a level's change: so much of it, and more than its own scatter, is told of the calibration kernel."""
PARTS = {"compute_s": "computing", "memory_s": "copying memory"}


def software_changes(sessions: Sequence[Session]) -> list[str]:
    """What differs between each session and the next: ``packages.numpy '2.3' -> '2.4' (from 0012_x.json on)``."""
    return [
        f"{name} {there} -> {here} (from {after.path.name} on)"
        for before, after in itertools.pairwise(sessions)
        for name, there, here in _differing(before, after)
    ]


def _differing(before: Session, after: Session) -> Iterator[tuple[str, str, str]]:
    if before.machine and after.machine:
        yield from differing_parts(after.machine, before.machine)
    elif before.machine or after.machine:
        there, here = ("known" if one.machine else "not known" for one in (before, after))
        yield "fingerprint", there, here
    for name in SOFTWARE:
        values = before.software.get(name), after.software.get(name)
        if None not in values and values[0] != values[1]:
            yield name, repr(values[0]), repr(values[1])


def host_change(before: Sequence[Session], after: Sequence[Session]) -> list[str]:
    """Another host, where each level has one of its own; a container has another name every time."""
    hosts = [{one.software.get("host") for one in level} for level in (before, after)]
    if hosts[0] == hosts[1] or any(len(one) > 1 or None in one for one in hosts):
        return []
    return [f"host {hosts[0].pop()} -> {hosts[1].pop()}"]


def calibration_changes(
    before: Sequence[Session], after: Sequence[Session], slower_log: float
) -> tuple[list[str], list[str]]:
    """How much slower or faster the calibration kernel became, where that explains a part of the change.

    Args:
        before: the sessions of the old level.
        after: those of the new one.
        slower_log: the change of the benchmark's level, as a logarithm of its time.

    Returns:
        what changed, and why that is not known.
    """
    typicals = [[typical(one.calibrations) for one in level if one.calibrations] for level in (before, after)]
    if not typicals[0] or not typicals[1]:
        return [], ["the calibration kernel did not run in one of the levels"]
    found = []
    for part, what in PARTS.items():
        old, new = ([_log(one, part) for one in level] for level in typicals)
        change, low, high = difference_interval(old, new, CONFIDENCE)
        if low is None or high is None:
            return [], ["too few sessions with a calibration kernel"]
        sure = low > 0 if slower_log > 0 else high < 0
        if sure and abs(change) >= LEAST_SHARE * abs(slower_log):
            interval = f"[99 % CI {percent(math.expm1(low), unit=False)}, {percent(math.expm1(high), unit=False)}]"
            found.append(f"the calibration kernel's time for {what} {percent(math.expm1(change))} {interval}")
    return found, []


def _log(calibration: Calibration, part: str) -> float:
    return math.log(getattr(calibration, part))
