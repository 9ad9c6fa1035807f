"""Where a curve peaks, and how sure that is: throughput over batch size is flat at the top."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NEAR_REL = 0.05
"""A batch that reaches 95 % of the largest value is near the peak."""


@dataclass(frozen=True)
class Point:
    """A value at a batch size and its interval's ends; ``None``: not known."""

    batch: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Peak:
    """The largest value, and the batches whose values may be as large."""

    batch: int
    value: float
    near_batch: int
    """The smallest batch with a value within ``NEAR_REL`` of the largest."""
    overlapping: tuple[int, ...]
    """Batches whose intervals overlap the peak's, ascending; its own among them. Without intervals only its own."""
    at_the_edge: bool
    """No larger batch was measured: the true peak may lie beyond."""

    @property
    def flat(self) -> bool:
        """Whether a smaller batch may be as good as the peak."""
        return self.overlapping[0] < self.batch


def peak(points: Iterable[Point], near_rel: float = NEAR_REL) -> Peak:
    """Of equal values the one at the smallest batch.

    Raises:
        ValueError: no points.
    """
    ordered = sorted(points, key=lambda point: point.batch)
    if not ordered:
        raise ValueError("the peak of no points")
    top = max(ordered, key=lambda point: point.value)
    return Peak(
        batch=top.batch,
        value=top.value,
        near_batch=next(point.batch for point in ordered if point.value >= (1 - near_rel) * top.value),
        overlapping=tuple(point.batch for point in ordered if point is top or _overlap(point, top)),
        at_the_edge=top is ordered[-1],
    )


def _overlap(one: Point, other: Point) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high >= other.low and other.high >= one.low
