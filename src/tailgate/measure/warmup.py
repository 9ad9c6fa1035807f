"""Untimed calls before the timed ones, until their times are steady: the host's, and a device's where there is one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from tailgate.session.protocol import (
    BATCH_S,
    STEADY_HALF_WIDTH_REL,
    WARMUP_LIMIT_S,
    Protocol,
    is_steady,
    steadiness_rel,
)

HOST = "times"
"""What the batches' medians by the host's clock are called in a warning."""
DEVICE_WARMUP_LIMIT_S = 10.0
"""Of a protocol with a fixed warm-up (``quick``), on a device: its clocks rise within a second or two."""


class Walled:
    """Rounds, and what they take by the wall clock: budgets are of that, whatever the benchmark's timer counts."""

    def __init__(
        self, rounds_of: Callable[[int, int], list[float]], now: Callable[[], float] = time.perf_counter
    ) -> None:
        self._rounds_of, self._now = rounds_of, now
        self.call_s = 0.0
        """Of a typical call of the latest rounds."""

    def __call__(self, rounds: int, iterations: int = 1) -> list[float]:
        """Seconds of each round, by the benchmark's timer."""
        start_s = self._now()
        durations_s = self._rounds_of(rounds, iterations)
        self.call_s = typical_wall_s(durations_s, self._now() - start_s) / iterations
        return durations_s


def typical_wall_s(durations_s: Sequence[float], wall_s: float) -> float:
    """The typical wall time of one round, in seconds, from several rounds timed together.

    The median, which one slow round does not move, and what the timer did not see of all, such as waiting. A timer that
    saw more time than there was counts something else than seconds, and says nothing here.
    """
    unseen_s = wall_s - sum(durations_s)
    mean_s = wall_s / max(1, len(durations_s))
    return mean_s if unseen_s < 0 or not durations_s else statistics.median(durations_s) + unseen_s / len(durations_s)


Beside = Callable[[], Mapping[str, float | None]]
"""After a batch: what else must be steady, by name; ``None``: not known, and not waited for."""
Warm = tuple[list[float], int, str | None]


def warm_up(
    protocol: Protocol, rounds_of: Callable[[int], list[float]], now: Callable[[], float] = time.perf_counter
) -> Warm:
    """Call until warm.

    Returns:
        The durations in seconds of warm calls (never empty), how many calls were made (at least one is
        always made, to learn how long a warm call takes), and a warning or ``None``.
    """
    if protocol.warmup_rounds is not None:
        warm_s = rounds_of(max(1, protocol.warmup_rounds))
        return warm_s, len(warm_s), None
    return until_steady(rounds_of, WARMUP_LIMIT_S, now=now)


def warm_up_device(
    protocol: Protocol,
    rounds_of: Callable[[int], list[float]],
    beside: Beside,
    now: Callable[[], float] = time.perf_counter,
) -> Warm:
    """Warm up a call that a device computes, whose clocks rise with the load and fall with its heat.

    A warm-up that was typed, and ``paper``'s, is as long as it says.
    """
    if not protocol.warms_devices:
        return warm_up(protocol, rounds_of, now)
    limit_s = WARMUP_LIMIT_S if protocol.warmup_rounds is None else DEVICE_WARMUP_LIMIT_S
    return until_steady(rounds_of, limit_s, beside, now)


def until_steady(
    rounds_of: Callable[[int], list[float]],
    limit_s: float,
    beside: Beside = dict,
    now: Callable[[], float] = time.perf_counter,
) -> Warm:
    """Batches of ``BATCH_S`` until their medians, and what ``beside`` gives, are steady."""
    series: dict[str, list[float]] = {HOST: []}
    batches: list[list[float]] = []
    per_batch, calls, start_s = 1, 0, now()
    batch: list[float] = []
    while not all(map(is_steady, series.values())):
        if now() - start_s > limit_s:
            return _flat(batches) or batch, calls, _not_steady(series, limit_s)
        begun_s = now()
        batch = rounds_of(per_batch)
        calls += len(batch)
        median_s = statistics.median(batch)
        # A timer may not see a call wait, or count no seconds; the batch's length is a matter of wall time.
        call_s = typical_wall_s(batch, now() - begun_s)
        if per_batch * call_s >= BATCH_S / 2:
            batches.append(batch)
            series[HOST].append(median_s)
            for name, value in beside().items():
                if value is not None:
                    series.setdefault(name, []).append(value)
        per_batch = max(1, round(BATCH_S / call_s)) if call_s > 0 else per_batch * 10
    return _flat(batches[-max(8, len(batches) // 2) :]), calls, None


def _not_steady(series: Mapping[str, list[float]], limit_s: float) -> str:
    found = []
    for name, values in series.items():
        if is_steady(values):
            continue
        seen = steadiness_rel(values)
        said = f"±{seen:.1%}" if seen is not None else f"only {len(values)} batches of calls"
        found.append(said if name == HOST else f"{name} {said}")
    return f"not steady after {limit_s:g} s of warm-up: {', '.join(found)}, wanted ±{STEADY_HALF_WIDTH_REL:.0%}"


def _flat(batches: list[list[float]]) -> list[float]:
    return [duration_s for batch in batches for duration_s in batch]
