"""The highest rate of Poisson arrivals at which most responses keep a limit: a search by probes, each a measured load.

Every probe passes, fails or stays undecided by the interval of its percentile, and the answer lies between the highest
rate that passed and the lowest that failed. Where to probe, for how long, and the point between the two come from a
simulation with the service times measured so far. A probe corrects it by what the same schedule gave in reality: the
luck of that schedule's arrivals is in both, so it cancels (a control variate; Law, Simulation Modeling and Analysis,
2015, section 11.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailgate.measure.forecast import FAIL, PASS, Forecast, verdict_on
from tailgate.measure.load_row import Segment, joined, late, percentile_of
from tailgate.session.load import Limit
from tailgate.text import milliseconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]

LOW_SEGMENTS, HIGH_SEGMENTS = 7, 4
"""Of ``--load-seconds`` each, at most, of the probe below the estimate and of that above: to bound a percentile from
above takes more requests than to bound it from below. With the first probe they are ``SCHEDULES``."""
UNDECIDED_SEGMENTS = 2
"""Where no rate on a side would be decided in that time: as many more at the estimate, which they make more certain."""
STEP, FARTHEST = 0.05, 0.6
"""Of the estimate: the distances at which a probe is considered."""


@dataclass
class Probe:
    """One rate."""

    rate_per_s: float
    segments: list[Segment] = field(default_factory=list)

    def judged(self, limit: Limit) -> tuple[str, float, float | None, float | None]:
        """The verdict, the percentile and the ends of its interval in seconds."""
        found = percentile_of(self.segments, limit.percent)
        grew = any(segment.overloaded for segment in self.segments)
        return FAIL if grew else verdict_on(found, limit.seconds), found.value, found.low, found.high

    @property
    def valid(self) -> bool:
        """No request failed, and the instrument kept the schedules."""
        if any(segment.served.failures for segment in self.segments):
            return False
        return late(joined(self.segments, "lateness_s"), joined(self.segments, "responses_s")) is None


@dataclass
class Peak:
    """What a search found; rates in requests per second."""

    probes: list[Probe]
    estimate_per_s: float
    low_per_s: float | None
    """Highest that passed; ``None``: none did."""
    high_per_s: float | None
    """Lowest that failed; ``None``: none did."""
    shown: Probe
    """The probe whose responses are the row's: the highest that passed, or the lowest of all."""
    interrupted: bool = False

    def fields(self, limit: Limit) -> dict[str, Any]:
        """Of the row."""
        probes = []
        for probe in self.probes:
            verdict, value_s, low_s, high_s = probe.judged(limit)
            probes.append(
                {
                    "rate_per_s": probe.rate_per_s,
                    f"{limit.metric}_s": value_s,
                    "low_s": low_s,
                    "high_s": high_s,
                    "verdict": verdict,
                    "requests": sum(segment.served.requests for segment in probe.segments),
                    "valid": probe.valid,
                }
            )
        return {
            "load_peak_per_s": self.estimate_per_s,
            "load_peak_low_per_s": self.low_per_s,
            "load_peak_high_per_s": self.high_per_s,
            "load_probes": probes,
        }


