"""From requests as they were served to a row's fields: rates, waits, lateness, and whether the row is valid."""

from __future__ import annotations

import statistics
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
        return (self.served.end_s - self.served.due_s)[self._good]

    @property
    def services_s(self) -> Times:
        """How long each call took."""
        return (self.served.end_s - self.served.start_s)[self._good]

    @property
    def found_empty(self) -> NDArray[np.bool_]:
        """Which of the requests that did not fail found the system empty; the first counts as one of them."""
        found = queueing.found_empty(self.served.due_s, self.served.end_s - self.served.due_s)[self._good]
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
        import numpy as np

        services_s = self.served.end_s - self.served.start_s
        return self.rate_per_s * float(np.mean(services_s)) / self.servers

    @property
    def overloaded(self) -> bool:
        """Whether the queue grew without bound, and not by chance."""
        import numpy as np

        done = np.searchsorted(np.sort(self.served.end_s), self.served.due_s, side="right")
        backlog = np.arange(1, self.served.requests + 1) - done
        before = backlog[: max(1, int(len(backlog) * (1 - LAST_SHARE)))]
        grew = bool(backlog[-1] > before.max()) and self.served_per_s < self.rate_per_s
        return grew and self.offered_work >= OVERLOADED_FROM

    @property
    def _good(self) -> NDArray[np.bool_]:
        import numpy as np

        good = np.ones(self.served.requests, dtype=np.bool_)
        failed = [index for index, _ in self.served.failures]
        good[np.isin(self.served.index, failed)] = False
        return good


def late(served: Served) -> tuple[float, float] | None:
    """P99 of the lateness in seconds and the limit that it passes; ``None``: it passes none.

    The lateness is how late a free server noticed a request that it waited for.
    """
    import numpy as np

    waits_s = (served.start_s - served.due_s)[served.waited]
    if not len(waits_s):
        return None
    late_s = float(np.percentile(waits_s, 99))
    limit_s = max(LATE_S, LATE_SHARE * float(np.median(served.end_s - served.due_s)))
    return (late_s, limit_s) if late_s > limit_s else None


@dataclass
class LoadRow:
    """What goes into the row."""

    responses_s: list[float]
    fields: dict[str, Any]
    status: str = "ok"
    warnings: list[str] = field(default_factory=list)
    interrupted: bool = False
    """A search was, by Ctrl-C."""


def percentile_of(segments: list[Segment], percent: float) -> ResponseQuantile:
    """A percentile of the responses in seconds, with its 95 % interval."""
    import numpy as np

    responses_s = np.concatenate([segment.responses_s for segment in segments])
    found_empty = np.concatenate([segment.found_empty for segment in segments])
    return response_quantile(responses_s, found_empty, percent / 100)


def load_row(
    name: str, kind: str, segments: list[Segment], seed: int, capacity_per_s: float, limit: Limit | None
) -> LoadRow:
    """Of segments at one rate.

    Args:
        name: of the load, as it was typed.
        kind: of its arrivals; theory knows the mean response of ``poisson`` at one server.
        segments: one at least.
        seed: of the first schedule.
        capacity_per_s: requests per second that a closed loop was served, on all servers.
        limit: what a good response keeps; ``None``: none was given.
    """
    import numpy as np

    rate_per_s, servers = segments[0].rate_per_s, segments[0].servers
    joined = {
        what: np.concatenate([getattr(segment, what) for segment in segments])
        for what in ("responses_s", "services_s", "waits_s", "lateness_s")
    }
    responses_s, services_s = joined["responses_s"], joined["services_s"]
    requests = sum(segment.served.requests for segment in segments)
    length_s = sum(float(segment.served.end_s.max()) for segment in segments)
    failures = [failure for segment in segments for failure in segment.served.failures]
    theory_s = None
    if kind in ("poisson", "peak") and servers == 1:
        theory_s = queueing.pollaczek_khinchine_mean_s(services_s, rate_per_s)
    late_s = float(np.percentile(joined["lateness_s"], 99)) if len(joined["lateness_s"]) else None
    late_from_s = max(LATE_S, LATE_SHARE * float(np.median(responses_s)))
    found = LoadRow(
        responses_s.tolist(),
        {
            "load_arrivals": name,
            "load_seed": seed,
            "load_servers": servers,
            "load_capacity_per_s": capacity_per_s,
            "load_rate_offered_per_s": rate_per_s,
            "load_rate_served_per_s": requests / length_s,
            "load_requests": requests,
            "load_failed_requests": len(failures),
            "load_utilization": float(np.sum(services_s)) / length_s / servers,
            "load_wait_p99_s": float(np.percentile(joined["waits_s"], 99)),
            "load_service_median_s": float(np.median(services_s)),
            "load_service_p99_s": float(np.percentile(services_s, 99)),
            "load_response_mean_s": float(np.mean(responses_s)),
            "load_response_mean_theory_s": theory_s,
            "load_queue_max": max(segment.queue_max for segment in segments),
            "load_lateness_p99_s": late_s,
            "load_lateness_max_s": float(joined["lateness_s"].max()) if len(joined["lateness_s"]) else None,
            "load_services_s": services_s.tolist(),
        },
    )
    if len(responses_s):
        p99 = percentile_of(segments, 99.0)
        found.fields.update(load_p99_low_s=p99.low, load_p99_high_s=p99.high)
        if (why := p99.open_because(rate_per_s)) is not None:
            found.warnings.append(f"load_p99_high_s: {why}")
    if limit is not None:
        kept = int(np.count_nonzero(responses_s <= limit.seconds))
        found.fields.update(
            load_limit=f"{limit.metric}={limit.seconds * 1e3:g}ms",
            load_goodput_per_s=kept / length_s,
        )
    overloaded = any(segment.overloaded for segment in segments)
    if overloaded:
        found.status = "overloaded"
        work = statistics.fmean(segment.offered_work for segment in segments)
        found.warnings.append(
            f"overloaded: {rate_per_s:.4g} requests/s are {work:.0%} of what is served at most, so the queue grew "
            "until the end: the percentiles depend on how long one measures"
        )
    late = late_s is not None and late_s > late_from_s
    if late:
        assert late_s is not None
        found.status = "late" if found.status == "ok" else found.status
        found.warnings.append(
            f"late: a free server noticed 1 % of the requests more than {late_s * 1e6:,.0f} us after they were due "
            f"(limit {late_from_s * 1e6:,.0f} us), because other work had the CPU"
        )
    if late_s is None:
        found.warnings.append("load_lateness_p99_s: no request came to a free server, so there is no lateness")
    found.fields["load_valid"] = not (late or overloaded or failures)
    if failures:
        found.status = "errors"
        index, text = failures[0]
        found.warnings.append(
            f"errors: {len(failures)} of {requests} requests failed, the first, request {index + 1}, with {text}; "
            "the percentiles are of the others"
        )
    return found
