"""Findings of study 1 from saved runs, as Markdown: threads, saturation, oversubscription, batches."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from studies.markdown_table import MISSING, table, words
from studies.values import USABLE, check_one_machine, threads_text
from tailgate import TailgateError
from tailgate.results.bars import bars
from tailgate.results.rows import Row, alone, rows_of
from tailgate.results.saved_run import Run, machine_of
from tailgate.stats.scaling import (
    SATURATION_GAIN_REL,
    over_batches,
    over_threads,
    oversubscription,
    saturation_point,
)
from tailgate.text import counted

NAME = "scaling"
Cell = tuple[str, ...]
"""What two rows must share to be pooled; the headings show the first three always."""


def render(runs: Sequence[Run]) -> str:
    """Markdown tables per model, runtime and precision; a cell of several runs has the median of its medians."""
    check_one_machine(NAME, runs)
    medians_s = _medians(runs)
    left_out = sum(row["model"] is not None and not _usable(row) for run in runs for row in rows_of(run))
    if not medians_s:
        raise TailgateError(f"--format={NAME}: {_nothing_usable(runs)}")
    usable_cpus = (machine_of(runs[0]) or {}).get("usable_cpus")
    parts = ["# Scaling over threads and batch sizes\n"]
    if usable_cpus:
        model = words(str((machine_of(runs[0]) or {}).get("cpu_model")))
        parts.append(f"{model}, {usable_cpus} usable CPUs; {counted(len(runs), 'runs')}.\n")
    if left_out:
        parts.append(f"{counted(left_out, 'rows')} left out: contended, or not a cell of a scaling study.\n")
    for cell, by_threads in sorted(medians_s.items()):
        parts += [
            f"## {words(' · '.join(part for part in cell if part))}\n",
            _chart(by_threads, usable_cpus),
            _threads_table(by_threads),
            _batches_table(by_threads),
        ]
        parts.append(_findings(by_threads, usable_cpus))
    return "\n".join(parts)


def _medians(runs: Sequence[Run]) -> dict[Cell, dict[int, dict[int, float]]]:
    """Cell -> threads -> batch size -> median latency in seconds."""
    seen: dict[Cell, dict[int, dict[int, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for run in runs:
        for row in rows_of(run):
            if _usable(row):
                seen[_cell(row)][row["threads"]][row["batch_size"]].append(row["median_s"])
    return {
        cell: {
            threads: {batch: statistics.median(values) for batch, values in batches.items()}
            for threads, batches in by_threads.items()
        }
        for cell, by_threads in seen.items()
    }


def _nothing_usable(runs: Sequence[Run]) -> str:
    disturbed = Counter(str(row["status"]) for run in runs for row in rows_of(run) if _is_cell(row))
    if not disturbed:
        return "no row with model, threads and batch_size in these runs"
    why = ", ".join(f"{count} {status}" for status, count in disturbed.most_common())
    return f"every row had to be left out ({why}); see what disturbs with: tailgate doctor; then measure again"


def _usable(row: Row) -> bool:
    """Whether a row is a cell of a scaling study whose time is the code's own."""
    return _is_cell(row) and row["status"] in USABLE


def _is_cell(row: Row) -> bool:
    whole = all(isinstance(row[key], int) and row[key] > 0 for key in ("threads", "batch_size"))
    named = all(isinstance(row[key], str) for key in ("model", "runtime", "precision"))
    ours = row["device"] in (None, "cpu") and row["phase"] != "training" and alone(row)
    return whole and named and ours and row["median_s"] > 0


def _cell(row: Row) -> Cell:
    """Model, runtime and precision; then what else makes a workload."""
    image = f"{row['image_size']} px" if row["image_size"] else ""
    sha256 = row["model_sha256"] or ""
    return (row["model"], row["runtime"], row["precision"], image, row["weights"] or "", sha256[:8])


def _throughput(by_threads: dict[int, dict[int, float]], batch: int) -> dict[int, float]:
    """Threads -> items/s at one batch size."""
    return {threads: batch / batches[batch] for threads, batches in by_threads.items() if batch in batches}


