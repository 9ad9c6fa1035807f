"""Responses of a queue, and what theory says of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

from tailgate.stats import arrivals
from tailgate.stats.queueing import (
    found_empty,
    md1_response_quantile_s,
    mm1_response_quantile_s,
    pollaczek_khinchine_mean_s,
    responses,
)

UTILIZATIONS = (0.1, 0.5, 0.7, 0.9)
REQUESTS = st.lists(st.tuples(st.floats(0, 5), st.floats(1e-3, 5)), min_size=1, max_size=60)


def simulated(requests, servers):
    """Gaps and services, request by request: who is in service is asked of all servers."""
    arrived_s, free_s, found = 0.0, [0.0] * servers, []
    for gap_s, service_s in requests:
        arrived_s += gap_s
        server = min(range(servers), key=lambda one: free_s[one])
        free_s[server] = max(arrived_s, free_s[server]) + service_s
        found.append(free_s[server] - arrived_s)
    return found


@given(REQUESTS, st.integers(1, 4))
def test_responses_are_those_of_a_simulation(requests, servers):
    gaps_s, services_s = np.transpose(requests)
    arrivals_s = np.cumsum(gaps_s)
    found_s = responses(arrivals_s, services_s, servers)
    assert found_s == pytest.approx(simulated(requests, servers))
    assert (found_s >= services_s - 1e-12).all()
    assert (responses(arrivals_s, services_s, servers + 1) <= found_s + 1e-9).all()
    assert responses(arrivals_s, services_s, len(requests)) == pytest.approx(services_s)


@given(REQUESTS)
def test_one_request_at_a_time_finds_the_system_empty(requests):
    services_s = np.array([service_s for _, service_s in requests])
    apart_s = np.cumsum(services_s + 0.1) - services_s
    assert found_empty(apart_s, responses(apart_s, services_s)).all()
    at_once_s = np.ones(len(requests))
    assert found_empty(at_once_s, responses(at_once_s, services_s)).tolist() == [True] + [False] * (len(requests) - 1)


def test_a_system_is_empty_when_all_earlier_requests_are_complete():
    arrivals_s, services_s = [1.0, 2.0, 3.0, 12.0], [10.0, 0.5, 0.5, 1.0]
    found_s = responses(arrivals_s, services_s, servers=2)
    assert found_s.tolist() == [10, 0.5, 0.5, 1]
    assert found_empty(arrivals_s, found_s).tolist() == [True, False, False, True]


@pytest.mark.parametrize(("services", "servers"), [([1.0], 1), ([1.0, 1.0], 0)])
def test_what_is_no_queue_is_refused(services, servers):
    with pytest.raises(ValueError, match="2 arrivals"):
        responses([1.0, 2.0], services, servers)


@pytest.mark.parametrize("utilization", UTILIZATIONS)
def test_the_mean_response_is_that_of_pollaczek_and_khinchine(utilization):
    # M/D/1 and M/M/1 in closed form; a service time of 2 ms.
    rate_per_s = utilization / 0.002
    assert pollaczek_khinchine_mean_s([0.002] * 5, rate_per_s) == pytest.approx(
        0.002 * (2 - utilization) / (2 - 2 * utilization)
    )
    exponential_s = -0.002 * np.log1p(-(np.arange(200_000) + 0.5) / 200_000)
    assert pollaczek_khinchine_mean_s(exponential_s, rate_per_s) == pytest.approx(0.002 / (1 - utilization), rel=1e-3)


def test_a_server_that_cannot_keep_up_has_no_mean_response():
    assert pollaczek_khinchine_mean_s([0.5, 1.5], 1.0) is None


def crommelin(utilization, services):
    """P(wait <= services), the alternating series, good for short waits."""
    terms = []
    for number in range(math.floor(services) + 1):
        mean = utilization * (number - services)
        terms.append(math.copysign(1, mean) ** number * abs(mean) ** number * math.exp(-mean - gammaln(number + 1)))
    return (1 - utilization) * math.fsum(terms)


@pytest.mark.parametrize("utilization", UTILIZATIONS)
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.95, 0.99])
def test_the_response_of_constant_services_is_that_of_crommelin(utilization, quantile):
    found_s = md1_response_quantile_s(utilization / 0.25, 0.25, quantile)
    wait = found_s / 0.25 - 1
    if wait == 0:
        assert quantile <= 1 - utilization
    elif wait < 15:  # beyond, the series loses its digits
        assert crommelin(utilization, wait) == pytest.approx(quantile, abs=1e-6)


def test_a_high_utilization_and_a_far_tail_are_stable():
    # The tail decays exponentially, by 10 times from one to the next; the rate solves utilization (e^x - 1) = x.
    ends = [md1_response_quantile_s(0.99, 1.0, 1 - 10.0**-nines) for nines in (2, 3, 4, 5)]
    decays = math.log(10) / np.diff(ends)
    assert 0.99 * np.expm1(decays) == pytest.approx(decays)


@pytest.mark.parametrize("theory", [md1_response_quantile_s, mm1_response_quantile_s])
def test_theory_is_as_a_long_simulation(theory):
    requests = 400_000
    arrivals_s = arrivals.poisson(0.7, 5, requests=requests)
    exponential = np.random.default_rng(6).exponential(1, requests)
    services_s = np.ones(requests) if theory is md1_response_quantile_s else exponential
    found_s = responses(arrivals_s, services_s)
    for quantile, within in ((0.5, 0.02), (0.95, 0.03), (0.99, 0.06)):
        assert theory(0.7, 1.0, quantile) == pytest.approx(np.quantile(found_s, quantile), rel=within)
    assert pollaczek_khinchine_mean_s(services_s, 0.7) == pytest.approx(np.mean(found_s), rel=0.03)


@pytest.mark.parametrize("theory", [md1_response_quantile_s, mm1_response_quantile_s])
@pytest.mark.parametrize(("rate", "quantile"), [(1.0, 0.5), (0.0, 0.5), (0.5, 0.0), (0.5, 1.0)])
def test_an_overloaded_queue_has_no_quantile(theory, rate, quantile):
    with pytest.raises(ValueError, match="utilization"):
        theory(rate, 1.0, quantile)
