"""A quantile's interval from the responses of a queue, which depend on each other: what busy periods say.

A request waits for those before it, so long responses come together, and the interval from order statistics
(:mod:`tailgate.stats.quantiles`) is several times too narrow. But a queue that is empty has forgotten its past: a
*cycle* begins with an arrival that finds the system empty, and cycles are independent of each other.

- The share of responses above the quantile is a ratio of sums over independent cycles; its variance over that of
  independent requests is the design effect. Cycles: Iglehart, J. ACM 23 (1976) 347-360. ``requests / effect`` are the
  independent requests that these are worth, and give the interval: Woodruff, J. of the American Statistical
  Association 47 (1952) 635-646; Korn and Graubard, Survey Methodology 24 (1998) 193-201.
- A few long cycles make most of that variance. Satterthwaite's degrees of freedom (Biometrics Bulletin 2 (1946)
  110-114) are the number of equal cycles that would tell it as well, and Student's t takes off what so few leave open.
- Few cycles reach above P99, and the effect of lower quantiles is nearly the same. So it is taken at 1, 2, 4, ... times
  as many responses above; the largest effect counts, with the largest number of cycles.

docs/evidence/load.md has the coverage on simulated queues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailgate.stats.block_quantiles import effective_ranks
from tailgate.stats.quantiles import samples_for_upper_end

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

LARGEST_TAIL = 0.4
"""The largest share of responses above a threshold at which the effect is taken; above the quantile it always is."""
FEWEST_CYCLES = 4.0
"""Effective cycles below which there is no upper end: their variance is not known well enough."""


@dataclass(frozen=True)
class ResponseQuantile:
    """A quantile of the responses of one run, or of several that each began with an empty queue."""

    value: float
    low: float | None
    high: float | None
    """Ends of the interval; ``None`` for an end that these requests do not bound."""
    cycles: int
    """Arrivals that found the system empty."""
    effective_requests: float
    """Independent requests that would tell as much of this quantile."""
    requests_needed: int | None
    """About how many requests of this load bound the quantile from above in most runs; twice as many nearly always do.
    Short runs say too few. ``None`` where nothing tells."""

    def open_because(self, requests_per_s: float | None = None) -> str | None:
        """Why the interval has no upper end; ``None`` where it has one."""
        if self.high is not None:
            return None
        said = f"too few independent busy periods to bound it (the queue was empty {self.cycles} times)"
        if self.requests_needed is None:
            return said
        time = f", {self.requests_needed / requests_per_s:.0f} s at this rate" if requests_per_s else ""
        return f"{said}; it needs at least some {self.requests_needed} requests{time}"


def response_quantile(
    responses_s: ArrayLike, found_empty: ArrayLike, quantile: float, confidence: float = 0.95
) -> ResponseQuantile:
    """The quantile and its interval.

    Args:
        responses_s: in the order of arrival; runs after one another where each began with an empty queue.
        found_empty: for each request, whether it found the system empty. The first one always does.
        quantile: within (0, 1).
        confidence: within (0, 1).

    Raises:
        ValueError: arguments outside these ranges, or none or not as many flags as responses.
    """
    import numpy as np

    values = np.asarray(responses_s, dtype=np.float64)
    begins = np.flatnonzero(np.asarray(found_empty, dtype=np.bool_))
    if not 0 < quantile < 1 or not 0 < confidence < 1:
        raise ValueError(f"no interval for quantile={quantile!r}, confidence={confidence!r}")
    if values.ndim != 1 or values.shape != np.shape(found_empty) or not len(begins) or begins[0] != 0:
        raise ValueError("need one flag per response, and the first request finds the system empty")
    count = len(values)
    ordered = np.sort(values)
    effect, cycles = _dependence(values, ordered, begins, quantile)
    share = _share(effect, cycles, confidence)
    low, high = effective_ranks(count, share, quantile, (1 - confidence) / 2) if share > 0 else (None, None)
    if cycles < FEWEST_CYCLES:
        high = None  # the next cycle may be longer than all of these; a queue that began empty bounds from below
    return ResponseQuantile(
        value=float(np.quantile(ordered, quantile)),
        low=None if low is None else float(ordered[low - 1]),
        high=None if high is None else float(ordered[high - 1]),
        cycles=len(begins),
        effective_requests=count * share,
        requests_needed=_requests_needed(count, effect, cycles, quantile, confidence),
    )


def _dependence(
    values: NDArray[np.float64], ordered: NDArray[np.float64], begins: NDArray[np.intp], quantile: float
) -> tuple[float, float]:
    """The design effect, at least 1, and the effective number of cycles that tell it; 0 where none does."""
    import numpy as np

    count = len(values)
    sizes = np.diff(begins, append=count)
    effect, cycles = 1.0, 0.0
    if len(begins) < 2:
        return effect, cycles
    for above in _tails(1 - quantile):
        threshold = ordered[min(count - 1, math.floor((1 - above) * count))]
        over = values > threshold
        if not over.any():  # ties, or too few requests for any to lie above
            over = values >= threshold
        share = float(np.mean(over))
        residuals = np.add.reduceat(over, begins, dtype=np.float64) - share * sizes
        squares = residuals * residuals
        variance = float(squares.sum())
        if share < 1 and variance > 0:
            effect = max(effect, variance / (count * share * (1 - share)))
            cycles = max(cycles, variance**2 / float(squares @ squares))
        elif share == 1:  # all responses are alike
            cycles = max(cycles, float(len(begins)))
    return effect, cycles


def _tails(above: float) -> list[float]:
    """The share of responses above the quantile, and its doubles up to the largest."""
    return [above] + [above * 2**twice for twice in range(1, 64) if above * 2**twice <= LARGEST_TAIL]


def _share(effect: float, cycles: float, confidence: float) -> float:
    """Independent requests that one is worth; 0 where there are no two cycles to compare."""
    from scipy.special import ndtri, stdtrit

    if cycles == 0:
        return 0.0
    end = (1 + confidence) / 2
    return float(ndtri(end) / stdtrit(cycles, end)) ** 2 / effect


def _requests_needed(count: int, effect: float, cycles: float, quantile: float, confidence: float) -> int | None:
    """About how many requests with this effect have an upper end; cycles grow with the requests."""
    if cycles == 0:
        return None
    wanted = samples_for_upper_end(quantile, confidence)
    times = max(wanted * effect / count, FEWEST_CYCLES / cycles)
    while count * times * _share(effect, cycles * times, confidence) < wanted:
        times *= 1.05
    return math.ceil(count * times)
