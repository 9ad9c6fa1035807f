"""When the requests of an open loop arrive: schedules drawn beforehand, the same for the same seed.

Gaps between arrivals are independent; their coefficient of variation (deviation over mean) is 0 for a constant rate,
1 for Poisson arrivals, and above 1 where requests come in bursts. A schedule has an end or a number of requests.
A longer schedule of the same rate and seed begins with the shorter one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]

MARGIN = 6.0
"""Standard deviations of the number of requests that are drawn beyond the expected number."""


def poisson(rate_per_s: float, seed: int, *, seconds: float | None = None, requests: int | None = None) -> Times:
    """Arrival times in seconds, ascending, each above 0: exponential gaps."""
    return _drawn(rate_per_s, 1.0, lambda dice, gaps: dice.standard_exponential(out=gaps), seed, seconds, requests)


def gamma(
    rate_per_s: float, cv: float, seed: int, *, seconds: float | None = None, requests: int | None = None
) -> Times:
    """Arrival times as of :func:`poisson`, with gamma gaps of the coefficient of variation ``cv``."""
    if not (math.isfinite(cv) and cv > 0):
        raise ValueError(f"the coefficient of variation must be above 0, not {cv!r}")
    shape = cv**-2

    def draw(dice: np.random.Generator, gaps: Times) -> None:
        dice.standard_gamma(shape, out=gaps)
        gaps *= cv**2

    return _drawn(rate_per_s, cv, draw, seed, seconds, requests)


def constant(rate_per_s: float, *, seconds: float | None = None, requests: int | None = None) -> Times:
    """Arrival times of a constant rate; the first comes one gap after 0."""
    import numpy as np

    count = _count(rate_per_s, seconds, requests)
    times_s = np.arange(1, count + 1, dtype=np.float64)
    times_s /= rate_per_s
    return times_s


def _count(rate_per_s: float, seconds: float | None, requests: int | None) -> int:
    """The expected number of requests, after a check of what was asked for."""
    if not (math.isfinite(rate_per_s) and rate_per_s > 0):
        raise ValueError(f"the rate must be above 0 requests per second, not {rate_per_s!r}")
    if (seconds is None) == (requests is None):
        raise ValueError(f"either seconds or requests, not {seconds=!r} and {requests=!r}")
    if requests is not None:
        if requests < 1:
            raise ValueError(f"requests must be at least 1, not {requests!r}")
        return requests
    assert seconds is not None
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"seconds must be above 0, not {seconds!r}")
    return math.floor(rate_per_s * seconds * (1 + 1e-12))  # 0.1 * 30 is just below 3


def _drawn(
    rate_per_s: float,
    cv: float,
    draw: Callable[[np.random.Generator, Times], object],
    seed: int,
    seconds: float | None,
    requests: int | None,
) -> Times:
    """Sums of gaps of mean 1 over the rate. The gaps become the sums in place: 10 million requests need 80 MB."""
    import numpy as np

    expected = _count(rate_per_s, seconds, requests)
    size = expected if seconds is None else expected + math.ceil(MARGIN * max(cv, 1) * math.sqrt(expected + 1)) + 1
    while True:
        times_s = np.empty(size)
        draw(np.random.default_rng(seed), times_s)
        np.cumsum(times_s, out=times_s)
        times_s /= rate_per_s
        if seconds is None:
            return times_s
        if times_s[-1] > seconds:
            return times_s[: np.searchsorted(times_s, seconds, side="right")]
        size *= 2  # too few by chance
