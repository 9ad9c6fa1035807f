"""Counting ONNX files: by hand, against torch's counter, and whatever bytes they hold."""

import random
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from fixtures.onnx_cost.ask import OnnxComplexity, complexity_of
from fixtures.onnx_cost.count import count
from fixtures.onnx_cost.macs import FORMULAS, UNCOUNTED, Operator, UncountableError, macs_of
from fixtures.workloads import torch_cost

FLOAT = TensorProto.FLOAT


def weights(name: str, *shape: int, kind: int = FLOAT) -> onnx.TensorProto:
    return numpy_helper.from_array(np.zeros(shape, helper.tensor_dtype_to_np_dtype(kind)), name)


def model(
    *nodes: onnx.NodeProto, inits: Any = (), functions: Any = (), shape: Any = ("n", 4), inputs: Any = ()
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", FLOAT, shape), *inputs],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        list(inits),
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions))


def counted(tmp_path: Path, found: onnx.ModelProto | bytes, **shapes: tuple[int, ...]) -> OnnxComplexity:
    file = tmp_path / "model.onnx"
    file.write_bytes(found if isinstance(found, bytes) else found.SerializeToString())
    return count(file, shapes)


GEMM = helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
PRODUCT = helper.make_node("MatMul", ["x", "w"], ["y"])
W = weights("w", 4, 5)


def test_a_gemm_by_hand(tmp_path: Path) -> None:
    # (3, 4) times (4, 5): 60 MACs; 25 weights; 12 floats in, 15 out; nothing between.
    found = counted(tmp_path, model(GEMM, inits=[weights("w", 5, 4), weights("b", 5)]), x=(3, 4))
    assert (found.parameters, found.macs, found.flops) == (25, 60, 120)
    assert (found.weight_bytes, found.io_bytes, found.activation_bytes) == (100, 108, 0)
    assert found.operational_intensity_flop_per_byte == 120 / 208
    assert found.reason is None
    assert "onnx " in found.counter


def test_intermediate_results_are_activations_and_no_compulsory_traffic(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    found = counted(tmp_path, model(*nodes, inits=[W]), x=(3, 4))
    assert (found.activation_bytes, found.io_bytes) == (60, 108)
    assert found.operational_intensity_flop_per_byte == 120 / (80 + 108)


def test_half_precision_halves_the_bytes_and_doubles_the_intensity(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [PRODUCT],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, (3, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, None)],
        [weights("w", 4, 5, kind=TensorProto.FLOAT16)],
    )
    half = counted(tmp_path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]))
    full = counted(tmp_path, model(PRODUCT, inits=[W]), x=(3, 4))
    assert half.macs == full.macs
    assert half.operational_intensity_flop_per_byte == 2 * (full.operational_intensity_flop_per_byte or 0)


OPERATORS: list[tuple[str, list[tuple[int, ...] | None], tuple[int, ...], dict[str, Any], int]] = [
    ("Conv", [(2, 6, 8, 8), (9, 2, 3, 3)], (2, 9, 8, 8), {"group": 3}, 2 * 9 * 64 * 2 * 9),
    ("ConvInteger", [(1, 1, 4, 4), (1, 1, 2, 2)], (1, 1, 3, 3), {}, 9 * 4),
    ("QLinearConv", [(1, 3, 4, 4), (), (), (5, 3, 1, 1), (), (), (), ()], (1, 5, 4, 4), {}, 5 * 16 * 3),
    ("ConvTranspose", [(1, 4, 5, 5), (4, 3, 2, 2)], (1, 3, 10, 10), {}, 4 * 25 * 3 * 4),
    ("Gemm", [(4, 3), (4, 5)], (3, 5), {"transA": 1}, 60),
    ("MatMul", [(7, 2, 3, 4), (4, 5)], (7, 2, 3, 5), {}, 7 * 2 * 60),
    ("MatMul", [(3, 4), (7, 4, 5)], (7, 3, 5), {}, 7 * 60),
    ("MatMul", [(4,), (4,)], (), {}, 4),
    ("MatMulInteger", [(3, 4), (4, 5)], (3, 5), {}, 60),
    ("QLinearMatMul", [(3, 4), (), (), (4, 5), (), (), (), ()], (3, 5), {}, 60),
    ("Einsum", [(2, 3, 4), (2, 4, 5)], (2, 3, 5), {"equation": b"bij, bjk -> bik"}, 2 * 60),
    ("Einsum", [(2, 3, 4), (4, 5)], (2, 3, 5), {"equation": b"...ij,jk->...ik"}, 2 * 60),
    ("Einsum", [(3, 3)], (), {"equation": b"ii"}, 0),
    ("Attention", [(2, 8, 10, 16), (2, 8, 12, 16), (2, 8, 12, 20)], (2, 8, 10, 20), {}, 2 * 8 * 10 * 12 * 36),
    (
        "Attention",
        [(2, 10, 128), (2, 12, 128), (2, 12, 160)],
        (2, 10, 160),
        {"q_num_heads": 8, "kv_num_heads": 8},
        2 * 8 * 10 * 12 * 36,
    ),
    ("LSTM", [(7, 2, 5), (1, 12, 5), (1, 12, 3)], (7, 1, 2, 3), {}, 7 * 2 * (12 * 5 + 12 * 3)),
    ("Relu", [None], (), {}, 0),
    ("BatchNormalization", [(1, 3, 4, 4)], (1, 3, 4, 4), {}, 0),
]


