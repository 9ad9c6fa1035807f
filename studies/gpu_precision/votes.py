"""What counts for and against a finding: one vote per cell, named as a comparison's verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from studies.gpu_precision.cells import Cell
from studies.gpu_precision.predicates import is_model
from studies.gpu_precision.ratios import FASTER, OVER_GPU, SAME, SLOWER, Comparison, every, over_fp32
from studies.gpu_precision.reading import Study

RESOURCE_MARGIN_REL = 0.05
"""Memory, power and energy have one number per cell, and a smaller difference counts as none, as in study 2."""


def gpu_over_gpu(first: str, second: str) -> Callable[[Study], Iterable[str]]:
    """Votes: is the first faster in each cell that both have."""
    return lambda study: [
        one.verdict
        for one in every(study)
        if one.kind == OVER_GPU and not one.at_peak
        and is_model(one.cell.device.name, first) and is_model(one.base.device.name, second)
    ]  # fmt: skip


def faster_than_fp32(precision: str) -> Callable[[Study], Iterable[str]]:
    """Votes: is a precision faster, in each GPU cell that has both."""
    return lambda study: [one.verdict for one in _reduced(study, (precision,))]


def less_memory(study: Study) -> Iterable[str]:
    """Votes: has fp16 or int8 a lower peak of memory, by the same meter."""
    return _resource(study, lambda cell: cell.memory_peak_bytes, less=True)


def less_power(study: Study) -> Iterable[str]:
    """Votes: has fp16 or int8 a lower mean power."""
    return _resource(study, lambda cell: cell.facts.get("power_mean_w"), less=True)


def more_per_joule(study: Study) -> Iterable[str]:
    """Votes: has fp16 or int8 more images per joule."""
    return _resource(study, lambda cell: cell.images_per_joule, less=False)


def fastest_precision(precision: str) -> Callable[[Study], Iterable[str]]:
    """Votes: on each GPU and model, is its best peak above those of all other precisions."""

    def votes(study: Study) -> Iterable[str]:
        for subject in study.subjects:
            gpus = study.of(subject, gpu=True)
            for device in dict.fromkeys(curve.device for curve in gpus):
                mine = [curve.top for curve in gpus if curve.device == device]
                own = [cell for cell in mine if cell.config.precision == precision]
                others = [cell for cell in mine if cell.config.precision != precision]
                if own and others:
                    best, rival = (max(cells, key=lambda cell: cell.throughput) for cells in (own, others))
                    yield Comparison("", best, rival, at_peak=True).verdict

    return votes


def _reduced(study: Study, precisions: Sequence[str] = ("fp16", "int8")) -> list[Comparison]:
    curves = [curve for curve in study.curves if curve.device.is_gpu]
    rows = [row for row in over_fp32(curves) if row.curve.config.precision in precisions]
    return [one for row in rows for one in row.by_batch.values()]


def _resource(study: Study, value: Callable[[Cell], float | None], *, less: bool) -> Iterable[str]:
    for one in _reduced(study):
        mine, base = value(one.cell), value(one.base)
        if mine and base and one.cell.memory_field == one.base.memory_field:
            gain = base / mine if less else mine / base
            over = 1 + RESOURCE_MARGIN_REL
            yield FASTER if gain > over else SLOWER if gain < 1 / over else SAME
