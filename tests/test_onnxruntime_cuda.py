"""ONNX Runtime on CUDA as far as it goes without a GPU: the session over its CPU provider, the rest by what it asks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from device_streams import HostStream
from test_onnx_precisions import images, residual_net

from fixtures.devices import options
from fixtures.devices.options import DeviceWishes
from fixtures.runtimes import UnsupportedError, runtimes
from fixtures.runtimes._onnxruntime import place as places
from fixtures.runtimes._onnxruntime.cuda import OrtCudaInference, _raise_plainly, opened
from fixtures.runtimes._onnxruntime.place import LIBRARY, Place, cuda_place, missing_provider, refused
from fixtures.runtimes._onnxruntime.profile import RanNode, computed_in, elsewhere, ran_nodes
from fixtures.runtimes._stream.session import no_transfers
from tailgate.machine.out_of_memory import is_out_of_memory

HOST = Place("CPUExecutionProvider", "cpu", alone=False)
CUDA = "CUDAExecutionProvider"


@pytest.fixture(autouse=True)
def no_wishes() -> Iterator[None]:
    before = options.wishes()
    options.set_wishes(DeviceWishes())
    yield
    options.set_wishes(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(residual_net().SerializeToString())
    return path


def test_a_session_answers_between_two_events_and_waits_once(file: Path) -> None:
    stream = HostStream()
    with OrtCudaInference(file, "fp32", 4, HOST, stream) as session:
        prepared = session.prepare(images(4))
        session.run(prepared)
        assert stream.log == ["record start", "record end", "wait end"]
        assert session.outputs_numpy().shape == (4, 5)
        clock = session.device_clock
        assert clock is not None
        clock.before_round()
        session.run(prepared)
        assert clock.after_round() == 0.0
        facts = clock.facts()
        assert facts["gpu_memory_peak_bytes"] is None
        assert "gpu_memory_used_peak_bytes" in facts["gpu_memory_peak_missing"]
        assert facts["gpu_buffers_peak_bytes"] == stream.peak_bytes()
    assert stream.log[-1] == "close"


def test_the_answers_are_the_models(file: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    wanted = ReferenceEvaluator(residual_net()).run(None, {"input": images(4)})[0]
    for stream in (HostStream(), None):
        with OrtCudaInference(file, "fp32", 4, HOST, stream) as session:
            session.run(session.prepare(images(4)))
            assert np.allclose(session.outputs_numpy(), wanted, atol=1e-5)


def test_transfers_are_apart_and_inclusive_of_the_sessions_call(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.runtimes._cuda.transfers.BUDGET_S", 0.0)
    stream = HostStream()
    with OrtCudaInference(file, "fp32", 4, HOST, stream) as session:
        prepared = session.prepare(images(4))
        session.run(prepared)
        before = session.outputs_numpy().copy()
        prepared.output.fill_(0)
        facts = session.device_facts()
        assert np.array_equal(session.outputs_numpy(), before), "the inclusive calls were this session's"
        assert np.array_equal(prepared.input.numpy(), images(4))
        prepared.output.fill_(0)
        monkeypatch.setattr("fixtures.devices.copies.device_trace", lambda call, _idle: [call(), {"cat": "kernel"}][1:])
        copies = session.device_clock.facts() if session.device_clock else {}
        assert np.array_equal(session.outputs_numpy(), before)
    assert (facts["h2d_bytes"], facts["d2h_bytes"]) == (images(4).nbytes, before.nbytes)
    assert facts["inclusive_median_s"] > 0
    assert facts["inclusive_pageable_median_s"] > 0
    assert set(facts) == set(no_transfers("why"))
    assert copies["copies_missing"] is None
    assert copies["copies_inclusive_d2h_count"] == 0


def test_a_session_that_cannot_be_opened_gives_its_stream_back(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    stream = HostStream()
    with pytest.raises(Exception, match="INVALID_PROTOBUF"):
        opened(tmp_path / "model.onnx", "fp32", 4, HOST, stream)
    assert stream.log == ["close"]


def test_torch_is_imported_at_the_start_of_a_cell_on_a_gpu_alone(tmp_path: Path) -> None:
    """Another module of its name, because torch's own takes seconds."""
    (tmp_path / "torch.py").touch()
    script = (
        "import sys\n"
        "from fixtures.inference import startup\n"
        "from fixtures.runtimes import runtimes\n"
        "for device in ('cpu', 'cuda:0'):\n"
        "    startup.begin(runtimes()['onnxruntime'], 1, device)\n"
        "    print('torch' in sys.modules)\n"
    )
    paths = [str(tmp_path), str(Path(__file__).parent.parent), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]