@pytest.mark.parametrize(("operator", "inputs", "output", "attributes", "macs"), OPERATORS)
def test_operators_by_hand(operator: str, inputs: Any, output: Any, attributes: Any, macs: int) -> None:
    assert macs_of("", operator, Operator(inputs, [output], attributes)) == macs


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "macs"),
    [
        ("DynamicQuantizeLSTM", [(7, 2, 5), (1, 5, 12), (1, 3, 12)], (7, 1, 2, 3), 7 * 2 * (5 * 12 + 3 * 12)),
        ("Attention", [(2, 10, 64), (64, 192)], (2, 10, 64), 2 * 10 * 64 * 192 + 2 * 10 * 10 * 128),
        ("Attention", [(2, 10, 64), (64, 3 * 32 + 16)], (2, 10, 16), 2 * 10 * 64 * 112 + 2 * 10 * 10 * (48 + 16)),
        (
            "QAttention",
            [(1, 4, 64), (64, 192), None, None, None, None, None, None, (2, 1, 8, 6, 8)],
            (1, 4, 64),
            4 * 64 * 192 + 4 * 10 * 128,
        ),
        ("MultiHeadAttention", [(2, 10, 64), (2, 12, 64), (2, 12, 32)], (2, 10, 32), 2 * 10 * 12 * 96),
        ("MultiHeadAttention", [(2, 10, 64), (2, 8, 12, 8), (2, 8, 12, 4)], (2, 10, 32), 2 * 10 * 12 * 96),
    ],
)
def test_onnx_runtimes_own_operators_by_hand(operator: str, inputs: Any, output: Any, macs: int) -> None:
    assert macs_of("com.microsoft", operator, Operator(inputs, [output], {})) == macs


@pytest.mark.parametrize(
    ("domain", "operator", "inputs", "said"),
    [
        ("", "MatMul", [None, (4, 5)], "input 0 is not known"),
        ("", "Nonesuch", [], "no formula"),
        ("somebody", "Relu", [(1,)], "no formula"),
        ("com.microsoft", "GroupQueryAttention", [(1,)], "no formula"),
        ("", "Conv", [(1, 3), ()], "output 0 is not known"),
        ("", "LSTM", [(7, 2, 5), (1, 11, 5), (1, 12, 3)], "have shapes"),
        *(("", operator, [(1,)], "no formula") for operator in sorted(UNCOUNTED)),
    ],
)
def test_what_cannot_be_counted_says_why(domain: str, operator: str, inputs: Any, said: str) -> None:
    with pytest.raises(UncountableError, match=said):
        macs_of(domain, operator, Operator(inputs, [None], {}))


