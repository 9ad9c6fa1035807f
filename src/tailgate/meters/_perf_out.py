"""What ``perf stat`` writes for programs: JSON lines (``-j``, from version 6.0 on) or its older CSV (``-x,``).

Fields: "CSV FORMAT" and "JSON FORMAT" in perf-stat's manual page. Both are recognised line by line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOT_A_NUMBER = re.compile(r":\s*-?(nan|inf)\b", re.IGNORECASE)
"""Some versions write a metric that they could not compute so, which JSON does not have."""
DECIMAL_COMMA = re.compile(r'("pcnt-running"\s*:\s*\d+),(\d+)')
"""In a locale that has one."""
NAME = re.compile(r"^(?:\w+/)?(?P<event>[\w-]+)(?::\w+)?(?:/\w*)?$")
"""With the kind of core it was counted on, and what it was restricted to, where perf says so."""
JSON_SINCE = (6, 0)


@dataclass(frozen=True)
class Count:
    """One event of one run."""

    value: float | None
    """Already extrapolated, where it was not counted all the time."""
    running_share: float
    """Of the time it was enabled; below 1 where events had to share the hardware."""
    reason: str | None = None
    """``not supported`` or ``not counted``, where there is no value."""


def speaks_json(version: str) -> bool:
    """Whether ``perf version 6.1.187`` has ``-j``."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return len(numbers) == 2 and numbers >= JSON_SINCE


def counts(text: str, events: Iterable[str]) -> dict[str, Count]:
    """By the event's name as it was asked for; one that is not in ``text`` is not in the answer.

    A processor with two kinds of cores has two counters of an event: they are added up.
    """
    wanted = {event.lower(): event for event in events}
    found: dict[str, list[Count]] = {}
    for line in text.splitlines():
        read = _from_json(line) if line.lstrip().startswith("{") else _from_csv(line)
        event = wanted.get(_plain(read[0])) if read else None
        if read and event:
            found.setdefault(event, []).append(read[1])
    return {event: _sum(parts) for event, parts in found.items()}


def _from_json(line: str) -> tuple[str, Count] | None:
    text = DECIMAL_COMMA.sub(r"\1.\2", NOT_A_NUMBER.sub(": null", line))
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    if not isinstance(entry, dict) or "event" not in entry or "counter-value" not in entry:
        return None  # a metric on a line of its own
    return str(entry["event"]), _count(str(entry["counter-value"]).replace(",", "."), entry.get("pcnt-running"))


def _from_csv(line: str) -> tuple[str, Count] | None:
    """Value, unit, event, time it ran in ns, share of the time in percent; what follows are metrics."""
    parts = line.split(",")
    if len(parts) < 3 or line.startswith("#"):
        return None
    share = parts[4] if len(parts) > 4 and parts[4] else None
    return parts[2], _count(parts[0], share)


def _count(value: str, percent: object) -> Count:
    try:
        share = float(str(percent)) / 100 if percent is not None else 1.0
    except ValueError:
        share = 1.0
    try:
        return Count(float(value), share)
    except ValueError:
        return Count(None, share, value.strip("<> ") or "not counted")


def _plain(name: str) -> str:
    """``cpu_core/branch-misses/u`` and ``branch-misses:u`` -> ``branch-misses``."""
    match = NAME.match(name)
    return (match["event"] if match else name).lower()


def _sum(parts: Sequence[Count]) -> Count:
    """Of those kinds of cores that the process ran on."""
    counted = [part for part in parts if part.value is not None]
    if not counted:
        return parts[0]
    return Count(sum(part.value or 0.0 for part in counted), min(part.running_share for part in counted))
