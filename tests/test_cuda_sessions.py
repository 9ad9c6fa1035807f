"""PyTorch's sessions on a GPU, their clock and their transfers: all runs here, on CPU tensors through the seam."""

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from cuda_calls import CpuCalls

from fixtures import device_wishes
from fixtures.inference import check
from fixtures.models import models
from fixtures.precisions import verdict
from fixtures.runtimes import UnsupportedError, runtimes
from fixtures.runtimes._cuda import CudaInference, cuda_reason, load_on_cuda, memory_format_on_cuda
from fixtures.runtimes._cuda_calls import CudaCalls, cannot_use
from fixtures.runtimes._cuda_clock import L2_IF_UNKNOWN_BYTES, CudaEventClock
from fixtures.runtimes._cuda_compiled import CompiledCudaInference, GraphedCudaInference, load_compiled
from fixtures.runtimes._cuda_transfers import LEAST_ROUNDS, MOST_ROUNDS, measured
from fixtures.runtimes._tf32 import Tf32, read_tf32, set_tf32
from fixtures.workload import Workload


def workload(model: str = "mlp") -> Workload:
    return Workload(models()[model], 64, "random")


def load(calls: CpuCalls, precision: str = "fp32", model: str = "mlp") -> CudaInference:
    return load_on_cuda(CudaInference, workload(model), precision, "cuda:0", 1, lambda _device: calls)


@pytest.fixture
def flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = dataclasses.replace(device_wishes.wishes(), flush_l2=True, memory_limit_bytes=2**31)
    monkeypatch.setattr("fixtures.runtimes._cuda.wishes", lambda: wanted)


@pytest.mark.parametrize(
    ("precision", "capability", "reason"),
    [
        ("fp32", (5, 0), None),
        ("tf32", (8, 0), None),
        ("tf32", (7, 5), "tf32 needs compute capability 8.0 or later, this GPU has 7.5"),
        ("bf16", (7, 5), "bf16 needs compute capability 8.0 or later, this GPU has 7.5"),
        ("bf16", (10, 0), None),
        ("fp16", (5, 2), "fp16 needs compute capability 5.3 or later, this GPU has 5.2"),
        ("fp16", (7, 0), None),
        ("tf32", None, None),
        ("int8", (9, 0), "torch itself no longer quantises"),
        ("fp8", (9, 0), "fp8 is not a precision"),
    ],
)
def test_a_gpu_too_old_is_told_so(precision: str, capability: tuple[int, int] | None, reason: str | None) -> None:
    found = cuda_reason(precision, capability)
    assert found is None if reason is None else found is not None and found.startswith(reason)


