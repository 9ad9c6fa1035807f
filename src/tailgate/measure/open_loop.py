"""The pacer of ``--load``: requests arrive whether or not the last one is done, as they do at a service."""

from __future__ import annotations

import contextlib
import itertools
import math
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tailgate.errors import TailgateError
from tailgate.measure import serving
from tailgate.measure.by_protocol import DEVICE_CLOCK
from tailgate.measure.calls import PreparedCall
from tailgate.measure.clocks import timed_rounds
from tailgate.measure.load_row import LoadRow, NoRowError, Segment, load_row
from tailgate.measure.pacing import TELL, Fixture
from tailgate.measure.peak import Peak, Search
from tailgate.measure.schedule import schedule
from tailgate.measure.serving import ClosedLoop
from tailgate.measure.warmup import warm_up
from tailgate.results.rows import add_warning
from tailgate.session.items import declared_items
from tailgate.session.load import (
    MOST_REQUESTS,
    PEAK,
    SCHEDULES,
    Load,
    load_name_of,
    parsed,
    refuse_too_long,
    requests_at_least,
)
from tailgate.session.protocol import PRESETS
from tailgate.text import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAD_S = 0.02
"""From the order to the schedule's begin."""
CLOSED_LOOP_S = 1.0
LEAST_CALLS, MOST_CALLS = 20, 100_000
"""Of the closed loop that finds the capacity."""
MOST_UNASKED_REQUESTS = 200_000
"""Of a schedule, or of all schedules of a search, whose rate follows from the capacity: a call of less than a
microsecond would get hundreds of millions, and gigabytes of results."""
WALL_CLOCKS = frozenset({time.perf_counter, time.monotonic, time.time})

Play = Callable[["NDArray[np.float64]"], serving.Served]
"""Serves a schedule of due times in seconds."""


class OpenLoop:
    """In the benchmark's own process, which is the only server."""

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """First call, warm-up, closed loop, then the load."""
        load = fixture.settings.load
        assert load is not None
        name = checked(call, fixture, load)
        start_s = time.perf_counter()
        result = call.once()
        fixture.extra_info.setdefault("first_call_s", time.perf_counter() - start_s)
        with contextlib.closing(fixture.watch()) as watch:
            watch.prepare()
            before = warm_capacity(call, fixture)
            tell = fixture.item.stash.get(TELL, _to_nobody)
            row, why = None, ""
            try:
                with watch.around(), fixture.without_gc():
                    row = under_load(name, load, fixture.settings.seed, before, local(call), tell)
            except NoRowError as error:
                why = str(error)
            if row is None:  # said here, without the exceptions that led to it
                pytest.fail(why, pytrace=False)
            keep(row, fixture)
        if row.interrupted and TELL not in fixture.item.stash:  # else the session was interrupted, and knows
            raise KeyboardInterrupt
        watch.timed(row.fields["load_requests"], declared_items(fixture.item))
        return result


def _to_nobody(text: str) -> None:
    """There is no progress line."""


def local(call: PreparedCall) -> Play:
    """Serves a schedule here."""

    def play(due_s: NDArray[np.float64]) -> serving.Served:
        return serving.serve(call, enumerate(due_s.data), time.perf_counter() + LEAD_S)

    return play


def checked(call: PreparedCall, fixture: Fixture, load: Load) -> str:
    """The name of the test's load; a test that cannot be loaded ends here with the reason."""
    name = load_name_of(fixture.item, load)
    if name is None:
        pytest.fail(
            "--load: the test asks for benchmark by getfixturevalue, so it cannot have several loads; give one",
            pytrace=False,
        )
    if call.fixed:
        pytest.skip(
            "--load decides how often benchmark(f) calls; benchmark.pedantic counts its own calls, rounds and set-ups"
        )
    if fixture.timer not in WALL_CLOCKS:
        timer = getattr(fixture.timer, "__qualname__", str(fixture.timer))
        pytest.fail(f"--load needs a wall clock, and --benchmark-timer={timer} is none; leave it out", pytrace=False)
    return name


def warm_capacity(call: PreparedCall, fixture: Fixture) -> ClosedLoop:
    """Warm up; then a closed loop, in which a call may fail as a request may."""
    found = closed_loop(call, warm_up_closed(call, fixture), may_raise=Exception)
    if not len(found.services_s):
        first = found.failures[0][1]
        pytest.fail(f"all {found.calls} calls of the closed loop failed, the first with {first}", pytrace=False)
    return found


def warm_up_closed(call: PreparedCall, fixture: Fixture) -> float:
    """Warm up by the protocol; the median time of a warm call in seconds."""
    protocol = fixture.settings.protocol or PRESETS["quick"]
    warm_s, warmup_rounds, warning = warm_up(protocol, lambda rounds: _timed(call, rounds))
    fixture.extra_info.update(protocol=protocol.name, warmup_rounds=warmup_rounds)
    if warning:
        add_warning(fixture.extra_info, warning)
    return statistics.median(warm_s)


