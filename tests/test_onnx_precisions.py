"""ONNX files for GPUs: typed through and through, quantised as TensorRT takes it, and right by what runs them here."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_models import model, save

from fixtures.artifacts import recipe
from fixtures.models import models
from fixtures.onnx_export import recipes, symmetric, typed
from fixtures.precisions import Agreement, agreement, verdict
from fixtures.runtimes import UnsupportedError
from fixtures.workloads.workload import Workload

TYPES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
MLP = Workload(models()["mlp"], 224, "random")


def residual_net() -> onnx.ModelProto:
    """Convolutions, a residual sum, a pooling, a product; open batch.

    Its answers to two inputs differ by a tenth of their size, so an error relative to that is ten roundings large.
    """
    rng = np.random.default_rng(0)
    weights = {
        "w1": rng.standard_normal((8, 3, 3, 3)).astype(np.float32) * 0.3,
        "b1": rng.standard_normal(8).astype(np.float32),
        "w2": rng.standard_normal((8, 8, 3, 3)).astype(np.float32) * 0.2,
        "w3": rng.standard_normal((8, 8, 3, 3)).astype(np.float32) * 0.2,
        "w4": rng.standard_normal((5, 8)).astype(np.float32),
        "axes": np.array([2, 3], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["input", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], name="one"),
        helper.make_node("Relu", ["c1"], ["r1"], name="relu"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], name="two"),
        helper.make_node("Add", ["c2", "r1"], ["s"], name="sum"),
        helper.make_node("MaxPool", ["s"], ["p"], kernel_shape=[2, 2], strides=[2, 2], name="pool"),
        helper.make_node("Conv", ["p", "w3"], ["c3"], pads=[1, 1, 1, 1], name="three"),
        helper.make_node("ReduceMean", ["c3", "axes"], ["m"], keepdims=0, name="mean"),
        helper.make_node("Gemm", ["m", "w4"], ["output"], transB=1, name="last"),
    ]
    given = [("input", TensorProto.FLOAT, ["batch", 3, 8, 8])]
    return model(nodes, given, [("output", TensorProto.FLOAT, ["batch", 5])], weights, opset=20, ir_version=10)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((count, 3, 8, 8)).astype(np.float32)


def exported(tmp_path: Path) -> Any:
    """What the makers ask of a workload, with the network above as its FP32 file."""
    file = save(residual_net(), tmp_path / "fp32" / "model.onnx")
    return SimpleNamespace(onnx_path=lambda kind: {"fp32": file}[kind], calibration_inputs=lambda: images(16))


def made(kind: str, tmp_path: Path) -> tuple[onnx.ModelProto, dict[str, Any]]:
    folder = tmp_path / kind
    folder.mkdir()
    facts = recipes.MAKERS[kind](exported(tmp_path), folder)
    assert [file.name for file in folder.iterdir()] == ["model.onnx"]
    return onnx.load(folder / "model.onnx"), facts


def error_rel(network: onnx.ModelProto) -> float:
    answers = ReferenceEvaluator(network).run(None, {"input": images(16)})[0]
    assert answers.dtype == np.float32
    return agreement(answers, ReferenceEvaluator(residual_net()).run(None, {"input": images(16)})[0]).error_rel


@pytest.mark.parametrize(("kind", "least", "most", "opset"), [("fp16", 1e-3, 1e-2, 20), ("bf16", 1e-2, 1e-1, 22)])
def test_a_typed_file_is_typed_through_and_through(
    kind: str, least: float, most: float, opset: int, tmp_path: Path
) -> None:
    network, facts = made(kind, tmp_path)
    inferred = onnx.shape_inference.infer_shapes(network, check_type=True, strict_mode=True)
    found = Counter(value.type.tensor_type.elem_type for value in inferred.graph.value_info)
    assert set(found) == {TYPES[kind]}, "a value in between has another type"
    assert TensorProto.FLOAT not in {tensor.data_type for tensor in network.graph.initializer}
    ends = (*network.graph.input, *network.graph.output)
    assert [(value.name, value.type.tensor_type.elem_type) for value in ends] == [
        ("input", TensorProto.FLOAT),
        ("output", TensorProto.FLOAT),
    ]
    casts = [node for node in network.graph.node if node.op_type == "Cast"]
    assert [node.input[0] for node in casts[:1]] + [node.output[0] for node in casts[1:]] == ["input", "output"]
    assert facts["opset"] == network.opset_import[0].version == opset
    assert least < error_rel(network) < most


@pytest.mark.parametrize("kind", list(TYPES))
def test_a_typed_file_has_the_fp32_files_operators(kind: str, tmp_path: Path) -> None:
    network, _ = made(kind, tmp_path)
    assert [node.op_type for node in network.graph.node] == [
        "Cast",
        *(node.op_type for node in residual_net().graph.node),
        "Cast",
    ]


def test_fp16_answers_alike_in_onnx_runtime(tmp_path: Path) -> None:
    import onnxruntime

    network, _ = made("fp16", tmp_path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(network.SerializeToString(), options, providers=["CPUExecutionProvider"])
    answers = session.run(None, {"input": images(4)})[0]
    wanted = ReferenceEvaluator(residual_net()).run(None, {"input": images(4)})[0]
    assert 1e-3 < agreement(answers, wanted).error_rel < 1e-2


def constants(value: float) -> onnx.ModelProto:
    """A constant, a cast and a resize, whose scales are float32 in every type."""
    nodes = [
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(np.array([value], np.float32), "k")),
        helper.make_node("Constant", [], ["scales"], value=numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32))),
        helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "k"], ["a"]),
        helper.make_node("Add", ["a", "f"], ["b"]),
        helper.make_node("Resize", ["b", "", "scales"], ["y"], mode="nearest"),
    ]
    shape = ["batch", 1, 2, 2]
    weights = {"n": np.ones((1,), dtype=np.int64)}
    return model(
        nodes,
        [("x", TensorProto.FLOAT, shape)],
        [("y", TensorProto.FLOAT, ["batch", 1, 4, 4])],
        weights,
        opset=22,
        ir_version=10,
    )


@pytest.mark.parametrize("kind", list(TYPES))
def test_constants_and_casts_are_converted_and_a_resizes_scales_are_not(kind: str) -> None:
    network = constants(0.1)
    typed.convert(network, kind)
    onnx.checker.check_model(network, full_check=True)
    kept = {node.output[0]: node.attribute[0] for node in network.graph.node if node.op_type in ("Constant", "Cast")}
    assert kept["scales"].t.data_type == TensorProto.FLOAT
    assert kept["k"].t.data_type == kept["f"].i == TYPES[kind]


def test_a_weight_beyond_float16_is_refused() -> None:
    network = constants(1e5)
    with pytest.raises(UnsupportedError, match="k holds values beyond the range of fp16"):
        typed.convert(network, "fp16")
    typed.convert(constants(1e5), "bf16")


def test_a_branch_is_refused() -> None:
    inner = helper.make_graph([], "inner", [], [])
    network = model(
        [helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)],
        [("c", TensorProto.BOOL, [])],
        [("y", TensorProto.FLOAT, [1])],
    )
    with pytest.raises(UnsupportedError, match="If has a graph of its own"):
        typed.convert(network, "fp16")


@settings(max_examples=50)
@given(
    st.lists(st.floats(width=32, min_value=-6e4, max_value=6e4), min_size=1, max_size=20),
    st.sampled_from(["fp16", "bf16"]),
)
def test_a_weight_is_rounded_once_and_to_the_nearest(values: list[float], kind: str) -> None:
    array = np.array(values, dtype=np.float32)
    rounded = numpy_helper.to_array(typed._rounded(numpy_helper.from_array(array, "w"), TYPES[kind], kind))
    digits = {"fp16": 11, "bf16": 8}[kind]
    smallest = {"fp16": 2.0**-24, "bf16": 2.0**-133}[kind]
    found = rounded.astype(np.float64)
    assert rounded.dtype == {"fp16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}[kind]
    assert (np.abs(found - array) <= np.maximum(np.abs(array.astype(np.float64)) * 2.0**-digits, smallest / 2)).all()


def quantisers(network: onnx.ModelProto) -> tuple[dict[str, onnx.NodeProto], dict[str, np.ndarray]]:
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in network.graph.initializer}
    return {node.output[0]: node for node in network.graph.node}, weights


def test_symmetric_int8_has_no_zero_point_no_unsigned_value_and_all_eight_bits(tmp_path: Path) -> None:
    network, facts = made("int8-symmetric", tmp_path)
    makers, weights = quantisers(network)
    pairs = [node for node in makers.values() if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    zero_points = [weights[node.input[2]] for node in pairs]
    assert {array.dtype for array in zero_points} == {np.dtype(np.int8)}
    assert not any(array.any() for array in zero_points)
    quantised = [
        weights[node.input[0]] for node in pairs if node.op_type == "DequantizeLinear" and node.input[0] in weights
    ]
    assert len(quantised) == 4
    assert all(array.dtype == np.int8 and np.abs(array.astype(int)).max() == 127 for array in quantised)
    assert facts["residual_sums_quantised"] == 1


def test_symmetric_int8_has_a_scale_a_channel_and_float_biases(tmp_path: Path) -> None:
    network, _ = made("int8-symmetric", tmp_path)
    makers, weights = quantisers(network)
    products = [node for node in network.graph.node if node.op_type in symmetric.QUANTISED]
    assert len(products) == 4
    for node in products:
        given, kernel = makers[node.input[0]], makers[node.input[1]]
        assert given.op_type == kernel.op_type == "DequantizeLinear"
        assert weights[given.input[1]].size == 1
        assert weights[kernel.input[1]].size == weights[kernel.input[0]].shape[0] > 1
        assert not [name for name in node.input[2:] if weights[name].dtype != np.float32]
        readers = [other.op_type for other in network.graph.node if node.output[0] in other.input]
        assert "QuantizeLinear" not in readers or node.name == "two"


def test_symmetric_int8_answers_near_fp32(tmp_path: Path) -> None:
    network, _ = made("int8-symmetric", tmp_path)
    assert 1e-3 < error_rel(network) < 0.1


@pytest.mark.parametrize("kind", ["fp16", "int8-symmetric"])
def test_the_mlps_files_keep_the_suites_own_bands(kind: str) -> None:
    answers = ReferenceEvaluator(onnx.load(MLP.onnx_path(kind))).run(None, {"input": MLP.check_inputs(16)})[0]
    found: Agreement = agreement(answers, MLP.reference())
    assert verdict(kind.partition("-")[0], found, MLP.weights().facts["rounding_error_rel"]) == (True, None)


def test_the_files_that_were_there_before_keep_their_recipe() -> None:
    assert recipes.recipe_of("fp32") == recipes.recipe_of("int8") == recipe("onnx_export/fp32_int8")
    assert len({recipes.recipe_of(kind) for kind in recipes.MAKERS}) == 3
