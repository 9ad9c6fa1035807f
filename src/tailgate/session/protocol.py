"""How a benchmark is warmed up and how many rounds it gets: the presets, and pure rules behind them.

The number of rounds never comes from a cold first call: every rule here looks at warmed-up calls,
and is applied once, before the timed rounds start.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tailgate.stats.intervals import median_half_width_rel, samples_for_half_width, t_half_width_rel
from tailgate.stats.quantiles import samples_for_upper_end

STEADY_HALF_WIDTH_REL = 0.02
"""Batch medians are steady when the 95 % t interval of their mean is within this share of it."""
STEADY_LEAST_BATCHES = 8
BATCH_S = 0.25
WARMUP_LIMIT_S = 30.0
"""After this long a warm-up that is still not steady ends, and the row says so."""
WANTED_HALF_WIDTH_REL = 0.01
"""``adaptive`` wants the median's 95 % interval within one percent either side."""
ADAPTIVE_TIME_FACTOR = 10
"""``adaptive`` may take this many times ``--benchmark-max-time``."""


@dataclass(frozen=True)
class Protocol:
    """How to warm up and how many rounds to time. ``None``: decided while warming up.

    ``warmup_rounds`` None: until steady. ``rounds`` None: chosen after warm-up, before timing,
    within ``min_rounds`` and ``max_rounds``.
    """

    name: str
    warmup_rounds: int | None
    rounds: int | None
    min_rounds: int = 50
    max_rounds: int = 2000
    warms_devices: bool = True
    """On a device with a clock of its own: until it is steady, whatever ``warmup_rounds``."""

    def overridden(self, rounds: int | None, warmup_rounds: int | None) -> Protocol:
        """The same protocol with ``--rounds`` and ``--warmup-rounds``, where given."""
        return replace(
            self,
            rounds=self.rounds if rounds is None else rounds,
            warmup_rounds=self.warmup_rounds if warmup_rounds is None else warmup_rounds,
            warms_devices=self.warms_devices and warmup_rounds is None,
        )

    def rounds_after(
        self, warm_s: Sequence[float], max_time_s: float, min_rounds: int = 1, wall_s: float | None = None
    ) -> int:
        """Rounds to time, given the durations of warm rounds in seconds (the first call left out).

        Args:
            warm_s: by the benchmark's timer.
            max_time_s: the budget, of wall time.
            min_rounds: what the test itself asks for at least (its ``benchmark`` marker).
            wall_s: what a round takes by the wall clock; ``None``: the timer counts just that.
        """
        if self.rounds is not None:
            return self.rounds
        least = max(self.min_rounds, min_rounds)
        typical_s = statistics.median(warm_s) if wall_s is None else wall_s
        fitting = rounds_that_fit(typical_s, self._budget_s(max_time_s), least, self.max_rounds)
        if self.name == "adaptive":
            return min(max(rounds_wanted(warm_s), samples_for_upper_end(0.99), least), fitting)
        return fitting

    def calls_that_fit(self, call_wall_s: float, max_time_s: float, min_rounds: int = 1) -> int:
        """How many calls a round may have at most, so that the least number of rounds keeps to the budget; 1 or more.

        ``call_wall_s``: what one takes by the wall clock.
        """
        least = self.rounds or max(self.min_rounds, min_rounds)
        return max(1, math.floor(self._budget_s(max_time_s) / least / max(call_wall_s, 1e-9)))

    def _budget_s(self, max_time_s: float) -> float:
        return max_time_s * (ADAPTIVE_TIME_FACTOR if self.name == "adaptive" else 1)


PRESETS = {
    "quick": Protocol("quick", warmup_rounds=10, rounds=None),
    "paper": Protocol("paper", warmup_rounds=20, rounds=100, warms_devices=False),
    "adaptive": Protocol("adaptive", warmup_rounds=None, rounds=None, max_rounds=20_000),
}
"""The protocols by name: how many warm-up calls and how many rounds; ``None``: decided by warm calls."""


def rounds_that_fit(typical_s: float, max_time_s: float, least: int, most: int) -> int:
    """Rounds of ``typical_s`` seconds that fit in ``max_time_s``, at least ``least``, at most ``most``."""
    if typical_s <= 0:
        return max(least, most)
    return max(least, min(most, math.floor(max_time_s / typical_s)))


def rounds_wanted(warm_s: Sequence[float], wanted_rel: float = WANTED_HALF_WIDTH_REL) -> int:
    """Rounds that bring the median's interval to ``wanted_rel``, judged by the warm calls seen so far."""
    half_width_rel = median_half_width_rel(warm_s)
    if half_width_rel is None:
        return 1
    return samples_for_half_width(len(warm_s), half_width_rel, wanted_rel)


def steadiness_rel(batch_medians_s: Sequence[float]) -> float | None:
    """Half-width of the t interval over the latest batches: the last half of them, at least 8.

    ``None`` while there are fewer than 8. Dropping the first half lets a slow start fade out;
    growing the window lets noise average out.
    """
    if len(batch_medians_s) < STEADY_LEAST_BATCHES:
        return None
    window = max(STEADY_LEAST_BATCHES, len(batch_medians_s) // 2)
    return t_half_width_rel(batch_medians_s[-window:])


def is_steady(batch_medians_s: Sequence[float]) -> bool:
    """Whether warm-up can end: at least 8 batches, and the latest agree within 2 %."""
    half_width_rel = steadiness_rel(batch_medians_s)
    return half_width_rel is not None and half_width_rel <= STEADY_HALF_WIDTH_REL
