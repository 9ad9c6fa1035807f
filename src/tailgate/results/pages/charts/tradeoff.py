"""Latency against throughput: what a larger batch, more threads or more tenants cost and give, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tailgate.number import number
from tailgate.results.pages.charts.series import chosen, cut, group_of, grouped, labels, measured, positive
from tailgate.results.pages.sections import NotDrawn, Panel, Section
from tailgate.results.pictures import (
    COLORS,
    MARKERS,
    MUTED,
    OTHER_COLOR,
    PRECISION_COLORS,
    halo,
    label,
    legend,
    one_panel,
    plain_ticks,
)
from tailgate.results.rows import Row, alone
from tailgate.results.saved_run import Run
from tailgate.stats.pareto import front
from tailgate.text import milliseconds

ORDER, TITLE = 30, "Latency against throughput"
CAPTION = (
    "How to read it: a mark is one benchmark, further left with a shorter P99, further up with more items per second. "
    "The line is the Pareto front: no other mark is better than these in both."
)
LEAST_ROWS = 3
MOST_NAMED = 6
MOST_MARKS = 400


def section(run: Run) -> Section | NotDrawn:
    """A panel for each model, or test, whose rows differ in how many items are under way."""
    every = [row for row in measured(run) if row["load_arrivals"] is None]
    rows = [row for row in every if _place(row) is not None]
    groups = {name: group for name, group in grouped(rows, group_of).items() if _worth_drawing(group)}
    if not groups:
        reason = (
            "no model or test has three rows with several items per call or tenants; where a call is one item, "
            "throughput is one over latency"
        )
        several = any((number(row["items_per_call"]) or 1) > 1 or not alone(row) for row in every)
        return NotDrawn(TITLE, reason, asked=several)
    panels, left_out = chosen(groups)
    return Section("tradeoff", TITLE, CAPTION, [_panel(*panel) for panel in panels.items()], left_out)


def _worth_drawing(rows: Sequence[Row]) -> bool:
    under_way = {(number(row["items_per_call"]) or 1, alone(row)) for row in rows}
    return len(rows) >= LEAST_ROWS and len(under_way) > 1


def _place(row: Row) -> tuple[float, float] | None:
    """P99 in milliseconds and items per second, of all tenants together."""
    p99_s = positive(row["p99_s"])
    rate = positive(row["total_throughput_items_per_s"]) or positive(row["throughput_items_per_s"])
    return None if p99_s is None or rate is None else (p99_s * 1e3, rate)


def _panel(name: str, rows: Sequence[Row]) -> Panel:
    drawn, note = cut(rows, MOST_MARKS, "fastest")
    places = [place for row in drawn if (place := _place(row)) is not None]
    names = labels(drawn)
    figure, axes = one_panel()
    runtimes = list(dict.fromkeys(row["runtime"] for row in drawn))
    kinds: dict[tuple[Any, Any], list[tuple[float, float]]] = {}
    for row, place in zip(drawn, places, strict=True):
        kinds.setdefault((row["runtime"], row["precision"]), []).append(place)
    for index, ((runtime, precision), same) in enumerate(kinds.items()):
        # Precisions keep their colours in all pictures; without any, each kind has its own.
        color = PRECISION_COLORS.get(str(precision), OTHER_COLOR) if precision else COLORS[index % len(COLORS)]
        marker = MARKERS[runtimes.index(runtime) % len(MARKERS)]
        said = label(" ".join(str(part) for part in (runtime, precision) if part) or "benchmark")
        axes.plot(*zip(*same, strict=True), linestyle="none", marker=marker, color=color, label=said)
    best = front(places)
    axes.plot(
        [places[one][0] for one in best], [places[one][1] for one in best], color=MUTED, linewidth=1, zorder=1,
        label="Pareto front",
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(x=0.12, y=0.12)
    for one in best[:: max(1, -(-len(best) // MOST_NAMED))]:
        axes.annotate(
            names[one], places[one], xytext=(5, -9), textcoords="offset points", fontsize=7, color=MUTED, **halo()
        )
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
    axes.set_xlabel("P99 in milliseconds per call (logarithmic)")
    axes.set_ylabel("items per second (logarithmic)")
    legend(figure)
    said = "; ".join(f"{names[one]}: P99 {milliseconds(places[one][0] / 1e3)}, {places[one][1]:.4g}/s" for one in best)
    return Panel(label(name), f"On the Pareto front of {len(rows)} benchmarks: {said}.", figure, note)
