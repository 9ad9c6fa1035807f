"""``benchmark.pedantic`` where somebody else says when: its author's calls, set-ups and teardowns, and not one more.

A call may use up what it was given: rows that can be inserted once, an iterator of thirty. So the number of calls that
pytest-benchmark would make in one process is the number made in each process here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any


@dataclass
class PreparedCall:
    """``setup`` may return ``(args, kwargs)``; ``teardown`` is called with the round's arguments. Neither is timed."""

    target: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    setup: Callable[[], Any] | None = None
    teardown: Callable[..., Any] | None = None
    rounds: int = 1
    warmup_rounds: int = 0
    iterations: int = 1
    done: int = 0
    """How many of its rounds are done."""
    result: Any = None
    """Of the latest call."""
    fixed: bool = False
    """Whether its author fixed how often it is called (``benchmark.pedantic``)."""

    @property
    def bare(self) -> Callable[[], Any]:
        """:meth:`once` without frames of ours, where nothing is to be set up: a profiler would count them."""
        if self.setup is not None or self.teardown is not None:
            return self.once
        return partial(self.target, *self.args, **self.kwargs)

    def once(self) -> Any:
        """Call it untimed."""
        args, kwargs = self._arguments()
        self.result = self.target(*args, **kwargs)
        self._after(args, kwargs)
        return self.result

    def timed(self, timer: Callable[[], float]) -> float:
        """Time one round: how long its calls take together, by ``timer``."""
        target, loops = self.target, range(self.iterations - 1)
        args, kwargs = self._arguments()
        start = timer()
        for _ in loops:
            target(*args, **kwargs)
        result = target(*args, **kwargs)
        duration = timer() - start
        self.result = result
        self._after(args, kwargs)
        return duration

    def warm(self, timer: Callable[[], float]) -> float | None:
        """The author's warm-up: the shortest wall time of a round in seconds; ``None``: there is to be none."""
        walls_s = []
        for _ in range(self.warmup_rounds):
            start_s = time.perf_counter()
            self.timed(timer)
            walls_s.append(time.perf_counter() - start_s)
        return min(walls_s, default=None)

    def rounds_by(self, timer: Callable[[], float]) -> Callable[[int, int], list[float]]:
        """Time rounds by ``timer``, at most as many as are left; the author sets the calls per round."""

        def rounds_of(rounds: int, _calls: int) -> list[float]:
            rounds = min(rounds, self.rounds - self.done)
            self.done += rounds
            return [self.timed(timer) for _ in range(rounds)]

        return rounds_of

    def finish(self, timer: Callable[[], float]) -> Any:
        """What is left of the rounds, and the call that pytest-benchmark makes for a round's result; the result."""
        self.rounds_by(timer)(self.rounds, self.iterations)
        return self.once() if self.iterations > 1 else self.result

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        found = self.setup() if self.setup is not None else None
        if not found:
            return self.args, self.kwargs
        if self.args or self.kwargs:
            raise TypeError("Can't use `args` or `kwargs` if `setup` returns the arguments.")
        args, kwargs = found
        return tuple(args), dict(kwargs)

    def _after(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.teardown is not None:
            self.teardown(*args, **kwargs)


def prepared_call(
    target: Callable[..., Any],
    args: Any = (),
    kwargs: Any = None,
    setup: Callable[[], Any] | None = None,
    teardown: Callable[..., Any] | None = None,
    rounds: int = 1,
    warmup_rounds: int = 0,
    iterations: int = 1,
) -> PreparedCall:
    """A call as ``benchmark.pedantic`` was asked for it.

    Raises:
        ValueError: what pytest-benchmark refuses, in its words.
    """
    for name, value, least in (
        ("iterations", iterations, 1),
        ("rounds", rounds, 1),
        ("warmup_rounds", warmup_rounds, 0),
    ):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"Must have positive int for `{name}`.")
    if iterations > 1 and setup:
        raise ValueError("Can't use more than 1 `iterations` with a `setup` function.")
    return PreparedCall(
        target, tuple(args), dict(kwargs or {}), setup, teardown, rounds, warmup_rounds, iterations, fixed=True
    )
