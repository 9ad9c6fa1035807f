"""Every wish of ``.info`` and YAML is honoured, or warned about by name; the batch is known, or said not to be."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from onnx_models import conv, model

from fixtures.config_file.input_spec import Asked, AskedInput, asked_from
from fixtures.config_file.onnx_section import OnnxWishes
from fixtures.onnx_files.batch import batch_axes
from fixtures.onnx_files.expressions import expression
from fixtures.onnx_files.facts import Facts, Port
from fixtures.onnx_files.graph import valued
from fixtures.onnx_files.input_arrays import arrays, numpy_dtype, value_sources
from fixtures.onnx_files.shapes import Resolved, made_up, resolve
from fixtures.runtimes import UnsupportedError


def asked(**inputs: Any) -> Asked:
    return asked_from({"inputs": inputs}, "f")


def resolved(*ports: Port, info: Asked | None = None, yaml: Asked | None = None, typed: int | None = None,
             axes: dict[str, int] | None = None, valued: list[str] | None = None) -> Resolved:  # fmt: skip
    layers = [("yaml", yaml or Asked()), (".info", info or Asked())]
    return resolve(ports, layers, typed or 1, batch_typed=typed is not None, axes=axes, valued=valued or [])


X = Port("x", "float", ("batch", 256))


@pytest.mark.parametrize(
    ("info", "yaml", "typed", "batch", "source"),
    [
        (None, None, None, 1, "default (dimension 'batch' of input 'x')"),
        (asked(x=[64, 256]), None, None, 64, ".info (dimension 'batch' of input 'x')"),
        (asked(x=[64, 256]), asked(x=[32, None]), None, 32, "yaml (dimension 'batch' of input 'x')"),
        (Asked({"batch": 16}), None, None, 16, ".info (dimension 'batch' of input 'x')"),
        (Asked(items=8), None, None, 8, ".info (dimension 'batch' of input 'x')"),
        (asked(x=["n", 256]), Asked({"n": 5}), None, 5, "yaml (dimension 'batch' of input 'x')"),
        (asked(x=[64, 256]), Asked({"batch": 16}), 4, 4, "command line (dimension 'batch' of input 'x')"),
    ],
)
def test_an_open_batch_has_the_size_that_closes_it(
    info: Asked | None, yaml: Asked | None, typed: int | None, batch: int, source: str
) -> None:
    found = resolved(X, info=info, yaml=yaml, typed=typed)
    assert (found.shapes["x"], found.batch, found.batch_source) == ((batch, 256), batch, source)


P = Port
BATCHES: list[tuple[tuple[Port, ...], dict[str, int], int | None]] = [
    ((P("x", "float", (None, 10)),), {}, 4),
    ((P("x", "float", ("s0", 10)), P("m", "float", (1, "s0"))), {}, None),  # the same size elsewhere: no batch by place
    ((P("a", "float", ("seq", "batch", 8)), P("b", "float", ("batch", 3))), {}, 4),
    ((P("a", "float", (None, "batch", 8)),), {}, 4),
    ((P("a", "float", (None, None, 64)),), {"a": 1}, 4),  # an LSTM reads it
    ((P("a", "float", (None, 224, 224, 3)),), {}, 4),
    ((P("a", "float", ("batch*heads", 8)), P("b", "float", ("batch", 8))), {}, 4),
    ((P("a", "float", None),), {}, 4),
]  # fmt: skip


@pytest.mark.parametrize(("ports", "axes", "batch"), BATCHES)
def test_the_command_lines_batch_goes_where_the_batch_is(
    ports: tuple[Port, ...], axes: dict[str, int], batch: int | None
) -> None:
    info = asked(a=[1, 9]) if ports[0].shape is None else None
    found = resolved(*ports, typed=4, axes=axes, info=info)
    assert found.open_batch == (batch is not None)
    if batch is not None:
        assert found.batch == batch
        assert sum(shape.count(4) for shape in found.shapes.values()) == len([p for p in ports if "s0" not in str(p)])


@pytest.mark.parametrize(
    ("shape", "axis", "batch", "source"),
    [
        ((8, 3, 32, 32), None, 8, "an image"),
        ((8, 32, 32, 3), None, 8, "an image"),
        ((1, 128), None, 1, "the first dimension of input 'x' is 1"),
        ((16000,), None, 1, "no input has more than one dimension"),
        ((8, 64, 7, 7), 0, 8, "what reads it has its batch there"),
        ((50, 8, 64), 1, 8, "dimension 1"),
        (("seq", 64), None, 1, "the first dimension of input 'x' is 1"),
        ((64, 256), None, None, "not known"),
    ],
)
def test_a_fixed_batch_is_known_or_said_not_to_be(
    shape: tuple[Any, ...], axis: int | None, batch: int | None, source: str
) -> None:
    found = resolved(P("x", "float", shape), axes={} if axis is None else {"x": axis})
    assert (found.batch, found.open_batch) == (batch, False)
    assert source in found.batch_source
    assert any("which dimension counts the items is not known" in text for text in found.warnings) == (batch is None)


def test_somebody_who_knows_can_say_how_many_items_a_fixed_call_has() -> None:
    found = resolved(P("x", "float", (64, 256)), info=Asked(items=64))
    assert (found.batch, found.batch_source, found.warnings) == (64, ".info", [])
    wrong = resolved(P("x", "float", (8, 3, 32, 32)), info=Asked(items=64))
    assert (wrong.batch, len(wrong.warnings)) == (8, 1)


def test_what_reads_an_input_tells_its_batch() -> None:
    lstm = model(
        [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), helper.make_node("Cast", ["t"], ["c"], to=1),
         helper.make_node("LSTM", ["c", "w", "r"], ["y"], hidden_size=4)],
        [("x", 1, [None, None, 3])], [("y", 1, None)],
        {"w": np.zeros((1, 16, 3), np.float32), "r": np.zeros((1, 16, 4), np.float32)},
    )  # fmt: skip
    assert batch_axes(lstm) == {"x": 0}
    assert batch_axes(conv()) == {"x": 0}


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (asked(x=[1, 2, 3]),
         ".info: input 'x' cannot be [1, 2, 3], the file has [batch, 256]; the file's shape is used"),
        (asked(z=[1]), ".info: the model has no input 'z' (it has: x)"),
        (asked(w=[1]), ".info: input 'w' has its value in the file (an initializer) and keeps it"),
        (Asked({"bathc": 3}), ".info: no input has an open dimension 'bathc' (there are: batch)"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_warned_about_by_name(info: Asked, said: str) -> None:
    assert resolved(X, info=info, valued=["w"]).warnings == [said]


def test_two_sizes_for_one_symbol() -> None:
    found = resolved(X, P("y", "float", ("batch", 3)), info=asked(x=[2, 256], y=[9, 3]))
    assert found.shapes == {"x": (2, 256), "y": (2, 3)}
    assert found.warnings == [".info: input 'y' asks for batch = 9; input 'x' has made it 2"]


def test_inputs_with_a_value_in_the_file() -> None:
    made = model([helper.make_node("Add", ["x", "w"], ["y"])], [("x", 1, [2]), ("w", 1, [2])], [("y", 1, [2])],
                 {"w": np.ones(2, np.float32)})  # fmt: skip
    assert valued(made) == ["w"]


def test_a_later_pattern_adds_to_an_earlier_one() -> None:
    wishes = OnnxWishes(Asked({"seq": 4}), {"*": asked(x=[2, 3]), "be*": asked(x={"high": 9}), "gpt*": Asked()})
    assert wishes.of("bert").inputs == {"x": AskedInput((2, 3), high=9)}
    assert wishes.of("bert").general == {"seq"}
    assert wishes.unmatched(["bert"]) == ["gpt*"]


@pytest.mark.parametrize(
    ("text", "sizes", "size"),
    [
        ("seq - 1", {"seq": 128}, 127),
        ("2*seq", {"seq": 5}, 10),
        ("2*s77 + 3", {"s77": 4}, 11),
        ("floor(seq/2)", {"seq": 9}, 4),
        ("((s0 - 1)//2) + 1", {"s0": 8}, 4),
        ("seq*heads", {"seq": 3, "heads": 4}, 12),
        ("past_sequence_length + sequence_length", {"past_sequence_length": 0, "sequence_length": 8}, 8),
        ("Max(1, s0.1)", {"s0.1": 7}, 7),
        ("Mod(s0, 4)", {"s0": 7}, 3),
        ("CeilToInt(IntTrueDiv(s0, 2))", {"s0": 7}, 4),
        ("s0**2", {"s0": 3}, 9),
        ("seq - 200", {"seq": 128}, None),
        ("seq / 3", {"seq": 128}, None),
        ("seq // zero", {"seq": 128, "zero": 0}, None),
    ],
)
def test_dimensions_that_follow_from_others(text: str, sizes: dict[str, int], size: int | None) -> None:
    found = expression(text, [])
    assert found is not None
    assert set(found.names) == set(sizes)
    assert found.size(sizes) == size


@pytest.mark.parametrize(
    "text", ["batch", "unk__5", "batch-size", "n/a", "?", "", "1", "x y", "a.b:0", "f(x)", "__import__('os')",
             "seq + 批", "1e5e", "((((" * 40, "lambda: 1", "x if y else z", "a" * 300],
)  # fmt: skip
def test_names_that_are_no_sum(text: str) -> None:
    assert expression(text, []) is None


@given(st.integers(1, 9), st.integers(-20, 20), st.integers(30, 500))
def test_a_size_given_to_what_follows_gives_the_symbol_its_own(factor: int, more: int, size: int) -> None:
    ports = [P("x", "float", ("b", "seq")), P("d", "float", ("b", f"{factor}*seq + {more}" if more >= 0 else
                                                             f"{factor}*seq - {-more}"))]  # fmt: skip
    found = resolved(*ports, info=asked(d=[1, factor * size + more]))
    assert (found.shapes["x"], found.shapes["d"], found.warnings) == ((1, size), (1, factor * size + more), [])


def test_a_size_that_cannot_follow_is_said() -> None:
    ports = [P("x", "float", ("b", "seq")), P("d", "float", ("b", "2*seq"))]
    found = resolved(*ports, info=asked(x=[1, 5], d=[1, 9]))
    assert found.shapes == {"x": (1, 5), "d": (1, 10)}
    assert found.warnings == [".info: input 'd' asks for '2*seq' = 9; it is 10 with seq = 5"]
    with pytest.raises(UnsupportedError, match="dimension 'seq - 200' is no size with seq = 128; give sizes"):
        resolved(P("x", "float", ("b", "seq - 200")))
    assert made_up(resolved(*ports)) == (
        " (sizes made up by Tailgate: b = 1, seq = 128, 2*seq = 256; give others in .info or --config)"
    )


def values(dtype: str, wish: dict[str, Any], shape: tuple[int, ...] = (200,)) -> tuple[np.ndarray, list[str]]:
    facts = Facts((Port("x", dtype, shape),), (), 17, None, None, None, (), {})
    found, said = arrays(facts, {"x": shape}, [(".info", asked(x=wish))])
    assert found["x"].dtype == numpy_dtype(dtype)
    return found["x"].astype(np.float64), said


@pytest.mark.parametrize(
    ("dtype", "wish", "least", "most"),
    [
        ("bool", {"low": 0, "high": 1}, 0, 0),
        ("bool", {"low": 1, "high": 2}, 1, 1),
        ("bool", {"low": 1}, 1, 1),
        ("bool", {"high": 1}, 0, 0),
        ("bool", {"low": 0, "high": 2}, 0, 1),
        ("int64", {"low": 5}, 5, 6),
        ("int64", {"high": -3}, -4, -4),
        ("int4", {"low": -2, "high": 3}, -2, 2),
        ("uint2", {"low": 1}, 1, 3),
        ("uint64", {"low": 7, "high": 8}, 7, 7),
        ("float16", {"low": 3, "high": 4}, 3, 4),
        ("bfloat16", {"high": -1}, -2, -1),
        ("float8e4m3fn", {"low": 1, "high": 2}, 1, 2),
        ("float4e2m1", {"low": -1, "high": 1}, -1, 1),
        ("double", {"low": 1e300 / 1e290}, 1e10, 1e10 + 1),
    ],
)
def test_low_and_high_of_every_type(dtype: str, wish: dict[str, Any], least: float, most: float) -> None:
    made, said = values(dtype, wish)
    assert (made.min() >= least, made.max() <= most, said) == (True, True, [])


@pytest.mark.parametrize(
    ("dtype", "wish", "said"),
    [
        ("bool", {"low": 3, "high": 9}, "input 'x' is bool and cannot be from 3 and below 9"),
        ("uint8", {"low": -5, "high": 900}, "input 'x' is uint8: from -5 and below 900 is 0 to 255"),
        ("uint8", {"high": -5}, "input 'x' is uint8 and cannot be below -5"),
        ("int32", {"low": 0.2, "high": 0.8}, "input 'x' is int32 and cannot be from 0.2 and below 0.8"),
        ("float16", {"low": 0, "high": 1e6}, "input 'x' is float16: from 0 and below 1e+06 is 0 to 65504"),
        ("float8e4m3fn", {"low": 1000}, "input 'x' is float8e4m3fn and cannot be from 1000"),
        ("int64", {"dtype": "int32"}, "input 'x' is int64 in the file, not int32"),
    ],
)
def test_what_the_type_cannot_hold_is_said(dtype: str, wish: dict[str, Any], said: str) -> None:
    made, warnings = values(dtype, wish)
    assert len(warnings) == 1
    assert said in warnings[0]
    assert np.isfinite(made).all()


@pytest.mark.parametrize("name", ["float32", "float", "torch.float32", "np.float32"])
def test_other_peoples_names_of_types(name: str) -> None:
    assert values("float", {"dtype": name})[1] == []


def test_values_are_made_up_unless_somebody_said_otherwise() -> None:
    facts = Facts((Port("x", "float", (2,)), Port("i", "int64", (2,))), (), 17, None, None, None, (), {})
    assert value_sources(facts, [("yaml", asked(x={"low": 0}))]) == {"x": "yaml", "i": "made up"}
    assert value_sources(facts, [("yaml", Asked()), (".info", Asked(high=9))]) == {"x": "made up", "i": ".info"}


def test_ends_of_two_sources_that_are_no_range() -> None:
    facts = Facts((Port("x", "float", (9,)),), (), 17, None, None, None, (), {})
    made, said = arrays(facts, {"x": (9,)}, [("yaml", asked(x={"low": 10})), (".info", asked(x={"high": 5}))])
    assert said == [".info: input 'x': 10 to 5 is no range; from 10 is used"]
    assert made["x"].min() >= 10
