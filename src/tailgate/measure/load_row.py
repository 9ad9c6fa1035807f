"""From requests as they were served to a row's fields: rates, waits, lateness, and whether the row is valid."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailgate.measure.serving import Served
from tailgate.session.load import Limit
from tailgate.stats import queueing
from tailgate.stats.response_quantiles import ResponseQuantile, response_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]

LATE_S, LATE_SHARE = 50e-6, 0.05
"""Responses are late where P99 of the lateness passes the larger of 50 us (Linux's timer slack) and 5 % of the median
response."""
LAST_SHARE = 0.1
OVERLOADED_FROM = 0.97
"""Least work offered, as a share of the servers' time, of an overloaded row: below, a long queue is chance."""


@dataclass(frozen=True)
class Segment:
    """One schedule as it was served; it began with an empty queue."""

    rate_per_s: float
    servers: int
    served: Served

    @property
    def responses_s(self) -> Times:
        """Of the requests that did not fail."""
        return (self.served.end_s - self.served.due_s)[self.served.good]

    @property
    def services_s(self) -> Times:
        """How long each call took."""
        return (self.served.end_s - self.served.start_s)[self.served.good]

    @property
    def found_empty(self) -> NDArray[np.bool_]:
        """Which of the requests that did not fail found the system empty; the first counts as one of them."""
        found = queueing.found_empty(self.served.due_s, self.served.end_s - self.served.due_s)[self.served.good]
        found[:1] = True
        return found

    @property
    def waits_s(self) -> Times:
        """From due to start."""
        return self.served.start_s - self.served.due_s

    @property
    def lateness_s(self) -> Times:
        """How late a free server noticed each request that it waited for: the instrument's own error."""
        return self.waits_s[self.served.waited]

    @property
    def queue_max(self) -> int:
        """Most requests that waited at once, counted as one arrives."""
        import numpy as np

        started = np.searchsorted(np.sort(self.served.start_s), self.served.due_s, side="right")
        waiting = np.arange(1, self.served.requests + 1) - started
        return int(np.max(np.where(self.served.waited, 0, waiting)))

    @property
    def served_per_s(self) -> float:
        """Requests per second, until the last was done."""
        return self.served.requests / float(self.served.end_s.max())

    @property
    def offered_work(self) -> float:
        """What share of the servers' time the requests need: above 1, the queue grows without bound."""
        return self.rate_per_s * float(self.served.occupied_s.mean()) / self.servers

    @property
    def overloaded(self) -> bool:
        """Whether the queue grew without bound, and not by chance."""
        import numpy as np

        done = np.searchsorted(np.sort(self.served.end_s), self.served.due_s, side="right")
        backlog = np.arange(1, self.served.requests + 1) - done
        last = max(1, int(len(backlog) * (1 - LAST_SHARE)))
        grew = bool(backlog[last:].max(initial=0) > backlog[:last].max()) and self.served_per_s < self.rate_per_s
        return grew and self.offered_work >= OVERLOADED_FROM


def late(waits_s: Times, responses_s: Times) -> tuple[float, float] | None:
    """P99 of the lateness in seconds and the limit that it passes; ``None``: it passes none.

    Args:
        waits_s: of the requests that a free server waited for, from due to start.
        responses_s: of all requests.
    """
    import numpy as np

    if not len(waits_s) or not len(responses_s):
        return None
    late_s = float(np.percentile(waits_s, 99))
    limit_s = max(LATE_S, LATE_SHARE * float(np.median(responses_s)))
    return (late_s, limit_s) if late_s > limit_s else None


def percentile_of(segments: Sequence[Segment], percent: float) -> ResponseQuantile:
    """A percentile of the responses in seconds, with its 95 % interval."""
    return response_quantile(joined(segments, "responses_s"), joined(segments, "found_empty"), percent / 100)


def joined(segments: Sequence[Segment], what: str) -> NDArray[Any]:
    """One of their arrays, of all."""
    import numpy as np

    return np.concatenate([getattr(segment, what) for segment in segments])


class NoRowError(Exception):
    """Why a load has no row, in one line."""


@dataclass
class LoadRow:
    """What goes into the row."""

    responses_s: list[float]
    fields: dict[str, Any]
    status: str = "ok"
    warnings: list[str] = field(default_factory=list)
    interrupted: bool = False
    """A search was, by Ctrl-C."""

    def mark(self, status: str, reason: str) -> None:
        """It is not valid; of several statuses the last one stays, and every reason."""
        self.status = status
        self.warnings.append(f"{status}: {reason}")


def load_row(name: str, segments: Sequence[Segment], seed: int, capacity_per_s: float, limit: Limit | None) -> LoadRow:
    """Of segments at one rate.

    Args:
        name: of the load, as it was typed.
        segments: one at least.
        seed: of the first schedule.
        capacity_per_s: requests per second that a closed loop was served, on all servers.
        limit: what a good response keeps; ``None``: none was given.
    """
    import numpy as np

    responses_s, waited_s = joined(segments, "responses_s"), joined(segments, "lateness_s")
    length_s = sum(float(segment.served.end_s.max()) for segment in segments)
    row = LoadRow(responses_s.tolist(), {"load_arrivals": name, "load_seed": seed})
    row.fields.update(_rates(segments, length_s, capacity_per_s))
    if len(responses_s):
        row.fields.update(_times(name, segments, responses_s))
        p99 = percentile_of(segments, 99.0)
        row.fields.update(load_p99_low_s=p99.low, load_p99_high_s=p99.high)
        if (why := p99.open_because(segments[0].rate_per_s)) is not None:
            row.warnings.append(f"load_p99_high_s: {why}")
    if limit is not None:
        good = int(np.count_nonzero(responses_s <= limit.seconds))
        row.fields.update(load_limit=limit.text, load_goodput_per_s=good / length_s)
    has_waited = len(waited_s) > 0
    row.fields.update(
        load_lateness_p99_s=float(np.percentile(waited_s, 99)) if has_waited else None,
        load_lateness_max_s=float(waited_s.max()) if has_waited else None,
    )
    if not has_waited:
        row.warnings.append("load_lateness_p99_s: no request came to a free server, so there is no lateness")
    _judge(row, segments, late(waited_s, responses_s))
    return row


def _rates(segments: Sequence[Segment], length_s: float, capacity_per_s: float) -> dict[str, Any]:
    """Requests, and requests per second."""
    requests = sum(segment.served.requests for segment in segments)
    busy_s = sum(float((segment.served.end_s - segment.served.start_s).sum()) for segment in segments)
    return {
        "load_servers": segments[0].servers,
        "load_capacity_per_s": capacity_per_s,
        "load_rate_offered_per_s": segments[0].rate_per_s,
        "load_rate_served_per_s": requests / length_s,
        "load_requests": requests,
        "load_failed_requests": sum(len(segment.served.failures) for segment in segments),
        "load_utilization": busy_s / length_s / segments[0].servers,
        "load_queue_max": max(segment.queue_max for segment in segments),
    }


def _times(name: str, segments: Sequence[Segment], responses_s: Times) -> dict[str, Any]:
    """Of requests that did not fail; theory knows the mean response of Poisson arrivals at one server."""
    import numpy as np

    waits_s, services_s, theory_s = joined(segments, "waits_s"), joined(segments, "services_s"), None
    if name.startswith(("poisson", "peak")) and segments[0].servers == 1:
        theory_s = queueing.pollaczek_khinchine_mean_s(services_s, segments[0].rate_per_s)
    return {
        "load_wait_p99_s": float(np.percentile(waits_s, 99)),
        "load_service_median_s": float(np.median(services_s)),
        "load_service_p99_s": float(np.percentile(services_s, 99)),
        "load_response_mean_s": float(np.mean(responses_s)),
        "load_response_mean_theory_s": theory_s,
        "load_services_s": services_s.tolist(),
    }


def _judge(row: LoadRow, segments: Sequence[Segment], lateness: tuple[float, float] | None) -> None:
    """Mark what makes the row invalid, the gravest last."""
    if lateness is not None:
        late_us, limit_us = (1e6 * seconds for seconds in lateness)
        row.mark(
            "late",
            f"a free server noticed 1 % of the requests more than {late_us:,.0f} us after they were due "
            f"(limit {limit_us:,.0f} us), because other work had the CPU",
        )
    if any(segment.overloaded for segment in segments):
        work = statistics.fmean(segment.offered_work for segment in segments)
        row.mark(
            "overloaded",
            f"{segments[0].rate_per_s:.4g} requests/s are {work:.0%} of what is served at most, so the queue grew "
            "until the end: the percentiles depend on how long one measures",
        )
    failures = [failure for segment in segments for failure in segment.served.failures]
    if failures:
        (index, text), requests = failures[0], row.fields["load_requests"]
        row.mark(
            "errors",
            f"{len(failures)} of {requests} requests failed, the first, request {index + 1}, with {text}"
            + ("; the percentiles are of the others" if len(failures) < requests else ""),
        )
    row.fields["load_valid"] = row.status == "ok"
