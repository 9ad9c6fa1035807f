"""Saved rows as peaks and points: what the machine reaches at a thread count, and what each cell reached."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studies.roofline.bound import Call, Level, Verdict, consistent, judge
from studies.values import DISTURBED, FLOPS_PER_MAC, positive, threads_text
from tailgate.results.precision_labels import arithmetic
from tailgate.results.rows import alone
from tailgate.results.saved_run import Run, machine_id_of, machine_of

PEAK, TRAINING = "peak", "training"
TRAINING_OVER_FORWARD = 3
LINE_BYTES = 64
MISSES = "perf_cache_misses_per_inference"
ORDER = ("l1", "l2", "l3", "l4", "memory")
LABEL = ("model", "image_size", "runtime", "precision", "batch_size")


@dataclass(frozen=True)
class Setting:
    """What a peak and a cell must share to be compared."""

    machine: str
    fingerprint_id: str
    device: str
    threads: int | None

    @property
    def title(self) -> str:
        """``cpu, 2 threads``; of a GPU its name alone, since its host has one thread."""
        if self.device != "cpu":
            return self.device
        return f"{self.device}, {threads_text(self.threads) or 'unknown threads'}"


@dataclass(frozen=True)
class Peak:
    """One row of a peak: the largest number seen."""

    value: float
    status: str
    made_by: str
    """Kernel and size."""


@dataclass
class Roofs:
    """All peaks of one setting."""

    flop_per_s: dict[str, Peak] = field(default_factory=dict)
    """By precision."""
    bytes_per_s: dict[str, tuple[Peak, Level]] = field(default_factory=dict)
    """By level."""

    @property
    def levels(self) -> list[Level]:
        """Innermost first, none slower than one outside it."""
        names = sorted(self.bytes_per_s, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
        return consistent([self.bytes_per_s[name][1] for name in names])

    def doubt(self, precision: str) -> str | None:
        """Why a peak may be too low."""
        peaks = [self.flop_per_s[precision], *(peak for peak, _ in self.bytes_per_s.values())]
        disturbed = sorted({peak.status for peak in peaks if peak.status in DISTURBED})
        return f"a peak was {' and '.join(disturbed)}: measure the peaks again" if disturbed else None


@dataclass(frozen=True)
class Point:
    """One cell."""

    name: str
    label: str
    phase: str
    precision: str
    status: str
    achieved_flop_per_s: float
    call: Call
    counted_bytes: float | None
    """Cache misses × 64 bytes, where ``--meters=perf`` counted them."""
    verdict: Verdict

    @property
    def compulsory(self) -> float | None:
        """FLOP/byte by compulsory traffic."""
        return self.call.flops / self.call.compulsory_bytes if self.call.compulsory_bytes else None

    @property
    def layerwise(self) -> float | None:
        """FLOP/byte by layer-wise traffic."""
        return self.call.flops / self.call.layerwise_bytes if self.call.layerwise_bytes else None

    @property
    def counted(self) -> float | None:
        """FLOP/byte by the counter."""
        return self.call.flops / self.counted_bytes if self.counted_bytes else None


@dataclass
class Roofline:
    """Peaks and cells of one setting."""

    roofs: Roofs = field(default_factory=Roofs)
    points: list[Point] = field(default_factory=list)


def rooflines(runs: Sequence[Run]) -> dict[Setting, Roofline]:
    """Peaks and judged cells by setting; a setting without either is absent."""
    found: dict[Setting, Roofline] = {}
    cells: list[tuple[Setting, Mapping[str, Any], Mapping[str, Any]]] = []
    for run in runs:
        for bench in run["benchmarks"]:
            info = bench.get("extra_info") or {}
            setting = _setting(run, info)
            if info.get("phase") == PEAK:
                _add_peak(found.setdefault(setting, Roofline()).roofs, info)
            elif alone(info):  # several share what one has a roof of
                cells.append((setting, bench, info))
    for setting, bench, info in cells:
        roofs = found[setting].roofs if setting in found else Roofs()
        point = _point(bench, info, roofs)
        if point is not None:
            found.setdefault(setting, Roofline()).points.append(point)
    return found


def _setting(run: Run, info: Mapping[str, Any]) -> Setting:
    machine = (machine_of(run) or {}).get("cpu_model") or "unknown machine"
    device = str(info.get("device") or "cpu")
    threads = info.get("threads") if device == "cpu" else None
    title = device if device == "cpu" or not info.get("gpu_name") else f"{device} {info['gpu_name']}"
    return Setting(str(machine), machine_id_of(run) or "", title, threads if isinstance(threads, int) else None)


def _add_peak(roofs: Roofs, info: Mapping[str, Any]) -> None:
    """A peak is a maximum: of several rows the largest stands."""
    status = str(info.get("status") or "ok")
    flop_per_s, bytes_per_s = positive(info.get("peak_flop_per_s")), positive(info.get("peak_bytes_per_s"))
    if flop_per_s is not None:
        made_by = f"{info.get('gemm_kernel')}, {info.get('gemm_size')}²"
        peak, precision = Peak(flop_per_s, status, made_by), str(info.get("precision"))
        roofs.flop_per_s[precision] = max(peak, roofs.flop_per_s.get(precision, peak), key=lambda one: one.value)
    if bytes_per_s is not None:
        name = str(info.get("level"))
        made_by = f"{info.get('triad_kernel')}, 3 × {(positive(info.get('array_bytes')) or 0) / 1024:,.0f} KiB"
        inner, held = info.get("inner_bytes"), positive(info.get("held_bytes")) or math.inf
        level = Level(name, bytes_per_s, inner if isinstance(inner, int | float) else None, held)
        if name not in roofs.bytes_per_s or roofs.bytes_per_s[name][0].value < bytes_per_s:
            roofs.bytes_per_s[name] = (Peak(bytes_per_s, status, made_by), level)


def _point(bench: Mapping[str, Any], info: Mapping[str, Any], roofs: Roofs) -> Point | None:
    """``None``: a row without FLOPs, which no roof bounds."""
    phase, precision = str(info.get("phase") or "inference"), str(info.get("precision") or "")
    batch = positive(info.get("batch_size")) or 1
    flops = positive(info.get("flops_per_call"))
    if flops is None and (macs := positive(info.get("macs"))) is not None:
        flops = FLOPS_PER_MAC * macs * batch * (TRAINING_OVER_FORWARD if phase == TRAINING else 1)
    median_s = positive(bench["stats"].get("median"))
    achieved = positive(info.get("achieved_flop_per_s")) or (flops / median_s if flops and median_s else None)
    if flops is None or achieved is None:
        return None
    call = _call(info, flops, phase)
    under = _roof(info, roofs)
    own = roofs.flop_per_s.get(under)
    doubt = roofs.doubt(under) if own else None
    verdict = judge(call, achieved, own.value if own else None, roofs.levels, doubt=doubt)
    misses = positive(info.get(MISSES))
    return Point(
        str(bench["name"]), _label(info) or str(bench["name"]), phase, precision, str(info.get("status") or "ok"),
        achieved, call, misses * LINE_BYTES if misses else None, verdict,
    )  # fmt: skip


def _roof(info: Mapping[str, Any], roofs: Roofs) -> str:
    """The precision whose peak bounds a row: of the arithmetic that ran, else of the label's."""
    ran = arithmetic(info.get("precision_compiled"))
    return ran if ran is not None and ran in roofs.flop_per_s else arithmetic(info.get("precision")) or ""


def _call(info: Mapping[str, Any], flops: float, phase: str) -> Call:
    """Traffic from the row's own models, or from an ONNX file's bytes; 0: not known, which bounds nothing."""
    compulsory, layerwise = positive(info.get("traffic_compulsory_bytes")), info.get("traffic_layerwise_bytes")
    held = positive(info.get("layerwise_set_bytes"))
    if compulsory is None:
        weights, ends, inner = (positive(info.get(f"{name}_bytes")) for name in ("weight", "io", "activation"))
        compulsory = weights + ends if weights and ends else 0.0
        layerwise = compulsory + 2 * inner if compulsory and inner else None
    return Call(flops, compulsory, positive(layerwise), 2 if phase == TRAINING else 1, held)


def _label(info: Mapping[str, Any]) -> str:
    parts: Iterable[Any] = (info.get(name) for name in LABEL)
    units = {"image_size": "{} px", "batch_size": "batch {}"}
    shown = [units.get(name, "{}").format(part) for name, part in zip(LABEL, parts, strict=True) if part is not None]
    return " ".join(shown) if info.get("model") else ""
