"""Study 4's saved rows as profiles: what each model is, and what was measured of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studies.values import FLOPS_PER_MAC, USABLE, count, positive, processor, threads_text, unmeasured
from tailgate.number import number
from tailgate.results.columns import items_per_call
from tailgate.results.rows import alone, warnings_of
from tailgate.results.saved_run import Run, machine_id_of

STUDY, TEST = "onnx-profiles", "test_onnx_profiles"
MEMORY = {"heap": "heap_peak_bytes", "massif": "massif_peak_bytes", "rss growth": "rss_growth_bytes"}
"""What measures memory, the best first -> field of ``extra_info``."""
EVENTS = (
    "cpu-cycles", "instructions", "cache-references", "cache-misses", "L1-dcache-loads", "L1-dcache-load-misses",
    "branch-misses", "dTLB-load-misses",
)  # fmt: skip
"""perf's names, those of the source."""
CACHE_MISSES, TLB_MISSES = "cache-misses", "dTLB-load-misses"
SOURCE_INFERENCES = 100
"""Calls in a process that perf watches as a whole."""
IMAGE_RANK, IMAGE_CHANNELS = 4, (1, 3, 4)
"""An input of other dimensions or channels is no image."""
INTENSITY = "operational_intensity_flop_per_byte"


def process_field(event: str) -> str:
    """The count of a whole process, with the interpreter and 100 inferences, as in the source."""
    return f"perf_process_{event.replace('-', '_')}"


def inference_field(event: str) -> str:
    """The slope between two numbers of inferences."""
    return f"perf_{event.replace('-', '_')}_per_inference"


METERS = (
    *MEMORY.values(), "rss_peak_bytes", "model_bytes", INTENSITY,
    *map(process_field, EVENTS), *map(inference_field, EVENTS),
)  # fmt: skip
"""Fields of ``extra_info`` that meters write."""


@dataclass(frozen=True)
class Setting:
    """What profiles of one table and picture share."""

    machine: str
    runtime: str
    precision: str
    threads: int | None
    batch_size: int
    device: str

    @property
    def title(self) -> str:
        """``onnxruntime 1.28.0, fp32, 1 thread``; the machine is said below."""
        batch = "" if self.batch_size == 1 else f"batch {self.batch_size}"
        device = "" if self.device in ("", "cpu") else self.device
        return ", ".join(
            part for part in (self.runtime, self.precision, threads_text(self.threads), batch, device) if part
        )


@dataclass(frozen=True)
class Profile:
    """One model at one input size. A value that is not known is ``None``."""

    setting: Setting
    model: str
    image_size_px: int | None
    parameters: float | None
    macs: float | None
    """Per item."""
    flops_counter: str | None
    items_per_call: float | None
    mean_s: float | None
    stddev_s: float | None
    median_s: float | None
    p99_s: float | None
    rounds: float | None
    measured: Mapping[str, float]
    """Memory, counters and sizes by their name in ``extra_info``; only what is known."""
    status: str
    warnings: tuple[str, ...]

    @property
    def flops(self) -> float | None:
        """Of one call."""
        known = self.macs is not None and self.items_per_call is not None
        return FLOPS_PER_MAC * self.macs * self.items_per_call if known else None  # type: ignore[operator]

    @property
    def usable(self) -> bool:
        """Whether its times are the model's own."""
        return self.status in USABLE and self.mean_s is not None

    @property
    def achieved_flop_per_s(self) -> float | None:
        """At the median."""
        return self.flops / self.median_s if self.flops is not None and self.median_s else None

    def smir_process(self) -> float | None:
        """The source's: millions of a whole process's dTLB load misses per ms of one inference's mean latency."""
        return self._smir(self.measured.get(process_field(TLB_MISSES)))

    def smir_inference(self) -> float | None:
        """The same of 100 inferences and nothing else: what the source's would be without the interpreter's start."""
        per_inference = self.measured.get(inference_field(TLB_MISSES))
        return self._smir(None if per_inference is None else SOURCE_INFERENCES * per_inference)

    def _smir(self, misses: float | None) -> float | None:
        return misses / (self.mean_s * 1e3) / 1e6 if misses is not None and self.mean_s and self.usable else None