def _chart(by_threads: dict[int, dict[int, float]], usable_cpus: int | None) -> str:
    """A bar of items per second for every batch size and thread count; nothing of a single one."""
    rates = [
        (batch, threads, rate)
        for batch in sorted({batch for batches in by_threads.values() for batch in batches})
        for threads, rate in sorted(_throughput(by_threads, batch).items())
    ]
    if len(rates) < 2:
        return ""
    return bars(
        [
            (f"batch {batch}, {threads_text(threads)}", rate, f"{rate:.4g} items/s{_beyond(threads, usable_cpus)}")
            for batch, threads, rate in rates
        ]
    )


def _beyond(threads: int, usable_cpus: int | None) -> str:
    return ", more threads than CPUs" if usable_cpus and threads > usable_cpus else ""


def _threads_table(by_threads: dict[int, dict[int, float]]) -> str:
    lines = []
    for batch in sorted({batch for batches in by_threads.values() for batch in batches}):
        points = over_threads(_throughput(by_threads, batch))
        for point in points:
            gained = (f"{point.speed_up:.2f}", f"{point.parallel_efficiency:.0%}", threads_text(points[0].threads))
            rate = f"{point.throughput_items_per_s:.2f}"
            lines.append((batch, point.threads, rate, *_against(gained, point is points[0], len(points))))
    return _table(("batch", "threads", "items/s", "speed-up", "parallel efficiency", "against"), lines)


def _against(compared: Sequence[str], is_base: bool, count: int) -> list[str]:
    """A base says in its last cell that it is one; a row that is alone has nothing to be compared with."""
    if count < 2:
        return [MISSING] * len(compared)
    return [*[MISSING] * (len(compared) - 1), "is the base"] if is_base else list(compared)


def _batches_table(by_threads: dict[int, dict[int, float]]) -> str:
    lines = []
    for threads, batches in sorted(by_threads.items()):
        steps = over_batches(batches)
        for step in steps:
            factors = (f"{step.latency_factor:.2f}", f"{step.throughput_factor:.2f}", f"batch {steps[0].batch_size}")
            measured = (f"{step.median_s * 1e3:.2f}", f"{step.throughput_items_per_s:.2f}")
            lines.append((threads, step.batch_size, *measured, *_against(factors, step is steps[0], len(steps))))
    return _table(("threads", "batch", "median ms", "items/s", "latency x", "throughput x", "against"), lines)


def _findings(by_threads: dict[int, dict[int, float]], usable_cpus: int | None) -> str:
    lines = []
    for threads, batches in sorted(by_threads.items()):
        rates = {batch: batch / median_s for batch, median_s in batches.items()}
        lines.append(f"- {threads_text(threads)}: {_saturation('batch size', rates, lambda batch: f'batch {batch}')}")
    for batch in sorted({batch for batches in by_threads.values() for batch in batches}):
        rates = _throughput(by_threads, batch)
        within = {t: rate for t, rate in rates.items() if usable_cpus is None or t <= usable_cpus}
        lines.append(f"- batch {batch}: {_saturation('thread count', within, threads_text)}")
        found = oversubscription(rates, usable_cpus) if usable_cpus else None
        if found is not None:
            verb = "costs" if found.penalty_rel >= 0 else "gains"
            sides = f"{found.threads} threads against {found.base_threads}, the best within {usable_cpus} CPUs"
            lines.append(
                f"- batch {batch}: oversubscription {verb} {abs(found.penalty_rel):.0%} of throughput ({sides})"
            )
        else:
            wanted = f"add --threads={usable_cpus or 'CPUS'} and more than that"
            lines.append(f"- batch {batch}: oversubscription not measured ({wanted})")
    return "\n".join(lines) + "\n"


def _saturation(noun: str, rates: dict[int, float], say: Callable[[int], str]) -> str:
    if len(rates) < 2:
        return f"saturation over {noun} not known (one measured)"
    point = saturation_point(rates)
    if point is None:
        return f"not saturated at the largest {noun} measured ({max(rates)})"
    return f"saturated from {say(point)} (no larger {noun} gains {SATURATION_GAIN_REL:.0%})"


def _table(header: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    return table(header, [list(map(str, line)) for line in lines], text_columns=0, padded=False)
