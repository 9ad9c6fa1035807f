"""Study 4 end to end, as a user runs it: files of a folder (good, odd and bad), and the suite's own 32 models."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import conv, data_dependent, external, matmul, model, one_node, save, text
from quantised_models import packed
from suite import Outcome, suite

from fixtures.export_command.modelgauge import ENTRIES
from fixtures.onnx_cost import count
from fixtures.onnx_files import cost_fields, results, sources
from fixtures.onnx_files.cost_fields import FIELDS, complexity_fields
from fixtures.onnx_files.info import Info
from fixtures.onnx_files.results import write
from fixtures.onnx_files.scan import Found
from fixtures.onnx_files.sources import Source

pytestmark = pytest.mark.end_to_end

BACKEND = Path(onnx.__file__).parent / "backend/test/data"
SAMPLE = (
    "simple/test_expand_shape_model1", "simple/test_gradient_of_add", "simple/test_sequence_model1",
    "simple/test_sequence_model4", "simple/test_sequence_model6", "simple/test_sequence_model8", "simple/test_shrink",
    "simple/test_single_relu_model", "simple/test_strnorm_model_monday_empty_output",
    "pytorch-operator/test_operator_pow",
    "pytorch-operator/test_operator_repeat_dim_overflow", "pytorch-operator/test_operator_non_float_params",
    "pytorch-converted/test_Embedding", "pytorch-converted/test_Conv3d_groups", "pytorch-converted/test_MaxPool1d",
)  # fmt: skip
"""Of what the onnx package tests backends with."""
FEW = ("--rounds=5", "--warmup-rounds=1", "--benchmark-max-time=0.01", "--meters=cpu")


def sequence_output() -> onnx.ModelProto:
    made = one_node("SequenceConstruct")
    made.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None))
    return made


def sequence_input() -> onnx.ModelProto:
    made = one_node("SequenceLength")
    made.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [2]))
    return made


def dynamic_output() -> onnx.ModelProto:
    node = helper.make_node("NonZero", ["x"], ["y"])
    return model([node], [("x", TensorProto.FLOAT, ["batch", 4])], [("y", TensorProto.INT64, None)])


def quantised() -> onnx.ModelProto:
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])
    outputs = [("y", TensorProto.UINT8, [2, 3]), ("scale", TensorProto.FLOAT, []), ("zero", TensorProto.UINT8, [])]
    return model([node], [("x", TensorProto.FLOAT, [2, 3])], outputs)


def no_input() -> onnx.ModelProto:
    node = helper.make_node("RandomUniform", [], ["y"], shape=[3])
    return model([node], [], [("y", TensorProto.FLOAT, [3])])


def unknown_operator() -> onnx.ModelProto:
    made = one_node("NoSuchOperator", domain="com.nobody")
    made.opset_import.append(helper.make_opsetid("com.nobody", 1))
    return made


def wrong_opset() -> onnx.ModelProto:
    made = one_node("Relu")
    made.opset_import[0].version = 999
    return made


ODD: dict[str, Callable[[], onnx.ModelProto]] = {
    "random": lambda: one_node("RandomNormalLike"), "nans": lambda: one_node("Log"),
    "sequence-output": sequence_output, "sequence-input": sequence_input,
    "dynamic-output": dynamic_output, "no-input": no_input, "unknown-operator": unknown_operator,
    "wrong-opset": wrong_opset, "old": matmul,
    "fixed-images": lambda: one_node("Relu", shape=[4, 3, 8, 8]),
    "half": lambda: one_node("Relu", TensorProto.FLOAT16), "double": lambda: one_node("Relu", TensorProto.DOUBLE),
    "strings": lambda: one_node("StringNormalizer", TensorProto.STRING),
    "nothing": lambda: one_node("Relu", shape=[0, 4]),
    "quantised": quantised, "a name with spaces": lambda: one_node("Relu"),
    "narrow": lambda: packed(4), "rows-that-are-there": data_dependent,
}  # fmt: skip


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    for name, make in ODD.items():
        save(make(), folder / f"{name}.onnx")
    whole = conv().SerializeToString()
    (folder / "empty.onnx").write_bytes(b"")
    (folder / "truncated.onnx").write_bytes(whole[:-40])
    (folder / "text.onnx").write_text("this is not a model\n")
    (folder / "huge.onnx").write_bytes(whole)
    os.truncate(folder / "huge.onnx", 2**31 + 1)
    (folder / "broken.onnx").symlink_to("nowhere")
    (folder / "circle").symlink_to(folder)
    (folder / "twice.onnx").symlink_to("half.onnx")
    external(folder / "escapes", "/etc/passwd")
    external(folder / "beside")
    (folder / "beside/weights.bin").write_bytes(bytes(256))
    save(one_node("Relu"), folder / "badinfo.onnx")
    (folder / "badinfo.info").write_text('{"accuracy": }')
    for name in SAMPLE:
        place = folder / "backend" / Path(name).name
        place.mkdir(parents=True)
        shutil.copy(BACKEND / name / "model.onnx", place / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def odd(odd_folder: Path) -> tuple[Outcome, dict[str, Any], Path]:
    out = odd_folder.parent / "odd-results"
    saved = odd_folder.parent / "odd.json"
    outcome = suite(
        "-k", "test_onnx_profiles", "--onnx-dir", str(odd_folder), f"--results={out}", f"--benchmark-json={saved}", *FEW
    )
    assert outcome.code == 0, outcome.text
    return outcome, json.loads(saved.read_text()), out


def said_of(run: dict[str, Any]) -> dict[str, str]:
    """The status or the reason by model."""
    found = {row["extra_info"]["model"]: "measured" for row in run["benchmarks"]}
    for entry in run["unmeasured"]:
        name = entry["fullname"].partition("[")[2].removesuffix("-onnxruntime-t1]")
        assert entry["status"] == "unsupported", entry
        found[name] = entry["reason"]
    return found


def test_every_file_is_measured_or_has_its_reason(odd: tuple[Outcome, dict[str, Any], Path], odd_folder: Path) -> None:
    _, run, _ = odd
    said = said_of(run)
    there = {str(file.relative_to(odd_folder).with_suffix("")) for file in odd_folder.rglob("*.onnx")}
    assert set(said) == {name for name in there if name not in ("twice",) and not name.startswith("circle")}
    assert all("\n" not in reason for reason in said.values())
    beginnings = {
        "empty": "the file is empty", "truncated": "truncated: field 7", "text": "not an ONNX file",
        "huge": "2,147,483,649 bytes in one file", "broken": "a broken link", "strings": "input 'x' holds strings",
        "sequence-input": "input 'x' is a sequence", "wrong-opset": "opset 999: onnx", "nans": "measured",
        "unknown-operator": "onnxruntime does not load it: ", "escapes/outside": "external data '/etc/passwd' is",
        "beside/outside": "measured", "old": "measured", "random": "measured", "sequence-output": "measured",
        "dynamic-output": "measured", "no-input": "measured", "nothing": "measured", "double": "measured",
        "narrow": "measured", "rows-that-are-there": "measured",
        "half": "measured", "quantised": "measured", "badinfo": "measured", "a name with spaces": "measured",
        "backend/test_sequence_model1/model": "measured", "backend/test_Embedding/model": "measured",
        "backend/test_strnorm_model_monday_empty_output/model": "input 'x' holds strings",
        "backend/test_gradient_of_add/model": "onnxruntime does not load it: ",
    }  # fmt: skip
    for name, beginning in beginnings.items():
        assert said[name].startswith(beginning), (name, said[name])


def test_what_is_odd_is_said_in_the_row(odd: tuple[Outcome, dict[str, Any], Path]) -> None:
    outcome, run, _ = odd
    rows = {row["extra_info"]["model"]: row["extra_info"] for row in run["benchmarks"]}

    def warned(name: str) -> str:
        return " | ".join(rows[name]["warnings"])

    assert "not compared, RandomNormalLike answers differently each time" in warned("random")
    assert rows["random"]["output_error_rel"] is None
    assert "outputs with NaN or infinity: y" in warned("nans")
    assert rows["nans"]["output_error_rel"] == 0
    assert "badinfo.info: not JSON: Expecting value (line 1, column 14)" in warned("badinfo")
    assert "precision: most of its floating-point values are double" in warned("double")
    assert rows["double"]["precision"] is None
    assert (rows["half"]["precision"], rows["quantised"]["precision"]) == ("fp16", "int8")
    assert rows["narrow"]["precision"] == "fp32, weights int4"
    assert rows["narrow"]["precision_compiled"] in ("int8, weights int4", "fp32, weights int4")
    assert list(rows["narrow"]["precision_compiled_shares"]) == [rows["narrow"]["precision_compiled"]]
    assert "on the shapes of one run with these inputs" in rows["rows-that-are-there"]["flops_counter"]
    assert rows["rows-that-are-there"]["macs"] is not None
    assert (rows["fixed-images"]["batch_size"], rows["fixed-images"]["items_per_call"]) == (4, 4)
    assert [one["name"] for one in rows["old"]["inputs"]] == ["x"]
    assert rows["no-input"]["inputs"] == []
    assert rows["sequence-output"]["io_binding"] is False
    assert rows["dynamic-output"]["inputs"][0]["shape"] == [1, 4]
    beside = rows["beside/outside"]
    assert beside["model_bytes"] > 256
    assert beside["model_sha256"] != rows["old"]["model_sha256"]
    assert outcome.lines("--onnx-dir: twice is the same file as half, which is measured once")


def test_each_model_has_a_result_file_whatever_became_of_it(odd: tuple[Outcome, dict[str, Any], Path]) -> None:
    _, run, out = odd
    files = [json.loads(file.read_text()) for file in out.iterdir()]
    by_model = {content["model"]: content for content in files}
    assert len(by_model) == len(files) == len(run["benchmarks"]) + len(run["unmeasured"])
    (cell,) = by_model["old"]["cells"]
    (row,) = [row for row in run["benchmarks"] if row["extra_info"]["model"] == "old"]
    assert cell["rounds_s"] == row["stats"]["data"]
    assert (cell["mean_s"], cell["stddev_s"]) == (row["stats"]["mean"], row["stats"]["stddev"])
    assert (cell["status"], cell["reason"], cell["rounds"]) == (row["extra_info"]["status"], None, 5)
    (cell,) = by_model["empty"]["cells"]
    assert (cell["status"], cell["reason"]) == ("unsupported", "the file is empty (0 bytes)")
    assert (cell["rounds_s"], cell["median_s"]) == ([], None)
    assert by_model["badinfo"]["info_warnings"]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Two runtimes, a YAML file, .info files."""
    folder = tmp_path_factory.mktemp("three")
    save(conv(), folder / "models/conv.onnx")
    save(text(), folder / "models/sub/text.onnx")
    save(matmul(), folder / "models/fixed.onnx")
    (folder / "models/sub/text.info").write_text(
        json.dumps({"accuracy": 0.9, "dims": {"sequence": 7}, "inputs": {"input_ids": {"high": 3}}, "tags": ["t"]})
    )
    (folder / "c.yaml").write_text(
        f"onnx-dir: {folder / 'models'}\nruntimes: [onnxruntime, openvino]\nrounds: 5\nwarmup-rounds: 1\n"
        f"batch-sizes: 2\nonnx:\n  dims: {{height: 8}}\n  models:\n    conv: {{dims: {{width: 9}}}}\n"
    )
    outcome = suite(
        "-k", "test_onnx_profiles", f"--config={folder / 'c.yaml'}", f"--benchmark-json={folder / 'o.json'}",
        f"--csv={folder / 'o.csv'}",
    )  # fmt: skip
    assert outcome.code == 0, outcome.text
    run = json.loads((folder / "o.json").read_text())
    assert {entry["reason"] for entry in run["unmeasured"]} == {
        "the file leaves no batch open (x [4, 8]), so --batch-sizes=2 cannot be had"
    }
    return {row["param"]: row["extra_info"] for row in run["benchmarks"]}


