"""The host clock, read around calls with as little between the two readings as Python allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Timer = Callable[[], float]


def timed_rounds(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    rounds: int,
    iterations: int,
    timer: Timer,
) -> list[float]:
    """Seconds of each of ``rounds`` rounds of ``iterations`` calls.

    The list is made beforehand, so no allocation of ours happens between rounds. Without arguments
    the call is made without unpacking any: on a function of some nanoseconds that would show.
    """
    durations_s = [0.0] * rounds
    if iterations > 1:
        loops = range(iterations)
        for index in range(rounds):
            start = timer()
            for _ in loops:
                function(*args, **kwargs)
            durations_s[index] = timer() - start
    elif kwargs:
        for index in range(rounds):
            start = timer()
            function(*args, **kwargs)
            durations_s[index] = timer() - start
    elif len(args) == 1:
        (argument,) = args
        for index in range(rounds):
            start = timer()
            function(argument)
            durations_s[index] = timer() - start
    else:
        for index in range(rounds):
            start = timer()
            function(*args)
            durations_s[index] = timer() - start
    return durations_s