def closed_loop(call: PreparedCall, warm_s: float, may_raise: type[Exception] | tuple[()] = ()) -> ClosedLoop:
    """About ``CLOSED_LOOP_S`` of calls that take ``warm_s``; a call that raises ``may_raise`` counts as failed.

    The requests of an open loop that are all overdue: what the loop itself takes is in the capacity.
    """
    calls = max(LEAST_CALLS, min(MOST_CALLS, round(CLOSED_LOOP_S / max(warm_s, 1e-9))))
    served = serving.serve(call, enumerate(itertools.repeat(0.0, calls)), time.perf_counter(), may_raise)
    good = served.good
    return ClosedLoop(
        (served.end_s - served.start_s)[good], calls / float(served.occupied_s.sum()), calls, served.failures
    )


def _timed(call: PreparedCall, rounds: int) -> list[float]:
    return timed_rounds(call.target, call.args, call.kwargs, rounds, 1, time.perf_counter)


def under_load(
    name: str, load: Load, seed: int, before: ClosedLoop, play: Play, tell: Callable[[str], None]
) -> LoadRow:
    """The row of one load: at its rate, or at the peak.

    Args:
        name: of the load, as it was typed.
        load: what else was asked for.
        seed: of the first schedule; further ones follow.
        before: the closed loop, on all servers.
        play: serves a schedule.
        tell: is told each probe in a line.

    Raises:
        NoRowError: no rate can hold the limit, every request failed, or the requests take too long.
    """
    asked, capacity_per_s = parsed(name), before.capacity_per_s
    # A probe of a search has several schedules.
    least = LEAST_CALLS if asked.kind == PEAK else requests_at_least(load.limit)

    def segment(rate_per_s: float, number: int) -> Segment:
        most = MOST_REQUESTS if asked.rate_per_s is not None else MOST_UNASKED_REQUESTS
        most //= SCHEDULES if asked.kind == PEAK else 1
        requests = max(least, math.ceil(min(most, rate_per_s * load.seconds)))
        refuse_too_long(name, requests, requests / rate_per_s, load.most_s)
        due_s = schedule(asked, rate_per_s, requests, seed + number)
        return Segment(rate_per_s, load.servers, play(due_s))

    found: Peak | None = None
    try:
        if asked.kind == PEAK:
            assert load.limit is not None
            found = Search(segment, before.services_s, capacity_per_s, load.limit, load.servers, tell).run()
        segments = found.shown.segments if found else [segment(asked.rate_for(capacity_per_s), 0)]
    except (ValueError, TailgateError) as error:
        raise NoRowError(str(error)) from error
    row = load_row(name, segments, seed, capacity_per_s, load.limit)
    if not row.responses_s:
        raise NoRowError(row.warnings[-1])
    if before.failures:
        (index, text), count = before.failures[0], len(before.failures)
        row.mark(
            "errors",
            f"{count} of {before.calls} calls of the closed loop failed, the first, call {index + 1}, with {text}; "
            "load_capacity_per_s counts them",
        )
        row.fields["load_valid"] = False
    if found is None:
        if segments[0].rate_per_s >= capacity_per_s:
            many = f"{segments[0].rate_per_s:.4g} requests/s are no less than a closed loop was served"
            row.warnings.append(f"load: {many} ({capacity_per_s:.4g}/s), so the queue grows as long as they arrive")
        return row
    assert load.limit is not None
    row.fields.update(found.fields(load.limit))
    if count := sum(not probe.valid for probe in found.probes):
        row.warnings.append(
            f"load_peak_per_s: {count} of {counted(len(found.probes), 'probes')} not valid (load_probes)"
        )
    if found.interrupted:
        row.warnings.append(f"interrupted: Ctrl-C left {counted(len(found.probes), 'probes')} to find the peak from")
        row.status, row.interrupted = "interrupted", True
    elif found.low_per_s is None:
        row.warnings.append("load_peak_low_per_s: no probe held the limit for certain; more --load-seconds tell more")
    elif found.high_per_s is None:
        row.warnings.append("load_peak_high_per_s: no probe broke the limit for certain; more --load-seconds tell more")
    return row


def keep(row: LoadRow, fixture: Fixture) -> None:
    """Into the fixture's row."""
    info = fixture.extra_info
    info.update(row.fields)
    for text in row.warnings:
        add_warning(info, text)
    if row.status != "ok":
        info["status"] = row.status
    if fixture.item.stash.get(DEVICE_CLOCK, None) is not None:
        add_warning(info, "the device's clock was not read: under --load a response is timed by the host's clock")
    fixture.keep(row.responses_s, 1)