def test_both_runtimes_measure_the_same_thing(three: dict[str, dict[str, Any]]) -> None:
    assert sorted(three) == [
        "conv-onnxruntime-t1-b2", "conv-openvino-t1-b2", "sub/text-onnxruntime-t1-b2", "sub/text-openvino-t1-b2",
    ]  # fmt: skip
    for runtime in ("onnxruntime", "openvino"):
        image, tokens = three[f"conv-{runtime}-t1-b2"], three[f"sub/text-{runtime}-t1-b2"]
        assert image["inputs"] == [
            {"name": "x", "shape": [2, 3, 8, 9], "dtype": "float", "source": "made up", "shape_source": "yaml",
             "values_source": "made up"},
        ]  # fmt: skip
        assert image["batch_source"] == "command line (dimension 'batch' of input 'x')"
        assert {one["name"]: one["shape"] for one in tokens["inputs"]} == {
            "input_ids": [2, 7], "attention_mask": [2, 7],
        }  # fmt: skip
        for row in (image, tokens):
            assert row["output_error_rel"] < 1e-5
            assert (row["threads"], row["threads_set"], row["batch_size"], row["items_per_call"]) == (1, 1, 2, 2)
            assert row["study"] == "onnx-profiles"
            assert row["precision"] == "fp32"
        assert (tokens["info_accuracy"], tokens["info"]) == (0.9, {"tags": ["t"]})


