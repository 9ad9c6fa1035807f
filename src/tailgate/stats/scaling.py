"""What follows from throughput over threads and batch sizes: speed-up, efficiency, saturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SATURATION_GAIN_REL = 0.05
"""A step up in batch or threads that adds less than this share of throughput is saturated."""


@dataclass(frozen=True)
class ThreadPoint:
    """One thread count against the smallest one measured."""

    threads: int
    throughput_items_per_s: float
    speed_up: float
    parallel_efficiency: float
    """Speed-up over the growth in threads; 1.0 is perfect scaling."""


def over_threads(throughput_items_per_s: Mapping[int, float]) -> list[ThreadPoint]:
    """Speed-up and efficiency by thread count, relative to the smallest count measured, ascending."""
    if not throughput_items_per_s:
        return []
    base_threads = min(throughput_items_per_s)
    base = throughput_items_per_s[base_threads]
    return [
        ThreadPoint(threads, value, value / base, value / base / (threads / base_threads))
        for threads, value in sorted(throughput_items_per_s.items())
    ]


def saturation_point(throughput_items_per_s: Mapping[int, float]) -> int | None:
    """The smallest batch size (or thread count) from which no larger one gains 5 % or more.

    ``None`` when throughput still grows at the largest one measured, or fewer than two were measured:
    saturation was then not seen.
    """
    steps = sorted(throughput_items_per_s)
    for index, step in enumerate(steps[:-1]):
        best_later = max(throughput_items_per_s[later] for later in steps[index + 1 :])
        if best_later < throughput_items_per_s[step] * (1 + SATURATION_GAIN_REL):
            return step
    return None


@dataclass(frozen=True)
class Oversubscription:
    """More threads than CPUs, against the best thread count within them."""

    penalty_rel: float
    """Share of throughput lost; negative: it gained."""
    threads: int
    base_threads: int


def oversubscription(throughput_items_per_s: Mapping[int, float], usable_cpus: int) -> Oversubscription | None:
    """The worst beyond the CPUs against the best within.

    ``None`` where nothing beyond was measured, or not as many threads as CPUs: fewer leave some idle, and more threads
    then gain by using those.
    """
    rates = throughput_items_per_s
    beyond = [threads for threads in rates if threads > usable_cpus]
    if usable_cpus not in rates or not beyond:
        return None
    worst = min(beyond, key=rates.__getitem__)
    best = max((threads for threads in rates if threads <= usable_cpus), key=rates.__getitem__)
    return Oversubscription(1 - rates[worst] / rates[best], worst, best)


@dataclass(frozen=True)
class BatchStep:
    """One batch size against the smallest one measured."""

    batch_size: int
    median_s: float
    throughput_items_per_s: float
    latency_factor: float
    throughput_factor: float


def over_batches(median_s: Mapping[int, float]) -> list[BatchStep]:
    """What a larger batch costs in latency and gives in throughput, by batch size, ascending."""
    if not median_s:
        return []
    base = min(median_s)
    base_throughput = base / median_s[base]
    return [
        BatchStep(batch, value, batch / value, value / median_s[base], batch / value / base_throughput)
        for batch, value in sorted(median_s.items())
    ]