def test_without_torchs_cuda_there_is_no_device_clock_and_the_reason_is_given(file: Path) -> None:
    with OrtCudaInference(file, "fp32", 4, HOST, None) as session:
        described = session.describe()
        assert session.device_clock is None
        facts = session.device_facts()
    missing = {"device_missing", "copies_missing", "gpu_memory_peak_missing"}
    assert {name for name, value in facts.items() if value is not None} == missing
    assert len(facts) == len(missing) + 26 + 26 + 1
    assert described["device_clock"] is None
    assert "torch was built without CUDA" in described["device_clock_missing"]


def test_what_ran_is_read_from_a_profile(file: Path) -> None:
    with OrtCudaInference(file, "fp32", 4, HOST, HostStream()) as session:
        described = session.describe()
    assert described["precision_compiled"] == "fp32"
    assert described["providers"] == "CPUExecutionProvider"
    assert described["nodes_elsewhere"] is None
    assert described["device_clock"] == "cuda-events"
    assert described["threads_set"] == 1


@pytest.mark.parametrize("label", ["fp16", "bf16"])
def test_another_precision_than_the_labels_is_refused(file: Path, label: str) -> None:
    with (
        OrtCudaInference(file, label, 4, HOST, None) as session,
        pytest.raises(UnsupportedError, match=f"asked for {label}, ONNX Runtime computed in fp32"),
    ):
        session.describe()


def test_tf32_is_a_matter_of_the_option_that_types_do_not_show(file: Path) -> None:
    with OrtCudaInference(file, "tf32", 4, HOST, None) as session:
        assert session.describe()["precision_compiled"] == "tf32"


def test_nodes_left_to_the_cpu_are_no_session(file: Path, recwarn: pytest.WarningsRecorder) -> None:
    """This build has no CUDA provider, so all nodes are left to the CPU's: just what must not pass in silence."""
    if missing_provider() is None:
        pytest.skip("this ONNX Runtime has a CUDA provider")
    with pytest.warns(UserWarning, match="not in available provider"), pytest.raises(UnsupportedError, match="CPU"):
        OrtCudaInference(file, "fp32", 4, Place(CUDA, "cuda"), None)
    with (
        pytest.warns(UserWarning, match="not in available provider"),
        pytest.raises(UnsupportedError, match=f"could not load its {CUDA} and took CPUExecutionProvider"),
    ):
        OrtCudaInference(file, "fp32", 4, Place(CUDA, "cuda", alone=False), None)


@pytest.mark.parametrize(("precision", "value"), [("fp32", "0"), ("tf32", "1"), ("fp16", "0"), ("bf16", "0")])
def test_tf32_is_off_unless_it_is_the_label(precision: str, value: str) -> None:
    place = cuda_place("cuda:1", precision, HostStream())
    assert place.options["use_tf32"] == value
    assert (place.index, place.options["device_id"]) == (1, "1")
    assert place.options["user_compute_stream"] == "4242"
    assert place.alone
    assert all(isinstance(value, str) for value in place.options.values())


def test_a_memory_limit_is_the_arenas() -> None:
    assert "gpu_mem_limit" not in cuda_place("cuda:0", "fp32", None).options
    options.set_wishes(DeviceWishes(memory_limit_bytes=2**31))
    place = cuda_place("cuda:0", "fp32", None)
    assert place.options["gpu_mem_limit"] == str(2**31)
    assert "user_compute_stream" not in place.options


