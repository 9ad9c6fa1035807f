"""The highest rate of Poisson arrivals at which most responses keep a limit: a search by probes, each a measured load.

Every probe passes, fails or stays undecided by the interval of its percentile, and the answer lies between the highest
rate that passed and the lowest that failed. Where to probe, and the point between the two, come from a simulation with
the service times measured so far. A probe corrects it by what the same schedule gave in reality: the luck of that
schedule's arrivals is in both, so it cancels (a control variate; Law, Simulation Modeling and Analysis, 2015, section
11.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailgate.measure.forecast import LEAST_SHARE, Forecast
from tailgate.measure.load_row import Segment, percentile_of
from tailgate.session.load import Limit
from tailgate.text import milliseconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]

MOST_SEGMENTS = 12
"""Of ``--load-seconds`` each, over all probes."""
MOST_OF_A_PROBE = 3
"""Segments at one rate: what stays undecided after them is close to the peak."""
STEP = 0.05
"""From the estimate to the probes beside it; farther by as much where one stays undecided."""
PASS, FAIL, UNDECIDED = "pass", "fail", "undecided"


@dataclass
class Probe:
    """One rate."""

    rate_per_s: float
    segments: list[Segment] = field(default_factory=list)

    def judged(self, limit: Limit) -> tuple[str, float, float | None, float | None]:
        """The verdict, the percentile and the ends of its interval in seconds."""
        found = percentile_of(self.segments, limit.percent)
        value_s, low_s, high_s = found.value, found.low, found.high
        if any(segment.overloaded for segment in self.segments) or (low_s is not None and low_s > limit.seconds):
            return FAIL, value_s, low_s, high_s
        if high_s is not None and high_s <= limit.seconds:
            return PASS, value_s, low_s, high_s
        return UNDECIDED, value_s, low_s, high_s


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
                    "valid": not any(segment.served.failures for segment in probe.segments),
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

        self._play, self._closed_s, self._capacity_per_s = play, services_s, capacity_per_s
        self._limit, self._servers, self._tell = limit, servers, tell
        self._probes: list[Probe] = []
        median_s = float(np.median(services_s))
        if median_s >= limit.seconds:
            alone = f"the median service time alone is {milliseconds(median_s)}"
            raise ValueError(f"--load-limit={limit.text}: {alone}, so no rate can hold it")
        first = Forecast(services_s, servers, limit).rate_per_s(limit.seconds, capacity_per_s)
        if first is None:
            quantile_s = float(np.percentile(services_s, limit.percent))
            alone = f"{limit.metric} of the service time alone is {milliseconds(quantile_s)} in a closed loop"
            raise ValueError(f"--load-limit={limit.text}: {alone}, so no rate can hold it")
        self._estimate_per_s = first

    def run(self) -> Peak:
        """Probe until the peak is enclosed as closely as it can be told, or ``MOST_SEGMENTS`` are played.

        Raises:
            KeyboardInterrupt: before the first probe was whole; after it, what was found so far is returned.
        """
        interrupted = False
        try:
            self._probe(self._estimate_per_s)
            for side, wanted in ((-1, PASS), (1, FAIL), (-1, PASS), (1, FAIL)):
                self._toward(side, wanted)
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

    def _toward(self, side: int, wanted: str) -> None:
        """Probe farther and farther to one side of the estimate until one is decided as it must be there."""
        distance = STEP
        while self._segments < MOST_SEGMENTS and not self._enclosed(side):
            rate_per_s = self._estimate_per_s * (1 + side * distance)
            if rate_per_s <= LEAST_SHARE * self._capacity_per_s or self._probe(rate_per_s) == wanted:
                return
            distance += STEP

    def _enclosed(self, side: int) -> bool:
        low, high = self._ends()
        if side < 0:
            return low is not None and low >= self._estimate_per_s * (1 - 2 * STEP)
        return high is not None and high <= self._estimate_per_s * (1 + 2 * STEP)

    def _probe(self, rate_per_s: float) -> str:
        """Play it until it is decided, three times at most."""
        probe = Probe(rate_per_s)
        self._probes.append(probe)
        verdict = UNDECIDED
        while verdict == UNDECIDED and len(probe.segments) < MOST_OF_A_PROBE and self._segments < MOST_SEGMENTS:
            probe.segments.append(self._play(rate_per_s, self._segments))
            verdict, value_s, low_s, high_s = probe.judged(self._limit)
            ends = ", ".join("?" if end is None else milliseconds(end) for end in (low_s, high_s))
            self._tell(
                f"probe {self._segments}: {rate_per_s:.4g}/s, {self._limit.metric} {milliseconds(value_s)} [{ends}], "
                f"{verdict}"
            )
        self._estimate()
        return verdict

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
        log_factor = float(np.average([forecast.correction(segment) for segment in stable], weights=weights))
        found = forecast.rate_per_s(self._limit.seconds / math.exp(log_factor), self._capacity_per_s)
        if found is not None:
            self._estimate_per_s = found
