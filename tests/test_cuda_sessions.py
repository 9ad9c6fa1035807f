"""PyTorch's sessions on a GPU: what is refused, set, read back, put back; they run here through the seam, on a CPU."""

import warnings

import pytest
import torch
from cuda_calls import CpuCalls

from fixtures.inference.fixture import check
from fixtures.models import models
from fixtures.precisions import verdict
from fixtures.runtimes import UnsupportedError, runtimes
from fixtures.runtimes._cuda.calls import CudaCalls, cannot_use
from fixtures.runtimes._cuda.session import CudaInference, cuda_reason, load_on_cuda, memory_format_on_cuda
from fixtures.runtimes._cuda.tf32 import Tf32, read_tf32, set_tf32
from fixtures.workloads.workload import Workload


def workload(model: str = "mlp") -> Workload:
    return Workload(models()[model], 64, "random")


def load(calls: CpuCalls, precision: str = "fp32", model: str = "mlp") -> CudaInference:
    return load_on_cuda(CudaInference, workload(model), precision, "cuda:0", 1, lambda _device: calls)


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
    monkeypatch.setattr("fixtures.devices.which.capability", lambda _device: (6, 1))
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
    monkeypatch.setattr("fixtures.runtimes._cuda.session.set_tf32", lambda _wanted: set_tf32(Tf32(False, False)))
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


def test_a_failed_load_puts_everything_back() -> None:
    before, calls = (read_tf32(), torch.backends.cudnn.benchmark), CpuCalls()

    def out_of_memory(*_arguments: object) -> CudaInference:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        load_on_cuda(out_of_memory, workload(), "tf32", "cuda:0", 1, lambda _device: calls)
    assert (read_tf32(), torch.backends.cudnn.benchmark) == before
    assert calls.log[-1] == "empty cache"
    assert calls.limits[-1] is None
