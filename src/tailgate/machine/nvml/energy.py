"""Joules from a board's readings, and how far off they can be. Pure functions.

The uncertainty is that of reading something that is renewed now and then. What the sensor is off by is not in it:
NVIDIA states ±5 % of the draw for Fermi and Kepler (nvmlDeviceGetPowerUsage) and nothing for later boards; "Part-time
Power Measurements" (arXiv:2312.02741) found that A100 and H100 look at the power for a quarter of the time only.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

LEAST_UPDATES = 10
"""Below, either end may cut off a tenth of the whole."""
COUNTER_STEP_J = 1e-3
"""The counter's unit."""


@dataclass(frozen=True)
class Energy:
    """Energy and mean power between the first and the last reading.

    Attributes:
        energy_j: ``None``: with ``reason``.
        uncertainty_rel: half-width, as a share of ``energy_j``.
        updates: how often the board renewed what was read.
        reason: why there is no value.
    """

    energy_j: float | None
    power_mean_w: float | None
    uncertainty_rel: float | None
    updates: int
    reason: str | None = None


def from_counter(times_s: Sequence[float], joules: Sequence[float]) -> Energy:
    """Energy from the board's own counter.

    Either end reads a value up to one update period tau old, so over T seconds at power P the difference is off by at
    most tau P; in terms of what was read, tau / (T - tau), and the counter's unit on top. tau is the longest time
    between two steps that were seen, and what a reading may have seen too late of it.

    Args:
        times_s: of the readings, ascending.
        joules: the counter then.
    """
    duration_s = times_s[-1] - times_s[0] if times_s else 0.0
    energy_j = joules[-1] - joules[0] if joules else 0.0
    if any(after < before for before, after in pairwise(joules)):
        return Energy(None, None, None, 0, "the energy counter went back: the driver was loaded anew meanwhile")
    steps_s = [when for (before, after), when in zip(pairwise(joules), times_s[1:], strict=True) if after > before]
    updates = len(steps_s)
    if updates < LEAST_UPDATES:
        return Energy(None, None, None, updates, _too_short("energy counter stepped", updates, duration_s))
    period_s = _longest([*steps_s, times_s[-1]]) + _longest(times_s) / (updates - 1)
    if period_s >= duration_s:
        return Energy(None, None, None, updates, _too_short("energy counter stepped", updates, duration_s))
    rel = period_s / (duration_s - period_s) + COUNTER_STEP_J / energy_j
    return Energy(energy_j, energy_j / duration_s, rel, updates)


def from_power(times_s: Sequence[float], watts: Sequence[float], window_s: float) -> Energy:
    """Energy from readings of the power, by the trapezoidal rule.

    A reading is of up to ``window_s`` before it, and readings lie up to s apart: at both ends together
    that moves (window + s) P; as a share of T. Between readings the power may differ: 1.96 standard errors of their
    mean are added (of as many as are independent: no more than one a window).

    Args:
        times_s: of the readings, ascending.
        watts: the power then.
        window_s: over how long the board averages, or how often it renews the value.
    """
    duration_s = times_s[-1] - times_s[0] if times_s else 0.0
    apart_s = _longest(times_s)
    updates = int(duration_s / max(apart_s, window_s)) if duration_s > 0 else 0
    if updates < LEAST_UPDATES:
        return Energy(None, None, None, updates, _too_short("power was renewed", updates, duration_s))
    energy_j = sum(
        (before_w + after_w) / 2 * (after_s - before_s)
        for (before_s, after_s), (before_w, after_w) in zip(pairwise(times_s), pairwise(watts), strict=True)
    )
    mean_w = energy_j / duration_s
    if mean_w <= 0:
        return Energy(None, None, None, updates, "the board says that it draws no power")
    scatter = 1.96 * statistics.stdev(watts) / sqrt(updates) / mean_w
    return Energy(energy_j, mean_w, (window_s + apart_s) / duration_s + scatter, updates)


def _longest(times_s: Iterable[float]) -> float:
    return max((after - before for before, after in pairwise(times_s)), default=0.0)


def _too_short(what: str, updates: int, duration_s: float) -> str:
    return (
        f"too short to measure: the board's {what} {updates} times in {duration_s:.2g} s (at least {LEAST_UPDATES}); "
        "take more rounds with --rounds=N"
    )
