"""Which quantities study 4 correlates, and over which of the models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studies.onnx_profiles.correlation import Correlation, Influence, correlation, most_influential
from studies.onnx_profiles.published import FLOPS_LATENCY, FLOPS_MISSES, PARAMETERS_MEMORY, PARAMETERS_MISSES
from studies.onnx_profiles.rows import CACHE_MISSES, MEMORY, Profile, inference_field, memory_meter, process_field

Value = Callable[[Profile], float | None]


@dataclass(frozen=True)
class Axis:
    """A quantity of a profile."""

    missing: str
    """Why a model has none, in few words."""
    value: Value


FLOPS = Axis("no MACs", lambda one: None if one.flops is None else one.flops / 1e9)
"""GFLOP a call."""
PARAMETERS = Axis("no parameters", lambda one: None if one.parameters is None else one.parameters / 1e6)
"""Millions."""
LATENCY = Axis("no latency", lambda one: None if one.mean_s is None else one.mean_s * 1e3)
"""Mean, ms."""


@dataclass(frozen=True)
class Pair:
    """Two quantities. ``timed``: a neighbour on the machine disturbs them, so contended rows are left out."""

    published_name: str
    how: str
    """The meter and its unit."""
    x: Axis
    y: Axis
    timed: bool


@dataclass(frozen=True)
class Found:
    """What came of one pair."""

    pair: Pair
    correlation: Correlation
    influence: Influence | None
    used: Sequence[Profile]
    left_out: Sequence[tuple[str, int]]
    """Reason, and how many models."""

    @property
    def influential(self) -> Profile | None:
        """The model without which r changes the most."""
        return None if self.influence is None else self.used[self.influence.index]


def measured(field: str, scale: float, missing: str) -> Axis:
    """A meter's value, divided by ``scale``."""
    return Axis(missing, lambda one: one.measured[field] / scale if field in one.measured else None)


def pairs(found: Sequence[Profile]) -> list[Pair]:
    """Of these models: what they have decides which meter."""
    meter = memory_meter(found)
    listed = [Pair(FLOPS_LATENCY, "mean, ms", FLOPS, LATENCY, True)]
    if meter:
        memory = measured(MEMORY[meter], 1e6, f"no {meter}")
        listed.append(Pair(PARAMETERS_MEMORY, f"{meter}, MB", PARAMETERS, memory, False))
    counts = (
        (process_field(CACHE_MISSES), "whole process, millions"),
        (inference_field(CACHE_MISSES), "per inference, millions"),
    )
    for field, how in counts:
        if any(field in one.measured for one in found):
            misses = measured(field, 1e6, "no count of cache misses")
            listed.append(Pair(FLOPS_MISSES, how, FLOPS, misses, True))
            listed.append(Pair(PARAMETERS_MISSES, how, PARAMETERS, misses, True))
    return listed


def evaluate(pair: Pair, found: Sequence[Profile]) -> Found:
    """Over the models that have both quantities."""
    reasons = [_why_not(pair, one) for one in found]
    used = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
    x, y = points(pair, used)
    counts = Counter(reason for reason in reasons if reason is not None)
    return Found(pair, correlation(x, y), most_influential(x, y), used, counts.most_common())


def points(pair: Pair, used: Sequence[Profile]) -> tuple[list[float], list[float]]:
    """Both quantities of the models that have both."""
    both = [(x, y) for one in used if (x := pair.x.value(one)) is not None and (y := pair.y.value(one)) is not None]
    return [x for x, _ in both], [y for _, y in both]


def _why_not(pair: Pair, one: Profile) -> str | None:
    if pair.timed and not one.usable:
        return one.status
    for axis in (pair.x, pair.y):
        if axis.value(one) is None:
            return axis.missing
    return None
