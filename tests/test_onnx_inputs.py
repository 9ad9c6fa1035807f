"""Shapes and values of inputs: from the file, from what is asked, else the documented defaults."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_models import conv, matmul, model, one_node, text

from fixtures.config_file.input_spec import Asked, AskedInput, asked_from
from fixtures.onnx_files.batch import fixed_batch
from fixtures.onnx_files.compare import difference
from fixtures.onnx_files.facts import Facts, Port, facts_of
from fixtures.onnx_files.input_arrays import arrays, numpy_dtype
from fixtures.onnx_files.openvino_file import OpenVinoFile
from fixtures.onnx_files.sessions import OrtFile
from fixtures.onnx_files.shapes import Resolved, resolve
from fixtures.runtimes import UnsupportedError
from tailgate.errors import TailgateError


def resolved(
    *ports: Port, layers: list[tuple[str, Asked]] | None = None, batch: int = 1, typed: bool = False
) -> Resolved:
    return resolve(ports, layers or [], batch, batch_typed=typed)


def facts(*ports: Port, vocabularies: dict[str, int] | None = None) -> Facts:
    return Facts(ports, (), 17, None, None, None, (), vocabularies or {})


@pytest.mark.parametrize(
    ("shape", "dtype", "becomes"),
    [
        ((2, 3), "float", (2, 3)),
        ((), "float", ()),
        ((0, 4), "float", (0, 4)),
        (("batch", 3, "height", "width"), "float", (1, 3, 224, 224)),
        ((None, 3, None, None), "float", (1, 3, 224, 224)),
        ((None, None, None, 3), "float", (1, 224, 224, 3)),
        ((None, 1, "unk__5", "unk__6"), "uint8", (1, 1, 224, 224)),
        (("N", "C", "H", "W"), "float", (1, 3, 224, 224)),
        (("batch_size", "sequence_length"), "int64", (1, 128)),
        (("batch", "heads", "past_sequence_length", 64), "float", (1, 1, 0, 64)),
        (("sequence", "batch", 32), "float", (128, 1, 32)),
        ((None, 10), "float", (1, 10)),
        ((None,), "float", (1,)),
        ((7, "anything"), "float", (7, 1)),
    ],
)
def test_defaults(shape: tuple[Any, ...], dtype: str, becomes: tuple[int, ...]) -> None:
    found = resolved(Port("x", dtype, shape))
    assert found.shapes == {"x": becomes}
    assert found.weakest == ("default" if None in shape or any(isinstance(dim, str) for dim in shape) else "model")


def test_a_sum_of_symbols_is_their_sum() -> None:
    past, mask = Port("past", "float", ("batch", "past_length", 8)), Port("m", "int64", ("batch", "past_length + 4"))
    found = resolved(past, mask, layers=[("yaml", Asked({"past_length": 12}))])
    assert found.shapes == {"past": (1, 12, 8), "m": (1, 16)}


def test_a_symbol_has_one_size_in_all_inputs() -> None:
    ports = [Port("a", "float", ("batch", "n_seq")), Port("b", "float", ("n_seq", "batch"))]
    found = resolved(*ports, layers=[(".info", Asked(inputs={"a": AskedInput((2, 9))}))])
    assert found.shapes == {"a": (2, 9), "b": (9, 2)}


def test_yaml_before_info_before_defaults_and_the_command_lines_batch_before_all() -> None:
    port = Port("x", "int64", ("batch", "sequence", "other"))
    layers = [("yaml", Asked({"batch": 2, "sequence": 16})), (".info", Asked({"sequence": 64, "other": 5}))]
    found = resolved(port, layers=layers)
    assert (found.shapes["x"], found.sources["x"], found.batch) == ((2, 16, 5), ".info", 2)
    assert resolved(port, layers=layers, batch=8, typed=True).shapes["x"] == (8, 16, 5)
    assert resolved(port, batch=4).batch == 4


def test_what_cannot_be_is_not_done_but_said() -> None:
    layers = [(".info", Asked(inputs={"x": AskedInput((1, 4, 9)), "y": AskedInput((1,))}))]
    found = resolved(Port("x", "float", ("batch", 3, 9)), layers=layers)
    assert found.shapes == {"x": (1, 3, 9)}
    assert found.warnings == [
        ".info: the model has no input 'y' (it has: x)",
        ".info: input 'x' cannot be [1, 4, 9], the file has [batch, 3, 9]; the file's shape is used",
    ]


def test_not_even_the_number_of_dimensions() -> None:
    with pytest.raises(UnsupportedError, match=r"'x' does not say how many dimensions it has; give its shape in \."):
        resolved(Port("x", "float", None))
    asked = [("yaml", Asked(inputs={"x": AskedInput((2, None, "sequence"))}))]
    assert resolved(Port("x", "float", None), layers=asked).shapes == {"x": (2, 1, 128)}


def test_weights_that_are_listed_as_inputs_are_not_inputs() -> None:
    assert [port.name for port in facts_of(matmul()).inputs] == ["x"]


def test_items_of_a_fixed_batch_are_counted_only_of_images() -> None:
    assert fixed_batch([Port("x", "float", (8, 3, 32, 32))]).size == 8
    assert fixed_batch([Port("x", "float", (8, 30))]).size is None
    assert fixed_batch([]).size == 1


TYPES = [
    name.lower()
    for name, _ in TensorProto.DataType.items()
    if name not in ("UNDEFINED", "STRING", "COMPLEX64", "COMPLEX128")
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TYPES), st.lists(st.integers(0, 5), max_size=4))
def test_every_numeric_type_and_shape_is_made_and_seeded(dtype: str, shape: list[int]) -> None:
    port = Port("x", dtype, tuple(shape))
    made, again = (arrays(facts(port), {"x": tuple(shape)}, [])[0]["x"] for _ in range(2))
    assert made.shape == tuple(shape)
    assert made.dtype == numpy_dtype(dtype)
    assert made.tobytes() == again.tobytes()
    if dtype in ("int16", "uint16", "int32", "uint32", "int64", "uint64"):
        assert set(made.ravel().tolist()) <= {0, 1}
    if "float" in dtype and "e8m0" not in dtype:
        assert np.isfinite(made.astype(np.float64)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(-300, 300), st.integers(1, 600), st.sampled_from(["int64", "uint8", "int8", "int32", "float"]))
def test_ranges_are_kept(low: int, width: int, dtype: str) -> None:
    asked = [("yaml", Asked(inputs={"x": AskedInput(low=low, high=low + width)}))]
    made = arrays(facts(Port("x", dtype, (50,))), {"x": (50,)}, asked)[0]["x"].astype(np.float64)
    least, most = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype != "float" else (-1e9, 1e9)
    if low + width > least and low <= most and low + width - 1 >= least:
        assert made.min() >= max(low, least) - 1e-4
        assert made.max() <= min(low + width - (dtype != "float"), most) + 1e-4


def test_tokens_are_below_the_rows_of_the_table_they_look_up_and_masks_are_ones() -> None:
    found = facts_of(text())
    assert found.vocabularies == {"input_ids": 1000}
    made, _ = arrays(found, {"input_ids": (1, 500), "attention_mask": (1, 500)}, [])
    assert 500 < made["input_ids"].max() < 1000
    assert set(made["attention_mask"].ravel()) == {1}
    lower, _ = arrays(found, {"input_ids": (1, 500), "attention_mask": (1, 5)}, [("yaml", Asked(high=7))])
    assert lower["input_ids"].max() == 6


def test_inputs_beyond_2_gib_are_refused_before_they_are_made() -> None:
    with pytest.raises(UnsupportedError, match="its inputs would take more than 2 GiB: 'x' is 100000x100000 float"):
        arrays(facts(Port("x", "float", (100_000, 100_000))), {"x": (100_000, 100_000)}, [])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"imputs": {}}, "f: unknown key 'imputs'; did you mean 'inputs'"),
        ({"inputs": []}, r"f: inputs: \[\] is not a mapping"),
        ({"inputs": {"x": {"shap": [1]}}}, "f: inputs.x: unknown key 'shap'; did you mean 'shape'"),
        ({"inputs": {"x": {"shape": 3}}}, r"f: inputs.x.shape: 3 is not a list of sizes, such as \[1, 3, 224, 224\]"),
        ({"inputs": {"x": [1, -2]}}, r"f: inputs.x.shape\[1\]: -2 is out of range"),
        ({"inputs": {"x": [True]}}, r"f: inputs.x.shape\[0\]: True is not a whole number"),
        ({"dims": {"batch": 1.5}}, "f: dims.batch: 1.5 is not a whole number"),
        ({"high": 0}, "f: high: 0 is out of range"),
        ({"inputs": {"x": {"low": 3, "high": 3}}}, "f: inputs.x: low 3 is not below high 3"),
        ({"inputs": {"x": {"dtype": 7}}}, "f: inputs.x.dtype: 7 is not the name of an element type"),
    ],
)
def test_wrong_wishes_are_one_line(values: dict[str, Any], said: str) -> None:
    with pytest.raises(TailgateError, match=said):
        asked_from(values, "f")


def scaled_half() -> onnx.ModelProto:
    """Its only constant is one float32."""
    nodes = [
        helper.make_node("Constant", [], ["c"], value_float=2.0),
        helper.make_node("Cast", ["c"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Mul", ["x", "h"], ["y"]),
    ]
    weights = {"unused": np.array(1, np.float32)}
    return model(nodes, [("x", TensorProto.FLOAT16, [2])], [("y", TensorProto.FLOAT16, [2])], weights)


@pytest.mark.parametrize(
    ("made", "precision"),
    [
        (conv(), "fp32"),
        (one_node("Relu", TensorProto.FLOAT16), "fp16"),
        (one_node("Relu", TensorProto.BFLOAT16), "bf16"),
        (one_node("Relu", TensorProto.DOUBLE), None),
        (one_node("Abs", TensorProto.INT32), None),
        (one_node("DynamicQuantizeLinear"), "int8"),
        (scaled_half(), "fp16"),
    ],
)
def test_the_precision_is_the_files_own(made: onnx.ModelProto, precision: str | None) -> None:
    found = facts_of(made)
    assert found.precision == precision
    assert (found.precision_reason is None) == (precision is not None)


@pytest.mark.parametrize("dtype", ["float", "double", "float16", "bfloat16", "int64", "uint8", "bool"])
def test_onnx_runtime_takes_what_is_made(dtype: str, tmp_path: Any) -> None:
    element = TensorProto.DataType.Value(dtype.upper())
    nodes = [helper.make_node("Identity", ["x"], ["z"]), helper.make_node("Identity", ["z"], ["y"])]
    made = model(nodes, [("x", element, [2, 3])], [("y", element, ["a", "b"])], opset=21, ir_version=10)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    found = facts_of(made)
    feeds, _ = arrays(found, {"x": (2, 3)}, [])
    with OrtFile(tmp_path / "m.onnx", found, {}, 1) as session:
        prepared = session.prepare(feeds)
        session.run(prepared)
        session.fix_outputs()
        session.run(prepared)
        (output,) = session.outputs()
    assert output.tobytes() == feeds["x"].tobytes()


@pytest.mark.parametrize("dtype", ["float", "float16", "bfloat16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("operators", [("Identity",), ("Dropout",), ("Abs", "Neg")])
def test_openvino_takes_what_is_made(dtype: str, operators: tuple[str, ...], tmp_path: Any) -> None:
    """Also a graph that does nothing, whose output is its input."""
    if operators[0] != "Identity" and dtype in ("bool", "uint8", "int64"):
        operators = ("Identity", "Identity")
    element, names = TensorProto.DataType.Value(dtype.upper()), ["x", "y", "z"][: len(operators) + 1]
    nodes = [
        helper.make_node(operator, [first], [second])
        for operator, first, second in zip(operators, names, names[1:], strict=False)
    ]
    shape = [2, "n" if dtype == "int64" else 3]
    made = model(nodes, [("x", element, shape)], [(names[-1], element, shape)], opset=17)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    found = facts_of(made)
    feeds, _ = arrays(found, {"x": (2, 3)}, [])
    with OpenVinoFile(tmp_path / "m.onnx", found, {"x": (2, 3)}, 1) as session:
        prepared = session.prepare(feeds)
        session.run(prepared)
        (output,) = session.outputs()
    expected = -np.abs(feeds["x"]) if operators[0] == "Abs" else feeds["x"]
    assert output.astype(np.float64).tolist() == expected.astype(np.float64).tolist()


def test_a_wrong_answer_is_told_from_rounding() -> None:
    right = np.linspace(-1, 1, 50, dtype=np.float32)
    assert difference(["y"], [right * (1 + 1e-6)], [right], "fp32").wrong is None
    assert "relative error 0.01" in (difference(["y"], [right * 1.01], [right], "fp32").wrong or "")
    assert difference(["y"], [right * 1.01], [right], "fp16").wrong is None
    assert difference(["y"], [right * 1.01], [right], "int8").wrong is None
    assert "has shape (1,)" in (difference(["y"], [right[:1]], [right], "fp32").wrong or "")
    holes = np.where(right > 0.5, np.nan, right)
    assert "NaN" in (difference(["y"], [holes], [right], "fp32").wrong or "")
    assert difference(["y"], [holes], [holes], "fp32").error_rel == 0
    assert difference(["y"], [right], [holes], "fp32").wrong is None  # the reference itself is beyond judging
    assert difference(["y"], [right], [holes], "fp32").notes
    half = right.astype(np.float16)
    assert difference(["y"], [half * np.float16(1.004)], [half], "fp32").wrong is None  # a cast rounded otherwise
    assert difference(["y"], [np.array(["a"])], [np.array(["b"])], "fp32").notes
    parts = difference(["y"], [[right, right]], [[right, right * 2]], "fp32")
    assert "'y[1]'" in (parts.wrong or "")
