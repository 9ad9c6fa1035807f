"""Copies of a call from a trace as Kineto writes it, and what is said where CUPTI recorded nothing."""

from typing import Any

import pytest
import torch
from cuda_calls import CpuCalls

from fixtures.devices.copies import NoDeviceEventsError, copies_in, copies_of
from fixtures.models import models
from fixtures.runtimes._cuda.session import CudaInference, load_on_cuda
from fixtures.workloads.workload import Workload


def memcpy(kind: str, way: str, dur_us: float, size: int | None) -> dict[str, Any]:
    """As ``libkineto/src/CuptiActivity.cpp`` and ``output_json.cpp`` write it."""
    arguments: dict[str, Any] = {"device": 0, "context": 1, "stream": 7, "correlation": 128, "External id": 40}
    if size is not None:
        arguments.update({"bytes": size, "memory bandwidth (GB/s)": size / dur_us / 1000})
    return {
        "ph": "X",
        "cat": "gpu_memcpy",
        "name": f"Memcpy {kind} ({way})",
        "pid": 0,
        "tid": 7,
        "ts": 4823174223201.882,
        "dur": dur_us,
        "args": arguments,
    }


KERNEL = {
    "ph": "X",
    "cat": "kernel",
    "name": "sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize128x128x64",
    "pid": 0,
    "tid": 7,
    "ts": 4823174223361.1,
    "dur": 31.2,
    "args": {"device": 0, "context": 1, "stream": 7, "correlation": 130, "grid": [196, 1, 1], "block": [128, 1, 1]},
}
TRACE: list[dict[str, Any]] = [
    {"ph": "M", "name": "process_name", "pid": 0, "tid": 0, "args": {"name": "python"}},
    {"ph": "X", "cat": "cpu_op", "name": "aten::copy_", "pid": 41, "tid": 41, "ts": 4823174223190.1, "dur": 22.0},
    {"ph": "X", "cat": "cuda_runtime", "name": "cudaMemcpyAsync", "pid": 41, "tid": 41, "ts": 1.0, "dur": 9.0},
    {"ph": "X", "cat": "cuda_runtime", "name": "cudaGraphLaunch", "pid": 41, "tid": 41, "ts": 2.0, "dur": 9.0},
    {"ph": "s", "id": 128, "pid": 41, "tid": 41, "ts": 4823174223191.0, "cat": "ac2g", "name": "ac2g"},
    memcpy("HtoD", "Pinned -> Device", 24.0, 1_204_224),
    memcpy("HtoD", "Pageable -> Device", 8.0, 4_096),
    KERNEL,
    memcpy("DtoD", "Device -> Device", 2.0, 1_204_224),
    memcpy("DtoH", "Device -> Pinned", 1.5, 32_000),
    memcpy("PtoP", "Device -> Device", 9.0, 99),
    {"ph": "X", "cat": "gpu_memset", "name": "Memset (Device)", "pid": 0, "tid": 7, "ts": 3.0, "dur": 1.0,
     "args": {"bytes": 400}},
    {"ph": "i", "name": "Record Window End", "pid": "", "tid": "", "ts": 4823174229999.0, "s": "g"},
]  # fmt: skip


def test_copies_are_counted_by_way() -> None:
    assert copies_in(TRACE) == {
        "graph_count": 1,
        "h2d_count": 2,
        "h2d_bytes": 1_208_320,
        "h2d_time_s": pytest.approx(32e-6),
        "h2d_bytes_per_s": pytest.approx(1_208_320 / 32e-6),
        "d2h_count": 1,
        "d2h_bytes": 32_000,
        "d2h_time_s": pytest.approx(1.5e-6),
        "d2h_bytes_per_s": pytest.approx(32_000 / 1.5e-6),
        "d2d_count": 1,
        "d2d_bytes": 1_204_224,
        "d2d_time_s": pytest.approx(2e-6),
        "d2d_bytes_per_s": pytest.approx(1_204_224 / 2e-6),
    }


def test_a_call_that_copies_nothing_has_none_and_no_bandwidth() -> None:
    found = copies_in([KERNEL])
    assert (found["h2d_count"], found["h2d_bytes"], found["h2d_bytes_per_s"]) == (0, 0, None)


def test_a_copy_that_does_not_tell_its_bytes_leaves_none_of_that_way() -> None:
    found = copies_in([memcpy("HtoD", "Pinned -> Device", 2.0, 100), memcpy("HtoD", "Pinned -> Device", 2.0, None)])
    assert (found["h2d_count"], found["h2d_bytes"], found["h2d_bytes_per_s"]) == (2, None, None)
    assert found["d2h_bytes"] == 0


def test_nothing_recorded_is_not_no_copies() -> None:
    with pytest.raises(NoDeviceEventsError, match="NVreg_RestrictProfilingToAdminUsers"):
        copies_in([event for event in TRACE if event.get("cat") in (None, "cpu_op", "cuda_runtime")])


def test_a_recorded_call_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.devices.copies.device_trace", lambda call, _idle: call())
    found = copies_of({"run": lambda: [KERNEL], "inclusive": lambda: TRACE}, lambda: None)
    assert found["copies_missing"] is None
    assert found["copies_run_h2d_count"] == 0
    assert found["copies_inclusive_h2d_count"] == 2
    assert found["copies_inclusive_graph_count"] == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_the_profiler_runs_and_every_field_is_missing_with_the_reason() -> None:
    workload = Workload(models()["mlp"], 64, "random")
    with load_on_cuda(CudaInference, workload, "fp32", "cuda:0", 1, lambda _device: CpuCalls()) as session:
        session.run(session.prepare(workload.check_inputs(2)))
        facts = session.device_clock.facts()
    assert facts["gpu_memory_peak_bytes"] == 1000
    assert "CUPTI" in facts["copies_missing"]
    copies = {name: value for name, value in facts.items() if name.startswith(("copies_run", "copies_inclusive"))}
    assert len(copies) == 26
    assert set(copies.values()) == {None}