@given(
    st.sampled_from(["groups", "plain", "transposed"]),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 1),
    st.integers(5, 9),
)
@settings(max_examples=30, deadline=None)
def test_convolutions_count_as_in_torch(
    kind: str, width: int, batch: int, kernel: int, stride: int, padding: int, side: int
) -> None:
    groups = 2 if kind == "groups" else 1
    make = torch.nn.ConvTranspose2d if kind == "transposed" else torch.nn.Conv2d
    padding = min(padding, kernel // 2)
    layer = make(2 * width, 4, kernel, stride=stride, padding=padding, groups=groups)
    image = torch.zeros(batch, 2 * width, side, side)
    expected = torch_cost.macs_per_item(layer, image)
    with torch.no_grad():
        output = layer(image)
    operator = "ConvTranspose" if kind == "transposed" else "Conv"
    seen = Operator([tuple(image.shape), tuple(layer.weight.shape)], [tuple(output.shape)], {"group": groups})
    assert FORMULAS["", operator](seen) == expected


def test_quantised_weights_are_parameters_and_count_as_float_ones(tmp_path: Path) -> None:
    int8 = TensorProto.INT8
    inits = [weights("q", 4, 5, kind=int8), weights("s", 5), weights("z", 5, kind=int8)]
    nodes = [helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=1), PRODUCT]
    found = counted(tmp_path, model(*nodes, inits=inits), x=(3, 4))
    assert (found.parameters, found.macs, found.weight_bytes) == (20, 60, 20 + 20 + 5)
    assert found.activation_bytes == 0  # what follows from constants alone is none


def test_shapes_scalars_and_running_statistics_are_no_parameters(tmp_path: Path) -> None:
    inits = [*(weights(name, 4) for name in ("scale", "bias", "mean", "var")), weights("one")]
    inits.append(helper.make_tensor("shape", TensorProto.INT64, [2], [3, 4]))
    nodes = [
        helper.make_node("BatchNormalization", ["x", "scale", "bias", "mean", "var"], ["n"]),
        helper.make_node("Mul", ["n", "one"], ["m"]),
        helper.make_node("Reshape", ["m", "shape"], ["y"]),
    ]
    assert counted(tmp_path, model(*nodes, inits=inits), x=(3, 4)).parameters == 8


def test_a_shared_weight_counts_once_and_an_unused_one_not(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "v"], ["h"]), helper.make_node("MatMul", ["h", "v"], ["y"])]
    found = counted(tmp_path, model(*nodes, inits=[weights("v", 4, 4), weights("left", 9)]), x=(3, 4))
    assert (found.parameters, found.macs) == (16, 96)


def test_functions_of_the_model_are_written_out(tmp_path: Path) -> None:
    function = helper.make_function(
        "own",
        "Twice",
        ["a", "b"],
        ["d"],
        [helper.make_node("MatMul", ["a", "b"], ["d"])],
        [helper.make_opsetid("", 20)],
    )
    call = helper.make_node("Twice", ["x", "w"], ["y"], domain="own")
    assert counted(tmp_path, model(call, inits=[W], functions=[function]), x=(3, 4)).macs == 60


def endless() -> onnx.ModelProto:
    body = [helper.make_node("F", ["a"], ["b"], domain="own")]
    function = helper.make_function("own", "F", ["a"], ["b"], body, [helper.make_opsetid("own", 1)])
    return model(helper.make_node("F", ["x"], ["y"], domain="own"), functions=[function])


def laughing(levels: int = 10) -> onnx.ModelProto:
    functions = []
    for level in range(levels):
        called = ("Relu", "") if level == levels - 1 else (f"F{level + 1}", "own")
        names = ["a", *(f"t{i}" for i in range(9)), "b"]
        body = [helper.make_node(called[0], [names[i]], [names[i + 1]], domain=called[1]) for i in range(10)]
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
        functions.append(helper.make_function("own", f"F{level}", ["a"], ["b"], body, opsets))
    return model(helper.make_node("F0", ["x"], ["y"], domain="own"), functions=functions)


def branching() -> onnx.ModelProto:
    out = [helper.make_tensor_value_info("o", FLOAT, None)]
    then = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["o"])], "then", [], out)
    other = helper.make_graph([helper.make_node("Relu", ["x"], ["o"])], "else", [], out)
    node = helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    return model(node, inits=[W], inputs=[condition])


