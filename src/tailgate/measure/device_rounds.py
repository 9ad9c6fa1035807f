"""Rounds that a device's clock times beside the host's, and what a row says of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from tailgate.measure.clocks import DeviceClock, Timer
from tailgate.results import columns
from tailgate.stats.quantiles import percentile

FIELDS = ("gpu_time_median_s", "gpu_time_p99_s", "gpu_time_p99_low_s", "gpu_time_p99_high_s", "gpu_times_s")
CLOCKS_AGREE_S, CLOCKS_AGREE_REL = 2e-6, 1e-3
"""A device's time lies within the host's, but for the steps of its clock (CUDA's events: about half a microsecond, says
cudaEventElapsedTime's documentation, at either end) and the rates of two oscillators."""


class DeviceRounds:
    """Times rounds by both clocks.

    Apart from :func:`tailgate.measure.clocks.timed_rounds`, which stays as bare as it is for whoever has no such clock.
    """

    def __init__(
        self, clock: DeviceClock, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        self._clock, self._call = clock, (function, args, kwargs)
        self.device_s: list[float | None] = []
        """Of the latest rounds."""
        self.durations_s: list[float] = []
        """The same rounds, by the host's clock."""
        self._kept: tuple[list[float], list[float | None]] = ([], [])

    def timed(self, rounds: int, iterations: int, timer: Timer) -> list[float]:
        """Seconds of each round by the host's clock, read right around the call; the device's own are kept."""
        function, args, kwargs = self._call
        before, after = self._clock.before_round, self._clock.after_round
        loops = range(iterations)
        durations_s, device_s = [0.0] * rounds, [None] * rounds  # type: list[float], list[float | None]
        for index in range(rounds):
            before()
            start = timer()
            for _ in loops:
                function(*args, **kwargs)
            durations_s[index] = timer() - start
            device_s[index] = after()
        self.durations_s, self.device_s = durations_s, device_s
        return durations_s

    def median_s(self) -> float | None:
        """The median of the device's times of the latest rounds, in seconds; ``None``: it lacks one of them."""
        known = [seconds for seconds in self.device_s if seconds is not None]
        return statistics.median(known) if known and len(known) == len(self.device_s) else None

    def keep(self) -> None:
        """The latest rounds are the ones to describe."""
        self._kept = self.durations_s, self.device_s

    def described(self, iterations: int) -> tuple[dict[str, Any], list[str]]:
        """Fields for ``extra_info`` of the rounds that were kept, and warnings."""
        fields, warnings = device_fields(self._clock.name, *self._kept, iterations)
        return {**fields, **self._clock.facts()}, warnings


def device_fields(
    name: str, durations_s: Sequence[float], device_s: Sequence[float | None], iterations: int = 1
) -> tuple[dict[str, Any], list[str]]:
    """What a row says of its device times: each round's, median, P99 and its interval.

    Args:
        name: of the clock.
        durations_s: of each round, by the host's clock.
        device_s: of the same rounds; ``None``: the clock could not tell.
        iterations: calls a round. A clock that is started anew by each call has timed the last one of several, so
            of more than one nothing is told.

    Returns:
        All of :data:`FIELDS` and ``device_clock``, ``None`` where not known; and why, and what is odd.
    """
    fields: dict[str, Any] = {**dict.fromkeys(FIELDS), "device_clock": name}
    if iterations > 1:
        return fields, [f"{name}: a round is {iterations} calls, and the device's clock is of one: no device times"]
    known = [seconds for seconds in device_s if seconds is not None]
    if not known:
        return fields, [f"{name}: the device's clock told the time of no round"]
    fields["gpu_times_s"] = list(device_s)
    if len(known) < len(device_s):
        lost = len(device_s) - len(known)
        return fields, [
            f"{name}: the device's clock could not tell {lost} of {len(device_s)} rounds, and a P99 without them "
            "would be another: only the raw times are given"
        ]
    ordered = sorted(known)
    ends = columns.p99_interval(ordered)
    fields |= {
        "gpu_time_median_s": statistics.median(ordered),
        "gpu_time_p99_s": percentile(ordered, columns.PERCENTILES["p99"]),
        "gpu_time_p99_low_s": ends["p99_low"],
        "gpu_time_p99_high_s": ends["p99_high"],
    }
    return fields, _disagreement(name, durations_s, known)


def _disagreement(name: str, durations_s: Sequence[float], device_s: Sequence[float]) -> list[str]:
    """A device cannot have worked on a call for longer than the call took."""
    worst = max(zip(device_s, durations_s, strict=True), key=lambda pair: pair[0] - pair[1])
    longer = sum(
        device > host * (1 + CLOCKS_AGREE_REL) + CLOCKS_AGREE_S
        for device, host in zip(device_s, durations_s, strict=True)
    )
    if not longer:
        return []
    return [
        f"{name}: the device's time is longer than the call's own in {longer} of {len(device_s)} rounds (such as "
        f"{worst[0] * 1e3:.4g} ms in {worst[1] * 1e3:.4g} ms): one of the clocks is wrong, or the call returned before "
        "the device was done"
    ]
