"""Requests as a simulated queue serves them: no clock, and no wait."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tailgate.measure.load_row import Segment
from tailgate.measure.serving import Served
from tailgate.stats import arrivals, queueing

Times = NDArray[np.float64]
SERVICE_S = 0.01


def of_constant(dice: np.random.Generator, requests: int) -> Times:
    """M/D/1."""
    return np.full(requests, SERVICE_S)


def of_exponential(dice: np.random.Generator, requests: int) -> Times:
    """M/M/1."""
    return dice.exponential(SERVICE_S, requests)


def served(
    due_s: Times, services_s: Times, servers: int = 1, late_s: float = 0.0, failures: tuple[tuple[int, str], ...] = ()
) -> Served:
    """One schedule; ``late_s``: how late a free server notices each request, beyond its service."""
    responses_s = queueing.responses(due_s, services_s + late_s, servers)
    start_s = due_s + responses_s - services_s
    waited = responses_s <= (services_s + late_s) * (1 + 1e-9)
    return Served(np.arange(len(due_s)), due_s, start_s, due_s + responses_s, services_s + late_s, waited, failures)


def simulated(
    rate_per_s: float,
    seed: int,
    requests: int = 2000,
    services: Callable[[np.random.Generator, int], Times] = of_constant,
    servers: int = 1,
    late_s: float = 0.0,
    failures: tuple[tuple[int, str], ...] = (),
) -> Segment:
    """One schedule of Poisson arrivals."""
    due_s = arrivals.poisson(rate_per_s, seed, requests=requests)
    services_s = services(np.random.default_rng([seed, 7]), requests)
    return Segment(rate_per_s, servers, served(due_s, services_s, servers, late_s, failures))
