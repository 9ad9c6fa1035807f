"""The server of an open loop: every request once, in order, never before it is due; several servers share one file."""

import multiprocessing
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tailgate.measure import serving
from tailgate.measure.calls import PreparedCall, prepared_call
from tailgate.measure.schedule import schedule
from tailgate.session.load import parsed
from tailgate.stats import arrivals


class FakeClock:
    """Time passes when somebody sleeps, reads the clock or works."""

    def __init__(self, oversleep_s: float = 0.0) -> None:
        self.now_s, self.oversleep_s, self.slept = 100.0, oversleep_s, 0

    def perf_counter(self) -> float:
        self.now_s += 1e-7
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept += 1
        self.now_s += seconds + self.oversleep_s

    def work(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    found = FakeClock()
    monkeypatch.setattr(serving, "time", found)
    return found


def call_of(function: Callable[..., Any], *args: Any) -> PreparedCall:
    return prepared_call(function, args)


def test_each_request_is_served_in_order_and_never_early(clock: FakeClock) -> None:
    due_s = arrivals.poisson(50.0, 1, requests=400)
    found = serving.serve(call_of(clock.work, 0.01), enumerate(due_s.data), clock.now_s + 0.02)
    assert found.index.tolist() == list(range(400))
    assert found.due_s.tolist() == due_s.tolist()
    assert np.all(found.start_s >= found.due_s)
    assert np.all(found.start_s[1:] >= found.end_s[:-1])
    assert found.end_s - found.start_s == pytest.approx(0.01, abs=1e-6)
    idle = found.start_s - found.due_s < 1e-6
    assert np.array_equal(found.waited, idle)  # a free server starts when the request is due
    assert np.all(found.start_s[~idle][1:] <= np.maximum(found.due_s, np.r_[0, found.end_s[:-1]])[~idle][1:] + 1e-6)


def test_a_late_sleep_is_in_the_response(clock: FakeClock) -> None:
    clock.oversleep_s = 0.003
    found = serving.serve(call_of(clock.work, 0.001), [(0, 1.0), (1, 2.0)], clock.now_s)
    assert found.waited.all()
    # It had meant to wake 1 ms before the first; for the second it meant to wake 6 ms before.
    assert (found.start_s - found.due_s).tolist() == pytest.approx([0.002, 0.0], abs=1e-5)
    assert (found.end_s - found.due_s).tolist() == pytest.approx([0.003, 0.001], abs=1e-5)


def test_it_sleeps_only_before_a_request_that_is_far_away(clock: FakeClock) -> None:
    serving.serve(call_of(clock.work, 0.0), [(0, 0.0005), (1, 0.001), (2, 1.0)], clock.now_s)
    assert clock.slept == 1


def test_a_request_that_fails_is_counted_and_the_next_one_served(clock: FakeClock) -> None:
    calls: list[int] = []

    def third_fails() -> None:
        calls.append(1)
        clock.work(0.001)
        if len(calls) == 3:
            raise ValueError("the third\nin two lines")

    found = serving.serve(call_of(third_fails), [(index, index * 0.01) for index in range(5)], clock.now_s)
    assert found.requests == 5
    ((index, text),) = found.failures
    assert index == 2
    assert text.startswith("ValueError: the third")
    assert "\n" not in text


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_no_failure_of_a_request(clock: FakeClock, stop: type[BaseException]) -> None:
    def interrupted() -> None:
        raise stop

    with pytest.raises(stop):
        serving.serve(call_of(interrupted), [(0, 0.0)], clock.now_s)


def test_no_request_is_no_error(clock: FakeClock) -> None:
    nothing = serving.serve(call_of(clock.work, 0.0), [], clock.now_s)
    assert nothing.requests == 0
    some = serving.serve(call_of(clock.work, 0.0), [(0, 0.1)], clock.now_s)
    assert serving.together([nothing, some]).index.tolist() == [0]


def test_arguments_reach_the_call(clock: FakeClock) -> None:
    said: list[Any] = []
    call = prepared_call(lambda *args, **kwargs: said.append((args, kwargs)), (1, 2), {"three": 3})
    serving.serve(call, [(0, 0.0)], clock.now_s)
    assert said == [((1, 2), {"three": 3})]


def _take(descriptor: int, home: Any) -> None:
    taken = []
    for index, due_s in serving.from_shared(descriptor):
        taken.append((index, due_s))
        time.sleep(0.0001)
    home.send(taken)


def test_three_processes_take_each_request_of_one_schedule_once() -> None:
    due_s = arrivals.poisson(1000.0, 3, requests=900)
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryFile(buffering=0) as file:
        serving.write_shared(due_s, file.fileno())
        ends = [fork.Pipe(duplex=False) for _ in range(3)]
        servers = [fork.Process(target=_take, args=(file.fileno(), end)) for _, end in ends]
        for server in servers:
            server.start()
        parts = [receiver.recv() for receiver, _ in ends]
        for server in servers:
            server.join()
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 900 * serving.RECORD.size
    assert all(part == sorted(part) for part in parts)
    assert sorted(one for part in parts for one in part) == list(enumerate(due_s.tolist()))


def test_a_schedule_cut_off_ends_its_servers() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        serving.write_shared(arrivals.constant(10.0, requests=10), file.fileno())
        requests = serving.from_shared(file.fileno())
        assert next(requests)[0] == 0
        file.truncate(0)
        assert list(requests) == []


def test_what_several_served_is_in_the_order_of_the_schedule(clock: FakeClock) -> None:
    requests = [(index, index * 0.01) for index in range(6)]

    def fails() -> None:
        raise OSError("no")

    begin_s = clock.now_s
    parts = [
        serving.serve(call_of(clock.work, 0.001), requests[::2], begin_s),
        serving.serve(call_of(fails), requests[1::2], begin_s),
    ]
    found = serving.together(reversed(parts))
    assert found.index.tolist() == list(range(6))
    assert found.due_s.tolist() == [due_s for _, due_s in requests]
    assert [index for index, _ in found.failures] == [1, 3, 5]


def test_a_schedule_of_ten_million_requests_needs_less_than_200_megabytes() -> None:
    tracemalloc.start()
    try:
        due_s = arrivals.poisson(1e6, 0, requests=10_000_000)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert due_s.nbytes == 80_000_000
    assert peak_bytes < 200e6


def test_a_shared_schedule_is_written_without_many_copies_of_it() -> None:
    due_s = arrivals.constant(1e6, requests=1_000_000)
    with tempfile.TemporaryFile(buffering=0) as file:
        tracemalloc.start()
        try:
            serving.write_shared(due_s, file.fileno())
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert os.fstat(file.fileno()).st_size == 1_000_000 * serving.RECORD.size
        *_, last = serving.from_shared(file.fileno())
    assert last == (999_999, due_s[-1])
    assert peak_bytes < len(due_s) * 8  # less than the schedule itself


@pytest.mark.parametrize("name", ["poisson:50", "gamma:50:2.0", "constant:50"])
def test_a_schedule_has_exactly_its_rate_whatever_its_seed(name: str) -> None:
    for seed in range(20):
        due_s = schedule(parsed(name), 50.0, 400, seed)
        assert len(due_s) == 400
        assert due_s[-1] == pytest.approx(400 / 50.0)
        assert np.all(np.diff(due_s, prepend=0.0) >= 0)
