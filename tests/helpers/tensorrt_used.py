"""All that our TensorRT runtime uses of TensorRT's Python API: the contract, in one table.

A member is ``Class.member``: ``enum``, ``property``, or the types that a method is called with and what it returns.
``test_tensorrt_contract`` holds the table against NVIDIA's bindings, and against our own code's syntax tree.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

RUNTIMES = Path(__file__).parents[2] / "fixtures" / "runtimes"
SOURCES = [*sorted((RUNTIMES / "_tensorrt").glob("*.py")), RUNTIMES / "tensorrt.py"]


@dataclass(frozen=True)
class Method:
    """Types of the arguments as we pass them, ``self`` left out; type of the answer."""

    takes: tuple[str, ...] = ()
    gives: str = "None"


ENUM, PROPERTY, CLASS, TEXT = "enum", "property", "class", "text"
USED: dict[str, Method | str] = {
    "__version__": TEXT,
    "ILogger": Method((), "None"),
    "ILogger.log": Method(("ILogger.Severity", "str"), "None"),
    "ILogger.ERROR": ENUM,
    "ILogger.INTERNAL_ERROR": ENUM,
    "IProfiler": Method((), "None"),
    "IProfiler.report_layer_time": Method(("str", "float"), "None"),
    "Builder": Method(("ILogger",), "None"),
    "Builder.create_network": Method(("int",), "INetworkDefinition"),
    "Builder.create_builder_config": Method((), "IBuilderConfig"),
    "Builder.create_optimization_profile": Method((), "IOptimizationProfile"),
    "Builder.build_serialized_network": Method(("INetworkDefinition", "IBuilderConfig"), "IHostMemory"),
    "NetworkDefinitionCreationFlag.STRONGLY_TYPED": ENUM,
    "INetworkDefinition.num_inputs": PROPERTY,
    "INetworkDefinition.get_input": Method(("int",), "ITensor"),
    "ITensor.shape": PROPERTY,
    "ITensor.name": PROPERTY,
    "OnnxParser": Method(("INetworkDefinition", "ILogger"), "None"),
    "OnnxParser.parse_from_file": Method(("str",), "bool"),
    "OnnxParser.num_errors": PROPERTY,
    "OnnxParser.get_error": Method(("int",), "IParserError"),
    "ParserError.node_operator": Method((), "str"),
    "ParserError.node_name": Method((), "str"),
    "ParserError.desc": Method((), "str"),
    "IBuilderConfig.builder_optimization_level": PROPERTY,
    "IBuilderConfig.profiling_verbosity": PROPERTY,
    "IBuilderConfig.set_flag": Method(("BuilderFlag",), "None"),
    "IBuilderConfig.clear_flag": Method(("BuilderFlag",), "None"),
    "IBuilderConfig.set_memory_pool_limit": Method(("MemoryPoolType", "int"), "None"),
    "IBuilderConfig.add_optimization_profile": Method(("IOptimizationProfile",), "int"),
    "IBuilderConfig.create_timing_cache": Method(("Buffer",), "ITimingCache"),
    "IBuilderConfig.set_timing_cache": Method(("ITimingCache", "bool"), "bool"),
    "IBuilderConfig.get_timing_cache": Method((), "ITimingCache"),
    "ITimingCache.serialize": Method((), "IHostMemory"),
    "IOptimizationProfile.set_shape": Method(("str", "Dims", "Dims", "Dims"), "None"),
    "BuilderFlag.TF32": ENUM,
    "ProfilingVerbosity.DETAILED": ENUM,
    "MemoryPoolType.WORKSPACE": ENUM,
    "LayerInformationFormat.JSON": ENUM,
    "TensorIOMode.INPUT": ENUM,
    "TensorIOMode.OUTPUT": ENUM,
    "DataType.FLOAT": ENUM,
    "ExecutionContextAllocationStrategy.USER_MANAGED": ENUM,
    "Runtime": Method(("ILogger",), "None"),
    "Runtime.deserialize_cuda_engine": Method(("Buffer",), "ICudaEngine"),
    "ICudaEngine.num_io_tensors": PROPERTY,
    "ICudaEngine.num_layers": PROPERTY,
    "ICudaEngine.device_memory_size_v2": PROPERTY,
    "ICudaEngine.get_tensor_name": Method(("int",), "str"),
    "ICudaEngine.get_tensor_mode": Method(("str",), "TensorIOMode"),
    "ICudaEngine.get_tensor_dtype": Method(("str",), "DataType"),
    "ICudaEngine.create_execution_context": Method(("ExecutionContextAllocationStrategy",), "IExecutionContext"),
    "ICudaEngine.create_engine_inspector": Method((), "EngineInspector"),
    "EngineInspector.get_engine_information": Method(("LayerInformationFormat",), "str"),
    "IExecutionContext.profiler": PROPERTY,
    "IExecutionContext.set_device_memory": Method(("int", "int"), "None"),
    "IExecutionContext.set_input_shape": Method(("str", "tuple"), "bool"),
    "IExecutionContext.get_tensor_shape": Method(("str",), "Dims"),
    "IExecutionContext.set_tensor_address": Method(("str", "int"), "bool"),
    "IExecutionContext.execute_async_v3": Method(("int",), "bool"),
}
HOLDERS = {
    "builder": "Builder",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "problem": "ParserError",
    "config": "IBuilderConfig",
    "profile": "IOptimizationProfile",
    "tensor": "ITensor",
    "cache": "ITimingCache",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "context": "IExecutionContext",
    "inspector": "EngineInspector",
}
"""In our sources a TensorRT object lies under one of these names, with or without ``self._``."""


OVERRIDDEN = {"ILogger": "log", "IProfiler": "report_layer_time"}
"""Of TensorRT's classes that ours derive from, the method that is overridden, and not called."""


def used_by_the_code() -> set[str]:
    """Every ``trt.X``, ``trt.X.Y`` and ``holder.member`` of the runtime's own files."""
    found = {f"{owner}.{member}" for owner, member in OVERRIDDEN.items()}
    for source in SOURCES:
        tree = ast.parse(source.read_text())
        inner = set()
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute):
                continue
            chain = _chain(node)
            if chain[0] in ("trt", "_trt") and len(chain) > 1:
                found.add(".".join(chain[1:]))
                inner.add(".".join(chain[1:-1]))
            elif chain[0] in HOLDERS and len(chain) == 2:
                found.add(f"{HOLDERS[chain[0]]}.{chain[1]}")
        found -= inner - set(OVERRIDDEN)
    return found - {"", *(f"{owner}.__init__" for owner in OVERRIDDEN)}


def _chain(node: ast.Attribute) -> list[str]:
    """``self._engine.num_layers`` -> ``engine``, ``num_layers``; a call's result has no name."""
    names: list[str] = []
    current: ast.expr = node
    while isinstance(current, ast.Attribute):
        names.append(current.attr)
        current = current.value
    names.append(current.id if isinstance(current, ast.Name) else "()")
    names.reverse()
    if names[0] == "self":
        names = names[1:]
    return [names[0].removeprefix("_"), *names[1:]]