@dataclass(frozen=True)
class Profiles:
    """All that runs hold of the study."""

    by_setting: Mapping[Setting, Sequence[Profile]]
    """By FLOPs, then name; each model and size once."""
    unmeasured: Sequence[tuple[str, str, str]]
    """Name, status, reason."""
    repeated: int
    """Rows that a later one of the same model replaced."""


def profiles(runs: Sequence[Run]) -> Profiles:
    """The latest usable row of each model; the meters that it lacks come from the model's other rows."""
    found: dict[Setting, dict[tuple[str, int | None], Profile]] = {}
    repeated = 0
    for run in runs:
        for one in _of_run(run):
            known, key = found.setdefault(one.setting, {}), (one.model, one.image_size_px)
            repeated += key in known
            known[key] = _merged(known[key], one) if key in known else one
    order = {
        setting: sorted(known.values(), key=lambda one: (one.flops or 0, one.model)) for setting, known in found.items()
    }
    return Profiles(order, unmeasured(runs, TEST), repeated)


def memory_meter(found: Sequence[Profile]) -> str | None:
    """The one meter of a correlation: that which most models have, the best of several."""
    counts = Counter(name for one in found for name, field in MEMORY.items() if field in one.measured)
    return max(MEMORY, key=lambda name: counts[name]) if counts else None


def _merged(earlier: Profile, later: Profile) -> Profile:
    chosen, other = (earlier, later) if earlier.usable and not later.usable else (later, earlier)
    return replace(chosen, measured={**other.measured, **chosen.measured})


def _of_run(run: Run) -> Iterator[Profile]:
    machine = f"{processor(run)} (machine {machine_id_of(run) or 'unknown'})"
    for bench in run["benchmarks"]:
        info = bench.get("extra_info") or {}
        if info.get("study") == STUDY and alone(info):
            yield _profile(machine, str(bench["name"]), bench["stats"], info)


def _profile(machine: str, name: str, stats: Mapping[str, Any], info: Mapping[str, Any]) -> Profile:
    def text(key: str) -> str:
        return str(info[key]) if info.get(key) is not None else ""

    batch = positive(info.get("batch_size")) or 1  # a model without a batch answers one item
    threads = number(info.get("threads"))
    setting = Setting(
        machine, " ".join(filter(None, (text("runtime"), text("runtime_version")))) or "unknown runtime",
        text("precision"), None if threads is None else int(threads), int(batch), text("device"),
    )  # fmt: skip
    return Profile(
        setting, text("model") or name, _image_size(info), positive(info.get("parameters")),
        positive(info.get("macs")), text("flops_counter") or None, items_per_call(info),
        mean_s=positive(stats.get("mean")), stddev_s=number(stats.get("stddev")),
        median_s=positive(stats.get("median")), p99_s=positive(stats.get("p99")), rounds=number(stats.get("rounds")),
        measured={field: value for field in METERS if (value := number(info.get(field))) is not None},
        status=text("status") or "ok", warnings=tuple(warnings_of(info)),
    )  # fmt: skip


def _image_size(info: Mapping[str, Any]) -> int | None:
    """``image_size`` of the row; else the width of the first input that has the shape of images."""
    saved = positive(info.get("image_size"))
    if saved is not None:
        return int(saved)
    inputs = info.get("inputs")
    for one in inputs if isinstance(inputs, list) else []:
        shape = one.get("shape") if isinstance(one, Mapping) else None
        width = _width(shape) if isinstance(shape, list) and len(shape) == IMAGE_RANK else None
        if width is not None:
            return width
    return None


def _width(shape: Sequence[Any]) -> int | None:
    """Channels are first or last; the first of both that says so counts, as where images are made up."""
    if shape[1] in IMAGE_CHANNELS:
        return count(shape[3])
    return count(shape[2]) if shape[3] in IMAGE_CHANNELS else None
