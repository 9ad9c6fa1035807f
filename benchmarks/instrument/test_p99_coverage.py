"""How often P99's two intervals hold the P99: on simulated series, and in windows of real consecutive rounds.

Run by hand, ``pytest benchmarks/instrument/test_p99_coverage.py -m instrument`` (about three minutes); each prints its
table, and asserts only that it was measured. The figures last seen are in docs/evidence/statistics.md.
"""

import hashlib
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence

import pytest

from tailgate.stats.block_quantiles import block_interval
from tailgate.stats.quantiles import order_statistic_interval, percentile

pytestmark = pytest.mark.instrument
Report = Callable[[str], None]
Interval = tuple[float | None, float | None]
WINDOWS, ROUNDS = 200, (500, 2000, 10_000)
RECORDED_S = 30.0
INTERVALS: dict[str, Callable[[Sequence[float]], Interval]] = {
    "order statistics": lambda window: order_statistic_interval(sorted(window), 0.99),
    "blocks": lambda window: block_interval(window, 0.99),
}


def autoregressive(count: int, dice: random.Random, phi: float) -> list[float]:
    """Log-normal rounds whose logarithms are a stationary AR(1) series of deviation 0.3."""
    level, found = dice.gauss(0, 1), []
    for _ in range(count):
        level = phi * level + math.sqrt(1 - phi * phi) * dice.gauss(0, 1)
        found.append(math.exp(0.3 * level))
    return found


def switching(count: int, dice: random.Random, burst: float, share: float) -> list[float]:
    """Quiet rounds, and bursts of about three times as slow ones: ``burst`` rounds long, ``share`` of all rounds."""
    slow, found = dice.random() < share, []
    for _ in range(count):
        slow = dice.random() >= 1 / burst if slow else dice.random() < share / (1 - share) / burst
        found.append(math.exp(dice.gauss(0, 0.1)) * (3 * math.exp(dice.gauss(0, 0.3)) if slow else 1))
    return found


SIMULATED: dict[str, Callable[[int, random.Random], list[float]]] = {
    "independent": lambda count, dice: autoregressive(count, dice, 0.0),
    "AR(1), 0.5": lambda count, dice: autoregressive(count, dice, 0.5),
    "AR(1), 0.9": lambda count, dice: autoregressive(count, dice, 0.9),
    "AR(1), 0.99": lambda count, dice: autoregressive(count, dice, 0.99),
    "bursts of 10 rounds, 5 %": lambda count, dice: switching(count, dice, 10, 0.05),
    "bursts of 50 rounds, 5 %": lambda count, dice: switching(count, dice, 50, 0.05),
    "bursts of 100 rounds, 20 %": lambda count, dice: switching(count, dice, 100, 0.2),
    "bursts of 200 rounds, 5 %": lambda count, dice: switching(count, dice, 200, 0.05),
}


def described(windows: Sequence[Sequence[float]], true_s: float) -> str:
    """Coverage, windows without an upper end, and the median width, of each interval."""
    cells = []
    for name, interval in INTERVALS.items():
        found = [interval(window) for window in windows]
        held = sum((low is None or low <= true_s) and (high is None or true_s <= high) for low, high in found)
        widths = [math.inf if low is None or high is None else high / low for low, high in found]
        opened = sum(map(math.isinf, widths))
        wide = statistics.median(widths)
        width = f"high/low {wide:.2f}" if math.isfinite(wide) else "mostly open"
        cells.append(f"{name} {held / len(found):6.1%} (open {opened / len(found):4.0%}, {width})")
    return "; ".join(cells)


@pytest.mark.parametrize("name", SIMULATED)
def test_coverage_on_simulated_series(name: str, report: Report) -> None:
    """Against the P99 of a million rounds of the same series."""
    make = SIMULATED[name]
    true = percentile(sorted(make(1_000_000, random.Random(0))), 99)
    for rounds in ROUNDS:
        windows = [make(rounds, random.Random(seed)) for seed in range(1, 1 + WINDOWS)]
        report(f"{name}, {rounds} rounds: {described(windows, true)}")


TEXT = {f"k{index}": [index, index / 3, "x" * index] for index in range(60)}
NUMBERS = [math.sin(index) for index in range(20_000)]
REAL: dict[str, Callable[[], object]] = {
    "SHA-256 of 64 KiB": lambda: hashlib.sha256(bytes(65536)).digest(),
    "json.dumps": lambda: json.dumps(TEXT),
    "sorting 20,000": lambda: sorted(NUMBERS),
}


@pytest.mark.parametrize("name", REAL)
def test_coverage_on_recorded_rounds(name: str, report: Report) -> None:
    """Against the P99 of all recorded rounds; rounds drawn at random from them beside."""
    call = REAL[name]
    rounds_s: list[float] = []
    start_s = time.perf_counter()
    end_s = start_s + RECORDED_S
    while start_s < end_s:
        start_s = time.perf_counter()
        call()
        rounds_s.append(time.perf_counter() - start_s)
    true_s = percentile(sorted(rounds_s), 99)
    dice = random.Random(0)
    for rounds in ROUNDS:
        count = min(WINDOWS, len(rounds_s) // rounds)
        if count < 5:
            report(f"{name}, {rounds} rounds: fewer than five windows in {len(rounds_s)} recorded rounds")
            continue
        starts = [index * (len(rounds_s) - rounds) // (count - 1) for index in range(count)]
        report(f"{name}, {rounds} rounds: {described([rounds_s[at : at + rounds] for at in starts], true_s)}")
        drawn = [dice.choices(rounds_s, k=rounds) for _ in range(count)]
        report(f"{name}, {rounds} rounds drawn at random: {described(drawn, true_s)}")
    assert rounds_s
