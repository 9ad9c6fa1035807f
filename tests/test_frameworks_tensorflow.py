"""TensorFlow on small real models: the right answer, channels last, one pool, silence; and how models are converted."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from framework_sessions import Sessions, make_onnx, sessions
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.artifacts import artifact
from fixtures.child import REFUSED, convert_in_child, converted
from fixtures.models import models
from fixtures.runtimes import UnsupportedError, runtimes
from fixtures.runtimes._convert.tensorflow import channels_last
from fixtures.workloads.workload import Workload

CELLS = [("resnet18", 64, 2)]


@pytest.fixture(scope="module")
def found() -> Sessions:
    make_onnx(CELLS)
    return sessions("tensorflow", CELLS, 1, ["torch", "onnx2tf", "tf_keras"])


def test_it_answers_as_pytorch_does(found: Sessions) -> None:
    cell = found.cells["resnet18-b2"]
    assert cell["kept"]
    assert cell["described"]["precision_compiled"] == "fp32"
    assert cell["described"]["memory_format"] == "channels_last"
    assert cell["compile_s"] > 0


def test_one_thread_is_one_thread(found: Sessions) -> None:
    assert found.cells["resnet18-b2"]["described"]["threads_set"] == 1
    assert found.cells["resnet18-b2"]["seen"] in (0, 1, None)


def test_another_thread_count_in_the_same_process_is_refused(found: Sessions) -> None:
    assert found.other_threads == ("TensorFlow's pool has 1 threads where 2 were asked for: it is made once a process")


def test_it_says_nothing_and_brings_no_converter(found: Sessions) -> None:
    assert found.stderr == ""
    assert found.imported == []
    assert found.begin["rss_import_bytes"] > 1e7


@pytest.mark.parametrize("precision", ["bf16", "fp16", "int8", "tf32"])
def test_other_precisions_are_refused_with_a_reason(precision: str) -> None:
    reason = runtimes()["tensorflow"].supports("cpu", precision)
    assert reason is not None
    assert "\n" not in reason


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_channels_go_last_and_nothing_else_moves(shape: list[int]) -> None:
    items = np.arange(np.prod(shape)).reshape(shape)
    moved = items.transpose(channels_last(tuple(shape)))
    assert np.array_equal(moved, items if len(shape) < 3 else np.moveaxis(items, 1, -1))


CONVERTER = """
import os, signal, sys
from pathlib import Path
from fixtures.runtimes import UnsupportedError
from fixtures.child import answer

def work(request):
    print("converters narrate")
    Path("scratch.txt").write_text("left in the scratch folder")
    how = request["how"]
    if how == "unknown":
        raise ValueError("no such operator\\nand its traceback")
    if how == "refused":
        raise UnsupportedError("too odd")
    if how == "leaves":
        sys.exit(1)
    if how == "memory":
        raise MemoryError
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    Path(request["folder"], "model.bin").write_text("made")
    return {"facts": how}

answer(work)
"""


@pytest.fixture
def converter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "odd_converter.py").write_text(CONVERTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path / "cache"))
    return "odd_converter"


def test_what_a_converter_writes_is_kept_and_nothing_else(converter: str, tmp_path: Path) -> None:
    made = artifact("fine", {}, lambda folder: convert_in_child(converter, {"how": "fine"}, folder))
    assert made.facts == {"facts": "fine"}
    assert list(made.sha256) == ["model.bin"]
    assert not [left for left in (tmp_path / "cache").iterdir() if left.name.startswith(".")]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("unknown", "ValueError: no such operator and its traceback"),
        ("refused", "too odd"),
        ("leaves", "SystemExit: 1"),
    ],
)
def test_a_model_that_cannot_be_converted_is_found_out_once(converter: str, how: str, reason: str) -> None:
    tries = []

    def make(folder: Path) -> dict:
        tries.append(folder)
        return convert_in_child(converter, {"how": how}, folder)

    for _ in range(2):
        made = artifact("odd", {"how": how}, make)
        with pytest.raises(UnsupportedError, match=f"^the tool cannot convert it: {reason}"):
            converted(made, "the tool")
    assert len(tries) == 1
    assert made.file(REFUSED).read_text().startswith(reason)


@pytest.mark.parametrize(("how", "reason"), [("memory", "status 1: MemoryError"), ("killed", "status -9")])
def test_a_converter_that_dies_says_nothing_of_the_model(converter: str, tmp_path: Path, how: str, reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        artifact("died", {"how": how}, lambda folder: convert_in_child(converter, {"how": how}, folder))
    assert not list((tmp_path / "cache").glob("died-*/manifest.json"))


def test_beside_tensorflow_weights_are_made_in_another_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Importing torchvision after TensorFlow aborts the process."""
    here = Workload(models()["mlp"], 224, "random").weights()
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    monkeypatch.setattr("fixtures.workloads.workload.make_weights", None)
    workload = Workload(models()["mlp"], 200, "random")  # not kept in memory: the mlp's is the same at every size
    assert workload.weights().facts == here.facts
    assert np.array_equal(workload.reference(), np.load(here.file("reference.npy")))


def test_a_package_is_found_by_the_name_it_is_imported_by(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("importlib.util.find_spec", asked.append)
    reason = runtimes()["tensorflow"].missing()
    assert "onnx_graphsurgeon" in asked
    assert reason is not None
    assert "pip install tensorflow tf-keras onnx2tf onnx-graphsurgeon" in json.dumps(reason)
