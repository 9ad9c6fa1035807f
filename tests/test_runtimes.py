"""Every runtime on real small models: the right answer, the promised precision, the threads asked for."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from fixtures.inference.fixture import check
from fixtures.inference.threads import settled_busy_threads
from fixtures.models import models
from fixtures.precisions import agreement, verdict
from fixtures.runtimes import Inference, UnsupportedError, runtimes
from fixtures.runtimes._inductor import compile_cold
from fixtures.workloads.workload import Workload
from tailgate.machine.cpus import usable_cpus

MODELS = {"mlp": 224, "resnet18": 64, "mobilenet_v2": 64}
CELLS = [
    (model, runtime, precision)
    for model in MODELS
    for runtime in ("pytorch", "onnxruntime", "openvino")
    for precision in ("fp32", "bf16", "fp16", "int8")
]


def workload(model: str) -> Workload:
    return Workload(models()[model], MODELS[model], "random")


def load(model: str, runtime: str, precision: str, threads: int = 1, batch: int = 2) -> Inference:
    chosen = runtimes()[runtime]
    reason = chosen.supports("cpu", precision)
    if reason:
        pytest.skip(reason)
    chosen.start(threads)
    chosen.artifact(workload(model), precision)
    return chosen.load(workload(model), precision, "cpu", threads, batch)


@pytest.mark.parametrize(("model", "runtime", "precision"), CELLS)
def test_a_cell_keeps_its_promise_and_its_batches_apart(model: str, runtime: str, precision: str) -> None:
    with load(model, runtime, precision) as session:
        first_call_s, found = check(session, workload(model), 2)
        described = session.describe()
    kept, reason = verdict(precision, found, workload(model).weights().facts["rounding_error_rel"])
    assert kept, reason
    assert first_call_s > 0
    assert described["precision_compiled"] in (precision, None)
    assert described["threads_set"] == 1


def test_compiled_pytorch_answers_as_eager() -> None:
    with load("mlp", "pytorch-compile", "fp32", batch=4) as session:
        first_call_s, found = check(session, workload("mlp"), 4)
        described = session.describe()
        assert session.compile_s is not None
        assert session.compile_s > first_call_s, "the call that compiles was not the first one measured"
    assert found.error_rel < 1e-5
    assert "inductor" in described["compiler"]


def test_inductor_finds_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config
    from torch._inductor.runtime.cache_dir_utils import cache_dir, triton_cache_dir

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("TRITON_CACHE_DIR", raising=False)
    before, headers = config.cpp_cache_precompile_headers, []
    seen: list[Path] = []

    def compiles() -> None:
        seen.extend([Path(cache_dir()), Path(triton_cache_dir(0))])
        headers.append(config.cpp_cache_precompile_headers)

    assert min(compile_cold(compiles) for _ in range(2)) >= 0
    assert len(set(seen)) == 4, "neither the user's folder nor an earlier one"
    assert not any(folder.is_relative_to(tmp_path) or folder.exists() for folder in seen)
    assert headers == [False, False]
    assert (os.environ["TORCHINDUCTOR_CACHE_DIR"], os.environ.get("TRITON_CACHE_DIR")) == (str(tmp_path), None)
    assert config.cpp_cache_precompile_headers is before


@pytest.mark.parametrize("runtime", ["pytorch", "onnxruntime", "openvino"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_thread_count_takes_effect(runtime: str, threads: int) -> None:
    if threads > usable_cpus():
        pytest.skip(f"this machine has {usable_cpus()} usable CPU(s)")
    with load("resnet18", runtime, "fp32", threads, batch=4) as session:
        prepared = session.prepare(workload("resnet18").check_inputs(4))
        session.run(prepared)
        seen = settled_busy_threads(lambda: session.run(prepared), threads)
        assert session.describe()["threads_set"] == threads
    assert seen is None or seen <= threads


def test_openvino_says_that_it_will_not_oversubscribe() -> None:
    with pytest.raises(UnsupportedError, match=f"took {usable_cpus()} threads where {usable_cpus() + 6} were asked"):
        load("mlp", "openvino", "fp32", threads=usable_cpus() + 6)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_input_and_output_are_not_copied_in_a_call(runtime: str) -> None:
    """The answer follows the memory that was bound: nothing was copied away when it was prepared."""
    batch = workload("mlp").check_inputs(2)
    with load("mlp", runtime, "fp32") as session:
        prepared = session.prepare(batch)
        session.run(prepared)
        before = session.outputs_numpy().copy()
        batch[:] = batch[::-1].copy()
        session.run(prepared)
        after = session.outputs_numpy()
    assert np.allclose(after, before[::-1], atol=1e-6)
    assert not np.allclose(after, before, atol=1e-6)


def test_eager_pytorch_leaves_the_process_as_it_was() -> None:
    import torch

    before = (torch.get_num_threads(), torch.is_inference_mode_enabled())
    with load("mlp", "pytorch", "bf16", threads=2):
        assert torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == 2
    assert (torch.get_num_threads(), torch.is_inference_mode_enabled()) == before


def test_closing_ends_the_threads_of_onnxruntime() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    load("mlp", "onnxruntime", "fp32").close()
    before = count()
    session = load("mlp", "onnxruntime", "fp32", threads=4)
    assert count() == before + 3
    session.close()
    gc.collect()
    assert count() == before


def test_int8_files_are_qdq_with_weights_per_channel() -> None:
    import onnx

    model = onnx.load(workload("resnet18").onnx_path("int8"))
    kinds = {node.op_type for node in model.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    scales = [
        weights[node.input[1]]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in weights and len(weights[node.input[0]].dims) == 4
    ]
    assert scales
    assert all(scale.dims and scale.dims[0] > 1 for scale in scales)


def test_exported_files_are_far_smaller_in_int8() -> None:
    fp32, int8 = (workload("resnet18").onnx_path(precision).stat().st_size for precision in ("fp32", "int8"))
    assert int8 < fp32 * 0.3


def test_the_same_weights_have_the_same_hash_whatever_made_them() -> None:
    from fixtures.workloads.workload import _state_sha256

    first = workload("mlp")
    assert first.weights().facts["model_sha256"] == _state_sha256(first.module().state_dict())


def test_check_inputs_repeat_for_large_batches() -> None:
    items = workload("mlp").check_inputs(40)
    assert items.shape == (40, 200)
    assert np.array_equal(items[:16], items[16:32])
    assert agreement(items[:16], items[16:32]).error_rel == 0
