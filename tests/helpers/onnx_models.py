"""Tiny ONNX models for the tests, made with onnx.helper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Value = tuple[str, int, Sequence[Any] | None]


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: dict[str, np.ndarray] | None = None,
    opset: int = 17,
    ir_version: int = 8,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version, producer_name="tests"
    )


def save(made: onnx.ModelProto, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(made.SerializeToString())
    return file


def one_node(operator: str, dtype: int = TensorProto.FLOAT, shape: Sequence[Any] = (2, 3), **kwargs: Any) -> Any:
    return model([helper.make_node(operator, ["x"], ["y"], **kwargs)], [("x", dtype, shape)], [("y", dtype, None)])


def conv() -> onnx.ModelProto:
    """Open batch, height and width."""
    weights = np.random.default_rng(0).standard_normal((8, 3, 3, 3)).astype(np.float32)
    return model(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        [("x", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [("y", TensorProto.FLOAT, ["batch", 8, "height", "width"])],
        {"w": weights},
    )


def text() -> onnx.ModelProto:
    """Tokens and a mask; a table of 1,000 rows."""
    table = np.random.default_rng(0).standard_normal((1000, 16)).astype(np.float32)
    return model(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["found"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["mask"], ["count"]),
            helper.make_node("Mul", ["found", "count"], ["y"]),
        ],
        [("input_ids", TensorProto.INT64, ["batch", "sequence"]),
         ("attention_mask", TensorProto.INT64, ["batch", "sequence"])],
        [("y", TensorProto.FLOAT, ["batch", "sequence", 16])],
        {"table": table},
    )  # fmt: skip


def matmul(rows: int = 4) -> onnx.ModelProto:
    """Old: the weights are listed as inputs, too."""
    weights = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    return model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [rows, 8]), ("w", TensorProto.FLOAT, [8, 8])],
        [("y", TensorProto.FLOAT, [rows, 8])],
        {"w": weights},
        opset=8,
        ir_version=3,
    )


def external(folder: Path, location: str = "weights.bin", length: int | None = 256, offset: int | None = None) -> Path:
    """``outside.onnx`` whose 8x8 weights are in ``location``; the file itself is not made."""
    made = matmul()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": offset, "length": length}
    for key, value in entries.items():
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    return save(made, folder / "outside.onnx")


def data_dependent() -> onnx.ModelProto:
    """Rows whose first number is above zero, times w, twice; the products have no names, their rows no number."""
    return model(
        [
            helper.make_node("Gather", ["x", "first"], ["f"], axis=1),
            helper.make_node("Greater", ["f", "zero"], ["more"]),
            helper.make_node("Compress", ["x", "more"], ["rows"], axis=0),
            helper.make_node("MatMul", ["rows", "w"], ["a"]),
            helper.make_node("MatMul", ["a", "w"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, [4, 8])],
        [("y", TensorProto.FLOAT, None)],
        {"w": np.eye(8, dtype=np.float32), "zero": np.array(0, np.float32), "first": np.array(0)},
    )
