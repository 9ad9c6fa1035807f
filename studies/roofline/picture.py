"""The roofline as PNG: one panel per device and thread count, one line per precision and per level of memory.

Points of one model lie close together, so each has a number, and the list beside the panel names it. The line to the
left of a point ends at the intensity of its layer-wise traffic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from studies.roofline.bound import attainable
from studies.roofline.rows import TRAINING, Point, Roofline, Roofs, Setting
from studies.values import DISTURBED
from tailgate import printable
from tailgate.results import pictures
from tailgate.results.precision_labels import arithmetic

DASHES = ("-", (0, (6, 2)), (0, (4, 2, 1, 2)), (0, (1, 1.5)))
AXES_INCHES, LEFT, BELOW, ABOVE, KEY_INCHES, LINE_INCHES = (7.6, 5.0), 0.9, 0.75, 0.75, 4.6, 0.21
FAULT_COLOR = pictures.COLORS[1]
Box = tuple[float, float, float, float]
OFFSETS = tuple((dx, dy) for dy in (3, -10, 12, -19) for dx in (6, -6, 14, -14))
"""Of a number from its point, in points of 1/72 inch; the preferred first."""
FEWEST_KEY_LINES = 4


def draw(found: Mapping[Setting, Roofline]) -> bytes:
    """One panel per setting that has peaks."""
    return pictures.png(figure(found), pictures.DOTS_PER_INCH)


def figure(found: Mapping[Setting, Roofline]) -> Any:
    """The figure, without a window or any global state; sizes are fixed so that texts along a line can follow it."""
    heights = [max(AXES_INCHES[1], LINE_INCHES * (len(_drawn(one)) + FEWEST_KEY_LINES)) for one in found.values()]
    width = LEFT + AXES_INCHES[0] + KEY_INCHES
    total = sum(heights) + len(heights) * (BELOW + ABOVE)
    made = pictures.figure(width, total)
    top = total
    for (setting, one), height in zip(found.items(), heights, strict=True):
        bottom = top - ABOVE - height
        axes = made.add_axes((LEFT / width, bottom / total, AXES_INCHES[0] / width, height / total))
        _panel(axes, setting, one, height)
        top = bottom - BELOW
    return made


def _drawn(one: Roofline) -> list[Point]:
    return [point for point in one.points if point.compulsory is not None]


def _panel(axes: Any, setting: Setting, one: Roofline, height: float) -> None:
    points = _drawn(one)
    axes.set_xscale("log")
    axes.set_yscale("log")
    (left, right), (low, high) = _limits(one.roofs, points)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    decades = math.log10(right / left), math.log10(high / low)
    angle = math.degrees(math.atan2(height / decades[1], AXES_INCHES[0] / decades[0]))
    _roofs(axes, one.roofs, angle)
    for point in points:
        _draw_point(axes, point)
    _name_points(axes, points, height)
    _key(axes, points, height)
    x_label = "operational intensity in FLOP/byte (point: compulsory traffic; left end of its line: layer-wise)"
    pictures.describe(axes, (f"Roofline · {setting.title}", setting.machine), x_label, "GFLOP/s")


def _limits(roofs: Roofs, points: Sequence[Point]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Axes that hold every point and the ridge of every roof."""
    tops = [peak.value / 1e9 for peak in roofs.flop_per_s.values()]
    bandwidths = [level.bytes_per_s / 1e9 for level in roofs.levels]
    x = [max(tops) / bandwidth for bandwidth in bandwidths if tops]
    x += [value for point in points for value in (point.compulsory, point.layerwise) if value]
    y = [*tops, *(point.achieved_flop_per_s / 1e9 for point in points)]
    low = min(y, default=1.0) / 3
    if tops and not points:
        low = min(tops) / 100
    x = x or [1.0]
    return (min(x) / 4, max(x) * 4), (low, max(y, default=1.0) * 2.5)


