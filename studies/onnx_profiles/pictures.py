"""Study 4's pictures as PNG: latency over FLOPs, memory over parameters, and SMIR's histogram; one row per setting.

On the left only the x axis is logarithmic, as in the source, so a linear fit is a curve. On the right both axes are,
so that small models do not all lie at zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studies.onnx_profiles.correlation import linear_fit
from studies.onnx_profiles.pairs import Found, evaluate, pairs, points
from studies.onnx_profiles.published import FLOPS_LATENCY, PARAMETERS_MEMORY
from studies.onnx_profiles.rows import Profile, Setting, memory_meter
from studies.onnx_profiles.sections import by_size
from tailgate import printable
from tailgate.results import pictures

Labels = tuple[str, str]
BySetting = Mapping[Setting, Sequence[Profile]]
METERS = {
    "heap": "peak heap (memray)", "massif": "peak heap and stack of the process (Massif)",
    "rss growth": "growth of resident memory",
}  # fmt: skip
PANEL_INCHES = (8.2, 5.2)
CAPTION = (
    "A mark is one model, colour and mark its input size. Above its dashed line a model costs more than its size says."
)
MOST_LABELS = 6
OTHER_SIZES = "other sizes"
CURVE_POINTS = 200


def latency(by_setting: BySetting) -> bytes | None:
    """FLOPs against mean latency; error bars are one standard deviation. ``None``: no model has both."""
    labels = ("GFLOP per call (logarithmic)", "mean latency in ms (bars: ± 1 standard deviation)")
    return _scatter(by_setting, FLOPS_LATENCY, labels, "ms/GFLOP", lambda one: (one.stddev_s or 0) * 1e3)


def memory(by_setting: BySetting) -> bytes | None:
    """Parameters against peak memory, which is measured once a model: no error bars. ``None``: no model has both."""
    labels = ("million parameters (logarithmic)", "{meter} in MB")
    return _scatter(by_setting, PARAMETERS_MEMORY, labels, "bytes/parameter", None)


def smir(by_setting: BySetting) -> bytes | None:
    """A histogram per definition. ``None``: no counters."""
    rates: tuple[tuple[str, Callable[[Profile], float | None]], ...] = (
        ("SMIR of the whole process, as the source: 10⁶ dTLB load misses per ms", Profile.smir_process),
        ("SMIR of 100 inferences alone: 10⁶ dTLB load misses per ms", Profile.smir_inference),
    )
    panels = [
        (setting, label, values)
        for setting, measured in by_setting.items()
        for label, rate in rates
        if (values := [value for one in measured if (value := rate(one)) is not None])
    ]
    if not panels:
        return None
    figure, all_axes = pictures.panels(len(panels), 2, PANEL_INCHES)
    for axes, (setting, label, values) in zip(all_axes, panels, strict=True):
        bins = min(20, max(5, len(values) // 2))
        ends = (min(0.0, *values), max(*values, 1e-9))
        axes.hist(values, bins=bins, range=ends, color=pictures.COLORS[0], edgecolor="white")
        axes.yaxis.get_major_locator().set_params(integer=True)
        _describe(axes, "Small-model inefficiency rate", setting, label, f"models, of {len(values)}")
    return pictures.png(figure, pictures.DOTS_PER_INCH)


def _scatter(
    by_setting: BySetting, name: str, labels: Labels, slope_unit: str, bar: Callable[[Profile], float] | None
) -> bytes | None:
    found = {
        setting: evaluate(pair, measured)
        for setting, measured in by_setting.items()
        for pair in pairs(measured)
        if pair.published_name == name
    }
    drawn = {setting: one for setting, one in found.items() if one.used}
    if not drawn:
        return None
    figure, all_axes = pictures.panels(2 * len(drawn), 2, PANEL_INCHES)
    for row, (setting, one) in enumerate(drawn.items()):
        y_label = labels[1].format(meter=METERS.get(memory_meter(by_setting[setting]) or ""))
        for axes, y_scale in zip(all_axes[2 * row : 2 * row + 2], ("linear", "log"), strict=True):
            _draw(axes, one, slope_unit, bar, y_scale)
            how = "semi-logarithmic as in the source" if y_scale == "linear" else "the same, both axes logarithmic"
            _describe(axes, f"{name[0].upper()}{name[1:]}, {how}", setting, labels[0], y_label)
    pictures.caption(figure, CAPTION)
    return pictures.png(figure, pictures.DOTS_PER_INCH)


def _draw(axes: Any, found: Found, slope_unit: str, bar: Callable[[Profile], float] | None, y_scale: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale(y_scale)
    for index, (size, used) in enumerate(_series(found.used)):
        x, y = points(found.pair, used)
        color, marker = pictures.COLORS[index % len(pictures.COLORS)], pictures.MARKERS[index % len(pictures.MARKERS)]
        line = linear_fit(x, y) if size != OTHER_SIZES else linear_fit([], [])
        if line.reason is None and line.slope is not None and line.slope_se is not None:
            steps = [min(x) * (max(x) / min(x)) ** (step / CURVE_POINTS) for step in range(CURVE_POINTS + 1)]
            heights = [line.at(step) if line.at(step) > 0 or y_scale == "linear" else math.nan for step in steps]
            axes.plot(steps, heights, "--", color=color, linewidth=1.2, zorder=1)
            label = f"{size}: {line.slope:#.3g} ± {line.slope_se:.2g} {slope_unit}, n = {line.n}"
        else:
            label = f"{size}: n = {line.n}, no fit"
        axes.errorbar(
            x, y, yerr=None if bar is None else [bar(one) for one in used], fmt=marker, color=color,
            markersize=max(4.0, 9 - 1.3 * index), markeredgecolor="white", markeredgewidth=0.6, elinewidth=1.1,
            capsize=2.5, label=label, zorder=2,
        )  # fmt: skip
    axes.margins(x=0.06)
    pictures.plain_ticks(axes.xaxis)
    if y_scale == "log":
        heights = [height for height in points(found.pair, found.used)[1] if height > 0] or [1.0]
        axes.set_ylim(min(heights) / 1.6, max(heights) * 1.6)  # a line below zero would run off to nothing
        pictures.plain_ticks(axes.yaxis)
        return
    axes.set_ylim(0, 1.06 * axes.get_ylim()[1])
    it = found.correlation
    known = it.pearson_r is not None and it.pearson_p is not None
    title = f"all {it.n}: r = {it.pearson_r:.4f}, p = {it.pearson_p:.1e}" if known else f"all {it.n}: {it.reason}"
    axes.legend(
        loc="best", frameon=True, framealpha=0.9, alignment="left",
        title=f"{title}\ndashed: linear fit of each size", title_fontsize=8,
    )  # fmt: skip
    _label(axes, found)


def _series(used: Sequence[Profile]) -> list[tuple[str, list[Profile]]]:
    """By input size; the rarer sizes are one series where there are more sizes than colours."""
    found = by_size(used)
    if len(found) <= len(pictures.COLORS):
        return found
    ranked = sorted(found, key=lambda one: len(one[1]), reverse=True)
    kept = [label for label, _ in ranked[: len(pictures.COLORS) - 1]]
    others = [one for label, those in found if label not in kept for one in those]
    return [*(one for one in found if one[0] in kept), (OTHER_SIZES, others)]


def _label(axes: Any, found: Found) -> None:
    """Names of the most influential model and of the largest ones, where they do not overlap."""
    x, y = points(found.pair, found.used)
    low, high = math.log10(min(x)), math.log10(max(x))
    chosen = sorted(range(len(y)), key=lambda index: -y[index])[:MOST_LABELS]
    if found.influence is not None:
        chosen = [found.influence.index, *(index for index in chosen if index != found.influence.index)]
    taken: list[float] = []
    for index in chosen:
        height = y[index] / (max(y) or 1)
        if height < 0.1 or any(abs(height - other) < 0.055 for other in taken):
            continue
        taken.append(height)
        share = (math.log10(x[index]) - low) / ((high - low) or 1)
        axes.annotate(
            printable(found.used[index].model), (x[index], y[index]), textcoords="offset points", fontsize=8,
            xytext=(-9, 4) if share > 0.5 else (9, 4), ha="right" if share > 0.5 else "left", zorder=3,
            color=pictures.MUTED, **pictures.halo(),
        )  # fmt: skip


def _describe(axes: Any, what: str, setting: Setting, x_label: str, y_label: str) -> None:
    pictures.describe(axes, (f"{what} · {setting.title}", setting.machine), x_label, y_label)
