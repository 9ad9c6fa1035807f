"""The search for a peak, on simulated queues whose percentiles theory knows."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulated_load import SERVICE_S, of_constant, of_exponential, simulated

from tailgate.measure.load_row import Segment
from tailgate.measure.peak import Peak, Probe, Search
from tailgate.session.load import SCHEDULES, Limit
from tailgate.stats.queueing import md1_response_quantile_s, mm1_response_quantile_s

CAPACITY_PER_S = 1 / SERVICE_S
SECONDS = 40.0
MOST_SEGMENTS = SCHEDULES
LIMIT = Limit("p99", 0.06)
MM1_LIMIT = Limit("p99", 0.15)
Services = Callable[[np.random.Generator, int], Any]


def peak_of(theory: Callable[[float, float, float], float], limit: Limit) -> float:
    low, high = 0.01 * CAPACITY_PER_S, 0.999 * CAPACITY_PER_S
    for _ in range(60):
        middle = (low + high) / 2
        below = theory(middle, SERVICE_S, limit.percent / 100) <= limit.seconds
        low, high = (middle, high) if below else (low, middle)
    return low


class Player:
    """Plays simulated schedules, and can be interrupted."""

    def __init__(self, services: Services, seed: int, stop_at: int | None = None) -> None:
        self.services, self.seed, self.stop_at, self.played = services, seed, stop_at, 0

    def __call__(self, rate_per_s: float, number: int) -> Segment:
        assert number == self.played  # a schedule of its own each time
        if number == self.stop_at:
            raise KeyboardInterrupt
        self.played += 1
        requests = max(368, math.ceil(rate_per_s * SECONDS))
        return simulated(rate_per_s, 1000 * self.seed + number, requests, self.services)


def search_of(player: Callable[[float, int], Segment], services: Services, limit: Limit, said: list[str]) -> Search:
    closed_s = services(np.random.default_rng(99), 300)
    return Search(player, closed_s, CAPACITY_PER_S, limit, 1, said.append)


def found_by(services: Services, seed: int, limit: Limit) -> tuple[Peak, Player]:
    player = Player(services, seed)
    return search_of(player, services, limit, []).run(), player


@pytest.mark.parametrize(
    ("services", "theory", "limit", "seeds"),
    [(of_constant, md1_response_quantile_s, LIMIT, 25), (of_exponential, mm1_response_quantile_s, MM1_LIMIT, 25)],
    ids=["M/D/1", "M/M/1"],
)
def test_a_search_finds_the_known_peak(
    services: Services, theory: Callable[[float, float, float], float], limit: Limit, seeds: int
) -> None:
    wanted_per_s = peak_of(theory, limit)
    errors, enclosed = [], 0
    for seed in range(seeds):
        found, player = found_by(services, seed, limit)
        assert player.played <= MOST_SEGMENTS
        assert sum(len(probe.segments) for probe in found.probes) == player.played
        errors.append(found.estimate_per_s / wanted_per_s - 1)
        low, high = found.low_per_s or 0.0, found.high_per_s or math.inf
        assert low <= found.estimate_per_s <= high
        enclosed += low <= wanted_per_s <= high
    assert abs(float(np.median(errors))) < 0.03
    assert float(np.percentile(np.abs(errors), 90)) < 0.08
    assert enclosed >= 0.9 * seeds


def test_its_fields_are_every_probe() -> None:
    found, player = found_by(of_constant, 1, LIMIT)
    fields = found.fields(LIMIT)
    rates = [probe["rate_per_s"] for probe in fields["load_probes"]]
    assert rates == sorted(rates)
    for probe in fields["load_probes"]:
        assert set(probe) == {"rate_per_s", "p99_s", "low_s", "high_s", "verdict", "requests", "valid"}
        assert probe["verdict"] in ("pass", "fail", "undecided")
    passed = [probe["rate_per_s"] for probe in fields["load_probes"] if probe["verdict"] == "pass"]
    failed = [probe["rate_per_s"] for probe in fields["load_probes"] if probe["verdict"] == "fail"]
    assert fields["load_peak_low_per_s"] in (*passed, None)
    assert fields["load_peak_high_per_s"] in (*failed, None)
    assert sum(probe["requests"] for probe in fields["load_probes"]) > 368 * player.played


def test_each_probe_is_told_in_a_line() -> None:
    said: list[str] = []
    found = search_of(Player(of_constant, 2), of_constant, LIMIT, said).run()
    assert len(said) == len(found.probes)
    assert all(text.startswith(f"probe {number}: ") for number, text in enumerate(said, 1))
    assert all("/s, p99 " in text for text in said)


def test_a_limit_below_the_service_time_is_said_before_searching() -> None:
    player = Player(of_constant, 0)
    with pytest.raises(ValueError, match=r"--load-limit=p99=5ms: the median service time alone is 10.* no rate can"):
        search_of(player, of_constant, Limit("p99", 0.005), [])
    with pytest.raises(
        ValueError, match=r"--load-limit=p99=20ms: p99 of the service time alone is .* in a closed loop"
    ):
        search_of(player, of_exponential, Limit("p99", 0.02), [])
    assert player.played == 0


def test_an_interrupt_before_the_first_probe_is_whole_ends_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        search_of(Player(of_constant, 0, stop_at=0), of_constant, LIMIT, []).run()


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5])
def test_an_interrupt_keeps_the_probes_until_then(stop_at: int) -> None:
    player = Player(of_constant, 3, stop_at)
    found = search_of(player, of_constant, LIMIT, []).run()
    assert player.played <= stop_at
    assert found.interrupted == (player.played == stop_at)
    assert sum(len(probe.segments) for probe in found.probes) == player.played
    assert all(probe.segments for probe in found.probes)
    assert found.shown in found.probes


@pytest.mark.parametrize("milliseconds", [10.001, 11, 1000, 1e5])
def test_an_easy_and_a_hard_limit_end_too(milliseconds: float) -> None:
    found, player = found_by(of_constant, 1, Limit("median", milliseconds / 1e3))
    assert 0 < player.played <= MOST_SEGMENTS
    assert 0 < found.estimate_per_s < 1.6 * CAPACITY_PER_S


def test_a_server_that_is_slower_under_load_than_the_closed_loop_said() -> None:
    def twice(dice: np.random.Generator, requests: int) -> Any:
        return 2 * of_constant(dice, requests)

    found = search_of(Player(twice, 4), of_constant, Limit("p99", 0.12), []).run()
    wanted_per_s = peak_of(md1_response_quantile_s, LIMIT) / 2
    assert found.estimate_per_s == pytest.approx(wanted_per_s, rel=0.15)


def test_requests_that_all_fail_are_said_and_no_crash() -> None:
    failures = tuple((index, "ConnectionError: no") for index in range(400))

    def play(rate_per_s: float, number: int) -> Segment:
        return simulated(rate_per_s, number, 400, failures=failures)

    with pytest.raises(ValueError, match="all 400 requests of a probe failed, the first with ConnectionError: no"):
        search_of(play, of_constant, LIMIT, []).run()


def test_a_probe_that_was_late_is_not_valid() -> None:
    on_time, late = (simulated(30.0, 1, 500, of_constant, late_s=late_s) for late_s in (0.0, 0.01))
    failed = simulated(30.0, 1, 500, of_constant, failures=((7, "ValueError: x"),))
    assert [Probe(30.0, [segment]).valid for segment in (on_time, late, failed)] == [True, False, False]
