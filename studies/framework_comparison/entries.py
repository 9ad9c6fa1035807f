"""What is compared: one entry per framework, one group for all that ran the same cell."""

from __future__ import annotations

from dataclasses import dataclass

from studies.framework_comparison.published import NAMES
from studies.values import USABLE, threads_text

ALSO = {"pytorch-compile": "PyTorch compiled", "tensorrt": "TensorRT"}
"""Names of runtimes that the source did not have."""
SIDES_S = ("import_s", "load_s", "compile_s", "first_call_s")


@dataclass(frozen=True)
class Value:
    """A number and its range: a latency's middle half of the rounds, else the extremes of the rows."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Key:
    """What the frameworks of one table share. As published each had its own: ``None``."""

    as_published: bool
    model: str
    precision: str | None
    batch_size: int | None
    threads: int | None
    image_size: int | None
    weights: str | None
    model_sha256: str | None

    @property
    def label(self) -> str:
        """A heading."""
        if self.as_published:
            return f"{self.model}, as published (1000 items a run, default threads)"
        size = f", {self.image_size} px" if self.image_size else ""
        weights = f", {self.weights} weights" if self.weights not in (None, "random") else ""
        threads = threads_text(self.threads) or "unknown threads"
        return f"{self.model}, {self.precision}{size}{weights}, batch {self.batch_size}, {threads}"


@dataclass(frozen=True)
class Entry:
    """One framework in one group. ``reason`` or ``notes`` say why a value is ``None``."""

    runtime: str
    version: str | None = None
    status: str | None = None
    latency_s: Value | None = None
    """Median; as published the source's mean."""
    mean_s: float | None = None
    p99_s: float | None = None
    cpu_percent: Value | None = None
    """CPU time over wall time; 100 is one CPU busy. As published: what psutil measured."""
    memory_bytes: Value | None = None
    """Peak of the process; as published the mean of its resident memory."""
    growth_bytes: float | None = None
    import_growth_bytes: float | None = None
    sides_s: tuple[float | None, ...] = (None,) * len(SIDES_S)
    """``SIDES_S``."""
    protocol: str | None = None
    rows: int = 0
    reason: str | None = None
    """Why it was not measured."""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The framework's own spelling."""
        return {**NAMES, **ALSO}.get(self.runtime, self.runtime)

    @property
    def measured(self) -> bool:
        """Whether there is a latency."""
        return self.latency_s is not None

    @property
    def disturbed(self) -> bool:
        """Whether its times are not its own."""
        return self.measured and self.status not in USABLE


@dataclass(frozen=True)
class Group:
    """All frameworks of one cell, measured or not, in the source's order."""

    key: Key
    entries: tuple[Entry, ...]

    @property
    def by_runtime(self) -> dict[str, Entry]:
        """Those that were measured."""
        return {entry.runtime: entry for entry in self.entries if entry.measured}