class Search:
    """One search.

    Args:
        play: plays a schedule of a rate; its second argument tells schedules apart.
        services_s: of the closed loop before.
        capacity_per_s: requests per second of that closed loop.
        limit: what must hold.
        servers: of the queue.
        tell: is told each probe in a line.

    Raises:
        ValueError: no rate can hold the limit; the text says why.
    """

    def __init__(
        self,
        play: Callable[[float, int], Segment],
        services_s: Times,
        capacity_per_s: float,
        limit: Limit,
        servers: int,
        tell: Callable[[str], None],
    ) -> None:
        import numpy as np

        self._play, self._capacity_per_s = play, capacity_per_s
        self._limit, self._servers, self._tell = limit, servers, tell
        self._probes: list[Probe] = []
        median_s = float(np.median(services_s))
        if median_s >= limit.seconds:
            alone = f"the median service time alone is {milliseconds(median_s)}"
            raise ValueError(f"--load-limit={limit.text}: {alone}, so no rate can hold it; raise the limit")
        self._forecast, self._factor = Forecast(services_s, servers, limit), 1.0
        first = self._forecast.rate_per_s(limit.seconds, capacity_per_s)
        if first is None:
            quantile_s = float(np.percentile(services_s, limit.percent))
            alone = f"{limit.metric} of the service time alone is {milliseconds(quantile_s)} in a closed loop"
            raise ValueError(f"--load-limit={limit.text}: {alone}, so no rate can hold it; raise the limit")
        self._estimate_per_s = first

    def run(self) -> Peak:
        """Probe at the estimate, then on either side of it as near as the time allows.

        Raises:
            KeyboardInterrupt: before the first probe was whole; after it, what was found so far is returned.
            ValueError: every request of a schedule failed.
        """
        interrupted = False
        try:
            self._probe(self._estimate_per_s, 1)
            for wanted, side, most_segments in ((PASS, -1, LOW_SEGMENTS), (FAIL, 1, HIGH_SEGMENTS)):
                self._probe(*self._plan(wanted, side, most_segments))
        except KeyboardInterrupt:
            self._probes = [probe for probe in self._probes if probe.segments]
            if not self._probes:
                raise
            interrupted = True
            self._estimate()
        low, high = self._ends()
        estimate = min(max(self._estimate_per_s, low or 0.0), high or math.inf)
        passed = [probe for probe in self._probes if probe.rate_per_s == low]
        shown = passed[0] if passed else min(self._probes, key=lambda probe: probe.rate_per_s)
        ordered = sorted(self._probes, key=lambda probe: probe.rate_per_s)
        return Peak(ordered, estimate, low, high, shown, interrupted)

    def _plan(self, wanted: str, side: int, most_segments: int) -> tuple[float, int]:
        """The rate nearest to the estimate that simulated probes decide, and how many segments that takes them.

        How many is fixed beforehand: to look after each, and stop at the first that decides, would favour luck.
        """
        (first, *_), limit_s = self._probes[0].segments, self._limit.seconds / self._factor
        for step in range(1, round(FARTHEST / STEP) + 1):
            rate_per_s = self._estimate_per_s * (1 + side * step * STEP)
            requests = max(1, round(first.served.requests * rate_per_s / first.rate_per_s))
            if self._forecast.decides(rate_per_s, requests * most_segments, limit_s, wanted):
                fewer = (n for n in range(1, most_segments)
                         if self._forecast.decides(rate_per_s, requests * n, limit_s, wanted))  # fmt: skip
                return rate_per_s, next(fewer, most_segments)
        return self._estimate_per_s, UNDECIDED_SEGMENTS

    def _probe(self, rate_per_s: float, segments: int) -> None:
        """Play so many schedules of a rate, and judge them together."""
        probe = Probe(rate_per_s)
        self._probes.append(probe)
        for _ in range(segments):
            played = self._play(rate_per_s, self._segments)
            if played.served.requests == len(played.served.failures):
                first = played.served.failures[0][1]
                raise ValueError(f"all {played.served.requests} requests of a probe failed, the first with {first}")
            probe.segments.append(played)
        self._estimate()
        verdict, value_s, low_s, high_s = probe.judged(self._limit)
        ends = ", ".join("?" if end is None else milliseconds(end) for end in (low_s, high_s))
        self._tell(
            f"probe {len(self._probes)}: {rate_per_s:.4g}/s, {self._limit.metric} {milliseconds(value_s)} [{ends}], "
            f"{verdict}"
        )

    @property
    def _segments(self) -> int:
        return sum(len(probe.segments) for probe in self._probes)

    def _ends(self) -> tuple[float | None, float | None]:
        """Highest that passed below every one that failed, and lowest that failed."""
        verdicts = [(probe.rate_per_s, probe.judged(self._limit)[0]) for probe in self._probes if probe.segments]
        high = min((rate for rate, verdict in verdicts if verdict == FAIL), default=None)
        low = max(
            (rate for rate, verdict in verdicts if verdict == PASS and (high is None or rate < high)), default=None
        )
        return low, high

    def _estimate(self) -> None:
        """By the simulation with all service times so far, corrected by what the probes measured."""
        import numpy as np

        segments = [segment for probe in self._probes for segment in probe.segments]
        forecast = Forecast(np.concatenate([segment.services_s for segment in segments]), self._servers, self._limit)
        stable = [segment for segment in segments if segment.offered_work < 1] or segments
        weights = [segment.served.requests for segment in stable]
        factor = math.exp(np.average([forecast.correction(segment) for segment in stable], weights=weights))
        found = forecast.rate_per_s(self._limit.seconds / factor, self._capacity_per_s)
        self._forecast, self._factor = forecast, factor
        if found is not None:
            self._estimate_per_s = found
