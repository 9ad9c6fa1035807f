"""Thread scaling: speed-up over threads, the ideal line, and where more threads stop to help."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tailgate.number import number
from tailgate.results.pages.charts.series import (
    MOST_SERIES,
    cell_label,
    cell_of,
    chosen,
    closed_loops,
    cut,
    group_of,
    grouped,
    measured,
    positive,
)
from tailgate.results.pages.sections import NotDrawn, Panel, Section
from tailgate.results.pictures import MUTED, label, legend, look, one_panel
from tailgate.results.rows import Row
from tailgate.results.saved_run import Run, machine_of
from tailgate.stats.scaling import ThreadPoint, over_threads, saturation_point

ORDER, TITLE = 20, "Thread scaling"
CAPTION = (
    "How to read it: a line is one cell at several thread counts, against the fewest that were measured. On the grey "
    "line, twice the threads do twice the work. A ring marks the thread count from which no larger one gains 5 %; "
    "right of the dotted line there are more threads than usable CPUs."
)


def section(run: Run) -> Section | NotDrawn:
    """A panel for each model, or test."""
    told = [row for row in closed_loops(measured(run)) if isinstance(row["threads"], int) and row["threads"] > 0]
    rows = [row for row in told if row["device"] in (None, "cpu") and positive(row["throughput_items_per_s"])]
    cells = grouped(rows, lambda row: cell_of(row, "threads"))
    scaled = [row for cell in cells.values() if len({row["threads"] for row in cell}) > 1 for row in cell]
    if not scaled:
        several = len({row["threads"] for row in told}) > 1
        return NotDrawn(TITLE, "no benchmark was measured at two thread counts (extra_info threads)", asked=several)
    cpus = number((machine_of(run) or {}).get("usable_cpus"))
    panels, left_out = chosen(grouped(scaled, group_of))
    return Section("threads", TITLE, CAPTION, [_panel(*panel, cpus) for panel in panels.items()], left_out)


def rates(rows: Sequence[Row]) -> dict[int, float]:
    """Items per second by threads; of several rows their median."""
    by_threads = grouped(rows, lambda row: int(row["threads"]))
    return {
        threads: statistics.median(row["throughput_items_per_s"] for row in same)
        for threads, same in by_threads.items()
    }


def _panel(name: str, rows: Sequence[Row], cpus: float | None) -> Panel:
    cells = list(grouped(rows, lambda row: cell_of(row, "threads")).values())
    drawn, note = cut(cells, MOST_SERIES, "fastest cells")
    figure, axes = one_panel()
    said = []
    for index, cell in enumerate(drawn):
        throughput = rates(cell)
        points = over_threads(throughput)
        name_of_cell = cell_label(cell[0], "runtime", "precision", "batch_size")
        threads = [point.threads for point in points]
        axes.plot(threads, [point.speed_up for point in points], label=name_of_cell, **look(index))
        said.append(f"{name_of_cell}: {_mark_saturation(axes, points, throughput, look(index))}")
    counts = sorted({row["threads"] for cell in drawn for row in cell})
    axes.plot([counts[0], counts[-1]], [1, counts[-1] / counts[0]], color=MUTED, linewidth=1, label="ideal")
    if cpus is not None and counts[-1] > cpus:
        axes.axvline(cpus, color=MUTED, linestyle=":", linewidth=1, label=f"{cpus:g} usable CPUs")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("threads")
    axes.set_ylabel(f"speed-up over {counts[0]} thread{'s' * (counts[0] > 1)}")
    legend(figure)
    return Panel(label(name), "; ".join(said) + ".", figure, note)


def _mark_saturation(
    axes: Any, points: Sequence[ThreadPoint], throughput: Mapping[int, float], style: Mapping[str, Any]
) -> str:
    """A ring, and the same in words."""
    most = f"speed-up {points[-1].speed_up:.2f} at {points[-1].threads} threads"
    saturated = saturation_point(throughput)
    if saturated is None:
        return f"{most}, not saturated"
    (at,) = (point for point in points if point.threads == saturated)
    axes.plot(
        [at.threads], [at.speed_up], "o", markersize=12, markerfacecolor="none", markeredgecolor=style["color"],
    )  # fmt: skip
    return f"{most}, saturated from {saturated}"
