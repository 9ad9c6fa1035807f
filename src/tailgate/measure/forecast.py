"""A simulated queue with measured service times: what responses to expect at a rate, before any is measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailgate.measure.load_row import Segment
from tailgate.session.load import Limit
from tailgate.stats import queueing
from tailgate.stats.response_quantiles import ResponseQuantile, response_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]

SIMULATED = 20_000
"""Requests: P99 of so many scatters by about 2 % at a utilisation of 80 %; all rates use the same draws."""
RESAMPLED = 16
TRIES, ENOUGH = 7, 6
"""Simulated probes, and how many of them must be decided."""
LEAST_SHARE = 0.01
"""Of the capacity: a peak below is none."""
PASS, FAIL, UNDECIDED = "pass", "fail", "undecided"


def verdict_on(found: ResponseQuantile, limit_s: float) -> str:
    """Whether a percentile keeps a limit, by its interval."""
    if found.low is not None and found.low > limit_s:
        return FAIL
    return PASS if found.high is not None and found.high <= limit_s else UNDECIDED


class Forecast:
    """Responses of a simulated queue with measured service times.

    Args:
        services_s: measured one after the other.
        servers: of one queue.
        limit: whose percentile is asked for.
    """

    def __init__(self, services_s: Times, servers: int, limit: Limit) -> None:
        import numpy as np

        self._dice = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(1,)))  # no schedule's own
        self._measured_s, self._servers, self._limit = services_s, servers, limit
        self._arrivals = np.cumsum(self._dice.standard_exponential(SIMULATED))
        self._services_s = self._dice.choice(services_s, SIMULATED)

    def quantile_s(self, rate_per_s: float) -> float:
        """The percentile of the responses at a rate."""
        return self._of(self._arrivals / rate_per_s, self._services_s)

    def rate_per_s(self, quantile_s: float, most_per_s: float) -> float | None:
        """The rate with that percentile, by bisection; ``None``: even ``LEAST_SHARE`` of ``most_per_s`` is above it."""
        low, high = LEAST_SHARE * most_per_s, 1.5 * most_per_s
        if self.quantile_s(low) > quantile_s:
            return None
        for _ in range(25):
            middle = (low + high) / 2
            low, high = (middle, high) if self.quantile_s(middle) <= quantile_s else (low, middle)
        return low

    def correction(self, segment: Segment) -> float:
        """log(measured / simulated) of the percentile, both of the segment's own schedule."""
        import numpy as np

        requests = segment.served.requests
        simulated = [
            math.log(self._of(segment.served.due_s, self._dice.choice(self._measured_s, requests)))
            for _ in range(RESAMPLED)
        ]
        measured_s = float(np.percentile(segment.responses_s, self._limit.percent))
        return math.log(measured_s) - float(np.mean(simulated))

    def decides(self, rate_per_s: float, requests: int, limit_s: float, wanted: str) -> bool:
        """Whether most simulated probes of so many requests come to the verdict wanted."""
        import numpy as np

        hits = 0
        for _ in range(TRIES):
            arrivals_s = np.cumsum(self._dice.standard_exponential(requests)) / rate_per_s
            responses_s = queueing.responses(arrivals_s, self._dice.choice(self._measured_s, requests), self._servers)
            found_empty = queueing.found_empty(arrivals_s, responses_s)
            found = response_quantile(responses_s, found_empty, self._limit.percent / 100)
            hits += verdict_on(found, limit_s) == wanted
        return hits >= ENOUGH

    def _of(self, arrivals_s: Times, services_s: Times) -> float:
        import numpy as np

        responses_s = queueing.responses(arrivals_s, services_s, self._servers)
        return float(np.percentile(responses_s, self._limit.percent))
