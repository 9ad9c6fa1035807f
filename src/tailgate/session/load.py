"""What ``--load`` asks for: arrivals, for how long, how many servers, and which limit a peak must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from tailgate.errors import TailgateError, unknown_value
from tailgate.number import number
from tailgate.option_values import duration_s
from tailgate.stats.quantiles import samples_for_upper_end

KINDS = ("poisson", "constant", "gamma")
PEAK = "peak"
PERCENTS = {"median": 50.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
"""What a limit can be of."""
DEFAULT_LOAD_S, LONGEST_LOAD_S = 10.0, 86_400.0
MOST_RATE_PER_S = 1e7
MOST_REQUESTS = 50_000_000
SCHEDULES = 12
"""Of a search for a peak, at most."""
PARAMETER = "tailgate_load"
"""The parameter of each benchmark that names its load, as it was typed."""
EXAMPLE = "--load=poisson:200 (requests/s) or --load=poisson:70% (of the capacity)"


@dataclass(frozen=True)
class Arrivals:
    """How requests arrive: at a rate, or at a share of the capacity that a closed loop finds just before."""

    kind: str
    """``poisson``, ``constant``, ``gamma``, or ``peak``: Poisson arrivals at the rate that is searched for."""
    rate_per_s: float | None = None
    capacity_share: float | None = None
    cv: float | None = None
    """Coefficient of variation of a gamma's gaps."""

    def rate_for(self, capacity_per_s: float) -> float:
        """Requests per second."""
        if self.rate_per_s is not None:
            return self.rate_per_s
        assert self.capacity_share is not None
        return self.capacity_share * capacity_per_s


@dataclass(frozen=True)
class Limit:
    """What most responses must keep: ``p99=50ms``."""

    metric: str
    seconds: float

    @property
    def percent(self) -> float:
        """Of the responses."""
        return PERCENTS[self.metric]

    @property
    def text(self) -> str:
        """``p99=50ms``."""
        return f"{self.metric}={self.seconds * 1e3:g}ms"


@dataclass(frozen=True)
class Load:
    """Of a session."""

    names: tuple[str, ...]
    """Of the arrivals, such as ``poisson:70%``: each benchmark is measured under each."""
    seconds: float = DEFAULT_LOAD_S
    servers: int = 1
    limit: Limit | None = None
    most_s: float = LONGEST_LOAD_S
    """What a benchmark may take in all, as far as it is known."""


def load_names(text: str, limit_text: str | None) -> tuple[str, ...]:
    """``poisson:10%,30%`` -> ``("poisson:10%", "poisson:30%")``; checked.

    A peak's name has its limit in it, because another limit is another question.

    Raises:
        TailgateError: one line with the wrong value and what is allowed.
    """
    if not text.strip():
        raise TailgateError(f"--load: no arrivals named; write {EXAMPLE}")
    names: list[str] = []
    kind = ""
    for part in (part.strip() for part in text.split(",")):
        head = part.partition(":")[0]
        if not part:
            raise TailgateError(f"--load: no arrivals named; write {EXAMPLE}")
        if head == PEAK and part != PEAK:
            raise TailgateError(f"--load: {part!r}: a peak takes no rate; write --load=peak --load-limit=p99=50ms")
        if part == PEAK and limit_text is not None:
            name = f"{PEAK}:{limit_of(limit_text).text}"
        elif kind and number_of(head.rstrip("%")) is not None:
            name = f"{kind}:{part}"
        else:
            name, kind = part, head
        parsed(name)
        if name in names:
            raise TailgateError(f"--load: {name!r} is there twice; each load is measured once")
        names.append(name)
    return tuple(names)


def parsed(name: str) -> Arrivals:
    """One of them.

    Raises:
        TailgateError: as above.
    """
    kind, _, rest = name.partition(":")
    if kind == PEAK:
        return Arrivals(PEAK)
    if number_of(name.rstrip("%")) is not None:
        raise TailgateError(f"--load: {name!r} has no kind of arrivals; write poisson:{name}, or constant:{name}")
    if kind not in KINDS:
        raise TailgateError(unknown_value("--load", kind, (*KINDS, PEAK), noun="kind of arrivals"))
    rate_text, has_cv, cv_text = rest.partition(":")
    if not rate_text:
        raise TailgateError(f"--load: {name!r} has no rate; write {EXAMPLE}")
    rate, is_share = number_of(rate_text.removesuffix("%")), rate_text.endswith("%")
    most = 10_000.0 if is_share else MOST_RATE_PER_S
    if rate is None or not 0 < rate <= most:
        unit = "% of the capacity" if is_share else "requests per second"
        raise TailgateError(f"--load: {rate_text!r} is no rate (allowed: a number above 0, up to {most:,.0f} {unit})")
    cv = number_of(cv_text)
    if kind == "gamma" and (cv is None or not 0 < cv <= 100):
        wrong = f"{cv_text!r} is no coefficient of variation" if has_cv else "gamma needs a coefficient of variation"
        raise TailgateError(f"--load: {wrong} (allowed: above 0, up to 100, as in gamma:{rate_text}:2.0)")
    if kind != "gamma" and has_cv:
        raise TailgateError(f"--load: {name!r}: only gamma takes a second number; write {kind}:{rate_text}")
    return Arrivals(kind, None if is_share else rate, rate / 100 if is_share else None, cv)


def requests_at_least(limit: Limit | None) -> int:
    """So many that the interval of the percentile that counts can have an upper end."""
    return samples_for_upper_end((limit.percent if limit else PERCENTS["p99"]) / 100)


def refuse_too_long(name: str, requests: int, needed_s: float, most_s: float) -> None:
    """Requests that would not be done when the benchmark's time is up.

    Raises:
        TailgateError: one line that says how long they take.
    """
    if needed_s < most_s:
        return
    long = f"--load: {name}: {requests:,} requests take {needed_s:,.6g} s, and a benchmark may take {most_s:,.6g} s"
    more = f", or add --benchmark-timeout={1.5 * needed_s:.0f}" if needed_s < LONGEST_LOAD_S else ""
    raise TailgateError(f"{long}; raise the rate, lower --load-seconds{more}")


def limit_of(text: str) -> Limit:
    """``p99=50ms``.

    Raises:
        TailgateError: one line with the wrong value and what is allowed.
    """
    metric, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise TailgateError(f"--load-limit: {text!r} is no limit; write --load-limit=p99=50ms ({', '.join(PERCENTS)})")
    if metric not in PERCENTS:
        raise TailgateError(unknown_value("--load-limit", metric, PERCENTS, noun="percentile"))
    return Limit(metric, duration_s(f"--load-limit={metric}", value))


def number_of(text: str) -> float | None:
    """``None``: not a finite number."""
    try:
        found = number(float(text))
    except ValueError:
        return None
    return found if found is not None and math.isfinite(found) else None


def load_name_of(item: pytest.Item, load: Load) -> str | None:
    """Which load a test is measured under; ``None``: it asks for ``benchmark`` in a way that no parameter reaches."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get(PARAMETER, load.names[0] if len(load.names) == 1 else None)