@pytest.mark.parametrize(
    ("precision", "capability", "said"),
    [
        ("fp32", None, None),
        ("fp16", (7, 5), None),
        ("int8", (9, 0), "no int8 convolution"),
        ("bf16", (7, 5), "needs compute capability 8.0; this GPU has 7.5"),
        ("tf32", (7, 5), "needs compute capability 8.0"),
        ("fp8", (9, 0), "not a precision"),
    ],
)
def test_what_the_provider_cannot_do_is_told(
    precision: str, capability: tuple[int, int] | None, said: str | None
) -> None:
    reason = refused(precision, capability)
    assert (reason is None) if said is None else (said in str(reason))


def test_a_build_without_the_provider_names_the_one_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(places.importlib.util, "find_spec", lambda name: spec)
    reason = str(missing_provider())
    assert "pip install onnxruntime-gpu" in reason
    assert "\n" not in reason
    (tmp_path / "capi").mkdir()
    (tmp_path / "capi" / LIBRARY).touch()
    assert missing_provider() is None


def test_the_runtime_asks_for_the_gpu_first(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = runtimes()["onnxruntime"]
    monkeypatch.setattr(places, "absent", lambda device: "no NVIDIA GPU")
    assert runtime.supports("cuda:0", "fp32") == "no NVIDIA GPU"
    monkeypatch.setattr(places, "absent", lambda device: None)
    monkeypatch.setattr(places, "missing_provider", lambda: "no provider")
    assert runtime.supports("cuda:0", "fp32") == "no provider"
    monkeypatch.setattr(places, "missing_provider", lambda: None)
    monkeypatch.setattr(places, "capability", lambda device: (9, 0))
    assert runtime.supports("cuda:0", "fp32") is None
    assert "tensorrt" in str(runtime.supports("cuda:0", "int8"))
    assert runtime.supports("cpu", "fp32") is None
    assert runtime.supports("tpu", "fp32") == "device tpu is not served here"


class NotImplemented_(Exception):
    pass


NotImplemented_.__name__ = "NotImplemented"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (Exception("BFCArena: Failed to allocate memory for requested buffer of size 1024"), MemoryError),
        (Exception("CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc"), MemoryError),
        (NotImplemented_("Could not find an implementation for MaxPool(22) node with name 'p'"), UnsupportedError),
        (Exception("nodes ... but fallback to CPU EP has been explicitly disabled by the user."), UnsupportedError),
        (ValueError("something else"), ValueError),
    ],
)
def test_its_errors_say_what_they_mean(error: Exception, raised: type[Exception]) -> None:
    with pytest.raises(raised) as caught:
        _raise_plainly(error)
    assert is_out_of_memory(caught.value) == (raised is MemoryError)


def event(operator: str, provider: str, kind: str | None, name: str = "n_kernel_time") -> dict[str, Any]:
    shapes = [{kind: [1, 3]}] if kind else []
    return {
        "cat": "Node",
        "name": name,
        "args": {"op_name": operator, "provider": provider, "input_type_shape": shapes},
    }


def test_a_profile_tells_types_and_providers(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    events = [
        {"cat": "Session", "name": "session_initialization", "args": {}},
        event("Conv", CUDA, "float16"),
        event("Conv", CUDA, "float16", name="n_fence_before"),
        event("Gemm", CUDA, "float16"),
        event("MatMul", CUDA, "float"),
        event("MemcpyToHost", CUDA, "float"),
        event("Shape", "CPUExecutionProvider", "int64"),
        event("Constant", CUDA, None),
    ]
    file.write_text(json.dumps(events))
    nodes = ran_nodes(file)
    assert [node.operator for node in nodes] == ["Conv", "Gemm", "MatMul", "MemcpyToHost", "Shape", "Constant"]
    assert computed_in(nodes) == "fp16"
    assert elsewhere(nodes, CUDA) == {"Shape": 1, "MemcpyToHost": 1}
    assert computed_in([RanNode("Relu", CUDA, "float")]) is None
    assert computed_in([RanNode("MatMulInteger", CUDA, "int8")]) == "int8"
