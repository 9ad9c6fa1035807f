"""Every comparison of the report: one cell over another of the same model, weights and image size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from studies.gpu_precision.cells import Cell, Config, Curve
from studies.gpu_precision.reading import Study
from studies.reduced_precision.verdict import SpeedUp, speed_up

BEST_CPU, SOURCE_CPU, SAME_CPU = "best CPU", "CPU pytorch fp32", "CPU same runtime and precision"
OVER_CPU = (BEST_CPU, SOURCE_CPU, SAME_CPU)
OVER_FP32, OVER_GPU = "precision over fp32", "GPU over GPU"
OVER_PYTORCH = "runtime and precision over pytorch fp32"
"""As in the source: its FP32 is PyTorch's and its INT8 TensorRT's, so precision and runtime change together."""
FASTER, SLOWER, SAME, UNKNOWN = "faster", "slower", "not told apart", "no interval"


@dataclass(frozen=True)
class Comparison:
    """Throughput of ``cell`` over ``base``'s. At the peaks the two batches may differ."""

    kind: str
    cell: Cell
    base: Cell
    at_peak: bool = False

    @property
    def ratio(self) -> SpeedUp:
        """Of images a second, with its 95 % interval."""
        return ratio(self.cell, self.base)

    @property
    def verdict(self) -> str:
        """An interval that contains 1 shows no difference."""
        found = self.ratio
        if found.low is None or found.high is None:
            return UNKNOWN
        return FASTER if found.low > 1 else SLOWER if found.high < 1 else SAME


def ratio(cell: Cell, base: Cell) -> SpeedUp:
    """Images a second over images a second: the ratio of the medians, times that of the images a call."""
    found, images = speed_up(base.timing, cell.timing), cell.items / base.items
    ends = [None if end is None else end * images for end in (found.low, found.high)]
    return SpeedUp(found.ratio * images, *ends)


@dataclass(frozen=True)
class Row:
    """One configuration against its bases: at each batch, and peak over peak."""

    curve: Curve
    by_batch: dict[int, Comparison]
    peak: Comparison | None


def over_cpu(curve: Curve, cpu: Sequence[Curve], kind: str) -> Row:
    """``cpu``: the curves of one CPU, of the same subject; at each batch the fastest eligible one is the base."""
    eligible = [one for one in cpu if _eligible(one.config, curve.config, kind)]
    found = {}
    for cell in curve.cells:
        bases = [one.by_batch[cell.batch] for one in eligible if cell.batch in one.by_batch]
        if bases:
            found[cell.batch] = Comparison(kind, cell, max(bases, key=lambda base: base.throughput))
    best = max((one.top for one in eligible), key=lambda base: base.throughput, default=None)
    return Row(curve, found, None if best is None else Comparison(kind, curve.top, best, at_peak=True))


def over(curve: Curve, base: Curve, kind: str) -> Row:
    """One curve over another, where both have a batch."""
    shared = {
        cell.batch: Comparison(kind, cell, base.by_batch[cell.batch])
        for cell in curve.cells
        if cell.batch in base.by_batch
    }
    return Row(curve, shared, Comparison(kind, curve.top, base.top, at_peak=True))


def over_fp32(curves: Sequence[Curve]) -> Iterator[Row]:
    """Each reduced precision over fp32 of the same subject, device, runtime and threads."""
    for curve in curves:
        base = fp32_of(curve, curves, curve.config.runtime)
        if base is not None and base is not curve:
            yield over(curve, base, OVER_FP32)


def over_pytorch(curves: Sequence[Curve]) -> Iterator[Row]:
    """Each configuration over fp32 of pytorch on the same device, of the same subject and threads."""
    for curve in curves:
        base = fp32_of(curve, curves, "pytorch")
        if base is not None and base is not curve:
            yield over(curve, base, OVER_PYTORCH)


def fp32_of(curve: Curve, curves: Sequence[Curve], runtime: str) -> Curve | None:
    """The fp32 curve of a runtime that a curve may be compared with; its own, where it is that one."""
    wanted = Config(runtime, "fp32", curve.config.threads, curve.config.l2_flushed)
    key = (curve.subject, curve.device, wanted)
    return next((one for one in curves if (one.subject, one.device, one.config) == key), None)


def over_gpus(curves: Sequence[Curve]) -> dict[tuple[str, str], list[Row]]:
    """Of one subject: (GPU, other GPU) -> rows; the one with the higher best throughput is first."""
    best: dict[str, float] = {}
    for curve in curves:
        best[curve.device.name] = max(best.get(curve.device.name, 0.0), curve.peak.value)
    found = {}
    for first, second in combinations(sorted(best, key=lambda name: -best[name]), 2):
        found[first, second] = [
            over(one, other, OVER_GPU)
            for one in curves
            for other in curves
            if (one.device.name, other.device.name) == (first, second) and one.config.like(other.config)
        ]
    return found


def every(study: Study) -> Iterator[Comparison]:
    """All of them, for the CSV and the findings."""
    for row in rows(study):
        yield from row.by_batch.values()
        if row.peak is not None:
            yield row.peak


def rows(study: Study) -> Iterator[Row]:
    """Over CPUs, over fp32, GPU over GPU."""
    for subject in study.subjects:
        gpus, cpus = study.of(subject, gpu=True), study.of(subject, gpu=False)
        for device in dict.fromkeys(curve.device for curve in cpus):
            on_it = [curve for curve in cpus if curve.device == device]
            yield from (over_cpu(curve, on_it, kind) for curve in gpus for kind in OVER_CPU)
        yield from over_fp32([*gpus, *cpus])
        yield from over_pytorch([*gpus, *cpus])
        for found in over_gpus(gpus).values():
            yield from found


def _eligible(config: Config, wanted: Config, kind: str) -> bool:
    if kind == SAME_CPU:
        return (config.runtime, config.precision) == (wanted.runtime, wanted.precision)
    return kind == BEST_CPU or (config.runtime, config.precision) == ("pytorch", "fp32")
