"""Energy per item, with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tailgate.number import number
from tailgate.results.pages.charts.series import chosen, cut, group_of, grouped, labels, measured, positive
from tailgate.results.pages.sections import NotDrawn, Panel, Section
from tailgate.results.pictures import COLORS, INK, label, one_panel
from tailgate.results.rows import Row
from tailgate.results.saved_run import Run
from tailgate.text import counted

ORDER, TITLE = 60, "Energy"
CAPTION = "How to read it: a bar is one benchmark's energy per item; the line on it is the reading's uncertainty."
MOST_BARS = 16


def section(run: Run) -> Section | NotDrawn:
    """A panel for each model, or test."""
    every = measured(run)
    rows = [row for row in every if positive(row["energy_per_item_j"])]
    if not rows:
        metered = any(row["energy_source"] or row["energy_per_item_j"] is not None for row in every)
        return NotDrawn(
            TITLE, "no row has energy_per_item_j; on an NVIDIA GPU --meters=nvml measures it", asked=metered
        )
    panels, left_out = chosen(grouped(rows, group_of))
    return Section("energy", TITLE, CAPTION, [_panel(*panel) for panel in panels.items()], left_out)


def _panel(name: str, rows: Sequence[Row]) -> Panel:
    drawn, note = cut(sorted(rows, key=lambda row: row["energy_per_item_j"]), MOST_BARS, "lowest")
    names, values = labels(drawn), [row["energy_per_item_j"] for row in drawn]
    uncertain = [value * uncertainty_rel(row) for value, row in zip(values, drawn, strict=True)]
    figure, axes = one_panel(height_inches=1.0 + 0.24 * len(drawn))
    axes.barh(range(len(drawn)), values, xerr=uncertain, color=COLORS[0], ecolor=INK, height=0.65)
    axes.set_yticks(range(len(drawn)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("joules per item")
    said = "; ".join(f"{one}: {value:.4g} J" for one, value in zip(names, values, strict=True))
    return Panel(label(name), f"{counted(len(drawn), 'benchmarks')}, the lowest first. {said}.", figure, note)


def uncertainty_rel(row: Row) -> float:
    """Of its energy; ``nan``, which is drawn as no bar, where it is not known: a bar of no length would say "exact"."""
    known = number(row["energy_uncertainty_rel"])
    return math.nan if known is None or known < 0 else float(known)
