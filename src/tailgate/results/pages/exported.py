"""What a run's file for another tool holds: its measured rows, and in words what it cannot hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tailgate.errors import TailgateError
from tailgate.number import number
from tailgate.results.rows import UNTRUSTED, Row, rows_of
from tailgate.results.saved_run import Run, machine_id_of
from tailgate.text import counted

Ends = tuple[float | None, float | None]
OF_P99, INDEPENDENT = "95 % interval of P99", "as if rounds were independent"
DUET = "times of a duet are only good for comparing"
MOST_NAMED, LONGEST_NAME = 5, 80
"""Names in one line of standard error, and characters of one."""


@dataclass(frozen=True)
class Value:
    """One number of a benchmark, and how far it may be off."""

    value: float
    low: float | None = None
    high: float | None = None
    """``None``: that end does not exist or is not known."""
    ends: str = ""
    """What ``low`` and ``high`` are."""


@dataclass(frozen=True)
class Measured:
    """A benchmark's row, as another tool can hold it."""

    name: str
    status: str
    metrics: Mapping[str, Value]
    """Of ``METRICS`` those that are known: ``median`` and ``p99`` in seconds, ``throughput`` in items per second.

    The ends of ``median`` are the quartiles of its rounds, which describe scatter and are no interval of confidence.
    Those of ``p99`` are its 95 % interval from blocks of rounds, or where a run lacks that the one of independent
    rounds. ``throughput`` has none.
    """
    rounds: int | None
    timestamp_utc: Any
    """When it ended, or its run's time, as the file has it."""


@dataclass(frozen=True)
class Export:
    """The rows of one run, and one line for each reason to leave some out."""

    rows: Sequence[Measured]
    left_out: Sequence[str]
    machine: str | None


def one_run(runs: Sequence[Run], name: str) -> Run:
    """The only run, for a format whose file has no place for the time of a row.

    Raises:
        TailgateError: there are several.
    """
    if len(runs) > 1:
        raise TailgateError(f"--format={name}: a file holds one run, not {len(runs)}; write one file for each")
    return runs[0]


def export(run: Run, *, disturbed: bool = False) -> Export:
    """The rows that can be told apart; ``disturbed``: also those of ``UNTRUSTED``, which then say their status."""
    saved = list(zip(rows_of(run), run["benchmarks"], strict=True))
    of_duet = [isinstance(run.get("tailgate_duet"), dict) or row["protocol"] == "duet" for row, _ in saved]
    rows = [_measured(row, bench["stats"]) for (row, bench), duet in zip(saved, of_duet, strict=True) if not duet]
    count = Counter(one.name for one in rows)
    single = [one for one in rows if count[one.name] == 1]
    kept = [one for one in single if disturbed or one.status not in UNTRUSTED]
    unmeasured = [one for one in run.get("unmeasured") or () if isinstance(one, dict)]
    reasons = {
        DUET: [_short(str(row["name"])) for (row, _), duet in zip(saved, of_duet, strict=True) if duet],
        "several rows of one name": [_short(name) for name, times in count.items() if times > 1],
        "disturbed": [_named(one.name, one.status) for one in single if not disturbed and one.status in UNTRUSTED],
        "not measured": [_named(one.get("fullname"), one.get("status")) for one in unmeasured],
    }
    return Export(kept, [_line(why, names) for why, names in reasons.items() if names], machine_id_of(run))


def not_empty(found: Export, name: str) -> Sequence[Measured]:
    """The rows of the file.

    Raises:
        TailgateError: there are none.
    """
    if not found.rows:
        raise TailgateError(f"--format={name}: the file would be empty: {'; '.join(found.left_out)}; measure again")
    return found.rows


def written_out(text: str, characters: Iterable[str]) -> str:
    """The text, with characters that its reader would interpret told as :func:`tailgate.text.printable` tells them."""
    for character in characters:
        text = text.replace(character, f"\\x{ord(character):02x}")
    return text


def scaled(value: float | None, factor: float) -> float | None:
    """In a tool's own unit, to twelve digits: without the noise of a product of binary fractions."""
    return None if value is None else float(f"{value * factor:.12g}")


def _measured(row: Row, stats: Mapping[str, Any]) -> Measured:
    blocks, independent = (_ends(row, f"p99{kind}_low_s", f"p99{kind}_high_s") for kind in ("_blocks", ""))
    ends: dict[str, tuple[Ends, str]] = {
        "median": (_ends(stats, "q1", "q3"), "quartiles of the rounds"),
        "p99": (blocks, f"{OF_P99} by blocks") if any(blocks) else (independent, f"{OF_P99}, {INDEPENDENT}"),
        "throughput": ((None, None), ""),
    }
    known = {
        metric: _value(value, *ends[metric])
        for metric, field in (("median", "median_s"), ("p99", "p99_s"), ("throughput", "throughput_items_per_s"))
        if (value := number(row[field])) is not None
    }
    rounds = number(row["rounds"])
    return Measured(
        name=str(row["name"]) or "(no name)",
        status=str(row["status"] or "ok"),
        metrics=known,
        rounds=None if rounds is None else int(rounds),
        timestamp_utc=row["timestamp_utc"],
    )


def _ends(values: Mapping[str, Any], low: str, high: str) -> Ends:
    return number(values.get(low)), number(values.get(high))


def _value(value: float, ends: Ends, what: str) -> Value:
    """Without an end that lies on the wrong side: a file may say anything."""
    low, high = ends
    return Value(
        value,
        low if low is not None and low <= value else None,
        high if high is not None and high >= value else None,
        what,
    )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _named(name: Any, status: Any) -> str:
    return f"{_short(str(name))} ({status})"


def _line(why: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    named = ", ".join(names[:MOST_NAMED])
    return f"{counted(len(names), 'benchmarks')} left out, {why}: {named}{more}"
