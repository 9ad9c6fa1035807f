"""Precision: how much faster than FP32, and how far from its answers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tailgate.results.pages.charts.series import (
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
from tailgate.results.pictures import (
    MARKERS,
    MUTED,
    OTHER_COLOR,
    PRECISION_COLORS,
    label,
    legend,
    one_panel,
    plain_ticks,
)
from tailgate.results.rows import Row
from tailgate.results.saved_run import Run

ORDER, TITLE = 40, "Precision: speed against error"
CAPTION = (
    "How to read it: a mark is one cell of reduced precision. Further right it is faster than the fp32 cell that is "
    "otherwise the same; further up its answers are further from the reference. Left of the line it is slower."
)
BASE = "fp32"
MOST_MARKS = 400


def section(run: Run) -> Section | NotDrawn:
    """A panel for each model that has a reduced precision and its FP32 partner."""
    rows = closed_loops(measured(run))
    base_s = {
        cell: statistics.median(row["median_s"] for row in same)
        for cell, same in grouped(
            (row for row in rows if row["precision"] == BASE), lambda row: cell_of(row, "precision", "model_sha256")
        ).items()
    }
    pairs = [
        {**row, "speed_up": base_s[cell] / row["median_s"]}
        for row in rows
        if row["precision"] not in (None, BASE)
        and positive(row["output_error_rel"]) is not None
        and (cell := cell_of(row, "precision", "model_sha256")) in base_s
    ]
    if not pairs:
        reduced = any(row["precision"] not in (None, BASE) for row in rows)
        return NotDrawn(TITLE, "no row of reduced precision has output_error_rel and an fp32 partner", asked=reduced)
    panels, left_out = chosen(grouped(pairs, group_of))
    return Section("precision", TITLE, CAPTION, [_panel(*panel) for panel in panels.items()], left_out)


def _panel(name: str, rows: Sequence[Row]) -> Panel:
    drawn, note = cut(rows, MOST_MARKS, "fastest")
    figure, axes = one_panel()
    runtimes = list(dict.fromkeys(row["runtime"] for row in drawn))
    for (runtime, precision), same in grouped(drawn, lambda row: (row["runtime"], row["precision"])).items():
        axes.plot(
            [row["speed_up"] for row in same], [row["output_error_rel"] for row in same], linestyle="none",
            marker=MARKERS[runtimes.index(runtime) % len(MARKERS)],
            color=PRECISION_COLORS.get(str(precision), OTHER_COLOR), label=cell_label(same[0], "runtime", "precision"),
        )  # fmt: skip
    axes.axvline(1.0, color=MUTED, linewidth=1)
    axes.set_yscale("log")
    axes.margins(x=0.1)
    errors = [row["output_error_rel"] for row in drawn]
    axes.set_ylim(min(errors) / 3, max(errors) * 3)  # equal ones are not to look different
    plain_ticks(axes.yaxis)
    axes.set_xlabel("speed-up over fp32 (medians)")
    axes.set_ylabel("relative error of the output")
    legend(figure)
    said = "; ".join(
        f"{cell_label(row, 'runtime', 'precision', 'threads', 'batch_size')}: {row['speed_up']:.2f} times as fast, "
        f"error {row['output_error_rel']:.2g}"
        for row in drawn
    )
    return Panel(label(name), said + ".", figure, note)