ODD: list[tuple[onnx.ModelProto | bytes, dict[str, tuple[int, ...]], str]] = [
    (b"", {}, "it has no graph"),
    (b"no model at all", {}, "not readable as ONNX"),
    (model(PRODUCT, inits=[W]).SerializeToString()[:60], {"x": (3, 4)}, "not readable as ONNX"),
    (model(PRODUCT, inits=[W]), {}, "the size of 'x' is not known"),
    (model(PRODUCT, inits=[W]), {"x": (3, 5)}, r"input 'x' has shape \['\?', 4\], not \[3, 5\]"),
    (model(PRODUCT, inits=[W]), {"x": (-1, 4)}, "not"),
    (model(PRODUCT, inits=[W]), {"z": (3, 4)}, r"it has no input 'z' \(it has: x\)"),
    (model(helper.make_node("Nonesuch", ["x"], ["y"])), {"x": (3, 4)}, "Nonesuch 'y': there is no formula"),
    (model(helper.make_node("Einsum", ["x"], ["y"], equation="0>")), {"x": (3, 4)}, "no equation: '0>'"),
    (endless(), {"x": (3, 4)}, "calls itself"),
    (laughing(), {"x": (3, 4)}, "10,000,000,000 nodes"),
    (branching(), {"x": (3, 4)}, "how often the MatMul inside it runs is not known"),
]


@pytest.mark.parametrize(("found", "shapes", "said"), ODD)
def test_odd_files_are_none_with_the_reason(
    found: onnx.ModelProto | bytes, shapes: dict[str, tuple[int, ...]], said: str, tmp_path: Path
) -> None:
    result = counted(tmp_path, found, **shapes)
    assert result.macs is None
    assert result.flops is None
    assert result.operational_intensity_flop_per_byte is None
    assert result.reason is not None
    assert "\n" not in result.reason
    assert re.search(said, result.reason)


def test_dimensions_of_minus_one_are_open(tmp_path: Path) -> None:
    assert counted(tmp_path, model(PRODUCT, inits=[W], shape=(-1, 4)), x=(3, 4)).macs == 60


def test_external_data_need_not_be_there(tmp_path: Path) -> None:
    large = model(PRODUCT, inits=[weights("w", 4, 500)])
    onnx.save(large, str(tmp_path / "m.onnx"), save_as_external_data=True, location="m.data", size_threshold=0)
    (tmp_path / "m.data").unlink()
    found = count(tmp_path / "m.onnx", {"x": (3, 4)})
    assert (found.parameters, found.macs, found.weight_bytes) == (2000, 6000, 8000)


def test_a_file_is_counted_in_another_process_with_the_same_result(tmp_path: Path) -> None:
    here = counted(tmp_path, model(PRODUCT, inits=[W]), x=(3, 4))
    assert complexity_of(tmp_path / "model.onnx", {"x": (3, 4)}) == here


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "counting it crashed (signal 11)"),
        ("while True: pass", "not counted within 1 s"),
        ("raise SystemExit('out of memory')", "counting it failed: out of memory"),
    ],
)
def test_a_file_that_ends_the_counting_process_ends_nothing_else(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.onnx").write_bytes(b"odd")
    (tmp_path / "python").write_text(f"#!/bin/sh\nexec {sys.executable} -S -c {shlex.quote(code)}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr("fixtures.onnx_cost.ask.TIMEOUT_S", 1.0)
    monkeypatch.setattr("fixtures.onnx_cost.ask.sys.executable", str(tmp_path / "python"))
    assert complexity_of(tmp_path / "odd.onnx", {}).reason == said


def test_a_missing_file_is_said() -> None:
    assert "No such file" in str(complexity_of(Path("/nowhere/x.onnx"), {}).reason)


def test_the_models_onnx_ships_are_all_counted() -> None:
    files = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data").rglob("*.onnx"))
    assert len(files) > 100
    results = {file: count(file, {}) for file in random.Random(0).sample(files, 100)}
    uncounted = {str(file): str(found.reason) for file, found in results.items() if found.macs is None}
    assert all("Gradient" in reason for reason in uncounted.values()), uncounted
