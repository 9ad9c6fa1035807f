"""Several processes of one benchmark: N as one row, with every sample; of two tries, the one that counts."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tailgate.processes.attempt import Attempt
from tailgate.results import merging
from tailgate.results.merging import same

Row = dict[str, Any]

KEPT_ELSEWHERE = frozenset({"warnings", "status", "timestamp_utc"})
"""Each process's is in the row already, or is of no use beside the others'."""


def pooled(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """One list of rows from those of several processes; a single process's are left as they are.

    The samples follow each other process by process: ``process_rounds`` says where one ends; a device's times of each
    round follow each other in the same way. What was measured is pooled so that it follows from what each process
    measured (``results/merging.py``; docs/guide/isolation.md has the rules); of anything else in ``extra_info``, what
    differs becomes the median where it is a number, and the last one's otherwise. ``process_values`` keeps each
    process's own.
    """
    if len(runs) == 1:
        return list(runs[0])
    together: dict[tuple[str, int], list[Row]] = {}
    for run in runs:
        for place, row in numbered(run):
            together.setdefault(place, []).append(row)
    return [_one(rows) for rows in together.values()]


def numbered(run: Sequence[Row]) -> Iterator[tuple[tuple[str, int], Row]]:
    """Each row of a test with what it answers to in another process: its name, and which of that name it is."""
    seen: Counter[str] = Counter()
    for row in run:
        name = row["fullname"]
        yield (name, seen[name]), row
        seen[name] += 1


def _one(rows: list[Row]) -> Row:
    infos = [row["extra_info"] for row in rows]
    seconds = [sum(row["data"]) * row.get("iterations", 1) for row in rows]
    return {
        **rows[-1],
        "data": [sample_s for row in rows for sample_s in row["data"]],
        "extra_info": {
            **_info(infos, seconds),
            "process_medians_s": [statistics.median(row["data"]) for row in rows if row["data"]],
            "process_rounds": [len(row["data"]) for row in rows],
        },
        "has_error": any(row["has_error"] for row in rows),
    }


def _info(infos: list[dict[str, Any]], seconds: list[float]) -> dict[str, Any]:
    """``seconds``: timed by each."""
    keys = dict.fromkeys(key for info in infos for key in info)
    found = {key: _merged(key, infos, seconds) for key in keys}
    if merging.DEVICE_TIMES in keys:
        found |= merging.device_times(infos)
    if "energy_j" in keys:
        found |= {key: value for key, value in merging.energy(infos).items() if key in keys}
    if "status" in keys:
        found["process_statuses"] = [info.get("status") for info in infos]
    own = {
        key: values
        for key in keys
        if key not in KEPT_ELSEWHERE and (key != merging.DEVICE_TIMES or found[key] is None)
        if _plain(values := [info.get(key) for info in infos]) and not all(same(one, values[0]) for one in values)
    }
    return {**found, "process_values": own} if own else found


def _merged(key: str, infos: list[dict[str, Any]], seconds: list[float]) -> Any:
    """A process that does not have the key at all was not present: a profile's run is one process's."""
    present = [index for index, info in enumerate(infos) if key in info]
    values = [infos[index][key] for index in present]
    if key in merging.COUNTS and merging.numbers(values):
        return None if None in values else sum(values)
    if key in merging.SEEN:
        return merging.seen([info.get(key) for info in infos])
    if all(same(value, values[0]) for value in values):
        return values[0]
    if key == "warnings":
        return merging.warnings(values)
    if key == "status":
        return next(value for value in values if value != "ok")
    if key.endswith("_missing") and any(values):
        return next(value for value in values if value)  # the reason of a value that one of them did not have
    if key in merging.TEXTS:
        return merging.texts(values)
    if not merging.numbers(values):
        return values[-1]
    readings = [infos[index].get("nvml_readings") or 0 for index in present]
    return _number(key, values, [seconds[index] for index in present], readings)


def _number(key: str, values: list[Any], seconds: list[float], readings: list[int]) -> Any:
    if key.endswith("_peak_bytes") or key in merging.HIGHEST:
        return None if None in values else max(values)
    if key in merging.OF_TIME:
        return merging.mean(values, seconds)
    if key in merging.OF_READINGS:
        return merging.mean(values, readings)
    if None in values:
        return values[-1]
    if key.endswith("_per_s") and all(value > 0 for value in values):
        return 1 / statistics.median(1 / value for value in values)  # as the median of the times it was made of
    return statistics.median(values)


def _plain(value: Any) -> bool:
    """Text, numbers, truth, nothing, and lists of those."""
    return all(map(_plain, value)) if isinstance(value, list) else value is None or isinstance(value, str | int | float)


def better(first: Attempt, second: Attempt) -> Attempt:
    """The less disturbed of two attempts, whatever its times; a failure of the second is never hidden.

    Args:
        first: measured, and contended.
        second: whatever came of trying again.
    """
    if second.failed:
        second.rows = first.rows  # all there is that was measured in order
        for row in second.rows:
            row["extra_info"]["tries"] = 2
        return second
    if not second.measured:  # skipped, or stopped in the middle: then the session is to stop, too
        first.final_message = second.final_message
        return first
    calmer = not second.contended or _disturbance(second) < _disturbance(first)
    kept, other = (second, first) if calmer else (first, second)
    discarded = dict(numbered(other.rows))
    for place, row in numbered(kept.rows):
        dropped_s = discarded[place]["data"] if place in discarded else []
        median_s = statistics.median(dropped_s) if dropped_s else None
        row["extra_info"].update(tries=2, discarded_median_s=median_s, discarded_because=other.contended)
    return kept


def _disturbance(made: Attempt) -> float:
    """CPUs that others took while it was timed."""
    infos = [row["extra_info"] for row in made.rows]
    return max((info.get("other_cpus_busy") or 0.0) + (info.get("steal_cpus") or 0.0) for info in infos)
