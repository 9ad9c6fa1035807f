"""When the requests of a load are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailgate.session.load import Arrivals
from tailgate.stats import arrivals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def schedule(asked: Arrivals, rate_per_s: float, requests: int, seed: int) -> NDArray[np.float64]:
    """Due times in seconds, of exactly the rate: what was drawn is stretched to it.

    The sum of 400 drawn gaps deviates by 5 % (one standard deviation), and the queue with it. Stretched Poisson
    arrivals are Poisson arrivals of which it is known when the last one comes.
    """
    if asked.kind == "constant":
        return arrivals.constant(rate_per_s, requests=requests)
    if asked.kind == "gamma":
        assert asked.cv is not None
        due_s = arrivals.gamma(rate_per_s, asked.cv, seed, requests=requests)
    else:
        due_s = arrivals.poisson(rate_per_s, seed, requests=requests)
    due_s *= requests / rate_per_s / due_s[-1]
    return due_s
