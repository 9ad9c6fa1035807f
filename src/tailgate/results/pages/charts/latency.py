"""Latency distributions, their tail spread out: P99 with its interval on each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tailgate.number import number
from tailgate.results.pages.charts.series import MOST_SERIES, chosen, cut, group_of, grouped, labels, measured
from tailgate.results.pages.sections import NotDrawn, Panel, Section
from tailgate.results.pictures import label, legend, look, one_panel, plain_ticks
from tailgate.results.rows import Row
from tailgate.results.saved_run import Run
from tailgate.text import counted, milliseconds

ORDER, TITLE = 10, "Latency distributions"
CAPTION = (
    "How to read it: a line is one benchmark. Its height is the share of rounds that took at most so long; the scale "
    "spreads the slowest tenth. The mark at 50 % is the median, the one at 99 % is P99, the bar its 95 % interval; an "
    "arrow: too few rounds to bound it from above. Further left is faster; a line that bends to the right near the top "
    "has a long tail."
)
SHARES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
MOST_POINTS = 120
MEDIAN_HEIGHT, P99_HEIGHT = math.log10(2), 2.0
ARROW_END = 1.3
"""Of P99's arrow, in multiples of P99."""
LEAST_ROUNDS = 5


def section(run: Run) -> Section | NotDrawn:
    """A panel for each model, or test."""
    rows = [row for row in measured(run) if len(row["data"]) >= LEAST_ROUNDS]
    if not rows:
        reason = f"no row has {LEAST_ROUNDS} raw rounds; save them with --benchmark-json=FILE or --benchmark-save-data"
        return NotDrawn(TITLE, reason)
    panels, left_out = chosen(grouped(rows, group_of))
    return Section("latency", TITLE, CAPTION, [_panel(*panel) for panel in panels.items()], left_out)


def curve(samples: Sequence[float]) -> tuple[list[float], list[float]]:
    """Seconds and heights of an empirical distribution, at most ``MOST_POINTS``: the median, the rest evenly in height.

    The ``i``-th of ``n`` ascending samples stands at the share (i − 0.5) / n (Hazen 1914), drawn at the height
    −log10(1 − share): 90 % at 1, 99 % at 2.
    """
    ordered, count = sorted(samples), len(samples)
    top = -math.log10(0.5 / count)
    wanted = (1 - 10 ** (-top * step / (MOST_POINTS - 2)) for step in range(MOST_POINTS - 1))
    ranks = sorted({0, (count - 1) // 2, count - 1, *(min(count - 1, int(share * count)) for share in wanted)})
    return [ordered[rank] for rank in ranks], [-math.log10(1 - (rank + 0.5) / count) for rank in ranks]


def _panel(name: str, rows: Sequence[Row]) -> Panel:
    drawn, note = cut(sorted(rows, key=_tail, reverse=True), MOST_SERIES, "longest tails")
    drawn = sorted(drawn, key=lambda row: row["median_s"])
    figure, axes = one_panel()
    for index, (row, said) in enumerate(zip(drawn, labels(drawn), strict=True)):
        seconds, heights = curve(row["data"])
        style = look(index)
        median = min(range(len(heights)), key=lambda point: abs(heights[point] - MEDIAN_HEIGHT))
        axes.plot([one * 1e3 for one in seconds], heights, label=said, **style, markevery=[median])
        _mark_p99(axes, row, style, P99_HEIGHT + 0.05 * (index - (len(drawn) - 1) / 2))
    axes.set_xscale("log")
    most = max(len(row["data"]) for row in drawn)
    top = max(math.log10(most / 0.5), P99_HEIGHT if any(number(row["p99_s"]) for row in drawn) else 0)
    shown = [share for share in SHARES if -math.log10(1 - share) <= top + 1e-9]
    axes.set_yticks([-math.log10(1 - share) for share in shown], [f"{share * 100:g} %" for share in shown])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("milliseconds per call (logarithmic)")
    axes.set_ylabel("share of rounds")
    plain_ticks(axes.xaxis)
    legend(figure)
    return Panel(label(name), _summary(drawn), figure, note)


def _tail(row: Row) -> float:
    """How long it is: P99 over the median."""
    return (number(row["p99_s"]) or 0.0) / float(row["median_s"])


def _mark_p99(axes: Any, row: Row, style: dict[str, Any], height: float) -> None:
    p99_s, low_s, high_s = (number(row[key]) for key in ("p99_s", "p99_low_s", "p99_high_s"))
    if p99_s is None or p99_s <= 0:
        return
    axes.plot([p99_s * 1e3], [height], marker=style["marker"], color=style["color"], markersize=6)
    ends_ms = [(low_s or p99_s) * 1e3, (high_s or p99_s) * 1e3]
    axes.plot(ends_ms, [height, height], color=style["color"], linewidth=4, alpha=0.35, solid_capstyle="butt")
    if high_s is None:
        arrow = {"arrowstyle": "->", "color": style["color"]}
        end = (p99_s * ARROW_END * 1e3, height)
        axes.update_datalim([end])  # matplotlib leaves out an annotation whose end lies outside of the axes
        axes.annotate("", end, (p99_s * 1e3, height), arrowprops=arrow)


def _summary(rows: Sequence[Row]) -> str:
    parts = [
        f"{said}: median {milliseconds(row['median_s'])}"
        + (f", P99 {milliseconds(row['p99_s'])}" if number(row["p99_s"]) is not None else "")
        for row, said in zip(rows, labels(rows), strict=True)
    ]
    return f"{counted(len(rows), 'distributions')}, fastest first. {'; '.join(parts)}."
