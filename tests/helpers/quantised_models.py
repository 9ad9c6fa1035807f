"""Small quantised ONNX models of every kind that the labels tell apart. Weights are (64, 64), inputs (4, 64)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"
RNG = np.random.default_rng(0)
FLOATS = RNG.standard_normal((64, 64)).astype(np.float32) / 8
SCALES = (np.abs(FLOATS).max(axis=0) / 127).astype(np.float32)
BYTES = np.round(FLOATS / SCALES).astype(np.int8)
NIBBLES = RNG.integers(-8, 8, (64, 64))


def const(name: str, array: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array), name)


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def model(
    nodes: Sequence[onnx.NodeProto], weights: Sequence[onnx.TensorProto] = (), given: Sequence[int] = (4, 64),
    kind: int = TensorProto.FLOAT, answer: int = TensorProto.FLOAT,
) -> onnx.ModelProto:  # fmt: skip
    graph = helper.make_graph(
        list(nodes), "g",
        [helper.make_tensor_value_info("x", kind, given)], [helper.make_tensor_value_info("y", answer, None)],
        list(weights),
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MS, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


WEIGHTS = [const("w", BYTES), const("ws", SCALES)]
STEP = [const("as", np.float32(0.03)), const("az", np.uint8(128)), const("ts", np.float32(0.005))]
DEQUANTISED = node("DequantizeLinear", ["w", "ws"], ["W"], axis=1)


def rounded(name: str, to: str) -> list[onnx.NodeProto]:
    """Activations to unsigned bytes and back."""
    return [
        node("QuantizeLinear", [name, "as", "az"], [f"{to}_q"]),
        node("DequantizeLinear", [f"{to}_q", "as", "az"], [to]),
    ]


def weights_only(operator: str = "MatMul", **attributes: Any) -> onnx.ModelProto:
    return model([DEQUANTISED, node(operator, ["x", "W"], ["y"], **attributes)], WEIGHTS)


def two_layers() -> onnx.ModelProto:
    """A Relu between the layers: ONNX Runtime dequantises the first one's weights in each call."""
    nodes = [
        DEQUANTISED,
        node("MatMul", ["x", "W"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("MatMul", ["b", "W"], ["y"]),
    ]
    return model(nodes, WEIGHTS)


def cast_and_mul() -> onnx.ModelProto:
    nodes = [node("Cast", ["w"], ["f"], to=1), node("Mul", ["f", "ws"], ["W"]), node("MatMul", ["x", "W"], ["y"])]
    return model(nodes, WEIGHTS)


def int4() -> onnx.ModelProto:
    """In blocks of 32."""
    stored = helper.make_tensor("w", TensorProto.INT4, [64, 64], NIBBLES.flatten().tolist())
    scales = const("ws", (RNG.random((2, 64)) / 64).astype(np.float32))
    nodes = [node("DequantizeLinear", ["w", "ws"], ["W"], axis=0, block_size=32), node("MatMul", ["x", "W"], ["y"])]
    return model(nodes, [stored, scales])


def packed(level: int, bits: int = 4, block: int = 32) -> onnx.ModelProto:
    stored = const("w", RNG.integers(0, 256, (64, 64 // block, block * bits // 8)).astype(np.uint8))
    scales = const("ws", (RNG.random(64 * (64 // block)) / 64).astype(np.float32))
    sizes = {"K": 64, "N": 64, "bits": bits, "block_size": block, "accuracy_level": level}
    return model([node("MatMulNBits", ["x", "w", "ws"], ["y"], domain=MS, **sizes)], [stored, scales])


def quantised() -> onnx.ModelProto:
    return model(
        [*rounded("x", "a"), DEQUANTISED, node("MatMul", ["a", "W"], ["b"]), *rounded("b", "y")], WEIGHTS + STEP
    )


def fake_quantised() -> onnx.ModelProto:
    """Weights lie as floating-point numbers and are rounded by the graph itself, as trainers export them."""
    nodes = [
        *rounded("x", "a"), node("QuantizeLinear", ["f", "ts", "wz"], ["w"]),
        node("DequantizeLinear", ["w", "ts", "wz"], ["W"]), node("MatMul", ["a", "W"], ["b"]), *rounded("b", "y"),
    ]  # fmt: skip
    return model(nodes, [const("f", FLOATS), const("wz", np.int8(0)), *STEP])


def dynamic() -> onnx.ModelProto:
    """As ONNX Runtime's quantiser writes it."""
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("MatMulInteger", ["q", "w", "z"], ["i"]),
        node("Cast", ["i"], ["f"], to=1), node("Mul", ["s", "ws"], ["scale"]), node("Mul", ["f", "scale"], ["y"]),
    ]  # fmt: skip
    return model(nodes, WEIGHTS)


def dynamic_fused() -> onnx.ModelProto:
    return model([node("DynamicQuantizeMatMul", ["x", "w", "ws"], ["y"], domain=MS)], WEIGHTS)


def dynamic_lstm() -> onnx.ModelProto:
    scales = [const(name, np.full((1, 256), 0.01, np.float32)) for name in ("s", "t")]
    points = [const(name, np.zeros((1, 256), np.int8)) for name in ("p", "q")]
    weights = [const(name, RNG.integers(-99, 99, (1, 64, 256)).astype(np.int8)) for name in ("w", "r")]
    inputs = ["x", "w", "r", "", "", "", "", "", "s", "p", "t", "q"]
    run = node("DynamicQuantizeLSTM", inputs, ["y"], domain=MS, hidden_size=64)
    return model([run], [*weights, *scales, *points], given=(10, 2, 64))


def quantised_attention() -> onnx.ModelProto:
    weights = [
        const("w", RNG.integers(-99, 99, (64, 192)).astype(np.int8)), const("b", np.zeros(192, np.float32)),
        const("ws", np.float32(0.003)), const("wz", np.int8(0)), *STEP,
    ]  # fmt: skip
    run = node("QAttention", ["a", "w", "b", "as", "ws", "", "az", "wz"], ["y"], domain=MS, num_heads=4)
    return model([node("QuantizeLinear", ["x", "as", "az"], ["a"]), run], weights, given=(1, 16, 64))


def bytes_in() -> onnx.ModelProto:
    """An image's bytes are made real numbers first; what multiplies is floating point."""
    nodes = [node("DequantizeLinear", ["x", "as", "az"], ["a"]), node("MatMul", ["a", "f"], ["y"])]
    return model(nodes, [const("f", FLOATS), *STEP], kind=TensorProto.UINT8)


def mostly_float() -> onnx.ModelProto:
    """Two products in floating point, of 131,072 MACs each, and three of integers, of 16,384 each."""
    nodes = [
        node("MatMul", ["x", "B"], ["a"]), node("MatMul", ["a", "C"], ["c"]), DEQUANTISED, *rounded("c", "q0"),
        *(one for layer in range(3) for one in
          (node("MatMul", [f"q{layer}", "W"], [f"m{layer}"]), *rounded(f"m{layer}", f"q{layer + 1}"))),
        node("Identity", ["q3"], ["y"]),
    ]  # fmt: skip
    wide = RNG.standard_normal((64, 512)).astype(np.float32) / 8
    return model(nodes, [const("B", wide), const("C", wide.T.copy() / 8), *WEIGHTS, *STEP])


def in_a_branch() -> onnx.ModelProto:
    """The weights lie around the branch that multiplies with them."""
    inner = [
        helper.make_graph([made], "g", [], [helper.make_tensor_value_info(made.output[0], TensorProto.FLOAT, None)])
        for made in (node("MatMul", ["x", "W"], ["t"]), node("MatMul", ["x", "W"], ["e"]))
    ]
    chosen = node("If", ["yes"], ["y"], then_branch=inner[0], else_branch=inner[1])
    return model([DEQUANTISED, chosen], [*WEIGHTS, const("yes", np.bool_(True))])


KINDS: dict[str, tuple[Callable[[], onnx.ModelProto], str, str, str | None]] = {
    "plain": (lambda: model([node("MatMul", ["x", "f"], ["y"])], [const("f", FLOATS)]), "fp32", "fp32", "fp32"),
    "weights only": (weights_only, "fp32, weights int8", "fp32, weights int8", "fp32, weights int8"),
    "a Gemm's": (lambda: weights_only("Gemm"), "fp32, weights int8", "fp32, weights int8", "fp32, weights int8"),
    "two layers": (two_layers, "fp32, weights int8", "fp32, weights int8", "fp32, weights int8"),
    "cast and mul": (cast_and_mul, "fp32, weights int8", "fp32", "fp32, weights int8"),
    "int4": (int4, "fp32, weights int4", "fp32, weights int4", "fp32, weights int4"),
    "packed": (lambda: packed(0), "fp32, weights int4", "fp32, weights int4", "fp32, weights int4"),
    "packed, 8 bits": (lambda: packed(1, 8), "fp32, weights int8", "fp32, weights int8", None),
    "quantised": (quantised, "int8", "int8", "int8"),
    "fake-quantised": (fake_quantised, "int8", "int8", "int8"),
    "dynamic": (dynamic, "int8", "int8", "fp32"),
    "dynamic, fused": (dynamic_fused, "int8", "int8", "fp32, weights int8"),
    "dynamic LSTM": (dynamic_lstm, "int8", "int8", "fp32"),
    "quantised attention": (quantised_attention, "int8", "int8", None),
    "bytes in": (bytes_in, "fp32", "fp32", "fp32"),
    "mostly float": (mostly_float, "fp32", "fp32", "fp32"),
}
"""By name: how it is made; the file's label; ONNX Runtime's; OpenVINO's (``None``: not looked at)."""
