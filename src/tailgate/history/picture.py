"""A benchmark's sessions, its levels, and where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tailgate.history.model import BenchmarkHistory, History
from tailgate.results.pictures import COLORS, MUTED, PAPER, one_panel
from tailgate.results.verdict import UNITS
from tailgate.text import percent

CAPTION = (
    "How to read it: a mark is one saved session, in their order from left to right; a hollow one does not count, a "
    "cross lies far from its level. A thick line is a level; where it changed there is a dotted line with the change."
)
MOST_TICKS = 8


def draw(history: History, found: BenchmarkHistory) -> Any:
    """A figure of matplotlib, in milliseconds or items per second."""
    rate = history.metric in UNITS
    factor = 1.0 if rate else 1e3
    figure, axes = one_panel(8.0, 3.2)
    figure.set_layout_engine(None)  # hundreds are drawn: finding a layout takes most of the time
    figure.subplots_adjust(left=0.1, right=0.98, top=0.9, bottom=0.2)
    kinds = (
        ("counts", {"marker": "o", "color": COLORS[0]}, lambda one: not one.unused and not one.far),
        ("far from its level", {"marker": "x", "color": COLORS[1]}, lambda one: one.far),
        ("does not count", {"marker": "o", "color": MUTED, "markerfacecolor": PAPER}, lambda one: bool(one.unused)),
    )
    for label, style, of_kind in kinds:
        shown = [(x, one.value * factor) for x, one in enumerate(found.points) if one.value and of_kind(one)]
        if shown:
            axes.plot(*zip(*shown, strict=True), linestyle="none", label=label, **style)
    for level in found.levels:
        axes.plot([level.first, level.last], [level.value * factor] * 2, color=COLORS[0], linewidth=4, alpha=0.3)
    for change in found.changes:
        axes.axvline(change.index - 0.5, color=COLORS[1], linestyle=":", linewidth=1.2)
        axes.annotate(
            percent(change.change_rel), (change.index - 0.5, 1), xycoords=("data", "axes fraction"), xytext=(3, 3),
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    step = max(1, -(-len(history.sessions) // MOST_TICKS))
    ticks = range(0, len(history.sessions), step)
    axes.set_xticks(ticks, tick_texts([history.sessions[tick].date for tick in ticks]))
    axes.set_ylabel("items per second" if rate else f"{history.metric} in milliseconds")
    if len(axes.get_legend_handles_labels()[0]) > 1:  # outside of the axes, where no mark of it is taken for a session
        figure.legend(loc="lower right", ncols=3)
    return figure


def tick_texts(dates: Sequence[str | None]) -> list[str]:
    """Days, and times where the day is the one before; ``dates`` as ISO 8601 has them."""
    days = [(date or "?")[:10] for date in dates]
    return [
        date[11:16] if index and date and days[index - 1] == days[index] else days[index]
        for index, date in enumerate(dates)
    ]
