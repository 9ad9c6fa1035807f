"""The TensorRT runtime over a stand-in for TensorRT that has only what we use of it, and a stream in host memory."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from device_streams import HostStream
from tensorrt_fake import Fake, Named
from tensorrt_used import USED, Method

from fixtures.artifacts import Artifact
from fixtures.devices import options
from fixtures.devices.options import DeviceWishes
from fixtures.runtimes import UnsupportedError, runtimes
from fixtures.runtimes._cuda.transfers import LEAST_ROUNDS, WARMUP_ROUNDS
from fixtures.runtimes._stream.session import StreamClock, no_transfers
from fixtures.runtimes._stream.stream import TorchStream
from fixtures.runtimes._tensorrt.build import Plan, build, strong_typing
from fixtures.runtimes._tensorrt.cache import machine, timing_cache
from fixtures.runtimes._tensorrt.inspect import layer_precisions
from fixtures.runtimes._tensorrt.log import failure
from fixtures.runtimes._tensorrt.session import TrtInference
from fixtures.runtimes.tensorrt import opened, refused
from tailgate.machine.out_of_memory import is_out_of_memory


class Files:
    """What the runtime asks of a workload: exported files, which the stand-in does not read."""

    label = "mlp-random"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def onnx(self, kind: str) -> Artifact:
        content = f"an ONNX file of kind {kind}".encode()
        (self.folder / kind).mkdir(exist_ok=True)
        (self.folder / kind / "model.onnx").write_bytes(content)
        return Artifact(self.folder / kind, {}, {"model.onnx": hashlib.sha256(content).hexdigest()})


def items(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 200)).astype(np.float32)


@pytest.fixture
def stream() -> HostStream:
    return HostStream()


@pytest.fixture
def fake(stream: HostStream, tmp_path: Path) -> Fake:
    made = Fake(stream)
    made.files = Files(tmp_path)
    return made


@pytest.fixture(autouse=True)
def no_wishes() -> Iterator[None]:
    before = options.wishes()
    options.set_wishes(DeviceWishes())
    yield
    options.set_wishes(before)


@pytest.fixture(autouse=True)
def own_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path / "cache"))


def session(
    fake: Fake, precision: str = "fp32", batch: int = 4, *, graph: bool = False, **versions: bool
) -> TrtInference:
    labels = {"fp16": "Half", "bf16": "BFloat16", "int8": "Int8"}
    fake.layers = [{"LayerType": "gemm", "Inputs": [{"DataType": labels.get(precision, "Float")}]}]
    return opened(fake.namespace(**versions), fake.files, precision, batch, fake.stream, graph=graph)


def test_the_stand_in_has_what_the_table_has_and_no_more(fake: Fake) -> None:
    namespace = fake.namespace()
    members = {name for name in USED if "." in name}
    for name in members:
        owner, _, member = name.partition(".")
        inside = getattr(namespace, owner)
        assert hasattr(inside, member) or isinstance(USED[name], str), name
    of_classes = {
        f"{owner}.{member}"
        for owner, inside in vars(namespace).items()
        if isinstance(inside, type) and owner != "ILogger" and not hasattr(inside, "__members__")
        for member in vars(inside)
        if not member.startswith("_")
    }
    assert of_classes <= members, "the stand-in has what TensorRT was not asked for"
    callables = {
        name for name in of_classes if callable(getattr(getattr(namespace, name.split(".")[0]), name.split(".")[1]))
    }
    assert callables == {name for name in members if isinstance(USED[name], Method) and name != "ILogger.log"}


@pytest.mark.parametrize(
    ("precision", "kind", "tf32"),
    [
        ("fp32", "fp32", False),
        ("tf32", "fp32", True),
        ("fp16", "fp16", False),
        ("bf16", "bf16", False),
        ("int8", "int8-symmetric", False),
    ],
)
def test_a_precision_lives_in_the_file_and_tf32_alone_in_a_flag(
    fake: Fake, precision: str, kind: str, tf32: bool
) -> None:
    with session(fake, precision) as opened_session:
        settings = json.loads(opened_session._cached.engine)
        assert opened_session.describe()["precision_compiled"] == precision
    assert settings == {
        "sha256": fake.files.onnx(kind).sha256["model.onnx"],
        "tf32": tf32,
        "level": 3,
        "detailed": True,
    }
    assert ("profile", "input", (4, 200), (4, 200), (4, 200)) in fake.asked


@pytest.mark.parametrize(("strong_flag", "flags"), [(True, 2), (False, 0)])
def test_strong_typing_is_asked_for_where_it_can_be(fake: Fake, strong_flag: bool, flags: int) -> None:
    assert strong_typing(fake.namespace(strong_flag=strong_flag)) == flags


def test_scratch_memory_is_torchs_where_tensorrt_lets_us(fake: Fake) -> None:
    session(fake).close()
    assert ("context", Named.USER_MANAGED) in fake.asked
    assert ("scratch", 4096, True) in fake.asked


def test_an_older_tensorrt_keeps_its_scratch_memory_to_itself(fake: Fake) -> None:
    with session(fake, sized_v2=False) as older:
        assert older.describe()["engine_scratch_bytes"] is None
    assert ("context", None) in fake.asked
    assert not [asked for asked in fake.asked if asked[0] == "scratch"]


def test_an_engine_is_built_once_and_its_build_time_kept(fake: Fake) -> None:
    with session(fake) as built:
        first = built.describe()
        assert built.compile_s == first["build_s"] == first["engine_build_s"] > 0
    with session(fake) as cached:
        again = cached.describe()
        assert cached.compile_s is None
        assert "building it took" in cached.not_compiled
    assert [asked for asked in fake.asked if asked[0] == "build"] == [("build",)]
    assert (again["build_s"], again["engine_from_cache"]) == (None, True)
    assert again["engine_build_s"] == first["engine_build_s"]
    assert first["engine_profile"] == "min=opt=max=4x200"


def test_another_batch_driver_gpu_or_version_is_another_engine(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    from fixtures.runtimes._tensorrt import cache

    def builds() -> int:
        session(fake).close()
        return len([asked for asked in fake.asked if asked[0] == "build"])

    assert builds() == 1
    session(fake, batch=8).close()
    fake.version = "11.5.0"
    assert builds() == 3
    fake.stream.gpu_name = "NVIDIA L4"
    assert builds() == 4
    was = machine
    monkeypatch.setattr(cache, "machine", lambda trt, where: {**was(trt, where), "driver": "999.1"})
    assert builds() == 5
    assert builds() == 5


def test_timings_are_carried_from_build_to_build_of_a_machine(fake: Fake) -> None:
    session(fake).close()
    session(fake, batch=8).close()
    assert [asked[1] for asked in fake.asked if asked[0] == "timings"] == [b"", b"+"]
    file = timing_cache(machine(fake.namespace(), fake.stream))
    assert file.read_bytes() == b"++"
    assert [found.name for found in file.parent.iterdir() if found.name.startswith("tensorrt-timing")] == [file.name]


def test_timings_that_tensorrt_refuses_are_left(fake: Fake) -> None:
    fake.timings_hold = False
    made = build(fake.namespace(), fake.files.onnx("fp32").file("model.onnx"), Plan(2, tf32=False), b"of another GPU")
    assert made.timing_cache == b"+"


def test_a_memory_limit_bounds_the_workspace(fake: Fake) -> None:
    options.set_wishes(DeviceWishes(memory_limit_bytes=2**31))
    with session(fake) as limited:
        assert limited.describe()["engine_workspace_limit_bytes"] == 2**31
    assert ("limit", Named.WORKSPACE, 2**31) in fake.asked


def test_a_call_is_launched_between_two_events_and_waited_for_once(fake: Fake) -> None:
    with session(fake) as running:
        prepared = running.prepare(items(4))
        fake.stream.log.clear()
        running.run(prepared)
        assert fake.stream.log == ["record start", "execute", "record end", "wait end"]
        assert np.allclose(running.outputs_numpy(), 2 * items(4)[:, :1])
        clock = running.device_clock
        assert clock is not None
        clock.before_round()
        running.run(prepared)
        assert clock.after_round() == pytest.approx(0.0025)


def test_a_graph_is_captured_when_prepared_and_replayed_in_the_call(fake: Fake) -> None:
    with session(fake, graph=True) as running:
        prepared = running.prepare(items(4))
        assert "capture" in fake.stream.log
        fake.stream.log.clear()
        running.run(prepared)
        assert fake.stream.log == ["record start", "replay", "execute", "record end", "wait end"]
        assert running.describe()["cuda_graph"] is True


def test_an_earlier_batch_can_be_run_again(fake: Fake) -> None:
    batch = items(8)
    with session(fake) as running:
        first, second = running.prepare(batch[:4].copy()), running.prepare(batch[4:].copy())
        running.run(first)
        assert np.allclose(running.outputs_numpy(), 2 * batch[:4, :1])
        running.run(second)
        assert np.allclose(running.outputs_numpy(), 2 * batch[4:, :1])


def test_what_the_parser_refuses_is_one_line(fake: Fake) -> None:
    fake.parser_says = [("NonZero", "node_7", "Unsupported\n operator")]
    with pytest.raises(
        UnsupportedError, match=r"^TensorRT could not read the file: NonZero node_7: Unsupported operator$"
    ):
        session(fake)
    assert fake.stream.log[-1] == "close"


def test_a_failed_build_is_one_line(fake: Fake) -> None:
    fake.builder_says = ["Error Code 10:\n could not find any implementation", "and more"]
    with pytest.raises(UnsupportedError, match=r"build the engine: Error Code 10: could not find .* \| and more$"):
        session(fake)


@pytest.mark.parametrize(
    "said",
    [
        "[defaultAllocator.cpp::allocate::58] Error Code 1: Cuda Runtime (out of memory)",
        "Requested amount of GPU memory (68719476736 bytes) could not be allocated.",
        "Error Code 2: OutOfMemory (no further information)",
    ],
)
def test_memory_that_ran_out_is_told_as_such(fake: Fake, said: str) -> None:
    fake.builder_says = [said]
    with pytest.raises(MemoryError, match="out of memory") as caught:
        session(fake)
    assert is_out_of_memory(caught.value)


def test_a_failure_that_says_nothing_says_so() -> None:
    assert str(failure("run the engine", [])) == "TensorRT could not run the engine: it said nothing"


def test_a_call_that_fails_is_not_timed_as_one(fake: Fake) -> None:
    with session(fake) as running:
        prepared = running.prepare(items(4))
        fake.execution_fails = True
        with pytest.raises(RuntimeError, match="could not run the engine"):
            running.run(prepared)


def test_an_engine_of_another_precision_is_refused(fake: Fake) -> None:
    fake.layers = [{"LayerType": "gemm", "Inputs": [{"DataType": "Float"}]}]
    with pytest.raises(UnsupportedError, match=r"asked for int8, TensorRT's engine computes in \{'fp32': 1\}"):
        opened(fake.namespace(), fake.files, "int8", 4, fake.stream, graph=False)
    assert fake.stream.log[-1] == "close"


def test_inputs_that_are_not_float32_are_refused(fake: Fake) -> None:
    fake.io_type = Named.HALF
    with pytest.raises(UnsupportedError, match="not float32"):
        session(fake)


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (["names", "only"], {}),
        ([], {}),
        ([{"LayerType": "CaskConvolution", "Inputs": [{"Format/Datatype": "Row major Int8 format"}]}], {"int8": 1}),
        ([{"LayerType": "kgen", "Inputs": [{"DataType": "BFloat16"}]}], {"bf16": 1}),
        ([{"LayerType": "Reformat", "Name": "conv", "Inputs": [{"DataType": "Float"}]}], {}),
        (
            [
                {"LayerType": "Pooling", "Inputs": [{"DataType": "Float"}]},
                {"LayerType": "CaskConvolution", "Inputs": [{"Format/Datatype": "Half"}, {"Format/Datatype": "Float"}]},
            ],
            {"fp16": 1},
        ),
        ([{"LayerType": "gemm", "Inputs": [{"Format": "Row major linear FP32 format (kLINEAR)"}]}], {"fp32": 1}),
        ([{"LayerType": "gemm", "Inputs": []}], {}),
    ],
)
def test_layers_tell_their_precision_in_the_words_of_both_versions(layers: list[Any], found: dict[str, int]) -> None:
    assert layer_precisions(json.dumps({"Layers": layers})) == found


@pytest.mark.parametrize(
    ("precision", "capability", "reason"),
    [
        ("bf16", (7, 5), "bf16 needs compute capability 8.0; this GPU has 7.5"),
        ("tf32", (7, 5), "tf32 needs compute capability 8.0; this GPU has 7.5"),
        ("int8", (7, 5), None),
        ("int8", (6, 1), "int8 needs compute capability 7.5; this GPU has 6.1"),
        ("bf16", (9, 0), None),
        ("bf16", None, None),
        ("fp8", (9, 0), "fp8 is not a precision of TensorRT's"),
    ],
)
def test_a_gpu_too_old_is_told(precision: str, capability: tuple[int, int] | None, reason: str | None) -> None:
    assert refused(precision, capability) == reason


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-cudagraph"])
def test_without_a_gpu_or_tensorrt_the_reason_is_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fixtures.runtimes import tensorrt

    runtime = runtimes()[name]
    assert runtime.supports("cpu", "fp32") == "TensorRT runs on NVIDIA GPUs only, not on cpu"
    monkeypatch.setattr(tensorrt, "absent", lambda device: "no NVIDIA GPU")
    assert runtime.supports("cuda:0", "fp32") == "no NVIDIA GPU"
    monkeypatch.setattr(tensorrt, "absent", lambda device: None)
    monkeypatch.setattr(type(runtime), "requires", ("tensorrt_that_is_not_there",))
    assert str(runtime.supports("cuda:0", "fp32")).endswith("install with: pip install tensorrt_that_is_not_there")
    monkeypatch.setattr(type(runtime), "requires", ())
    monkeypatch.setattr(tensorrt, "capability", lambda device: (7, 5))
    assert "8.0" in str(runtime.supports("cuda:0", "bf16"))
    assert runtime.supports("cuda:0", "fp16") is None


@pytest.mark.parametrize("graph", [False, True])
def test_transfers_are_apart_and_inclusive_of_the_engines_call(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, graph: bool
) -> None:
    monkeypatch.setattr("fixtures.runtimes._cuda.transfers.BUDGET_S", 0.0)
    with session(fake, graph=graph) as running:
        prepared = running.prepare(items(4))
        running.run(prepared)
        fake.stream.log.clear()
        facts = running.device_facts()
        log = fake.stream.log
        assert np.array_equal(running.outputs_numpy(), 2 * items(4)[:, :1]), "the batch on the device is the same"
    assert (facts["h2d_bytes"], facts["d2h_bytes"]) == (4 * 200 * 4, 4 * 4)
    rounds = {name: value for name, value in facts.items() if name.endswith("rounds")}
    assert rounds == dict.fromkeys(
        [f"{way}_{kind}rounds" for kind in ("", "pageable_") for way in ("h2d", "d2h", "inclusive")], LEAST_ROUNDS
    )
    calls = LEAST_ROUNDS + WARMUP_ROUNDS
    assert log.count("execute") == 1 + 2 * calls, "the model is called in the inclusive ones alone"
    assert log.count("replay") == (1 + 2 * calls if graph else 0)
    assert log.count("wait other") == 6 * calls, "one wait a round"
    assert set(facts) == set(no_transfers("why")), "and these are the fields of a row without them"


def test_what_is_known_at_the_end_is_the_buffers_and_the_copies(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    options.set_wishes(DeviceWishes(flush_l2=True))
    traced: list[tuple[str, ...]] = []

    def trace(call: Callable[[], object], idle: Callable[[], None]) -> list[dict[str, Any]]:
        assert fake.stream.entered == 1
        fake.stream.log.clear()
        call()
        idle()
        traced.append(tuple(fake.stream.log))
        return [{"cat": "kernel", "name": "gemm"}]

    monkeypatch.setattr("fixtures.devices.copies.device_trace", trace)
    with session(fake) as running:
        prepared, clock = running.prepare(items(4)), running.device_clock
        assert clock is not None
        before_bytes = fake.stream.peak_bytes()
        clock.before_round()
        running.run(prepared)
        facts = clock.facts()
    assert traced == [("record start", "execute", "record end", "wait end", "idle"), ("execute", "idle")]
    assert (facts["copies_run_h2d_count"], facts["copies_inclusive_graph_count"]) == (0, 0)
    assert facts["gpu_buffers_peak_bytes"] == before_bytes, "what empties the cache is not the session's"
    assert facts["l2_flushed"] is True
    assert facts["gpu_memory_peak_bytes"] is None
    assert "TensorRT allocates by itself" in facts["gpu_memory_peak_missing"]
    assert "gpu_memory_reserved_peak_bytes" not in facts
    assert clock.afterwards is None, "a closed session is held by nobody"


def test_a_round_of_several_calls_has_no_device_time(stream: HostStream) -> None:
    clock = StreamClock(stream, "a framework")

    def launch() -> None:
        stream.now_ms += 1.0

    assert clock.after_round() is None
    clock.before_round()
    clock.call(launch)
    assert clock.after_round() == pytest.approx(0.001)
    clock.call(launch)
    assert clock.after_round() is None
    clock.before_round()
    assert clock.after_round() is None, "the last round's time is not this one's"


def test_the_cache_is_emptied_before_a_round_where_that_was_asked_for(stream: HostStream) -> None:
    StreamClock(stream, "a framework").before_round()
    assert stream.log == ["idle"]
    options.set_wishes(DeviceWishes(flush_l2=True))
    stream.log.clear()
    StreamClock(stream, "a framework").before_round()
    assert stream.log == ["empty cache", "reset peak", f"overwrite {2 * 2**20}", "idle"]


def test_the_stream_for_tests_has_every_call_of_torchs() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(HostStream) - {"handle", "gpu_name", "device"} == public(TorchStream)
