"""What ``perf stat`` writes for programs: JSON lines (``-j``, from version 6.0 on) or its older CSV (``-x,``).

Fields: "CSV FORMAT" and "JSON FORMAT" in perf-stat's manual page. Both are recognised line by line.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NOT_A_NUMBER = re.compile(r":\s*-?(nan|inf)\b", re.IGNORECASE)
"""Some versions write a metric that they could not compute so, which JSON does not have."""
DECIMAL_COMMA = re.compile(r'("pcnt-running"\s*:\s*\d+),(\d+)')
"""In a locale that has one."""
NAME = re.compile(r"^(?:(?P<cores>[\w.-]+)/)?(?P<event>[\w-]+)(?::\w+)?(?:/\w*)?$")
"""With the kind of core it was counted on, and what it was restricted to, where perf says so."""
ROUNDING = 0.02
"""perf writes shares in hundredths of a percent; the sum of those of two kinds may be above 1 by as much."""
JSON_SINCE = (6, 0)
NOT_COUNTED = "not counted"
"""perf's own word for an event that had a counter for none of the time."""


@dataclass(frozen=True)
class Count:
    """The count of one event in one run."""

    value: float | None
    """Already extrapolated, where it was not counted all the time."""
    running_share: float
    """Of the time it was enabled, on all kinds of cores; below 1 where events had to share the hardware."""
    reason: str | None = None
    """``not supported`` or ``not counted``, where there is no value."""


def speaks_json(version: str) -> bool:
    """Whether ``perf version 6.1.187`` has ``-j``."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return len(numbers) == 2 and numbers >= JSON_SINCE


def counts(text: str, events: Iterable[str]) -> dict[str, Count]:
    """Counts by the event's name in ``events``; an event that ``text`` lacks is left out.

    A processor with several kinds of cores has as many counters of an event; :func:`_together` makes one of them.
    """
    wanted = {event.lower(): event for event in events}
    found: dict[str, dict[str, Count]] = {}
    for line in text.splitlines():
        read = _from_json(line) if line.lstrip().startswith("{") else _from_csv(line)
        cores, name = _plain(read[0]) if read else ("", "")
        if read and name in wanted:
            found.setdefault(wanted[name], {})[cores] = read[1]
    times: dict[str, float] = {}
    for parts in found.values():
        for cores, part in parts.items():
            times[cores] = max(times.get(cores, 0.0), part.running_share if part.value is not None else 0.0)
    return {event: _together(parts, times) for event, parts in found.items()}


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
        number = float(value)
    except ValueError:
        return Count(None, share, value.strip("<> ") or NOT_COUNTED)
    return Count(number, share) if share > 0 else Count(None, 0.0, NOT_COUNTED)


def _plain(name: str) -> tuple[str, str]:
    """``cpu_core/branch-misses/u`` and ``branch-misses:u`` -> the kind of cores, or nothing, and ``branch-misses``."""
    match = NAME.match(name)
    return (match["cores"] or "", match["event"].lower()) if match else ("", name.lower())


def _together(parts: Mapping[str, Count], times: Mapping[str, float]) -> Count:
    """One event's count from those of each kind of core.

    perf has divided each by the share of the process's time for which that counter ran: of a process that spent half of
    its time on either kind, each count is what it would have been had it been there all the time. So each is
    multiplied by the share of the time that the process spent on its kind, for which the counter that ran longest
    there stands. Where those shares come to more than the whole, each was enabled on its own kind only, and
    the counts add up.

    Args:
        parts: by kind of core.
        times: share of the time on each kind.
    """
    counted = {cores: part for cores, part in parts.items() if part.value is not None}
    if not counted:
        return next((part for part in parts.values() if part.reason != NOT_COUNTED), next(iter(parts.values())))
    if len(parts) == 1:
        return next(iter(counted.values()))
    lacking = [
        f"{part.reason} on {cores}, where it ran {times[cores]:.0%} of the time"
        for cores, part in parts.items()
        if part.value is None and part.reason != NOT_COUNTED and times[cores] > ROUNDING
    ]
    if lacking:
        return Count(None, 1.0, lacking[0])
    running_share = sum(part.running_share for part in counted.values())
    if running_share > 1 + ROUNDING:
        least = min(part.running_share for part in counted.values())
        return Count(sum(part.value or 0.0 for part in counted.values()), least)
    whole = sum(times[cores] for cores in counted)
    value = sum((part.value or 0.0) * times[cores] / whole for cores, part in counted.items())
    return Count(value, min(1.0, running_share))
