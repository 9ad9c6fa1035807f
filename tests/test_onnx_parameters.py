"""Parameters of ONNX files: by hand, whatever way the weights take to where they are computed with; or why not."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from fixtures.onnx_cost.macs import COUNTED_AS_NOTHING, FORMULAS, Operator, UncountableError, counts_nothing, macs_of
from fixtures.onnx_cost.weights import weights_of

node = helper.make_node
MS = "com.microsoft"


def const(name: str, *shape: int, kind: int = T.FLOAT) -> onnx.TensorProto:
    if kind in (T.INT4, T.UINT4):
        return helper.make_tensor(name, kind, shape, np.zeros(shape, np.int8).ravel().tolist())
    return numpy_helper.from_array(np.zeros(shape, helper.tensor_dtype_to_np_dtype(kind)), name)


def int8(name: str, *shape: int) -> onnx.TensorProto:
    return const(name, *shape, kind=T.INT8)


def model(nodes: Sequence[Any], inits: Sequence[Any] = (), functions: Sequence[Any] = ()) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info("x", T.FLOAT, None)],
        [helper.make_tensor_value_info("y", T.FLOAT, None)], list(inits),
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MS, 1), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions))


def branches() -> onnx.ModelProto:
    """One name, another weight in each branch."""
    out = [helper.make_tensor_value_info("o", T.FLOAT, None)]
    made = [helper.make_graph([node("MatMul", ["x", "w"], ["o"])], "b", [], out, [const("w", *shape)])
            for shape in ((4, 5), (4, 7))]  # fmt: skip
    return model([node("If", ["c"], ["y"], then_branch=made[0], else_branch=made[1])], [const("c", kind=T.BOOL)])


def loop() -> onnx.ModelProto:
    """The body reads the weight through an input of its own, and one of its own."""
    body = helper.make_graph(
        [node("DequantizeLinear", ["inner", "s"], ["real"]), node("MatMul", ["h", "real"], ["m"]),
         node("MatMul", ["m", "v"], ["out"]), node("Identity", ["inner"], ["same"]), node("Identity", ["c"], ["go"])],
        "body",
        [helper.make_tensor_value_info(name, T.FLOAT, None) for name in ("i", "c", "h", "inner")],
        [helper.make_tensor_value_info(name, T.FLOAT, None) for name in ("go", "out", "same")],
        [const("v", 5, 4)],
    )  # fmt: skip
    return model([node("Loop", ["n", "", "x", "q"], ["y", "left"], body=body)], [int8("q", 4, 5), const("s")])


def function(inside: bool) -> onnx.ModelProto:
    """Called twice: a weight that is in its body is one, and so is one that both calls are given."""
    nodes = [node("MatMul", ["a", "b"], ["c"])]
    if inside:
        nodes.insert(0, node("Constant", [], ["b"], value=const("", 4, 4)))
    made = helper.make_function(
        "own", "F", ["a"] if inside else ["a", "b"], ["c"], nodes, [helper.make_opsetid("", 21)]
    )
    given = [] if inside else ["w"]
    calls = [node("F", ["x", *given], ["h"], domain="own"), node("F", ["h", *given], ["y"], domain="own")]
    return model(calls, [] if inside else [const("w", 4, 4)], [made])


def packed(operator: str = "MatMulNBits") -> onnx.ModelProto:
    names = {"K": 64, "N": 64, "bits": 4, "block_size": 32}
    nodes = [node(operator, ["x", "q", "s"], ["h"], domain=MS, **names),
             node(operator, ["h", "q", "s"], ["y"], domain=MS, **names)]  # fmt: skip
    return model(nodes, [const("q", 64, 2, 16, kind=T.UINT8), const("s", 128)])


def sparse() -> onnx.ModelProto:
    held = helper.make_sparse_tensor(const("w", 9), helper.make_tensor("w_i", T.INT64, [9], list(range(9))), [4, 5])
    return model([node("Constant", [], ["w"], sparse_value=held), node("MatMul", ["x", "w"], ["y"])])


def shared_outside() -> onnx.ModelProto:
    """Two names for the same bytes of an external file; and one for others."""
    tied = [const(name, 4, 4) for name in "abc"]
    for tensor, offset in zip(tied, ("0", "0", "64"), strict=True):
        tensor.ClearField("raw_data")
        tensor.data_location = T.EXTERNAL
        for key, value in (("location", "w.bin"), ("offset", offset), ("length", "64")):
            tensor.external_data.add(key=key, value=value)
    return model([node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"], ["i"]),
                  node("MatMul", ["i", "c"], ["y"])], tied)  # fmt: skip


DQ = node("DequantizeLinear", ["q", "s"], ["w"])
PRODUCT = node("MatMul", ["x", "w"], ["y"])
SCALED = [const("s", 5), int8("q", 4, 5)]
CASES: dict[str, tuple[onnx.ModelProto, int]] = {
    "embedding, looked up and then dequantised": (
        model([node("Gather", ["q", "x"], ["g"]), node("DequantizeLinear", ["g", "s"], ["w"]),
               node("MatMul", ["w", "v"], ["h"]), node("Add", ["h", "b"], ["y"])],
              [int8("q", 1000, 64), const("s"), const("v", 64, 8), const("b", 8)]), 64_520),
    "embedding by Cast and Mul": (
        model([node("Gather", ["q", "x"], ["g"]), node("Cast", ["g"], ["r"], to=T.FLOAT),
               node("Mul", ["r", "s"], ["y"])],
              [int8("q", 100, 8), const("s", 8)]), 800),
    "embedding whose vectors go straight out": (model([node("Gather", ["w", "x"], ["y"])], [const("w", 10, 8)]), 80),
    "quantised LSTM": (
        model([node("DynamicQuantizeLSTM", ["x", "w", "r", "b", "", "h", "c", "", "s", "z", "s", "z"], ["y"], domain=MS,
                    hidden_size=8)],
              [int8("w", 1, 16, 32), int8("r", 1, 8, 32), const("b", 1, 64), const("s", 1), int8("z", 2),
               const("h", 1, 3, 8), const("c", 1, 3, 8)]), 16 * 32 + 8 * 32 + 64),
    "LSTM whose first state is fixed": (
        model([node("LSTM", ["x", "w", "r", "", "", "h", "c"], ["y"], hidden_size=8)],
              [const("w", 1, 32, 16), const("r", 1, 32, 8), const("h", 1, 3, 8), const("c", 1, 3, 8)]), 32 * 24),
    "one name in two branches": (branches(), 20 + 28),
    "through a loop's inputs": (loop(), 40),
    "a function called twice, the weight inside": (function(True), 16),
    "a function called twice, the weight given": (function(False), 16),
    "tied int8": (model([DQ, PRODUCT, node("Transpose", ["w"], ["t"]), node("MatMul", ["y", "t"], ["z"])], SCALED), 20),
    "tied packed 4 bit": (packed(), 4096),
    "two names for one place outside": (shared_outside(), 32),
    "Transpose, then dequantised": (
        model([node("Transpose", ["q"], ["t"]), node("DequantizeLinear", ["t", "s"], ["w"]), PRODUCT], SCALED), 20),
    "Reshape, Cast, Sub, Mul": (
        model([node("Reshape", ["q", "n"], ["r"]), node("Cast", ["r"], ["f"], to=T.FLOAT16),
               node("Cast", ["z"], ["zf"], to=T.FLOAT16), node("Sub", ["f", "zf"], ["d"]),
               node("Mul", ["d", "s"], ["h"]), node("Cast", ["h"], ["w"], to=T.FLOAT), PRODUCT],
              [const("q", 20, kind=T.UINT8), const("z", 5, kind=T.UINT8), const("s", 5, kind=T.FLOAT16),
               const("n", 2, kind=T.INT64)]), 20),
    "int4": (model([DQ, PRODUCT], [const("q", 4, 5, kind=T.INT4), const("s", 1)]), 20),
    "int32 bias": (model([DQ, node("Add", ["x", "w"], ["y"])], [const("q", 5, kind=T.INT32), const("s")]), 5),
    "Constant(value_floats)": (
        model([node("Constant", [], ["v"], value_floats=[0.0] * 20), node("Constant", [], ["n"], value_ints=[4, 5]),
               node("Reshape", ["v", "n"], ["w"]), PRODUCT]), 20),
    "Constant(sparse_value): those stored": (sparse(), 9),
    "in a sequence": (
        model([node("SequenceConstruct", ["a", "b"], ["s"]), node("SequenceAt", ["s", "n"], ["w"]), PRODUCT],
              [const("a", 4, 5), const("b", 4, 5), const("n", kind=T.INT64)]), 40),
    "coefficients as attributes": (
        model([node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", coefficients=[0.0] * 12,
                    intercepts=[0.0] * 3)]),
        15),
    "what only resizes and shifts": (
        model([node("Concat", ["a", "b"], ["c"], axis=0), node("Resize", ["x", "", "c"], ["y"])],
              [const("a", 2), const("b", 2)]), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    made, parameters = CASES[name]
    assert (weights_of(made).parameters, weights_of(made).reason) == (parameters, None)


NOT_KNOWN: dict[str, tuple[onnx.ModelProto, str]] = {
    "an operator of somebody's": (
        model([node("Mine", ["x", "w"], ["y"], domain="own")], [const("w", 4, 5)]), "own.Mine 'y' reads constants"),
    "one of ONNX Runtime's that nobody listed": (
        model([node("Brandnew", ["x", "q"], ["y"], domain=MS)], [int8("q", 4, 5)]), "Brandnew 'y' reads constants"),
    "two numbers in a byte, taken apart": (
        model([node("BitShift", ["q", "n"], ["y"], direction="RIGHT")],
              [const("q", 9, kind=T.UINT8), const("n", kind=T.UINT8)]),
        "BitShift 'y' reads constants of few bits"),
    "eight in an int32": (
        model([node("BitwiseAnd", ["q", "n"], ["y"])], [const("q", 9, kind=T.INT32), const("n", kind=T.INT32)]),
        "whole numbers that may be packed weights"),
    "trees": (
        model([node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", nodes_values=[0.0] * 7)]),
        "7 numbers in its attribute 'nodes_values'"),
    "a tree of one leaf": (
        model([node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", nodes_values=[0.0],
                    target_weights=[1.0])]),
        "1 number in its attribute"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_no_number_where_it_is_not_known(name: str) -> None:
    made, said = NOT_KNOWN[name]
    found = weights_of(made)
    assert found.parameters is None
    assert found.reason is not None
    assert said in found.reason


def test_texts_have_bytes_and_unknown_types_none() -> None:
    text = helper.make_tensor("t", T.STRING, [2], [b"ab", b"c"])
    assert weights_of(model([node("Identity", ["t"], ["y"])], [text])).bytes == 3
    odd = const("w", 4)
    odd.data_type = 999
    found = weights_of(model([node("Identity", ["w"], ["y"])], [odd]))
    assert (found.bytes, found.reason) == (None, "weight_bytes: a constant has element type 999")


@pytest.mark.parametrize(
    ("domain", "operator"),
    [("ai.onnx.ml", name) for name in ("LinearRegressor", "LinearClassifier", "SVMRegressor", "SVMClassifier",
                                       "TreeEnsembleClassifier", "TreeEnsemble")]
    + [("", name) for name in ("AffineGrid", "Det", "DFT", "STFT")]
    + [(MS, name) for name in ("GroupQueryAttention", "MoE", "Rfft", "Nonesuch")]
    + [("own", "Relu"), ("ai.onnx.preview", "FlexAttention")],
)  # fmt: skip
def test_what_multiplies_is_not_said_to_count_nothing(domain: str, operator: str) -> None:
    with pytest.raises(UncountableError, match="no formula"):
        macs_of(domain, operator, Operator([(1, 4, 4)], [(1,)], {}))


def test_a_standard_operator_of_a_later_onnx_is_not_guessed_at() -> None:
    known = {(domain, name) for domain, names in COUNTED_AS_NOTHING.items() for name in names}
    assert not known & set(FORMULAS)
    assert all(onnx.defs.has(name, domain) for domain, name in known)
    assert not counts_nothing("", "SomethingOfOpset99")


@pytest.mark.parametrize("shape", [(1,), (5,)])
def test_scales_of_dynamically_quantised_products_are_no_weights(shape: tuple[int, ...]) -> None:
    """The weights' scales are multiplied with the activations', as ONNX Runtime's quantiser writes it."""
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("Unsqueeze", ["s", "axes"], ["su"]),
        node("MatMulInteger", ["q", "w", "z"], ["i"]), node("Cast", ["i"], ["f"], to=T.FLOAT),
        node("Mul", ["su", "ws"], ["scale"]), node("Mul", ["f", "scale"], ["p"]), node("Mul", ["p", "k"], ["y"]),
    ]  # fmt: skip
    inits = [int8("w", 4, 5), const("ws", *shape), const("k", 5), const("axes", 1, kind=T.INT64)]
    assert weights_of(model(nodes, inits)).parameters == 20 + 5
