"""Pictures: throughput against P99, throughput over batch size, and images per joule; one line per precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studies.gpu_precision.cells import Cell, Curve
from studies.gpu_precision.reading import Study
from tailgate.results import pictures as shared

BATCH = "batch size"
PANEL_INCHES, TITLE_INCHES = (7.2, 4.4), 0.6
CAPTION = (
    "Both axes are logarithmic. A line is one runtime and precision, with the thread count of highest throughput; "
    "colour: precision, dash and mark: runtime."
)
Value = Callable[[Cell], float | None]


def pictures(study: Study) -> Mapping[str, bytes]:
    """Suffix -> PNG, for what has data."""
    drawn = {
        "-tradeoff.png": _picture(
            study, lambda cell: None if cell.p99_s is None else cell.p99_s * 1e3, lambda cell: cell.throughput,
            ("P99 (ms)", "images/s", "Throughput against P99; small numbers: the batch"),
        ),
        "-batch.png": _picture(
            study, lambda cell: cell.batch, lambda cell: cell.throughput,
            (BATCH, "images/s", "Throughput over batch size; circled: the peak"), mark_peak=True,
        ),
        "-energy.png": _picture(
            study, lambda cell: cell.batch, lambda cell: cell.images_per_joule,
            (BATCH, "images per joule", "Images per joule over batch size"),
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
    figure, all_axes = shared.panels(
        len(panels), min(3, len({device for _, device in panels})), PANEL_INCHES, TITLE_INCHES
    )
    for axes, ((subject, device), curves) in zip(all_axes, panels.items(), strict=True):
        shown = _worth_drawing(curves)
        runtimes = list(dict.fromkeys(curve.config.runtime for curve in shown))
        for curve in shown:
            _draw(axes, curve, runtimes.index(curve.config.runtime), x, y, mark_peak=mark_peak)
        axes.set_xscale("log")
        axes.set_yscale("log")
        shared.describe(axes, (subject.label, device.name), labels[0], labels[1])
        shared.plain_ticks(axes.yaxis)
        if labels[0] == BATCH:
            _name_batches(axes.xaxis, shown)
        else:
            shared.plain_ticks(axes.xaxis)
            _label_batches(axes, max(shown, key=lambda curve: curve.peak.value), x, y)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.suptitle(labels[2], x=0.01, ha="left")
    shared.caption(figure, CAPTION)
    return shared.png(figure, shared.DOTS_PER_INCH)


def _worth_drawing(curves: Sequence[Curve]) -> list[Curve]:
    """For each runtime and precision on a CPU the thread count with the highest throughput."""
    best: dict[tuple[str, str, bool], Curve] = {}
    for curve in curves:
        key = (curve.config.runtime, curve.config.precision, curve.config.l2_flushed)
        if key not in best or curve.peak.value > best[key].peak.value:
            best[key] = curve
    return list(best.values())


def _draw(axes: Any, curve: Curve, index: int, x: Value, y: Value, *, mark_peak: bool) -> None:
    points = [(x(cell), y(cell)) for cell in curve.cells]
    known = [(one, other) for one, other in points if one is not None and other is not None]
    color = shared.PRECISION_COLORS.get(curve.config.precision, shared.OTHER_COLOR)
    axes.plot(
        [one for one, _ in known], [other for _, other in known], shared.DASHES[index % len(shared.DASHES)],
        marker=shared.MARKERS[index % len(shared.MARKERS)], color=color, label=curve.config.label,
    )  # fmt: skip
    if mark_peak and len(curve.cells) > 1:
        axes.plot(
            [curve.peak.batch], [curve.peak.value], "o", markersize=10, markerfacecolor="none", color=color,
            markeredgewidth=1.2,
        )  # fmt: skip


def _name_batches(axis: Any, curves: Sequence[Curve]) -> None:
    """The batches that were measured, and no others."""
    from matplotlib.ticker import NullLocator

    measured = sorted({cell.batch for curve in curves for cell in curve.cells})
    axis.set_ticks(measured, [str(batch) for batch in measured])
    axis.set_minor_locator(NullLocator())


def _label_batches(axes: Any, curve: Curve, x: Value, y: Value) -> None:
    """Of the highest line: the others' points are in the same order."""
    for cell in curve.cells:
        if (across := x(cell)) is not None and (up := y(cell)) is not None:
            axes.annotate(
                str(cell.batch), (across, up), (-5, 3), textcoords="offset points", ha="right", fontsize=7,
                color=shared.MUTED,
            )  # fmt: skip
