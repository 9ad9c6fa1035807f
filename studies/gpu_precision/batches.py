"""The sections on batch size: where throughput peaks, and at what latency."""

from __future__ import annotations

from studies.gpu_precision import text
from studies.gpu_precision.cells import Curve, Subject
from studies.gpu_precision.peaks import NEAR_REL
from studies.gpu_precision.reading import Study
from studies.markdown_table import code, table

LIMITS_MS = (1, 5, 20, 100)
"""Bounds on P99 for which the report gives the best throughput."""


def peaks(study: Study) -> list[str]:
    """The largest throughput of each curve, and how sure its batch size is."""
    header = (
        "device", "runtime, precision", "batches", "peak images/s (95 %)", "at batch", f"within {NEAR_REL:.0%} from",
        "remark",
    )  # fmt: skip

    def part(_: Subject, curves: list[Curve]) -> str:
        lines = [
            (
                code(curve.device.name), curve.config.label, f"{curve.cells[0].batch} to {curve.cells[-1].batch}",
                _with_ends(curve), str(curve.peak.batch), str(curve.peak.near_batch), _remark(curve),
            )
            for curve in curves
            if curve.device.is_gpu or len(curve.cells) > 1
        ]  # fmt: skip
        return table(header, lines, text_columns=2, text_last=True) if lines else ""

    parts = text.by_subject(study, part)
    note = (
        "Flat: the interval of a smaller batch overlaps the peak's, so the data do not say which is larger; use the "
        "smallest batch within 5 % of the peak. At the edge: no larger batch was measured.\n"
    )
    return ["## Peak batch\n", *parts, note if parts else "Not shown: no configuration has two batch sizes.\n"]


def trade_off(study: Study) -> list[str]:
    """Latency against throughput: at the smallest batch, at the peak, and within bounds on P99."""
    header = (
        "device", "runtime, precision", "smallest batch: median ms", "P99 ms", "images/s",
        "peak: median ms", "P99 ms", "images/s", *(f"images/s within P99 {limit} ms" for limit in LIMITS_MS),
    )  # fmt: skip

    def line(curve: Curve) -> list[str]:
        shown = [
            part
            for cell in (curve.cells[0], curve.top)
            for part in (
                text.milliseconds(cell.timing.median_s), text.milliseconds(cell.p99_s), text.images(cell.throughput),
            )
        ]  # fmt: skip
        return [code(curve.device.name), curve.config.label, *shown, *(within(curve, limit) for limit in LIMITS_MS)]

    return [
        "## Latency and throughput\n",
        *text.by_subject(study, lambda _, curves: table(header, list(map(line, curves)), text_columns=2)),
        "Times are the host's, per call on inputs that are on the device. The last columns: the largest throughput of "
        "a batch whose P99 stays within the bound, and that batch.\n",
    ]


def within(curve: Curve, limit_ms: float) -> str:
    """``1,180 (b16)``, or nothing."""
    fitting = [cell for cell in curve.cells if cell.p99_s is not None and cell.p99_s * 1e3 <= limit_ms]
    best = max(fitting, key=lambda cell: cell.throughput, default=None)
    return text.MISSING if best is None else f"{text.images(best.throughput)} (b{best.batch})"


def _with_ends(curve: Curve) -> str:
    low, high = curve.top.interval
    ends = "no interval" if low is None or high is None else f"{text.images(low)} to {text.images(high)}"
    return f"{text.images(curve.peak.value)} ({ends})"


def _remark(curve: Curve) -> str:
    peak = curve.peak
    remarks = []
    if len(curve.cells) == 1:
        return "one batch measured"
    if peak.flat:
        remarks.append(f"flat: from {peak.overlapping[0]} on")
    elif len(peak.overlapping) > 1:
        remarks.append(f"flat up to {peak.overlapping[-1]}")
    if peak.at_the_edge:
        remarks.append("at the edge")
    if curve.top.interval[0] is None:
        remarks.append("no interval")
    return ", ".join(remarks)