@pytest.mark.parametrize(
    "field",
    [
        "study", "model", "runtime", "runtime_version", "precision", "precision_compiled", "device", "threads",
        "batch_size", "items_per_call", "phase", "load_s", "first_call_s", "model_sha256", "model_bytes", "opset",
        "producer", "onnx_file", "inputs", "input_source", "status", "warnings", "protocol", "cpu_utilization",
    ],
)  # fmt: skip
def test_every_field_is_there(three: dict[str, dict[str, Any]], field: str) -> None:
    assert three["conv-onnxruntime-t1-b2"][field] is not None


def test_nothing_that_can_be_measured_is_exit_5(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    outcome = suite("-k", "test_onnx_profiles", f"--onnx-dir={tmp_path}", "--runtimes=onnxruntime,pytorch")
    assert outcome.code == 5
    assert outcome.lines("pytorch does not read ONNX files .those that do: onnxruntime, openvino")


def test_a_result_file_that_is_not_ours_is_not_written_over(tmp_path: Path) -> None:
    source = Source("m", "m", found=Found("m", "m", tmp_path / "m.onnx", "m.onnx"))
    write(tmp_path, source, {"name": "one", "status": "ok"})
    write(tmp_path, source, {"name": "two", "status": "ok"})
    write(tmp_path, source, {"name": "one", "status": "timeout"})
    content = json.loads((tmp_path / "m.json").read_text())
    assert {cell["name"]: cell["status"] for cell in content["cells"]} == {"one": "timeout", "two": "ok"}
    for text_there in ("{}", "not JSON", json.dumps({results.MARK: 99})):
        (tmp_path / "m.json").write_text(text_there)
        with pytest.raises(OSError, match="is not written over"):
            write(tmp_path, source, {"name": "one"})
        assert (tmp_path / "m.json").read_text() == text_there


SMALL = next(entry for entry in ENTRIES if entry.name == "mobilenet_v2_w0.2-32px")


class Entry:
    name = "tiny-32px"
    image_size = 32

    def __init__(self, file: Path) -> None:
        self._file = file

    def onnx_file(self) -> Path:
        return save(conv(), self._file)

    def info(self) -> dict[str, Any]:
        return {"parameters": 216, "macs": 5, "flops_counter": "test", "family": "cnn"}


def test_the_suites_own_models_are_exported_when_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ENTRIES", (Entry(tmp_path / "m.onnx"),))
    (source,) = sources.own_sources()
    assert (source.name, source.kind, source.problem, source.relative) == (
        "tiny-32px", "modelgauge", None, "tiny-32px.onnx",
    )  # fmt: skip
    assert not (tmp_path / "m.onnx").exists()
    assert source.file().path == tmp_path / "m.onnx"
    assert source.info() == Info({"parameters": 216, "macs": 5, "flops_counter": "test", "family": "cnn"})
    assert source.known()["macs"] == 5


def test_the_suites_own_models_wait_until_their_study_is_named():
    everything = suite("--collect-only", "-q", "--models=resnet50")
    assert not everything.lines(r"test_onnx_profiles\[")
    assert everything.lines("Left out: 32 x test_onnx_profiles, .*only with: pytest benchmarks/test_onnx_profiles.py")
    assert not suite("--collect-only", "-q", "-k", "resnet50").lines("test_onnx_profiles")
    named = suite("--collect-only", "-q", "--models=resnet50", within="benchmarks/test_onnx_profiles.py")
    assert len(named.lines(r"test_onnx_profiles\[resnet50-\d+px-onnxruntime-t1\]")) == 3


def refuse(*_: Any) -> Any:
    raise AssertionError("counted again")


def test_what_the_export_counted_is_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_fields, "complexity_of", refuse)
    known = {**dict.fromkeys(FIELDS, 7), "complexity_reason": None}
    found = cost_fields.complexity(Path("m.onnx"), {}, 1, known)
    assert complexity_fields(found, 1, known) == (dict.fromkeys(FIELDS, 7), [])
    with pytest.raises(AssertionError, match="counted again"):
        cost_fields.complexity(Path("m.onnx"), {}, 4, known)  # bytes are of a run, and this one has four items


def test_an_exports_facts_are_counted_once_and_then_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SMALL.info()
    monkeypatch.setattr(count, "count", refuse)
    assert SMALL.info() == first
