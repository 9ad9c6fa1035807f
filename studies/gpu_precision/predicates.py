"""The source's findings as predicates over a study: what each counts, and when it holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from studies.framework_comparison.predicates import (
    HOLDS,
    NOT_MEASURED,
    REVERSES,
    SMALLER,
    STILL_AS_LARGE,
    UNDECIDED,
    Judged,
)
from studies.gpu_precision.cells import Curve
from studies.gpu_precision.peaks import NEAR_REL
from studies.gpu_precision.ratios import BEST_CPU, FASTER, SAME, SLOWER, SOURCE_CPU, UNKNOWN, Comparison, every
from studies.gpu_precision.reading import Study
from studies.gpu_precision.text import factor

MIXED = "not throughout"
"""True in some cells, and the opposite is true in others."""
VERDICTS = (HOLDS, SMALLER, MIXED, REVERSES, UNDECIDED, NOT_MEASURED)


@dataclass(frozen=True)
class Finding:
    """One thing that the source says."""

    text: str
    published: str
    """Its number in the source."""
    judge: Callable[[Study], Judged]


def up_to(
    text: str, published: float, kind: str, *, precision: str | None = None, gpus: tuple[str, str] | None = None
) -> Finding:
    """A claim about the largest ratio of all cells and peaks: it holds from ``STILL_AS_LARGE`` of it on.

    ``gpus``: names of the GPU and the base GPU, for ``OVER_GPU``.
    """

    def wanted(one: Comparison) -> bool:
        if one.kind != kind or (precision is not None and one.cell.config.precision != precision):
            return False
        names = (one.cell.device.name, one.base.device.name)
        return gpus is None or all(is_model(name, gpu) for name, gpu in zip(names, gpus, strict=True))

    def judge(study: Study) -> Judged:
        missing = _missing(study, gpus or ())
        if missing:
            return Judged("", NOT_MEASURED, missing)
        best = max(filter(wanted, every(study)), key=lambda one: one.ratio.ratio, default=None)
        if best is None:
            return Judged("", NOT_MEASURED, _why_none(study, kind, precision))
        ratio = best.ratio
        seen = f"{factor(ratio.ratio)}: {_described(best)}"
        if ratio.low is None or ratio.high is None:
            return Judged(seen, UNDECIDED, "too few rounds for an interval")
        if ratio.high < 1:
            return Judged(seen, REVERSES)
        if ratio.high < published * STILL_AS_LARGE:
            return Judged(seen, SMALLER)
        if ratio.low <= 1:
            return Judged(seen, UNDECIDED, "the interval contains 1")
        return Judged(seen, HOLDS if ratio.ratio >= published * STILL_AS_LARGE else SMALLER)

    return Finding(text, f"up to {published:g}×", judge)


def throughout(text: str, votes: Callable[[Study], Iterable[str]], otherwise: str, gpus: Sequence[str] = ()) -> Finding:
    """A claim about every cell.

    ``votes``: a comparison's verdict per cell, of which ``FASTER`` supports the claim. ``otherwise``: why no cell
    qualifies, where none does.
    """

    def judge(study: Study) -> Judged:
        missing = _missing(study, gpus)
        if missing:
            return Judged("", NOT_MEASURED, missing)
        counts = Counter(votes(study))
        total = sum(counts.values())
        if not total:
            return Judged("", NOT_MEASURED, otherwise)
        seen = f"true in {counts[FASTER]} of {total}"
        seen += f", the opposite in {counts[SLOWER]}" if counts[SLOWER] else ""
        undecided = counts[SAME] + counts[UNKNOWN]
        reason = f"no difference shown in {undecided}" if undecided else None
        if counts[SLOWER]:
            return Judged(seen, MIXED if counts[FASTER] else REVERSES, reason)
        return Judged(seen, UNDECIDED if undecided else HOLDS, reason)

    return Finding(text, "yes", judge)


def peaks_within(gpu: str, low: int, high: int) -> Finding:
    """A GPU's throughput peaks within a range of batch sizes.

    A curve supports it when every batch that may be the peak is in the range, and refutes it when none is.
    """

    def vote(curve: Curve) -> str:
        peak = curve.peak
        if peak.at_the_edge and peak.batch <= high:
            return SAME
        inside = [low <= batch <= high for batch in peak.overlapping]
        return FASTER if all(inside) else SAME if any(inside) else SLOWER

    def judge(study: Study) -> Judged:
        missing = _missing(study, (gpu,))
        on_gpus = [curve for curve in study.curves if curve.device.is_gpu and len(curve.cells) > 1]
        curves = [curve for curve in on_gpus if is_model(curve.device.name, gpu)]
        if missing or not curves:
            others = f"the GPUs here peak at {_batches([one.peak.batch for one in on_gpus])}" if on_gpus else ""
            return Judged("", NOT_MEASURED, "; ".join(filter(None, (missing or "one batch measured", others))))
        counts = Counter(map(vote, curves))
        seen = f"true in {counts[FASTER]} of {len(curves)}, elsewhere in {counts[SLOWER]}; "
        seen += f"within {NEAR_REL:.0%} of the peak from {_batches([curve.peak.near_batch for curve in curves])} on"
        if counts[SLOWER]:
            return Judged(seen, MIXED if counts[FASTER] else REVERSES)
        if counts[SAME]:
            return Judged(seen, UNDECIDED, f"{counts[SAME]} flat or at the edge of what was measured")
        return Judged(seen, HOLDS)

    return Finding(f"{gpu} peaks at batch {low} to {high}", f"batch {low}–{high}", judge)


def unmeasurable(text: str, published: str, why: str) -> Finding:
    """A finding without a number or a margin, which nothing could refute."""
    return Finding(text, published, lambda _: Judged("", NOT_MEASURED, why))


def _why_none(study: Study, kind: str, precision: str | None) -> str:
    gpu = [curve for curve in study.curves if curve.device.is_gpu]
    if not gpu:
        return "no row on a GPU"
    if precision and not any(curve.config.precision == precision for curve in gpu):
        return f"no {precision} row on a GPU"
    if kind in (SOURCE_CPU, BEST_CPU):
        what = "pytorch fp32 row" if kind == SOURCE_CPU else "row"
        return f"no {what} on a CPU with the same weights and image size"
    return "no cell that both have"


def _batches(found: Sequence[int]) -> str:
    return f"batch {min(found)}" + (f" to {max(found)}" if max(found) > min(found) else "")


def is_model(device: str, model: str) -> bool:
    """Whether a device's name contains a GPU model's name as a whole word: an L40 is not an L4."""
    return re.search(rf"\b{re.escape(model)}\b", device) is not None


def _missing(study: Study, gpus: Sequence[str]) -> str:
    names = sorted({curve.device.name for curve in study.curves if curve.device.is_gpu})
    absent = [gpu for gpu in gpus if not any(is_model(name, gpu) for name in names)]
    here = f"here: {', '.join(names)}" if names else "no row on a GPU"
    return f"no {' and no '.join(absent)} ({here})" if absent else ""


def _described(one: Comparison) -> str:
    cell, base = one.cell, one.base
    return (
        f"{cell.subject.model}, {cell.device.name} {cell.config.label} b{cell.batch} over {base.device.name} "
        f"{base.config.label} b{base.batch}"
    )
