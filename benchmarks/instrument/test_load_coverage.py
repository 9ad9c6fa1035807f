"""How often four intervals hold a stationary quantile of a queue's responses: on queues whose quantiles are known.

Run by hand, ``pytest benchmarks/instrument/test_load_coverage.py -m instrument`` (about fifteen minutes); it prints the
tables of docs/evidence/load.md, and asserts only that they were measured.
"""

from __future__ import annotations

import importlib
import math
import statistics
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

from tailgate.stats import arrivals
from tailgate.stats.block_quantiles import block_interval
from tailgate.stats.quantiles import order_statistic_interval
from tailgate.stats.queueing import found_empty, md1_response_quantile_s, mm1_response_quantile_s, responses
from tailgate.stats.response_quantiles import response_quantile

pytestmark = pytest.mark.instrument
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]
    Queue = tuple[Times, Times, int]
Report = Callable[[str], None]
Interval = tuple[float | None, float | None]
RUNS = {400: 1000, 800: 1000, 2000: 1000, 10_000: 500, 50_000: 300}
"""Requests of a run, and how many runs."""
QUANTILES = (0.5, 0.95, 0.99)
REPLICATIONS, WARM_UP_SHARE = 5, 0.1


@pytest.fixture(autouse=True)
def _numpy() -> None:
    """For the whole file; not at its import, because collecting the suite's benchmarks imports no numpy."""
    globals()["np"] = importlib.import_module("numpy")


def poisson(rate: float, requests: int, dice: np.random.Generator) -> Times:
    """Poisson arrivals."""
    return arrivals.poisson(rate, int(dice.integers(2**62)), requests=requests)


def bursts(rate: float, requests: int, dice: np.random.Generator) -> Times:
    """Arrivals that come in bursts."""
    return arrivals.gamma(rate, 2.0, int(dice.integers(2**62)), requests=requests)


def remembering(requests: int, dice: np.random.Generator) -> Times:
    """Log-normal service times whose logarithms are a stationary AR(1) series, 0.5 from one to the next."""
    level, found = dice.normal(), []
    for noise in dice.normal(0, math.sqrt(0.75), requests):
        level = 0.5 * level + noise
        found.append(level)
    return np.exp(0.3 * np.array(found) - 0.045)


KNOWN: dict[str, Callable[[float, int, np.random.Generator], Queue]] = {
    "M/D/1": lambda load, n, dice: (poisson(load, n, dice), np.ones(n), 1),
    "M/M/1": lambda load, n, dice: (poisson(load, n, dice), dice.exponential(1, n), 1),
}
OTHERS: dict[str, Callable[[float, int, np.random.Generator], Queue]] = {
    "gamma arrivals, CV 2, constant services": lambda load, n, dice: (bursts(load, n, dice), np.ones(n), 1),
    "gamma arrivals, CV 2, exponential": lambda load, n, dice: (bursts(load, n, dice), dice.exponential(1, n), 1),
    "autocorrelated services, AR(1) 0.5": lambda load, n, dice: (poisson(load, n, dice), remembering(n, dice), 1),
    "one service in 100 lasts 10 times as long": lambda load, n, dice: (
        poisson(load, n, dice),
        np.where(dice.random(n) < 0.01, 10, 0.9 / 0.99),
        1,
    ),
    "2 servers, constant services": lambda load, n, dice: (poisson(2 * load, n, dice), np.ones(n), 2),
    "2 servers, exponential": lambda load, n, dice: (poisson(2 * load, n, dice), dice.exponential(1, n), 2),
    "4 servers, exponential": lambda load, n, dice: (poisson(4 * load, n, dice), dice.exponential(1, n), 4),
}


def replications(parts: list[Times], quantile: float) -> Interval:
    """Student's t interval of the quantiles of independent runs, each without its first part."""
    from scipy.special import stdtrit

    ends = [float(np.quantile(part[int(WARM_UP_SHARE * len(part)) :], quantile)) for part in parts]
    half = float(stdtrit(len(ends) - 1, 0.975)) * statistics.stdev(ends) / math.sqrt(len(ends))
    return statistics.fmean(ends) - half, statistics.fmean(ends) + half


def described(found: Iterable[Interval], true: float) -> str:
    """Coverage, share without an upper end, and the median width over the true quantile."""
    hair = 1e-9 * true  # all requests that find an idle server have the same response but for rounding
    runs = list(found)
    held = sum((low is None or low <= true + hair) and (high is None or high >= true - hair) for low, high in runs)
    wide = statistics.median(math.inf if low is None or high is None else high - low for low, high in runs) / true
    opened = sum(high is None for _, high in runs)
    return f"{held / len(runs):.1%} ({opened / len(runs):.0%}, {f'{wide:.0%}' if math.isfinite(wide) else '-'})"


@pytest.mark.parametrize("utilization", [0.3, 0.7, 0.9])
@pytest.mark.parametrize("name", KNOWN)
def test_coverage_on_known_queues(name: str, utilization: float, report: Report) -> None:
    """Coverage (share without upper end, median width): order statistics, replications, blocks, cycles."""
    theory = md1_response_quantile_s if name == "M/D/1" else mm1_response_quantile_s
    dice = np.random.default_rng(20261129)
    for requests, runs in RUNS.items():
        found: dict[float, list[tuple[Interval, ...]]] = {quantile: [] for quantile in QUANTILES}
        for _ in range(runs):
            arrivals_s, services_s, servers = KNOWN[name](utilization, requests, dice)
            responses_s = responses(arrivals_s, services_s, servers)
            empty = found_empty(arrivals_s, responses_s)
            parts = [responses(*KNOWN[name](utilization, requests // REPLICATIONS, dice)) for _ in range(REPLICATIONS)]
            listed, ordered = responses_s.tolist(), np.sort(responses_s).tolist()
            for quantile in QUANTILES:
                cycles = response_quantile(responses_s, empty, quantile)
                found[quantile].append(
                    (
                        order_statistic_interval(ordered, quantile),
                        replications(parts, quantile),
                        block_interval(listed, quantile, ordered=ordered),
                        (cycles.low, cycles.high),
                    )
                )
        for quantile, rows in found.items():
            true = theory(utilization, 1.0, quantile)
            cells = " | ".join(described(column, true) for column in zip(*rows, strict=True))
            report(f"| {name} | {utilization} | {requests:,} | P{quantile * 100:g} | {cells} |")


@pytest.mark.parametrize("utilization", [0.7, 0.9])
@pytest.mark.parametrize("name", OTHERS)
def test_coverage_on_other_queues(name: str, utilization: float, report: Report) -> None:
    """Against the quantiles of one long run; the interval from cycles only."""
    make = OTHERS[name]
    dice = np.random.default_rng(20261130)
    true = np.quantile(responses(*make(utilization, 2_000_000, dice)), QUANTILES)
    for requests, runs in ((2000, 400), (20_000, 150)):
        found: list[list[Interval]] = [[] for _ in QUANTILES]
        for _ in range(runs):
            arrivals_s, services_s, servers = make(utilization, requests, dice)
            responses_s = responses(arrivals_s, services_s, servers)
            empty = found_empty(arrivals_s, responses_s)
            for index, quantile in enumerate(QUANTILES):
                run = response_quantile(responses_s, empty, quantile)
                found[index].append((run.low, run.high))
        cells = " | ".join(described(runs, float(value)) for runs, value in zip(found, true, strict=True))
        report(f"| {name} | {utilization} | {requests:,} | {cells} |")
