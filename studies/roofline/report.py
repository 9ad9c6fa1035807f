"""The measured roofline of each device and thread count, and every cell checked against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from studies.markdown_table import MISSING, code, number, percent, table
from studies.roofline import picture
from studies.roofline.bound import ABOVE, NEAR, NOT_JUDGED, ON_OR_UNDER, TOLERANCE_REL, UNDECIDED, ridge
from studies.roofline.rows import Point, Roofline, Roofs, Setting, rooflines
from studies.values import no_row
from tailgate.results.pages.sections import NotDrawn, Panel, Section
from tailgate.results.pictures import label
from tailgate.results.saved_run import Run

NAME, TITLE = "roofline", "Roofline"
CAPTION = (
    "How to read it: a number is one cell, its height the arithmetic it did per second, its place from left to right "
    "how much arithmetic there is for each byte moved. The lines are what this machine reached: slanted where memory "
    "bounds, level where arithmetic does. A cell far below its lines leaves something to gain."
)
COMMAND = "benchmarks/test_roofline_peaks.py benchmarks/test_cpu_scaling.py"
CELLS = (
    "cell", "phase", "FLOP/byte compulsory", "layer-wise", "counted", "achieved GFLOP/s", "roof GFLOP/s", "roof by",
    "share of roof", "bound by", "verdict",
)  # fmt: skip
PEAKS = ("peak", "measured", "kernel and size", "ridge in FLOP/byte", "status")


def render(runs: Sequence[Run]) -> str:
    """Markdown, a part for each machine, device and thread count."""
    found = _found(runs)
    parts = ["# Roofline\n"]
    for setting, one in found.items():
        parts += _part(setting, one)
    return "\n".join([*parts, _notes()])


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """The picture."""
    return {".png": picture.draw({setting: one for setting, one in _found(runs).items() if _has_peaks(one)})}


def section(run: Run) -> Section | NotDrawn:
    """The picture for a page: a panel for each device and thread count."""
    found = {setting: one for setting, one in rooflines([run]).items() if _has_peaks(one)}
    if not found:
        return NotDrawn(TITLE, f"no row is a measured peak; measure them with: pytest {COMMAND}", asked=False)
    panels = [
        Panel(label(setting.title), _summary(one), picture.figure({setting: one}), wide=True)
        for setting, one in found.items()
    ]
    return Section(NAME, TITLE, CAPTION, panels)


def _summary(one: Roofline) -> str:
    said = [
        f"{point.label}: {number(point.achieved_flop_per_s / 1e9)} GFLOP/s"
        + ("" if point.verdict.share is None else f", {percent(point.verdict.share)} of its roof")
        for point in one.points
    ]
    return f"{'; '.join(said) or 'Peaks alone'}."


def _found(runs: Sequence[Run]) -> dict[Setting, Roofline]:
    found = rooflines(runs)
    if not any(_has_peaks(one) for one in found.values()):
        raise no_row(NAME, "measured peak", COMMAND)
    return found


def _has_peaks(one: Roofline) -> bool:
    return bool(one.roofs.flop_per_s or one.roofs.bytes_per_s)


def _part(setting: Setting, one: Roofline) -> list[str]:
    counts = Counter(point.verdict.word for point in one.points)
    words = (ON_OR_UNDER, ABOVE, UNDECIDED, NOT_JUDGED)
    said = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    faults = [
        f"- {code(point.label)}: {point.verdict.because}" for point in one.points if point.verdict.word != ON_OR_UNDER
    ]
    return [
        f"## {code(setting.title)}\n",
        f"{code(setting.machine)}\n",
        _peaks(one.roofs) if _has_peaks(one) else "No peak was measured here.\n",
        f"**{said or 'no cell'}**\n",
        table(CELLS, [_cell(point) for point in one.points], text_columns=2, text_last=True) if one.points else "",
        "\n".join(faults) + "\n" if faults else "",
    ]


def _peaks(roofs: Roofs) -> str:
    top = max((peak.value for peak in roofs.flop_per_s.values()), default=None)
    lines = [
        (f"{precision} products", f"{number(peak.value / 1e9)} GFLOP/s", code(peak.made_by), "", peak.status)
        for precision, peak in roofs.flop_per_s.items()
    ]
    for level in roofs.levels:
        peak, _ = roofs.bytes_per_s[level.name]
        from_here = "" if top is None else number(ridge(top, level.bytes_per_s), 3)
        lines.append((level.name, f"{number(peak.value / 1e9)} GB/s", code(peak.made_by), from_here, peak.status))
    return table(PEAKS, lines, text_columns=1, text_last=True)


def _cell(point: Point) -> tuple[str, ...]:
    verdict, disturbed = point.verdict, "" if point.status == "ok" else f" ({point.status})"
    roof = verdict.roof
    return (
        code(point.label), point.phase, number(point.compulsory, 3), number(point.layerwise, 3),
        number(point.counted, 3), number(point.achieved_flop_per_s / 1e9, 3),
        number(roof.flop_per_s / 1e9 if roof else None, 3), roof.by if roof else MISSING, percent(verdict.share),
        verdict.bound or MISSING, verdict.word + disturbed,
    )  # fmt: skip


def _notes() -> str:
    return (
        "FLOPs = 2 × MACs; training has 3 × those of the forward pass. Compulsory traffic: weights, input and output "
        "once (training: weights and momentum are read and written). Layer-wise: every operation reads and writes, "
        "unfused. Counted: cache misses × 64 bytes (`--meters=perf`). The roof is the lowest of the precision's peak "
        "and of each level's bound: bandwidth × FLOPs / the bytes that inner caches cannot hold. A row more than "
        f"{TOLERANCE_REL:.0%} above its roof is an error in the row or in a peak. Bound by: the roof that a row "
        f"reaches {NEAR:.0%} of.\n"
    )
