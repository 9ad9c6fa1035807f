"""What is compared: a cell is one model on one device, by one runtime, in one precision, at one batch size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from studies.gpu_precision.peaks import Peak, Point, peak
from studies.reduced_precision.verdict import Z_95, Limits, Timing
from studies.values import threads_text
from tailgate.stats.quantiles import order_statistic_interval

PRECISIONS = ("fp32", "tf32", "bf16", "fp16", "int8")
"""From the widest to the narrowest: the order of every table."""


@dataclass(frozen=True, order=True)
class Subject:
    """What two cells must share to be compared: the same work on images of the same size."""

    model: str
    weights: str
    """``random, P parameters, M MACs``, or the SHA-256 of published ones."""
    image_size_px: int

    @property
    def label(self) -> str:
        """``resnet50 · 224 px · weights 6fde158e``, or ``· random, 25557032 parameters, 4089184256 MACs``."""
        weights = self.weights if self.weights.startswith("random") else f"weights {self.weights[:8]}"
        return f"{self.model} · {self.image_size_px} px · {weights}"


@dataclass(frozen=True, order=True)
class Device:
    """A GPU's or a CPU's model name; the same hardware in two machines is one device."""

    is_gpu: bool
    name: str


@dataclass(frozen=True)
class Config:
    """How a device was used."""

    runtime: str
    precision: str
    threads: int | None = None
    """On a CPU."""
    l2_flushed: bool = False

    @property
    def label(self) -> str:
        """``pytorch fp32``; with threads on a CPU."""
        flushed = "L2 flushed" if self.l2_flushed else ""
        return ", ".join(filter(None, (f"{self.runtime} {self.precision}", threads_text(self.threads), flushed)))

    @property
    def rank(self) -> tuple[object, ...]:
        """For sorting: runtime, then precision from wide to narrow."""
        known = self.precision in PRECISIONS
        width = PRECISIONS.index(self.precision) if known else len(PRECISIONS)
        return (self.runtime, width, self.precision, self.threads or 0, self.l2_flushed)

    def like(self, other: Config) -> bool:
        """Whether runtime, precision and the state of the cache are the same; threads may differ."""
        mine, theirs = (self.runtime, self.precision, self.l2_flushed), (
            other.runtime, other.precision, other.l2_flushed,
        )  # fmt: skip
        return mine == theirs


@dataclass(frozen=True)
class Cell:
    """One cell, pooled over its rows. ``facts`` lacks a value that is not known."""

    subject: Subject
    device: Device
    config: Config
    batch: int
    items: float
    """Images a call."""
    timing: Timing
    p99_s: float | None
    facts: Mapping[str, float]
    """Numbers of ``extra_info`` by their names there; the median where rows were pooled."""
    versions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rows: int = 1

    @property
    def throughput(self) -> float:
        """Images a second, at the median."""
        return self.items / self.timing.median_s

    @cached_property
    def interval(self) -> tuple[float | None, float | None]:
        """95 % interval of ``throughput``.

        The median's order-statistic interval, widened by how far the medians of the processes lie from the middle, or
        by ``Limits.process_sd_rel`` where there was only one process.
        """
        rounds = sorted(self.timing.rounds_s)
        low_s, high_s = order_statistic_interval(rounds, 0.5) if rounds else (None, None)
        if low_s is None or high_s is None or low_s <= 0:
            return None, None
        median_s, medians_s = self.timing.median_s, self.timing.process_medians_s
        between = Z_95 * Limits.process_sd_rel
        if len(medians_s) >= 2:
            between = max(abs(math.log(one / median_s)) for one in medians_s)
        slower = math.hypot(max(0.0, math.log(high_s / median_s)), between)
        faster = math.hypot(max(0.0, math.log(median_s / low_s)), between)
        return self.throughput * math.exp(-slower), self.throughput * math.exp(faster)

    @property
    def gpu_share(self) -> float | None:
        """Device time over host time of a call, both medians."""
        gpu_s = self.facts.get("gpu_time_median_s")
        return None if gpu_s is None else gpu_s / self.timing.median_s

    @property
    def memory_field(self) -> str:
        """What measures its memory: torch's allocator sees only what torch allocates."""
        if self.config.runtime.startswith("pytorch"):
            return "gpu_memory_peak_bytes"
        process = "gpu_memory_process_peak_bytes"
        return process if process in self.facts else "gpu_memory_used_peak_bytes"

    @property
    def memory_peak_bytes(self) -> float | None:
        """Of the allocator; for runtimes with one of their own NVML's, of the process, else of the whole board."""
        return self.facts.get(self.memory_field)

    @property
    def images_per_joule(self) -> float | None:
        """From the row, or from the energy of an item."""
        saved, energy_j = self.facts.get("images_per_joule"), self.facts.get("energy_per_item_j")
        return saved if saved is not None else (1 / energy_j if energy_j else None)

    @property
    def images_per_s_per_w(self) -> float | None:
        """Throughput over mean power."""
        power_w = self.facts.get("power_mean_w")
        return self.throughput / power_w if power_w else None


@dataclass(frozen=True)
class Curve:
    """All batches of one model, device and configuration, ascending; never empty."""

    cells: Sequence[Cell]

    @property
    def subject(self) -> Subject:
        """The model."""
        return self.cells[0].subject

    @property
    def device(self) -> Device:
        """Where."""
        return self.cells[0].device

    @property
    def config(self) -> Config:
        """How."""
        return self.cells[0].config

    @cached_property
    def by_batch(self) -> Mapping[int, Cell]:
        """Batch size -> cell."""
        return {cell.batch: cell for cell in self.cells}

    @cached_property
    def peak(self) -> Peak:
        """Of throughput."""
        return peak(Point(cell.batch, cell.throughput, *cell.interval) for cell in self.cells)

    @property
    def top(self) -> Cell:
        """The cell at the peak."""
        return self.by_batch[self.peak.batch]
