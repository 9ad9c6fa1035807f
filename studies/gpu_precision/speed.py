"""The sections on speed: over the CPU, precision over fp32, GPU over GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from studies.gpu_precision import text
from studies.gpu_precision.cells import Curve
from studies.gpu_precision.ratios import (
    BEST_CPU,
    SAME_CPU,
    SOURCE_CPU,
    Comparison,
    Row,
    over_cpu,
    over_fp32,
    over_gpus,
    over_pytorch,
)
from studies.gpu_precision.reading import Study
from studies.markdown_table import code, words

PEAKS = "peak over peak (95 %)"


def over_the_cpu(study: Study) -> list[str]:
    """Each GPU configuration over a CPU's best, over what the source compared with, and like for like."""
    parts = ["## Speed-up over the CPU\n"]
    found = False
    for subject in study.subjects:
        gpus, cpus = study.of(subject, gpu=True), study.of(subject, gpu=False)
        if not gpus or not cpus:
            continue
        found = True
        for device in dict.fromkeys(curve.device for curve in cpus):
            on_it = [curve for curve in cpus if curve.device == device]
            parts += [text.heading(subject), f"CPU: {code(device.name)}. {_fastest(on_it)}\n", _over_cpu(gpus, on_it)]
    if not found:
        return [*parts, f"{_why_no_cpu(study)}\n"]
    return [
        *parts,
        "Columns b1, b2, ...: over the fastest CPU row of the same batch, of any runtime, precision and thread count. "
        f"`{SOURCE_CPU}` is what the source's CPU study measured; like for like is the same runtime and precision.\n",
        text.LEGEND,
    ]


def of_precision(study: Study) -> list[str]:
    """Each precision over fp32 on the same device, by the same runtime."""
    parts = ["## Precision over fp32\n"]
    for subject in study.subjects:
        curves = [*study.of(subject, gpu=True), *_most_threads(study.of(subject, gpu=False))]
        own = {id(row.curve): row for row in over_fp32(curves)}
        pytorch = {id(row.curve): row.peak for row in over_pytorch(curves)}
        rows = [own.get(id(curve), Row(curve, {}, None)) for curve in curves if id(curve) in {*own, *pytorch}]
        if rows:
            columns = ((PEAKS, _peak), ("over pytorch fp32, peaks", partial(_over_pytorch, pytorch)))
            parts += [text.heading(subject), text.ratios_table(rows, columns)]
    if len(parts) == 1:
        return [*parts, "Not shown: no device has fp32 and another precision of one model by one runtime.\n"]
    return [
        *parts,
        "Over fp32 by the same runtime, so that only the precision changes. In the last column the runtime changes "
        "too, as in the source, whose FP32 is PyTorch's and whose INT8 is TensorRT's. tf32 is a precision of its own: "
        "in fp32 rows it is off. A CPU is shown with the fastest thread count of each runtime.\n",
        text.LEGEND,
    ]


def gpu_over_gpu(study: Study) -> list[str]:
    """Every pair of GPUs, the same runtime and precision on both."""
    parts = ["## GPU over GPU\n"]
    names = sorted({curve.device.name for curve in study.curves if curve.device.is_gpu})
    if len(names) < 2:
        known = f"only {code(names[0])}" if names else "no GPU"
        return [*parts, f"Not shown: this section needs rows of two GPUs, and these files have {known}.\n"]
    for subject in study.subjects:
        for (first, second), rows in over_gpus(study.of(subject, gpu=True)).items():
            if rows:
                table = text.ratios_table(rows, [(PEAKS, _peak)])
                parts += [text.heading(subject), f"{code(first)} over {code(second)}:\n", table]
    if len(parts) == 1:
        return [*parts, "Not shown: the GPUs share no model with the same weights, runtime and precision.\n"]
    return [*parts, text.LEGEND]


def _peak(row: Row) -> str:
    return text.at_peaks(row.peak)


def _over_pytorch(peaks: Mapping[int, Comparison | None], row: Row) -> str:
    return text.at_peaks(peaks.get(id(row.curve)))


def _over_cpu(gpus: Sequence[Curve], cpu: Sequence[Curve]) -> str:
    def peak(curve: Curve, kind: str) -> str:
        return text.at_peaks(over_cpu(curve, cpu, kind).peak, name_base=kind == SAME_CPU)

    rows = [over_cpu(curve, cpu, BEST_CPU) for curve in gpus]
    return text.ratios_table(
        rows,
        [
            ("peak over the CPU's peak (95 %)", lambda row: peak(row.curve, BEST_CPU)),
            (f"over {SOURCE_CPU}, peaks", lambda row: peak(row.curve, SOURCE_CPU)),
            ("like for like, peaks", lambda row: peak(row.curve, SAME_CPU)),
        ],
    )


def _fastest(cpu: Sequence[Curve]) -> str:
    best = max(cpu, key=lambda curve: curve.peak.value)
    label = words(best.config.label)
    return f"Its fastest row: {label}, batch {best.peak.batch}, {text.images(best.peak.value)} images/s."


def _most_threads(cpu: Sequence[Curve]) -> list[Curve]:
    """Of each CPU and runtime the thread count of its fastest fp32 row."""
    best: dict[tuple[str, str], Curve] = {}
    for curve in cpu:
        key = (curve.device.name, curve.config.runtime)
        if curve.config.precision == "fp32" and (key not in best or curve.peak.value > best[key].peak.value):
            best[key] = curve
    chosen = {key: curve.config.threads for key, curve in best.items()}
    return [
        curve for curve in cpu
        if chosen.get((curve.device.name, curve.config.runtime), object()) == curve.config.threads
    ]  # fmt: skip


def _why_no_cpu(study: Study) -> str:
    gpus = {curve.subject for curve in study.curves if curve.device.is_gpu}
    cpus = {curve.subject for curve in study.curves if not curve.device.is_gpu}
    if not gpus or not cpus:
        return f"Not shown: no row on a {'CPU' if gpus else 'GPU'} in these files; add a file that has some."
    names = sorted({one.model for one in gpus} & {one.model for one in cpus})
    if not names:
        return "Not shown: GPU and CPU have no model in common."
    shown = ", ".join(code(name) for name in names)
    return f"Not shown: GPU and CPU rows of {shown} differ in weights or image size."
