"""N processes of one benchmark as one row: every sample kept, and each process's median beside them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

Row = dict[str, Any]


def pooled(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """One list of rows from those of several processes; a single process's are left as they are.

    The samples follow each other process by process: ``process_rounds`` says where one ends. Of
    ``extra_info``, what differs between processes becomes the median where it is a number, the maximum
    where it is a peak, and the last one's otherwise. A device's times of each round follow each other like the samples;
    throttled in one process is throttled.
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
    keys = dict.fromkeys(key for info in infos for key in info)
    merged = {key: _merged(key, [info[key] for info in infos if key in info]) for key in keys}
    merged["process_medians_s"] = [statistics.median(row["data"]) for row in rows if row["data"]]
    merged["process_rounds"] = [len(row["data"]) for row in rows]
    if any("status" in info for info in infos):
        merged["process_statuses"] = [info.get("status") for info in infos]
    return {
        **rows[-1],
        "data": [sample_s for row in rows for sample_s in row["data"]],
        "extra_info": merged,
        "has_error": any(row["has_error"] for row in rows),
    }


def same(one: Any, other: Any) -> bool:
    """Whether two values of a row are equal, whatever kind they are of."""
    try:
        return bool(one == other)
    except Exception:  # numpy's arrays, for one, have no single answer
        return False


def _merged(key: str, values: list[Any]) -> Any:
    if all(same(value, values[0]) for value in values):
        return values[0]
    if key == "warnings" and all(isinstance(value, list) for value in values):
        return list(dict.fromkeys(text for value in values for text in value))
    if key == "gpu_times_s" and all(isinstance(value, list) for value in values):
        return [seconds for value in values for seconds in value]  # of every round, as the host's are
    if key == "throttled" and any(value is True for value in values):
        return True  # in one of the processes is enough
    if key == "status":
        return next(value for value in values if value != "ok")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return max(values) if key.endswith("_peak_bytes") else statistics.median(values)
    return values[-1]
