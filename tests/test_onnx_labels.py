"""Labels of quantised ONNX files: the file's own, and that of what really runs."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from quantised_models import FLOATS, KINDS, const, in_a_branch, model, node, packed, weights_only

from fixtures.onnx_cost.count import count
from fixtures.onnx_cost.products import said
from fixtures.onnx_files.compare import difference
from fixtures.onnx_files.facts import Facts, facts_of
from fixtures.onnx_files.sessions import OrtFile, ort_precision, ort_values
from fixtures.runtimes._onnxruntime.graph import computed
from fixtures.runtimes._onnxruntime.options import session_options
from tailgate.results.precision_labels import arithmetic, labelled, narrow_weights


def saved(made: onnx.ModelProto, folder: Path) -> tuple[Path, Facts, dict[str, Any]]:
    (folder / "m.onnx").write_bytes(made.SerializeToString())
    given = made.graph.input[0].type.tensor_type
    shape = [size.dim_value for size in given.shape.dim]
    rng = np.random.default_rng(1)
    if given.elem_type == TensorProto.UINT8:
        return folder / "m.onnx", facts_of(made), {"x": rng.integers(0, 256, shape).astype(np.uint8)}
    return folder / "m.onnx", facts_of(made), {"x": rng.standard_normal(shape).astype(np.float32)}


def answer(path: Path, facts: Facts, feeds: dict[str, Any], **options: Any) -> Any:
    with OrtFile(path, facts, {}, 1, **options) as session:
        session.run(session.prepare(feeds))
        return session.outputs()[0].astype(np.float64)


def error_rel(one: Any, other: Any) -> float:
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


@pytest.mark.parametrize("kind", KINDS)
def test_a_files_label_is_of_what_its_products_multiply(kind: str, tmp_path: Path) -> None:
    make, wanted, *_ = KINDS[kind]
    path, facts, _ = saved(make(), tmp_path)
    assert said(count(path, {}).shares or {}, facts.precision) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_runtimes_label_is_of_what_ran(kind: str, tmp_path: Path) -> None:
    make, _, wanted, _ = KINDS[kind]
    path, facts, feeds = saved(make(), tmp_path)
    found, reason = ort_precision(path, facts, {}, feeds)
    assert (found.label, reason) == (wanted, None)
    assert sum(found.shares.values()) == pytest.approx(1)
    if "weights" in wanted:  # the label says floating point: so do the answers
        assert error_rel(answer(path, facts, feeds), answer(path, facts, feeds, optimized=False)) < 1e-6


@pytest.mark.parametrize("kind", [kind for kind, (*_, label) in KINDS.items() if label])
def test_openvinos_label_is_of_what_ran(kind: str, tmp_path: Path) -> None:
    from fixtures.onnx_files.openvino_file import OpenVinoFile

    make, stored, _, wanted = KINDS[kind]
    path, facts, feeds = saved(make(), tmp_path)
    with OpenVinoFile(path, facts, {name: array.shape for name, array in feeds.items()}, 1) as session:
        session.run(session.prepare(feeds))
        assert session.describe()["precision_compiled"] == wanted
        if arithmetic(stored) == "fp32" and kind != "mostly float":  # held to FP32, whatever its default is
            assert error_rel(session.outputs()[0], answer(path, facts, feeds, optimized=False)) < 1e-5


def test_openvino_says_which_share_it_does_not_tell(tmp_path: Path) -> None:
    from fixtures.onnx_files.openvino_file import OpenVinoFile

    path, facts, _ = saved(KINDS["plain"][0](), tmp_path)
    for macs, label, shares in (
        (4 * 64 * 64, "fp32", {"fp32": 1.0}),
        (6 * 64 * 64, "fp32", {"fp32": pytest.approx(2 / 3), "not told": pytest.approx(1 / 3)}),
        (9 * 64 * 64, None, {"fp32": pytest.approx(4 / 9), "not told": pytest.approx(5 / 9)}),
    ):
        with OpenVinoFile(path, facts, {"x": (4, 64)}, 1, macs) as session:
            described = session.describe()
        assert (described["precision_compiled"], described["precision_compiled_shares"]) == (label, shares)


@pytest.mark.parametrize(("bits", "block"), [(2, 16), (2, 32), (4, 32), (8, 16)])
def test_what_may_quantise_is_judged_by_its_answer(bits: int, block: int, tmp_path: Path) -> None:
    """Level 4 is a permission: in ONNX Runtime 1.31.1 blocks of 16 numbers of 2 bits stay in floating point."""
    path, facts, feeds = saved(packed(4, bits, block), tmp_path)
    assert said(count(path, {}).shares or {}, facts.precision) == f"fp32, weights int{bits}"
    found, _ = ort_precision(path, facts, {}, feeds)
    apart = error_rel(answer(path, facts, feeds), answer(path, facts, feeds, optimized=False))
    quantises = labelled("int8", f"int{bits}")
    assert (found.label, apart > 1e-3) in ((f"fp32, weights int{bits}", False), (quantises, True))


def test_the_shares_are_of_multiply_accumulates(tmp_path: Path) -> None:
    path, facts, feeds = saved(KINDS["mostly float"][0](), tmp_path)
    assert count(path, {}).shares == {"float": 262_144, "int8": 49_152}
    found, _ = ort_precision(path, facts, {}, feeds)
    assert found.shares == {"fp32": pytest.approx(262_144 / 311_296), "int8": pytest.approx(49_152 / 311_296)}


def test_weights_around_a_branch_are_seen(tmp_path: Path) -> None:
    path, _, _ = saved(in_a_branch(), tmp_path)
    assert count(path, {}).shares == {"float, weights int8": 0}


def test_weights_that_a_file_of_old_lists_as_inputs_need_no_values(tmp_path: Path) -> None:
    """ONNX Runtime keeps one of equal shapes, and leaves the others among the inputs."""
    nodes = [
        node("ConstantOfShape", ["one"], ["a"]), node("ConstantOfShape", ["other"], ["b"]),
        node("MatMul", ["x", "f"], ["c"]), node("Add", ["c", "a"], ["d"]), node("Add", ["d", "b"], ["y"]),
    ]  # fmt: skip
    made = model(nodes, [const("f", FLOATS), const("one", np.array([64])), const("other", np.array([64]))])
    for tensor in made.graph.initializer:
        made.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    made.ir_version, made.opset_import[0].version = 3, 9
    path, facts, feeds = saved(made, tmp_path)
    found, reason = ort_precision(path, facts, {}, feeds)
    assert (found.label, reason) == ("fp32", None)


def test_without_inputs_a_batch_of_zeros_is_run(tmp_path: Path) -> None:
    path, _, _ = saved(KINDS["quantised"][0](), tmp_path)
    assert computed(path, None, partial(session_options, 1, {})).label == "int8"


def test_what_is_given_as_ort_values_is_all_inputs(tmp_path: Path) -> None:
    _, facts, feeds = saved(weights_only(), tmp_path)
    assert list(ort_values(facts, feeds)) == ["x"]


@pytest.mark.parametrize(
    ("shares", "floating", "label"),
    [
        ({}, "fp32", None),
        ({"float": 0}, "fp16", "fp16"),
        ({"float": 10, "int8": 9}, "fp32", "fp32"),
        ({"float": 6, "float, weights int4": 5, "int8": 10}, "fp32", "fp32"),
        ({"float": 4, "float, weights int4": 5, "int8": 8}, "bf16", "bf16, weights int4"),
        ({"float": 10}, None, None),
        ({"int8, weights int4": 10}, None, "int8, weights int4"),
    ],
)
def test_most_of_the_work_is_the_label(shares: dict[str, int], floating: str | None, label: str | None) -> None:
    assert said(shares, floating) == label


def test_weights_of_few_bits_are_judged_as_what_ran() -> None:
    right = np.linspace(-1, 1, 50, dtype=np.float32)

    def found(error: float, precision: str | None, compiled: str | None) -> Any:
        return difference(["y"], [right * (1 + error)], [right], precision, compiled)

    stored = "fp32, weights int4"
    assert found(1e-4, stored, stored) == difference(["y"], [right * (1 + 1e-4)], [right], "fp32", "fp32")
    some = found(5e-3, stored, stored)
    assert (some.wrong, some.quantised) == (None, "int8, weights int4")
    assert "activations were quantised on the way" in some.notes[0]
    assert "relative error 0.1" in (found(0.1, stored, stored).wrong or ""), "no quantiser explains that"
    for compiled in ("int8, weights int4", "int8"):
        assert (found(0.1, stored, compiled).wrong, found(5e-3, stored, compiled).quantised) == (None, None)
    assert "relative error" in (found(5e-3, "fp32", "fp32").wrong or "")
    assert (found(5e-3, None, "fp32, weights int8").wrong, found(5e-3, None, "fp32, weights int8").quantised) == (
        None,
        None,
    )


@pytest.mark.parametrize(
    ("label", "parts"),
    [("fp32", ("fp32", None)), ("fp32, weights int4", ("fp32", "int4")), (None, (None, None)), (3, (None, None))],
)
def test_a_label_has_two_parts(label: Any, parts: tuple[str | None, str | None]) -> None:
    assert (arithmetic(label), narrow_weights(label)) == parts
