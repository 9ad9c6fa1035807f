"""What theory says of one queue: responses of a schedule, the mean response, known percentiles.

A response lasts from the scheduled arrival to the completion. Requests are served first come, first served.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Times = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def responses(arrivals_s: ArrayLike, services_s: ArrayLike, servers: int = 1) -> Times:
    """Response times of requests that arrive at ``arrivals_s`` (ascending) and take ``services_s`` to serve.

    A request starts when it has arrived and a server is free (Lindley, Proc. Cambridge Phil. Soc. 48 (1952)
    277-289; several servers: Kiefer and Wolfowitz, Trans. American Math. Soc. 78 (1955) 1-18). The queue is
    empty at first.
    """
    import numpy as np

    arrived_s = np.asarray(arrivals_s, dtype=np.float64)
    lasts_s = np.asarray(services_s, dtype=np.float64)
    if arrived_s.shape != lasts_s.shape or servers < 1:
        raise ValueError(f"{len(arrived_s)} arrivals, {len(lasts_s)} service times, {servers} servers")
    if servers == 1:
        worked_s = np.cumsum(lasts_s)  # the server idles until the latest arrival that found it idle
        idle_s = np.maximum.accumulate(arrived_s - (worked_s - lasts_s))
        # Rounding of the sums may leave a response a hair shorter than its own service.
        return np.asarray(np.maximum(worked_s + idle_s - arrived_s, lasts_s))
    free_s = [-math.inf] * servers
    found_s = np.empty_like(arrived_s)
    for index, (arrival_s, service_s) in enumerate(zip(arrived_s.tolist(), lasts_s.tolist(), strict=True)):
        end_s = max(arrival_s, free_s[0]) + service_s
        heapq.heapreplace(free_s, end_s)
        found_s[index] = end_s - arrival_s
    return found_s


def found_empty(arrivals_s: ArrayLike, responses_s: ArrayLike) -> Flags:
    """Which arrivals found the system empty: all requests before them were complete."""
    import numpy as np

    arrived_s = np.asarray(arrivals_s, dtype=np.float64)
    complete_s = np.maximum.accumulate(arrived_s + np.asarray(responses_s))
    found = np.ones(len(arrived_s), dtype=np.bool_)
    found[1:] = arrived_s[1:] >= complete_s[:-1]
    return found


def pollaczek_khinchine_mean_s(services_s: ArrayLike, rate_per_s: float) -> float | None:
    """The mean response of Poisson arrivals at one server, ``None`` where the server cannot keep up.

    E[S] + rate E[S^2] / (2 (1 - rate E[S])) (Kleinrock, Queueing Systems, volume 1, 1975, section 5.6), exact for
    independent service times S of any distribution; the moments are those of ``services_s``.
    """
    import numpy as np

    lasts_s = np.asarray(services_s, dtype=np.float64)
    mean_s = float(np.mean(lasts_s))
    utilization = rate_per_s * mean_s
    if utilization >= 1:
        return None
    return mean_s + rate_per_s * float(np.mean(lasts_s**2)) / (2 * (1 - utilization))


def mm1_response_quantile_s(rate_per_s: float, service_s: float, quantile: float) -> float:
    """A quantile of the response at Poisson arrivals and exponential service times of mean ``service_s``.

    The response is exponential with mean ``service_s / (1 - utilization)`` (Kleinrock, section 5.6).
    """
    utilization = _utilization(rate_per_s, service_s, quantile)
    return -service_s / (1 - utilization) * math.log1p(-quantile)


def md1_response_quantile_s(rate_per_s: float, service_s: float, quantile: float) -> float:
    """A quantile of the response at Poisson arrivals and service times that all last ``service_s``.

    Crommelin's series of the waiting time alternates and loses all digits at high utilisation. Franx's form of it
    (Operations Research Letters 29 (2001) 221-223) has positive terms only.
    """
    utilization = _utilization(rate_per_s, service_s, quantile)
    if quantile <= 1 - utilization:  # so many do not wait at all
        return service_s
    waiting = _md1_wait_distribution(utilization, quantile)
    low, high = 0.0, 1.0
    while waiting(high) < quantile:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if waiting(middle) < quantile else (low, middle)
    return service_s * (1 + high)


def _utilization(rate_per_s: float, service_s: float, quantile: float) -> float:
    utilization = rate_per_s * service_s
    if not 0 < utilization < 1 or not 0 < quantile < 1:
        raise ValueError(f"no quantile {quantile!r} at utilization {utilization!r}: both must be within (0, 1)")
    return utilization


def _md1_wait_distribution(utilization: float, quantile: float) -> Callable[[float], float]:
    """P(wait <= x service times), good for every x up to twice the wait's ``quantile``.

    The number in the system behind a completion is a Markov chain. Its probabilities follow from the balance between
    at most n and more than n requests, in which each term is positive.
    """
    import numpy as np
    from scipy.special import gammainc, gammaln

    # The wait's tail falls at least as fast as exp(-decay x) with decay > 2 (1 - utilization).
    levels = 10 + 2 * math.ceil(2 - math.log1p(-quantile) / (2 * (1 - utilization)))
    counts = np.arange(levels + 2)
    log_factorial = gammaln(counts + 1)
    # At least n arrivals during a service.
    at_least = np.concatenate(([1.0], gammainc(counts[1:], utilization)))
    none = math.exp(-utilization)
    probability = np.zeros(levels + 1)
    probability[0] = 1 - utilization
    for level in range(levels):
        up = probability[0] * at_least[level + 1] + probability[1 : level + 1] @ at_least[level + 1 : 1 : -1]
        probability[level + 1] = up / none
    waiting_at_most = np.cumsum(probability)[1:]  # n in the queue are n + 1 in the system

    def distribution(services: float) -> float:
        block = min(math.floor(services) + 1, levels)
        mean = utilization * (block - services)
        arrivals = counts[:block]
        chances = np.exp(arrivals * math.log(mean) - log_factorial[:block] - mean)
        return float(chances @ waiting_at_most[:block][::-1])

    return distribution
