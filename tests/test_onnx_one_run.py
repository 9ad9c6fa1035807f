"""MACs that no shapes tell are counted in one run; those that nobody has a formula for stay unknown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import data_dependent

from fixtures.onnx_cost.ask import OnnxComplexity
from fixtures.onnx_cost.count import count
from fixtures.onnx_files.facts import facts_of
from fixtures.onnx_files.reference import from_one_run, reference_of

W = numpy_helper.from_array(np.eye(8, dtype=np.float32), "w")


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def model(nodes: Sequence[onnx.NodeProto], inits: Sequence[onnx.TensorProto] = (), opset: int = 20) -> onnx.ModelProto:
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 8])]
    answer = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(list(nodes), "g", given, answer, list(inits))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def int64(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def loop(times: int) -> onnx.ModelProto:
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("MatMul", ["before", "w"], ["after"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("before", TensorProto.FLOAT, [4, 8])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("after", TensorProto.FLOAT, [4, 8])],
    )  # fmt: skip
    times_ = numpy_helper.from_array(np.int64(times), "times")
    return model([node("Loop", ["times", "", "x"], ["y"], body=body)], [W, times_])


def branch() -> onnx.ModelProto:
    """Only one of the branches multiplies, and it is the other one that runs."""
    then, other = (
        helper.make_graph([made], "g", [], [helper.make_tensor_value_info(made.output[0], TensorProto.FLOAT, [4, 8])])
        for made in (node("MatMul", ["x", "w"], ["t"]), node("Identity", ["x"], ["e"]))
    )
    no = numpy_helper.from_array(np.bool_(False), "no")
    return model([node("If", ["no"], ["y"], then_branch=then, else_branch=other)], [W, no])


def resized_grid() -> onnx.ModelProto:
    """Of AffineGrid, which multiplies matrices, nobody has a formula."""
    theta = numpy_helper.from_array(np.zeros((1, 2, 3), np.float32), "theta")
    nodes = [node("AffineGrid", ["theta", "size"], ["g"]), node("ReduceMax", ["g"], ["m"], keepdims=0),
             node("Add", ["x", "m"], ["y"])]  # fmt: skip
    return model(nodes, [theta, int64("size", 1, 1, 4, 4)])


def counted(made: onnx.ModelProto, folder: Path) -> tuple[OnnxComplexity, OnnxComplexity]:
    """From shapes alone, and completed by a run."""
    (folder / "m.onnx").write_bytes(made.SerializeToString())
    feeds = {"x": np.array([[1.0] * 8] * 3 + [[-1.0] * 8], np.float32)}
    alone = count(folder / "m.onnx", {})
    found = reference_of(folder / "m.onnx", facts_of(made), {}, feeds, count=True)
    assert found.counted is not None
    return alone, from_one_run(alone, found.counted)


@pytest.mark.parametrize(
    ("made", "macs", "shares"),
    [
        (data_dependent(), 3 * 64 * 2, {"float": 3 * 64 * 2}),
        (loop(7), 7 * 4 * 64, {"float": 7 * 4 * 64}),
        (loop(0), 0, {"float": 0}),
        (branch(), 0, {"float": 0}),
    ],
    ids=["rows that are there", "seven times", "never", "the other branch"],
)
def test_what_one_run_multiplied(made: onnx.ModelProto, macs: int, shares: dict[str, int], tmp_path: Path) -> None:
    alone, found = counted(made, tmp_path)
    assert alone.macs is None
    assert (found.macs, found.shares) == (macs, shares)
    assert "on the shapes of one run with these inputs, onnxruntime" in found.counter
    assert "macs: " not in (found.reason or "")
    assert "io_bytes: " not in (found.reason or "")
    assert found.io_bytes is not None
    assert found.parameters == alone.parameters == 64


def test_what_has_no_formula_stays_unknown(tmp_path: Path) -> None:
    alone, found = counted(resized_grid(), tmp_path)
    assert found.macs is None
    assert "AffineGrid 'g': there is no formula for it" in (found.reason or "")
    assert found.counter == alone.counter


def test_a_run_that_fails_counts_nothing(tmp_path: Path) -> None:
    made = data_dependent()
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    found = reference_of(tmp_path / "m.onnx", facts_of(made), {}, {"x": np.zeros((4, 9), np.float32)}, count=True)
    assert (found.outputs, found.counted) == (None, None)
    assert found.warnings[0].startswith("output_error_rel: not compared, ONNX Runtime without optimisations")


def test_a_random_model_is_counted_and_not_compared(tmp_path: Path) -> None:
    made = data_dependent()
    made.graph.node.insert(0, node("RandomNormalLike", ["x"], ["noise"]))
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    found = reference_of(tmp_path / "m.onnx", facts_of(made), {}, {"x": np.ones((4, 8), np.float32)}, count=True)
    assert found.counted is not None
    assert (found.outputs, found.counted.macs) == (None, 4 * 64 * 2)
    assert "RandomNormalLike answers differently each time" in found.warnings[0]


def test_weights_beside_the_file_are_found(tmp_path: Path) -> None:
    made = data_dependent()
    (tmp_path / "model").mkdir()
    onnx.save(made, tmp_path / "model" / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    found = reference_of(
        tmp_path / "model" / "m.onnx", facts_of(made), {}, {"x": np.ones((4, 8), np.float32)}, count=True
    )
    assert found.counted is not None, found.warnings
    assert found.counted.macs == 4 * 64 * 2


def test_weights_behind_the_links_of_a_hugging_face_cache_are_found(tmp_path: Path) -> None:
    """Of a model given as bytes ONNX Runtime refuses links out of its folder."""
    place, blobs = tmp_path / "models--acme--tiny/snapshots/01/onnx", tmp_path / "models--acme--tiny/blobs"
    place.mkdir(parents=True)
    blobs.mkdir()
    made = data_dependent()
    facts = facts_of(made)
    onnx.save(made, place / "m.onnx", save_as_external_data=True, location="m.onnx_data", size_threshold=0)
    for name, blob in (("m.onnx", "ab"), ("m.onnx_data", "cd")):
        (place / name).rename(blobs / blob)
        (place / name).symlink_to(f"../../../blobs/{blob}")
    found = reference_of(place / "m.onnx", facts, {}, {"x": np.ones((4, 8), np.float32)}, count=True)
    assert found.counted is not None, found.warnings
    assert found.counted.macs == 4 * 64 * 2
