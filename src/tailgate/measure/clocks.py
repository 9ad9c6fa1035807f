"""The host clock, read around calls with as little between the two readings as Python allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

Timer = Callable[[], float]


class DeviceClock(Protocol):
    """What a device says of the same rounds that the host's clock times. A session of the suite brings its own."""

    name: str
    """Such as ``cuda-events``."""

    def before_round(self) -> None:
        """Right before a round, untimed: bring the device to where every round begins (flush caches, be idle)."""

    def after_round(self) -> float | None:
        """Right after a round, untimed: the seconds the device itself took for it; ``None``: it cannot tell."""

    def facts(self) -> dict[str, Any]:
        """After the last round: flat, unit-suffixed fields for ``extra_info`` (peak memory of the device, ...)."""


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
