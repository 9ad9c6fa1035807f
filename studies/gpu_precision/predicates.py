"""The source's findings as predicates over a study: what each counts, and when it holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Finding(Protocol):
    """One thing that the source says."""

    @property
    def text(self) -> str:
        """In words."""

    @property
    def published(self) -> str:
        """Its number there."""

    def judge(self, study: Study) -> Judged:
        """Against these files."""


@dataclass(frozen=True)
class UpTo:
    """A claim about the largest ratio of all cells and peaks."""

    text: str
    factor: float
    kind: str
    precision: str | None = None
    gpus: tuple[str, str] | None = None
    """Names of the GPU and the base GPU, for ``OVER_GPU``."""

    @property
    def published(self) -> str:
        """``up to 58×``."""
        return f"up to {self.factor:g}×"

    def judge(self, study: Study) -> Judged:
        """By the largest; it is as large when it comes within ``STILL_AS_LARGE``."""
        missing = _missing(study, self.gpus or ())
        if missing:
            return Judged("", NOT_MEASURED, missing)
        found = [one for one in every(study) if one.kind == self.kind and self._wanted(one)]
        if not found:
            return Judged("", NOT_MEASURED, self._why_none(study))
        best = max(found, key=lambda one: one.ratio.ratio)
        seen, ratio = f"{factor(best.ratio.ratio)}: {_described(best)}", best.ratio
        if ratio.low is None or ratio.high is None:
            return Judged(seen, UNDECIDED, "too few rounds for an interval")
        if ratio.high < 1:
            return Judged(seen, REVERSES)
        if ratio.high < self.factor * STILL_AS_LARGE:
            return Judged(seen, SMALLER)
        if ratio.low <= 1:
            return Judged(seen, UNDECIDED, "the interval contains 1")
        return Judged(seen, HOLDS if ratio.ratio >= self.factor * STILL_AS_LARGE else SMALLER)

    def _wanted(self, one: Comparison) -> bool:
        if self.precision is not None and one.cell.config.precision != self.precision:
            return False
        if self.gpus is None:
            return True
        first, second = self.gpus
        return is_model(one.cell.device.name, first) and is_model(one.base.device.name, second)

    def _why_none(self, study: Study) -> str:
        gpu = [curve for curve in study.curves if curve.device.is_gpu]
        if not gpu:
            return "no row on a GPU"
        if self.precision and not any(curve.config.precision == self.precision for curve in gpu):
            return f"no {self.precision} row on a GPU"
        if self.kind in (SOURCE_CPU, BEST_CPU):
            what = "pytorch fp32 row" if self.kind == SOURCE_CPU else "row"
            return f"no {what} on a CPU with the same weights and image size"
        return "no cell that both have"


@dataclass(frozen=True)
class Throughout:
    """A claim about every cell."""

    text: str
    published: str
    votes: Callable[[Study], Iterable[str]]
    """One of the verdicts of a comparison for each cell; ``FASTER`` is for the finding."""
    otherwise: str
    """Why there is nothing to count, where no cell qualifies."""
    gpus: tuple[str, ...] = ()

    def judge(self, study: Study) -> Judged:
        """By the count."""
        missing = _missing(study, self.gpus)
        if missing:
            return Judged("", NOT_MEASURED, missing)
        counts = Counter(self.votes(study))
        total = sum(counts.values())
        if not total:
            return Judged("", NOT_MEASURED, self.otherwise)
        seen = f"true in {counts[FASTER]} of {total}"
        seen += f", the opposite in {counts[SLOWER]}" if counts[SLOWER] else ""
        undecided = counts[SAME] + counts[UNKNOWN]
        reason = f"no difference shown in {undecided}" if undecided else None
        if counts[SLOWER]:
            return Judged(seen, MIXED if counts[FASTER] else REVERSES, reason)
        return Judged(seen, UNDECIDED if undecided else HOLDS, reason)


@dataclass(frozen=True)
class PeaksWithin:
    """A GPU's throughput peaks within a range of batch sizes."""

    gpu: str
    low: int
    high: int

    @property
    def text(self) -> str:
        """Which."""
        return f"{self.gpu} peaks at batch {self.low} to {self.high}"

    @property
    def published(self) -> str:
        """The range."""
        return f"batch {self.low}–{self.high}"

    def judge(self, study: Study) -> Judged:
        """A curve supports it when every batch that may be the peak is in the range, and refutes it when none is."""
        missing = _missing(study, (self.gpu,))
        curves = [curve for curve in study.curves if is_model(curve.device.name, self.gpu) and len(curve.cells) > 1]
        if missing or not curves:
            others = self._others(study)
            return Judged("", NOT_MEASURED, "; ".join(filter(None, (missing or "one batch measured", others))))
        counts = Counter(self._vote(curve) for curve in curves)
        near = [curve.peak.near_batch for curve in curves]
        seen = f"true in {counts[FASTER]} of {len(curves)}, elsewhere in {counts[SLOWER]}; "
        seen += f"within {NEAR_REL:.0%} of the peak from {_batches(near)} on"
        if counts[SLOWER]:
            return Judged(seen, MIXED if counts[FASTER] else REVERSES)
        if counts[SAME]:
            return Judged(seen, UNDECIDED, f"{counts[SAME]} flat or at the edge of what was measured")
        return Judged(seen, HOLDS)

    def _vote(self, curve: Curve) -> str:
        peak = curve.peak
        if peak.at_the_edge and peak.batch <= self.high:
            return SAME
        inside = [self.low <= batch <= self.high for batch in peak.overlapping]
        return FASTER if all(inside) else SAME if any(inside) else SLOWER

    def _others(self, study: Study) -> str:
        found = [curve.peak.batch for curve in study.curves if curve.device.is_gpu and len(curve.cells) > 1]
        return f"the GPUs here peak at {_batches(found)}" if found else ""


@dataclass(frozen=True)
class Unmeasurable:
    """A finding without a number or a margin, which nothing could refute."""

    text: str
    published: str
    why: str

    def judge(self, study: Study) -> Judged:
        """Never."""
        del study
        return Judged("", NOT_MEASURED, self.why)


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
