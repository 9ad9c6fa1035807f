"""A call with a set-up and a teardown of its own, as ``benchmark.pedantic`` has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tailgate.clocks import timed_rounds


@dataclass(frozen=True)
class PreparedCall:
    """``setup`` may return ``(args, kwargs)``; ``teardown`` is called with the call's arguments. Neither is timed."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    setup: Callable[[], Any] | None = None
    teardown: Callable[..., Any] | None = None

    def once(self) -> Any:
        """Call it untimed."""
        args, kwargs = self._arguments()
        result = self.target(*args, **kwargs)
        self._after(args, kwargs)
        return result

    def timed(self, timer: Callable[[], float]) -> float:
        """How long one call takes, by ``timer``."""
        target = self.target
        args, kwargs = self._arguments()
        start = timer()
        target(*args, **kwargs)
        duration = timer() - start
        self._after(args, kwargs)
        return duration

    @property
    def has_set_up(self) -> bool:
        """Something around each call is not timed."""
        return self.setup is not None or self.teardown is not None

    def rounds_by(self, timer: Callable[[], float]) -> Callable[[int, int], list[float]]:
        """Seconds of each of so many rounds of so many calls; with a set-up, a round is one call."""
        if self.has_set_up:
            return lambda rounds, _calls: [self.timed(timer) for _ in range(rounds)]
        return lambda rounds, calls: timed_rounds(self.target, self.args, self.kwargs, rounds, calls, timer)

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
    **_: Any,
) -> PreparedCall:
    """One as ``benchmark.pedantic`` was asked for it, without what it says of rounds."""
    return PreparedCall(target, tuple(args), dict(kwargs or {}), setup, teardown)