@pytest.mark.parametrize("runtime", ["pytorch", "pytorch-compile", "pytorch-cudagraphs"])
def test_every_runtime_of_torch_asks_for_the_capability(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.devices.capability", lambda _device: (6, 1))
    assert "needs compute capability 8.0" in str(runtimes()[runtime].supports("cuda:0", "bf16"))
    on_pascal = runtimes()[runtime].supports("cuda:0", "fp32")
    assert on_pascal is None if runtime == "pytorch" else "7.0 or later, this GPU has 6.1" in str(on_pascal)


def test_cuda_graphs_are_not_of_a_cpu() -> None:
    assert "--devices cuda:0" in str(runtimes()["pytorch-cudagraphs"].supports("cpu", "fp32"))


def test_the_gpu_is_asked_again_when_a_session_is_opened() -> None:
    with pytest.raises(UnsupportedError, match=r"tf32 needs compute capability 8\.0"):
        load(CpuCalls(capability=(7, 5)), "tf32")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_torch_s_own_words_are_the_reason() -> None:
    with pytest.raises(UnsupportedError, match=r"^torch [^\n]+; (try|install): [^\n]+$"):
        runtimes()["pytorch"].load(workload(), "fp32", "cuda:0", 1, 1)


def test_a_torch_without_cuda_says_how_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    reason = cannot_use("cuda:0")
    assert reason is not None
    assert "torch.version.cuda is None" in reason
    assert "pip install" in reason
    assert "\n" not in reason


def test_the_seam_has_every_call_of_the_protocol() -> None:
    public = {name for name in vars(CpuCalls) if not name.startswith("_")}
    assert public - {"device"} == {name for name in vars(CudaCalls) if not name.startswith("_")}


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_session_answers_rightly_and_describes_itself(precision: str) -> None:
    before = read_tf32(), torch.backends.cudnn.benchmark, torch.is_inference_mode_enabled()
    calls = CpuCalls()
    with load(calls, precision) as session:
        _, found = check(session, workload(), 2)
        described = session.describe()
        assert read_tf32() == Tf32(False, False)
    assert verdict(precision, found, workload().weights().facts["rounding_error_rel"]) == (True, None)
    assert described["precision_compiled"] == precision
    assert (described["cudnn_benchmark"], described["tf32_matmul"], described["tf32_cudnn"]) == (True, False, False)
    assert described["torch_device"] == "cpu"
    assert (read_tf32(), torch.backends.cudnn.benchmark, torch.is_inference_mode_enabled()) == before
    assert calls.log[0] == "reset peak", "peaks are counted from before the weights are there"
    assert calls.log[-1] == "empty cache"


def test_tf32_switched_off_behind_our_back_is_read_back() -> None:
    with load(CpuCalls(), "tf32") as session:
        assert session.describe()["precision_compiled"] == "tf32"
        set_tf32(Tf32(matmul=False, cudnn=True))
        assert session.describe()["precision_compiled"] == "tf32 in convolutions only"
        _, found = check(session, workload(), 2)
    kept, reason = verdict("tf32", found, workload().weights().facts["rounding_error_rel"])
    assert not kept, "a CPU computes FP32 whatever the switches say"
    assert reason is not None
    assert "ran as fp32, not tf32" in reason


def test_switches_that_do_not_take_are_told_when_a_session_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.runtimes._cuda.set_tf32", lambda _wanted: set_tf32(Tf32(False, False)))
    with pytest.raises(UnsupportedError, match="torch is set to fp32, not tf32"):
        load(CpuCalls(), "tf32")


def test_the_switches_can_be_set_and_read_in_any_order_by_both_interfaces() -> None:
    before = read_tf32()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for wanted in (Tf32(True, True), Tf32(False, False), Tf32(True, False), Tf32(False, True)):
                set_tf32(wanted)
                assert read_tf32() == wanted
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Inductor reads the old ones, which raise when only the new ones were set.
            assert torch.backends.cuda.matmul.allow_tf32 is False
            assert torch.backends.cudnn.allow_tf32 is True
    finally:
        set_tf32(before)


def test_layouts() -> None:
    assert memory_format_on_cuda(workload("resnet18"), "fp32") == "contiguous"
    assert memory_format_on_cuda(workload("resnet18"), "tf32") == "channels_last"
    assert memory_format_on_cuda(workload("mlp"), "fp16") == "contiguous"
    with load(CpuCalls(), "bf16", "resnet18") as session:
        prepared = session.prepare(workload("resnet18").check_inputs(2))
        assert prepared.is_contiguous(memory_format=torch.channels_last)
        assert prepared.dtype == torch.bfloat16


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
    monkeypatch.setattr("fixtures.runtimes._cuda_transfers.BUDGET_S", 0.05)
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


def test_a_failed_load_puts_everything_back() -> None:
    before, calls = (read_tf32(), torch.backends.cudnn.benchmark), CpuCalls()

    def out_of_memory(*_arguments: object) -> CudaInference:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        load_on_cuda(out_of_memory, workload(), "tf32", "cuda:0", 1, lambda _device: calls)
    assert (read_tf32(), torch.backends.cudnn.benchmark) == before
    assert calls.log[-1] == "empty cache"
    assert calls.limits[-1] is None


def test_a_compiled_session_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.compile

    def eager_backend(module: torch.nn.Module, *, mode: str | None, **options: object) -> object:
        assert mode is None
        return real(module, backend="eager", **options)

    monkeypatch.setattr(torch, "compile", eager_backend)
    calls = CpuCalls()
    session = load_compiled(CompiledCudaInference, workload(), "fp32", "cuda:0", 1, 2, lambda _device: calls)
    with session:
        _, found = check(session, workload(), 2)
        described = session.describe()
    assert session.compile_s is not None
    assert found.error_rel < 1e-5
    assert described["compiler"] == "inductor, fullgraph"
    assert described["precision_compiled"] == "fp32"


def test_a_session_that_torch_gives_no_graph_is_refused_and_leaves_nothing_behind() -> None:
    """Inductor itself, which makes no CUDA graph of what runs on a CPU; one layer, so that it compiles little."""

    class OneLayer:
        spec, image_size = models()["mlp"], 64

        def module(self) -> torch.nn.Module:
            return torch.nn.Linear(*self.spec.input_shape(64), 2).eval()

    before, calls = (read_tf32(), torch.is_inference_mode_enabled()), CpuCalls()
    with pytest.raises(UnsupportedError, match="torch skipped CUDA graphs"):
        load_compiled(GraphedCudaInference, OneLayer(), "fp32", "cuda:0", 1, 2, lambda _device: calls)
    assert (read_tf32(), torch.is_inference_mode_enabled()) == before
    assert calls.log.count("record start") == 4
    assert calls.log[-1] == "empty cache"


def test_a_graph_s_input_stays_where_it_is() -> None:
    batch = workload().check_inputs(2)
    session = load_on_cuda(GraphedCudaInference, workload(), "fp32", "cuda:0", 1, lambda _device: CpuCalls())
    with session:
        first = session.prepare(batch)
        address = first.data_ptr()
        second = session.prepare(batch[::-1].copy())
        assert second.data_ptr() == address
        assert np.array_equal(second.numpy(), batch[::-1])
        session.run(second)
        assert session.describe()["cuda_graph"] is True
