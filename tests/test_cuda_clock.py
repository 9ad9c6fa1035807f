"""What happens in and around a round on a GPU, its device time and peaks, and transfers: through the seam, on a CPU."""

import dataclasses

import numpy as np
import pytest
from cuda_calls import CpuCalls

from fixtures.devices import options
from fixtures.models import models
from fixtures.runtimes._cuda.clock import L2_IF_UNKNOWN_BYTES, CudaEventClock
from fixtures.runtimes._cuda.session import CudaInference, load_on_cuda
from fixtures.runtimes._cuda.transfers import LEAST_ROUNDS, MOST_ROUNDS, measured
from fixtures.workloads.workload import Workload


def workload() -> Workload:
    return Workload(models()["mlp"], 64, "random")


def load(calls: CpuCalls, precision: str = "fp32") -> CudaInference:
    return load_on_cuda(CudaInference, workload(), precision, "cuda:0", 1, lambda _device: calls)


@pytest.fixture
def flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = dataclasses.replace(options.wishes(), flush_l2=True, memory_limit_bytes=2**31)
    monkeypatch.setattr("fixtures.runtimes._cuda.session.wishes", lambda: wanted)


def test_a_round_is_flush_idle_start_launch_end_and_a_wait_for_the_end(flushing: None) -> None:
    calls = CpuCalls()
    with load(calls) as session:
        prepared = session.prepare(workload().check_inputs(2))
        launched = session._module
        session._module = lambda batch: (calls.log.append("launch"), launched(batch))[1]
        session.device_clock.before_round()
        session.run(prepared)
        calls.log.clear()
        session.device_clock.before_round()
        session.run(prepared)
        device_s = session.device_clock.after_round()
        assert calls.log == ["overwrite", "idle", "record start", "launch", "record end", "wait end"]
        assert device_s is not None
        assert device_s > 0
        session._module = launched
    assert calls.limits == [2**31, None], "the limit is lifted again"


def test_a_round_of_several_calls_has_no_device_time() -> None:
    with load(CpuCalls()) as session:
        prepared = session.prepare(workload().check_inputs(2))
        clock = session.device_clock
        clock.before_round()
        assert clock.after_round() is None
        session.run(prepared)
        session.run(prepared)
        assert clock.after_round() is None


@pytest.mark.parametrize(
    ("l2_bytes", "scratch_bytes"), [(50 * 2**20, 100 * 2**20), (1, 2**21), (None, 2 * L2_IF_UNKNOWN_BYTES)]
)
def test_what_empties_l2_is_no_part_of_the_peak(l2_bytes: int | None, scratch_bytes: int) -> None:
    calls = CpuCalls(l2_bytes=l2_bytes)
    clock = CudaEventClock(calls, flush_l2=True)
    assert clock.facts()["l2_flushed"] is False
    clock.before_round()
    clock.before_round()
    assert [line for line in calls.log if line.startswith("scratch")] == [f"scratch {scratch_bytes}"]
    assert clock.facts() == {
        "gpu_memory_peak_bytes": 1000,
        "gpu_memory_reserved_peak_bytes": 1000,
        "l2_flushed": True,
    }
    calls.in_tensors += 50
    assert clock.facts()["gpu_memory_peak_bytes"] == 1050


def test_l2_is_left_alone_unless_asked() -> None:
    calls = CpuCalls()
    clock = CudaEventClock(calls, flush_l2=False)
    clock.before_round()
    assert calls.log == ["idle"]
    assert clock.facts()["l2_flushed"] is False


def test_transfers_and_inclusive_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.runtimes._cuda.transfers.BUDGET_S", 0.05)
    batch = workload().check_inputs(4)
    with load(CpuCalls(), "bf16") as session:
        prepared = session.prepare(batch)
        session.run(prepared)
        before = session.outputs_numpy()
        facts = session.device_facts()
        session.run(prepared)
        assert np.array_equal(session.outputs_numpy(), before), "the input on the device is the same as before"
    assert facts["h2d_bytes"] == facts["h2d_pageable_bytes"] == batch.size * 2
    assert facts["d2h_bytes"] == before.size * 2
    assert facts["h2d_bytes_per_s"] == pytest.approx(facts["h2d_bytes"] / facts["h2d_median_s"])
    for way in ("h2d_", "d2h_", "inclusive_", "h2d_pageable_", "d2h_pageable_", "inclusive_pageable_"):
        assert facts[f"{way}median_s"] > 0
        p99_s, rounds = facts[f"{way}p99_s"], facts[f"{way}rounds"]
        assert p99_s >= facts[f"{way}median_s"] if rounds >= 100 else p99_s is None
        told = [line for line in facts["device_missing"] if line.startswith(f"{way}p99_s")]
        assert len(told) == (p99_s is None)


def test_slow_calls_have_few_rounds_and_fast_ones_many() -> None:
    for call_s, rounds in ((1.0, LEAST_ROUNDS), (1e-6, MOST_ROUNDS)):
        now = [0.0]

        def call(call_s: float = call_s, now: list[float] = now) -> None:
            now[0] += call_s

        assert len(measured(call, lambda now=now: now[0])) == rounds
