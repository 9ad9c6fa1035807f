"""The source's three panels - latency, CPU use, memory - with units, spread, and what was not measured."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from studies.framework_comparison.entries import Entry, Group
from studies.framework_comparison.predicates import shown, value_of
from tailgate.results import pictures

LOG_FROM = 20.0
"""Where the largest is so many times the smallest, a linear axis shows one bar and some dust."""
RUNTIMES = ("openvino", "pytorch", "jax", "pytorch-compile", "tensorflow", "onnxruntime")
COLORS = dict(zip(RUNTIMES, pictures.COLORS, strict=False))
INCHES_WIDE, INCHES_HEAD, INCHES_A_BAR = 14.0, 2.3, 0.42
CAPTION = "Shorter bars are better. Hatched: measured while other work had the CPUs."
LINE_LETTERS = 150


def as_png(group: Group, facts: Sequence[str]) -> bytes:
    """The picture of one group; ``facts``: lines under the title, such as the machine's."""
    return pictures.png(figure(group, facts), pictures.DOTS_PER_INCH)


def figure(group: Group, facts: Sequence[str]) -> Any:
    """A matplotlib figure with three axes. No window, no global state."""
    lines = [line for fact in facts for line in textwrap.wrap(fact, LINE_LETTERS)]
    head = INCHES_HEAD + 0.2 * len(lines)
    height = head + INCHES_A_BAR * len(group.entries)
    drawn = pictures.figure(INCHES_WIDE, height)
    axes = drawn.subplots(1, 3, sharey=True)
    published = group.key.as_published
    titles = (
        ("latency", "Latency, mean of the loop (ms)" if published else "Latency, median; line: middle half (ms)"),
        ("CPU use", "CPU use as psutil said (%)" if published else "CPU use (%), 100 = one CPU busy"),
        ("memory", "Resident memory, all five in it (MB)" if published else "Peak resident memory (MB)"),
    )
    for axis, (metric, title) in zip(axes, titles, strict=True):
        _panel(axis, group.entries, metric)
        axis.set_title(title)
    axes[0].set_yticks(range(len(group.entries)), [entry.name for entry in group.entries])
    axes[0].invert_yaxis()
    drawn.suptitle(group.key.label, fontsize=12, y=1 - 0.12 / height, va="top")
    drawn.text(
        0.5,
        1 - 0.45 / height,
        "\n".join(lines),
        ha="center",
        va="top",
        fontsize=8,
        color=pictures.MUTED,
        linespacing=1.4,
    )
    pictures.caption(drawn, CAPTION)
    drawn.subplots_adjust(
        left=0.1, right=0.985, wspace=0.06, bottom=0.7 / height, top=1 - (0.85 + 0.2 * len(lines)) / height
    )
    return drawn


def _panel(axis: Any, entries: Sequence[Entry], metric: str) -> None:
    values = [value_of(entry, metric) for entry in entries]
    known = [value for value in values if value is not None and value.low > 0]
    positive = bool(known) and len(known) == sum(value is not None for value in values)
    logarithmic = positive and max(one.high for one in known) / min(one.value for one in known) >= LOG_FROM
    left = min(value.low for value in known) / 2 if logarithmic else 0.0
    most = max((max(value.value, value.high) for value in values if value is not None), default=1.0) or 1.0
    if logarithmic:
        axis.set_xscale("log")
        axis.set_xlim(left, most * (most / left) ** 0.5)
        axis.xaxis.set_major_formatter("{x:g}")
    else:
        axis.set_xlim(0, most * 1.5)
    timed = metric != "memory"  # which a neighbour on the CPUs does not change
    for row, (entry, value) in enumerate(zip(entries, values, strict=True)):
        if value is None:
            text = "not measured" if entry.reason else "not known"
            axis.annotate(
                text, (left, row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=pictures.MUTED
            )
            continue
        axis.barh(
            row, value.value - left, left=left, height=0.62, color=COLORS.get(entry.runtime, pictures.MUTED),
            hatch="///" if entry.disturbed and timed else None, edgecolor=pictures.PAPER,
        )  # fmt: skip
        if value.high > value.low:
            axis.plot([value.low, value.high], [row, row], color=pictures.INK, linewidth=1.2, solid_capstyle="butt")
        label = shown(metric, value.value) + (f" ({entry.status})" if entry.disturbed and timed else "")
        axis.annotate(
            label, (max(value.value, value.high), row), (4, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.set_xlabel("logarithmic axis" if logarithmic else "", fontsize=8)
    axis.grid(visible=False, axis="y")
