"""Saved runs as cells: which rows belong to the study, on which device each ran, which are left out and why."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studies.gpu_precision.cells import Cell, Config, Curve, Device, Subject
from studies.reduced_precision.verdict import Timing
from studies.values import USABLE, finite, known, middle, processor, unmeasured
from tailgate.results.columns import items_per_call
from tailgate.results.rows import warnings_of
from tailgate.results.saved_run import Run, machine_id_of, machine_of

STUDY, TEST = "gpu-precision", "test_gpu_precision"
COMMAND = "benchmarks/test_gpu_precision.py -m gpu"
"""What measures rows of the study."""
CPU_STUDY = "cpu-scaling"
"""Its rows on a CPU are baselines too: the same models, images and weights."""
FIELDS = (
    "gpu_time_median_s", "gpu_time_p99_s", "gpu_memory_peak_bytes", "gpu_memory_used_peak_bytes",
    "gpu_memory_process_peak_bytes", "images_per_joule",
    "energy_per_item_j", "energy_uncertainty_rel", "power_mean_w", "temperature_max_c", "sm_clock_mean_hz",
    "output_error_rel", "top1_agreement", "inclusive_median_s", "build_s",
)  # fmt: skip


@dataclass
class Source:
    """One saved run: what the first table says of it."""

    when: str
    machine: str
    devices: Counter[str] = field(default_factory=Counter)
    """Name -> rows of it."""
    driver: str = ""
    packages: str = ""


@dataclass
class Study:
    """All that runs hold of the study."""

    curves: Sequence[Curve]
    sources: Sequence[Source]
    left_out: Counter[tuple[str, str]]
    """(device, why) -> rows."""
    unmeasured: Sequence[tuple[str, str, str]]
    """Name, status, reason."""

    @property
    def subjects(self) -> list[Subject]:
        """Models of which a GPU or the study itself has rows."""
        return sorted({curve.subject for curve in self.curves})

    def of(self, subject: Subject, *, gpu: bool) -> list[Curve]:
        """Its curves on GPUs, or on CPUs."""
        return [curve for curve in self.curves if curve.subject == subject and curve.device.is_gpu == gpu]


def study_of(runs: Sequence[Run]) -> Study | None:
    """``None``: no usable row of study 3."""
    pooled: dict[tuple[Subject, Device, Config, int], list[Mapping[str, Any]]] = defaultdict(list)
    left_out: Counter[tuple[str, str]] = Counter()
    sources, of_the_study = [], 0
    for run in runs:
        source = _source(run)
        for bench in run["benchmarks"]:
            info = bench.get("extra_info") or {}
            if not _belongs(info):
                continue
            device = device_of(run, info)
            source.devices[device.name] += 1
            of_the_study += info.get("study") == STUDY
            reason = _left_out(bench, info)
            if reason is not None:
                left_out[device.name, reason] += 1
                continue
            rows = pooled[_subject(info), device, _config(info, device), int(info["batch_size"])]
            if any(bench["stats"] == other["stats"] for other in rows):
                left_out[device.name, "the same row again"] += 1  # a file given twice is no second measurement
                continue
            rows.append(bench)
        sources.append(source)
    if not of_the_study:
        return None
    cells: dict[tuple[Subject, Device, Config], list[Cell]] = defaultdict(list)
    for (subject, device, config, batch), rows in pooled.items():
        cells[subject, device, config].append(_cell(subject, device, config, batch, rows))
    curves = [Curve(sorted(found, key=lambda cell: cell.batch)) for found in cells.values()]
    curves.sort(key=lambda curve: (curve.subject, not curve.device.is_gpu, curve.device.name, curve.config.rank))
    return Study(curves, sources, left_out, unmeasured(runs, TEST))


def device_of(run: Run, info: Mapping[str, Any]) -> Device:
    """The row's GPU by name, or the machine's processor."""
    facts, device = machine_of(run) or {}, str(info.get("device") or "cpu")
    if device == "cpu":
        return Device(False, processor(run, "CPUs"))
    if isinstance(info.get("gpu_name"), str):
        return Device(True, info["gpu_name"])
    gpus, index = facts.get("gpu_models"), device.rpartition(":")[2]
    if isinstance(gpus, list) and index.isdecimal() and int(index) < len(gpus):
        return Device(True, str(gpus[int(index)]))
    return Device(True, f"unknown GPU ({device})")


def _belongs(info: Mapping[str, Any]) -> bool:
    if info.get("phase") not in (None, "inference") or not info.get("model"):
        return False
    on_cpu = info.get("device") in (None, "cpu")
    return info.get("study") == STUDY or (info.get("study") == CPU_STUDY and on_cpu)


def _left_out(bench: Mapping[str, Any], info: Mapping[str, Any]) -> str | None:
    status = str(info.get("status") or "ok")
    if status not in USABLE:
        return status
    if info.get("throttled") is True:
        return "throttled"
    if (finite(info.get("tenants")) or 1) > 1:
        return "several tenants at once"
    if _weights(info) is None:
        return "weights not known (no model_sha256)"
    if not finite(info.get("batch_size")) or not finite(info.get("image_size")):
        return "no batch_size or image_size"
    if items_per_call(info) is None:
        return "items_per_call is not a positive number"
    return None if (finite(bench["stats"].get("median")) or 0) > 0 else "no positive median"


def _subject(info: Mapping[str, Any]) -> Subject:
    return Subject(str(info["model"]), _weights(info) or "", int(info["image_size"]))


def _weights(info: Mapping[str, Any]) -> str | None:
    """What makes two cells the same work.

    Seeded random weights are normalised by arithmetic whose last bits differ between processors and versions of
    torch, so their hashes do, too; parameters and MACs are the same, and no layer's cost depends on the values.
    """
    parameters, macs = finite(info.get("parameters")), finite(info.get("macs"))
    if info.get("weights") == "random" and parameters and macs:
        return f"random, {int(parameters)} parameters, {int(macs)} MACs"
    sha256 = info.get("model_sha256")
    return sha256 if isinstance(sha256, str) else None


def _config(info: Mapping[str, Any], device: Device) -> Config:
    threads = None if device.is_gpu else finite(info.get("threads"))
    return Config(
        str(info.get("runtime") or "unknown"),
        str(info.get("precision") or "unknown"),
        None if threads is None else int(threads),
        info.get("l2_flushed") is True,
    )


def _cell(subject: Subject, device: Device, config: Config, batch: int, rows: Sequence[Mapping[str, Any]]) -> Cell:
    infos = [row.get("extra_info") or {} for row in rows]
    medians_s: list[float] = []
    for row, info in zip(rows, infos, strict=True):
        saved = info.get("process_medians_s")
        processes = [value for value in known(saved if isinstance(saved, list) else ()) if value > 0]
        medians_s += processes or [float(row["stats"]["median"])]
    rounds = [time_s for row in rows for time_s in row["stats"].get("data") or ()]
    facts = {name: statistics.median(found) for name in FIELDS if (found := known(info.get(name) for info in infos))}
    versions = {str(info["runtime_version"]) for info in infos if info.get("runtime_version")}
    return Cell(
        subject, device, config, batch,
        items=batch if infos[0].get("items_per_call") is None else items_per_call(infos[0]) or batch,
        # One process: its median. Several: their geometric mean, which ratios of them are made of.
        timing=Timing(statistics.geometric_mean(medians_s), rounds, medians_s if len(medians_s) > 1 else ()),
        p99_s=middle(row["stats"].get("p99") for row in rows),
        facts=facts,
        versions=tuple(sorted(versions)),
        warnings=tuple(dict.fromkeys(text for info in infos for text in warnings_of(info))),
        rows=len(rows),
    )  # fmt: skip


def _source(run: Run) -> Source:
    facts = machine_of(run) or {}
    packages = facts["packages"] if isinstance(facts.get("packages"), dict) else {}
    shown = [f"{name} {packages[name]}" for name in ("torch", "onnxruntime", "tensorrt") if packages.get(name)]
    return Source(
        when=str(run.get("datetime") or "an unknown day")[:16],
        machine=machine_id_of(run) or "unknown",
        driver=str(facts.get("driver_version") or ""),
        packages=", ".join(shown),
    )
