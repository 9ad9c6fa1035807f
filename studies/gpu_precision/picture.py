"""Pictures: throughput against P99, throughput over batch, and images per joule; a line a precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studies.gpu_precision.cells import Cell, Curve
from studies.gpu_precision.reading import Study
from tailgate import printable
from tailgate.results.pictures import figure as empty_figure
from tailgate.results.pictures import png

COLOURS = {"fp32": "#333333", "tf32": "#8a6d3b", "bf16": "#2a7f62", "fp16": "#1f6fb2", "int8": "#c8452f"}
OTHER_COLOUR = "#888888"
DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
BATCH = "batch"
PANEL_INCHES, DPI = (7.2, 4.4), 110
Value = Callable[[Cell], float | None]


def pictures(study: Study) -> Mapping[str, bytes]:
    """Suffix -> PNG, for what has data.

    Raises:
        TailgateError: matplotlib is not installed.
    """
    drawn = {
        "-tradeoff.png": _picture(
            study, lambda cell: None if cell.p99_s is None else cell.p99_s * 1e3, lambda cell: cell.throughput,
            ("P99 (ms)", "images/s", "Throughput against P99; small numbers: the batch"),
        ),
        "-batch.png": _picture(
            study, lambda cell: cell.batch, lambda cell: cell.throughput,
            (BATCH, "images/s", "Throughput over batch; circled: the peak"), mark_peak=True,
        ),
        "-energy.png": _picture(
            study, lambda cell: cell.batch, lambda cell: cell.images_per_joule,
            (BATCH, "images per joule", "Images per joule over batch"),
        ),
    }  # fmt: skip
    return {suffix: content for suffix, content in drawn.items() if content is not None}


def _picture(
    study: Study, x: Value, y: Value, labels: tuple[str, str, str], *, mark_peak: bool = False
) -> bytes | None:
    """A panel a model and device; ``None``: nothing to draw."""
    panels: dict[tuple[Any, Any], list[Curve]] = {}
    for curve in study.curves:
        if any(x(cell) is not None and y(cell) is not None for cell in curve.cells):
            panels.setdefault((curve.subject, curve.device), []).append(curve)
    if not panels:
        return None
    figure, places = _panels(len(panels), len({device for _, device in panels}))
    for place, ((subject, device), curves) in zip(places, panels.items(), strict=True):
        shown = _worth_drawing(curves)
        runtimes = list(dict.fromkeys(curve.config.runtime for curve in shown))
        for curve in shown:
            _draw(place, curve, runtimes.index(curve.config.runtime), x, y, mark_peak=mark_peak)
        place.set_title(f"{printable(subject.label)}\n{printable(device.name)}", fontsize=9, loc="left")
        place.set_xscale("log")
        place.set_yscale("log")
        _plain_ticks(place.yaxis)
        if labels[0] == BATCH:
            _name_batches(place.xaxis, shown)
        else:
            _plain_ticks(place.xaxis)
            _label_batches(place, max(shown, key=lambda curve: curve.peak.value), x, y)
        place.set_xlabel(labels[0], fontsize=9)
        place.set_ylabel(labels[1], fontsize=9)
        place.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        place.set_axisbelow(True)
        place.spines[["top", "right"]].set_visible(False)
        place.legend(fontsize=7, frameon=False, handlelength=2.6, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.suptitle(f"{labels[2]} · both axes logarithmic", fontsize=11, x=0.01, ha="left")
    return png(figure, DPI)


def _worth_drawing(curves: Sequence[Curve]) -> list[Curve]:
    """Of a CPU's thread counts the one that gets furthest, for each runtime and precision."""
    best: dict[tuple[str, str, bool], Curve] = {}
    for curve in curves:
        key = (curve.config.runtime, curve.config.precision, curve.config.l2_flushed)
        if key not in best or curve.peak.value > best[key].peak.value:
            best[key] = curve
    return list(best.values())


def _draw(place: Any, curve: Curve, index: int, x: Value, y: Value, *, mark_peak: bool) -> None:
    points = [(x(cell), y(cell)) for cell in curve.cells]
    known = [(one, other) for one, other in points if one is not None and other is not None]
    colour = COLOURS.get(curve.config.precision, OTHER_COLOUR)
    place.plot(
        [one for one, _ in known], [other for _, other in known], DASHES[index % len(DASHES)],
        marker=MARKERS[index % len(MARKERS)], color=colour, linewidth=1.3, markersize=4, label=curve.config.label,
    )  # fmt: skip
    if mark_peak and len(curve.cells) > 1:
        place.plot(
            [curve.peak.batch], [curve.peak.value], "o", markersize=10, markerfacecolor="none", color=colour,
            markeredgewidth=1.2,
        )  # fmt: skip


def _plain_ticks(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    fine, few = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0), (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 500 * low else few if high > 6 * low else fine))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value < 1e6 else f"{value:.0e}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(labelsize=8)


def _name_batches(axis: Any, curves: Sequence[Curve]) -> None:
    """The batches that were measured, and no others."""
    from matplotlib.ticker import NullLocator

    measured = sorted({cell.batch for curve in curves for cell in curve.cells})
    axis.set_ticks(measured, [str(batch) for batch in measured])
    axis.set_minor_locator(NullLocator())
    axis.set_tick_params(labelsize=8)


def _label_batches(place: Any, curve: Curve, x: Value, y: Value) -> None:
    """Of the highest line: the others' points are in the same order."""
    for cell in curve.cells:
        if (across := x(cell)) is not None and (up := y(cell)) is not None:
            place.annotate(
                str(cell.batch), (across, up), (-5, 3), textcoords="offset points", ha="right", fontsize=7,
                color="#555555",
            )  # fmt: skip


def _panels(count: int, most_columns: int) -> tuple[Any, Sequence[Any]]:
    columns = min(3, most_columns)
    rows = math.ceil(count / columns)
    figure = empty_figure(PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 0.4, layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for place in places[count:]:
        place.set_visible(False)
    return figure, places[:count]
