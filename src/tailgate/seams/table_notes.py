"""What a reader of the table must know of its values and rows: the notes below it, the marks behind names."""

from typing import Any

from tailgate.results.columns import P99_BLOCKS, PERCENTILES, under_load
from tailgate.results.comparability import other_workload
from tailgate.seams.table_cells import INTERVALS, MISSING, NO_UPPER_END
from tailgate.stats.quantiles import samples_for_upper_end

Bench = dict[str, Any]
UNKNOWN = f"{MISSING}  not known: the saved run holds neither the value nor raw rounds."
ONE_FACTOR = "(2.00): so many times the best value of the column."
TAKEN_FOR_INDEPENDENT = (
    "P99 [95 % interval]: as if rounds were independent. Of consecutive rounds, whose slow ones come in bursts, it "
    "held the run's P99 in 51 to 68 % of windows on a busy machine; --benchmark-columns=...,p99_blocks adds an "
    "interval that knows of bursts (docs/evidence/statistics.md)."
)
BY_BLOCKS = (
    "P99 [95 % by blocks]: from consecutive rounds, never narrower than the other; of bursts that none of these rounds "
    "saw it knows nothing."
)
BY_CYCLES = (
    "Times under a load: of responses, from the time at which a request was due. P99 [95 % interval]: from the busy "
    "periods of the queue, which are independent of each other (docs/guide/load.md)."
)
UNBOUNDED_BY_CYCLES = (
    f"P99 [.., {NO_UPPER_END}], under a load: too few busy periods to bound it from above; --load-seconds=S takes more."
)
SERVED = "Throughput (items/s), under a load: items of the requests served per second."
OF_COLUMNS = {
    "throughput": "Throughput (items/s): items per call / median latency.",
    "ops": "OPS: Operations Per Second, computed as 1 / Mean",
    "outliers": "Outliers: 1 Standard Deviation from Mean; 1.5 IQR from 1st Quartile and 3rd Quartile.",
}
STATUS_NOTES = {
    "oversubscribed": "more threads than CPUs this process may use.",
    "contended": "other work had the CPU; the numbers are not this code's.",
    "late": "the instrument could not keep the schedule of requests; the responses are not this code's.",
    "overloaded": "requests came faster than they were served; the percentiles depend on how long one measures.",
    "errors": "some requests failed; the percentiles are of the others.",
    "interrupted": "the search for the peak was interrupted; the peak is of the probes until then.",
    "throttled": "heat slowed the processor; the numbers are not this code's.",
}


def _unbounded(column: str) -> str:
    """What it takes to bound it from above; not at import, because the number of rounds needs scipy."""
    if column == P99_BLOCKS:
        return (
            f"P99 by blocks [.., {NO_UPPER_END}]: these rounds are worth too few independent ones to bound P99 "
            "from above; take more with --rounds=N, or --processes=N."
        )
    return (
        f"P99 [.., {NO_UPPER_END}]: fewer than {samples_for_upper_end(0.99)} rounds do not bound it above; "
        "--rounds=N or --protocol=adaptive does."
    )


def explain(benchmarks: list[Bench], columns: list[str], notes: dict[str, None]) -> None:
    """What a reader must know of the values that are shown."""
    for bench in benchmarks:
        loaded = under_load(bench.get("extra_info") or {})
        for column in columns:
            if bench.get(column) is None:
                notes.setdefault(UNKNOWN)
            elif column in INTERVALS:
                notes.setdefault(BY_CYCLES if loaded else TAKEN_FOR_INDEPENDENT if column == "p99" else BY_BLOCKS)
                if bench.get(INTERVALS[column][1]) is None:
                    notes.setdefault(UNBOUNDED_BY_CYCLES if loaded else _unbounded(column))
            elif column in OF_COLUMNS:
                notes.setdefault(SERVED if loaded and column == "throughput" else OF_COLUMNS[column])


def of_means(rows: list[Bench], shown: list[str]) -> str | None:
    """Whose percentiles are not of single calls."""
    calls = {bench["name"]: bench.get("iterations") for bench in rows}
    found = [(name, count) for name, count in calls.items() if isinstance(count, int) and count > 1]
    if not found or not {*PERCENTILES, P99_BLOCKS} & set(shown):
        return None
    (name, count), *others = found
    more = f" and {len(others)} more" if others else ""
    calls_said = "several" if others else str(count)
    return (
        f"Percentiles of {name}{more}: a round is {calls_said} calls (iterations), so they are of means over these "
        "and hide a single slow call; iterations=1 shows it."
    )


def mark(bench: Bench, notes: dict[str, None]) -> str:
    """What stands behind a row's name where the row cannot be compared or trusted; ``notes`` gets the explanation."""
    if bench.get("other_machine"):
        notes.setdefault("(other machine): saved on a machine with another fingerprint; not comparable, shown only.")
        return " (other machine)"
    saved = bench.get("saved_extra_info")  # a row of this session has none
    different = [] if saved is None else other_workload(saved, bench.get("extra_info") or {})
    if different:
        notes.setdefault(f"(other workload): differs in {', '.join(different)}; not comparable, shown only.")
        return " (other workload)"
    status = _status(bench)
    if status == "ok":
        return ""
    notes.setdefault(f"({status}): {STATUS_NOTES[status]}")
    return f" ({status})"


def _status(bench: Bench) -> str:
    # pytest-benchmark shows a saved row with the extra_info of the row just measured.
    saved = bench.get("saved_extra_info")
    status = ((bench.get("extra_info") if saved is None else saved) or {}).get("status")
    # Other projects may keep a word of their own under this name.
    return status if isinstance(status, str) and status in STATUS_NOTES else "ok"
