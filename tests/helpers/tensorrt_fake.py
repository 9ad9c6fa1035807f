"""A namespace with just what our runtime uses of TensorRT (``tensorrt_used.USED``), in place of the library.

It builds nothing: an "engine" is the file's hash and the settings it was built with, and running it writes twice the
first value of each item into the answer. ``test_tensorrt_runtime`` holds it against the table.
"""

import enum
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from device_streams import HostStream

INPUT_SHAPE, OUTPUTS = (-1, 200), 1


class ILogger:
    ERROR, INTERNAL_ERROR, WARNING = "error", "internal error", "warning"

    def log(self, severity: Any, msg: str) -> None: ...


class IProfiler:
    def report_layer_time(self, layer_name: str, ms: float) -> None: ...


class NetworkFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class NoFlag(enum.IntEnum):
    PREFER_JIT_PYTHON_PLUGINS = 2


class Named(enum.Enum):
    """Members of TensorRT's enumerations that are only passed on."""

    TF32, DETAILED, WORKSPACE, JSON, INPUT, OUTPUT, FLOAT, HALF, USER_MANAGED = range(9)


class Fake:
    """One TensorRT; what a test wants of it is set on it, what was asked of it is in ``asked``."""

    def __init__(self, stream: HostStream, version: str = "11.4.0") -> None:
        self.stream = stream
        self.files: Any = None
        self.version = version
        self.asked: list[tuple[Any, ...]] = []
        self.builder_says: list[str] | None = None
        self.parser_says: list[tuple[str, str, str]] = []
        self.timings_hold = True
        self.layers: list[Any] = [{"LayerType": "gemm", "Inputs": [{"DataType": "Float"}]}]
        self.execution_fails = False
        self.io_type = Named.FLOAT

    def namespace(self, *, strong_flag: bool = True, sized_v2: bool = True) -> SimpleNamespace:
        fake = self

        class ITensor:
            name, shape = "input", INPUT_SHAPE

        class INetworkDefinition:
            num_inputs = 1
            file: Path

            def get_input(self, index: int) -> ITensor:
                return ITensor()

        class IOptimizationProfile:
            def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:
                fake.asked.append(("profile", input, min, opt, max))

        class ITimingCache:
            def __init__(self, content: bytes) -> None:
                self.content = content

            def serialize(self) -> bytes:
                return self.content + b"+"

        class IBuilderConfig:
            builder_optimization_level = -1
            profiling_verbosity: Any = None

            def __init__(self) -> None:
                self.flags = {Named.TF32}  # TensorRT's own default
                self.cache = ITimingCache(b"")

            def set_flag(self, flag: Any) -> None:
                self.flags.add(flag)

            def clear_flag(self, flag: Any) -> None:
                self.flags.discard(flag)

            def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
                fake.asked.append(("limit", pool, pool_size))

            def add_optimization_profile(self, profile: Any) -> int:
                return 0

            def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
                fake.asked.append(("timings", serialized_timing_cache))
                return ITimingCache(serialized_timing_cache)

            def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
                assert not ignore_mismatch
                if cache.content and not fake.timings_hold:
                    return False
                self.cache = cache
                return True

            def get_timing_cache(self) -> ITimingCache:
                return self.cache

        class Builder:
            def __init__(self, logger: Any) -> None:
                self.logger = logger

            def create_network(self, flags: int = 0) -> INetworkDefinition:
                fake.asked.append(("network", flags))
                return INetworkDefinition()

            def create_builder_config(self) -> IBuilderConfig:
                return IBuilderConfig()

            def create_optimization_profile(self) -> IOptimizationProfile:
                return IOptimizationProfile()

            def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes | None:
                fake.asked.append(("build",))
                if fake.builder_says is not None:
                    for text in fake.builder_says:
                        self.logger.log(ILogger.ERROR, text)
                    return None
                settings = {
                    "sha256": hashlib.sha256(network.file.read_bytes()).hexdigest(),
                    "tf32": Named.TF32 in config.flags,
                    "level": config.builder_optimization_level,
                    "detailed": config.profiling_verbosity == Named.DETAILED,
                }
                return json.dumps(settings).encode()

        class ParserError:
            def __init__(self, said: tuple[str, str, str]) -> None:
                self.said = said

            def node_operator(self) -> str:
                return self.said[0]

            def node_name(self) -> str:
                return self.said[1]

            def desc(self) -> str:
                return self.said[2]

        class OnnxParser:
            def __init__(self, network: INetworkDefinition, logger: Any) -> None:
                self.network = network
                self.num_errors = len(fake.parser_says)

            def parse_from_file(self, model: str) -> bool:
                self.network.file = Path(model)
                return not fake.parser_says

            def get_error(self, index: int) -> ParserError:
                return ParserError(fake.parser_says[index])

        class EngineInspector:
            def get_engine_information(self, format: Any) -> str:
                return json.dumps({"Layers": fake.layers})

        class IExecutionContext:
            profiler: IProfiler | None = None

            def __init__(self) -> None:
                self.shape: tuple[int, ...] = ()
                self.addresses: dict[str, int] = {}

            def set_device_memory(self, memory: int, size: int) -> None:
                fake.asked.append(("scratch", size, memory in fake.stream.buffers))

            def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
                self.shape = shape
                return shape[1:] == INPUT_SHAPE[1:]

            def get_tensor_shape(self, name: str) -> tuple[int, ...]:
                return (self.shape[0], OUTPUTS)

            def set_tensor_address(self, name: str, memory: int) -> bool:
                self.addresses[name] = memory
                return True

            def execute_async_v3(self, stream_handle: int) -> bool:
                assert stream_handle == fake.stream.handle
                fake.stream.log.append("execute")
                fake.stream.now_ms += 2.5
                for index, layer in enumerate(fake.layers if self.profiler else ()):
                    self.profiler.report_layer_time(layer.get("Name", "layer"), 1.5 + index)  # type: ignore[union-attr]
                given, answer = (fake.stream.buffers[self.addresses[name]] for name in ("input", "output"))
                answer[:] = 2 * given[:, :OUTPUTS]
                return not fake.execution_fails

        class ICudaEngine:
            num_io_tensors, num_layers = 2, 7

            def get_tensor_name(self, index: int) -> str:
                return ("input", "output")[index]

            def get_tensor_mode(self, name: str) -> Any:
                return {"input": Named.INPUT, "output": Named.OUTPUT}[name]

            def get_tensor_dtype(self, name: str) -> Any:
                return fake.io_type

            def create_execution_context(self, strategy: Any = None) -> IExecutionContext:
                fake.asked.append(("context", strategy))
                return IExecutionContext()

            def create_engine_inspector(self) -> EngineInspector:
                return EngineInspector()

        if sized_v2:
            ICudaEngine.device_memory_size_v2 = 4096  # type: ignore[attr-defined]

        class Runtime:
            def __init__(self, logger: Any) -> None:
                self.logger = logger

            def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
                if serialized_engine.startswith(b"{"):
                    return ICudaEngine()
                self.logger.log(ILogger.ERROR, "Serialization assertion failed")
                return None

        inner = (ITensor, INetworkDefinition, IOptimizationProfile, ITimingCache, IBuilderConfig, ParserError)
        outer = (ILogger, IProfiler, Builder, OnnxParser, Runtime, ICudaEngine, IExecutionContext, EngineInspector)
        return SimpleNamespace(
            **{kind.__name__: kind for kind in (*inner, *outer)},
            __version__=self.version,
            NetworkDefinitionCreationFlag=NetworkFlag if strong_flag else NoFlag,
            BuilderFlag=SimpleNamespace(TF32=Named.TF32),
            ProfilingVerbosity=SimpleNamespace(DETAILED=Named.DETAILED),
            MemoryPoolType=SimpleNamespace(WORKSPACE=Named.WORKSPACE),
            LayerInformationFormat=SimpleNamespace(JSON=Named.JSON),
            TensorIOMode=SimpleNamespace(INPUT=Named.INPUT, OUTPUT=Named.OUTPUT),
            DataType=SimpleNamespace(FLOAT=Named.FLOAT),
            ExecutionContextAllocationStrategy=SimpleNamespace(USER_MANAGED=Named.USER_MANAGED),
        )