def _roofs(axes: Any, roofs: Roofs, angle: float) -> None:
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    top = max((peak.value / 1e9 for peak in roofs.flop_per_s.values()), default=high)
    lines = [(rate, list(same)) for rate, same in groupby(roofs.levels, key=lambda level: level.bytes_per_s / 1e9)]
    for index, (bandwidth, same) in enumerate(lines):
        end = top / bandwidth
        axes.plot(
            [left, end], [attainable(top, bandwidth, left), top], linestyle=DASHES[index % len(DASHES)],
            color=pictures.MUTED, linewidth=1.3, zorder=1,
        )  # fmt: skip
        begin = max(left, low / bandwidth)
        # The outermost has room below it; another goes there from under a line that is close.
        below = index == len(lines) - 1 or (index > 0 and lines[index - 1][0] < 1.7 * bandwidth)
        x = begin * (end / begin) ** (0.12 + 0.15 * index) if end > begin else begin
        names = ", ".join(printable(level.name) for level in same)
        axes.annotate(
            f"{names} {bandwidth:,.4g} GB/s", (x, bandwidth * x), xytext=(4, -4) if below else (-3, 4),
            textcoords="offset points", va="top" if below else "baseline", rotation=angle, rotation_mode="anchor",
            fontsize=8, color=pictures.MUTED, zorder=4, **pictures.halo(),
        )  # fmt: skip
    fastest = max((level.bytes_per_s / 1e9 for level in roofs.levels), default=None)
    ranked = sorted(roofs.flop_per_s.items(), key=lambda item: item[1].value)
    for index, (precision, peak) in enumerate(ranked):
        value = peak.value / 1e9
        begin = left if fastest is None else max(left, value / fastest)
        color = _color(precision)
        axes.plot([begin, right], [value, value], color=color, linewidth=1.8, zorder=1)
        # Neighbours that are close: the lower one's text goes below its line.
        below = index + 1 < len(ranked) and ranked[index + 1][1].value < 1.25 * peak.value
        axes.annotate(
            f"{printable(precision)} {value:,.4g} GFLOP/s", (right, value), xytext=(-4, -4 if below else 4),
            textcoords="offset points", ha="right", va="top" if below else "bottom", fontsize=8, color=color, zorder=4,
            **pictures.halo(),
        )  # fmt: skip


def _color(precision: str) -> str:
    return pictures.PRECISION_COLORS.get(arithmetic(precision) or "", pictures.OTHER_COLOR)


def _draw_point(axes: Any, point: Point) -> None:
    color, height = _color(point.precision), point.achieved_flop_per_s / 1e9
    if point.layerwise is not None:
        axes.plot([point.layerwise, point.compulsory], [height, height], color=color, linewidth=1, alpha=0.6, zorder=2)
        axes.plot([point.layerwise], [height], marker="|", color=color, markersize=6, zorder=2)
    axes.plot([point.compulsory], [height], zorder=3, **_marker(point, color))


def _name_points(axes: Any, points: Sequence[Point], height: float) -> None:
    """Each point's number, where it covers the fewest points and numbers."""
    sides = (*axes.get_xlim(), 72 * AXES_INCHES[0]), (*axes.get_ylim(), 72 * height)
    positions = [(point.compulsory or 1.0, point.achieved_flop_per_s / 1e9) for point in points]
    anchors = [
        [
            length * math.log(at / low) / math.log(high / low)
            for at, (low, high, length) in zip(position, sides, strict=True)
        ]
        for position in positions
    ]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in anchors]
    for index, (point, position, (x, y)) in enumerate(zip(points, positions, anchors, strict=True), 1):
        width = 6.0 * len(str(index))
        boxes = {
            (dx, dy): (x + dx - (width if dx < 0 else 0), y + dy, x + dx + (0 if dx < 0 else width), y + dy + 7)
            for dx, dy in OFFSETS
        }
        offset = min(OFFSETS, key=lambda one: sum(_overlap(boxes[one], other) for other in taken))
        taken.append(boxes[offset])
        axes.annotate(
            str(index), position, xytext=offset, textcoords="offset points", fontsize=8, color=_color(point.precision),
            ha="right" if offset[0] < 0 else "left", fontweight="bold", zorder=5, **pictures.halo(),
        )  # fmt: skip


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _marker(point: Point, color: str) -> dict[str, Any]:
    """Triangles are training; hollow: measured on a disturbed machine; orange edge: above its roof."""
    hollow = point.status in DISTURBED
    return {
        "marker": "^" if point.phase == TRAINING else "o",
        "markersize": 7,
        "markerfacecolor": pictures.PAPER if hollow else color,
        "markeredgecolor": FAULT_COLOR if point.verdict.failed else color,
        "markeredgewidth": 2.0 if point.verdict.failed else 1.2,
        "linestyle": "none",
    }


def _key(axes: Any, points: Sequence[Point], height: float) -> None:
    """The numbers, and what the marks mean, to the right of the panel."""
    step, x = LINE_INCHES / height, 1.03
    marks = ["circle: inference; triangle: training", "hollow: on a disturbed machine; orange edge: above its roof"]
    for line, text in enumerate(marks):
        axes.text(x, 1 - line * step, text, transform=axes.transAxes, fontsize=8, color=pictures.MUTED, va="top")
    for index, point in enumerate(points, 1):
        of_roof = point.verdict.share
        share = "" if of_roof is None else f", {of_roof:.{0 if of_roof >= 0.1 else 1}%} of its roof"
        color = _color(point.precision)
        y = 1 - (len(marks) + index - 0.5) * step
        axes.text(
            x, y, str(index), transform=axes.transAxes, fontsize=8, color=color, va="top", fontweight="bold",
        )  # fmt: skip
        axes.text(x + 0.035, y, f"{printable(point.label)}{share}", transform=axes.transAxes, fontsize=8, va="top")
