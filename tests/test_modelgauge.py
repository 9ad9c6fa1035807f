"""Study 4's 32 models: which they are, and one of them made for real."""

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest
from suite import ROOT

from fixtures.cells.matrix import impossible
from fixtures.export_command.modelgauge import ENTRIES, Entry
from fixtures.models import models
from fixtures.precisions import agreement

SMALL = next(entry for entry in ENTRIES if entry.name == "mobilenet_v2_w0.2-32px")
KEYS = {
    "name", "family", "variant", "image_size", "parameters", "macs", "flops", "flops_counter", "opset", "model_sha256",
    "onnx_bytes", "parameters_onnx", "macs_onnx", "macs_onnx_counter", "weight_bytes", "activation_bytes", "io_bytes",
    "operational_intensity_flop_per_byte", "complexity_reason",
}  # fmt: skip


def test_there_are_thirty_two_with_names_of_their_own() -> None:
    assert len(ENTRIES) == len({entry.name for entry in ENTRIES}) == 32
    assert Counter(entry.image_size for entry in ENTRIES) == {32: 10, 128: 10, 224: 11, 256: 1}
    assert len({(entry.family, entry.variant) for entry in ENTRIES}) == 12
    assert len({entry.family for entry in ENTRIES}) == 7


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_a_model_of_the_suite_that_takes_its_size(entry: Entry) -> None:
    assert models()[entry.model].refuses(entry.image_size) is None
    assert entry.name == f"{entry.model}-{entry.image_size}px"


def test_naming_them_imports_no_framework() -> None:
    code = (
        "import fixtures.export_command.command, fixtures.onnx_cost.ask, sys; "
        "print([n for n in ('torch', 'torchvision', 'timm', 'onnx', 'onnxruntime', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("width", "parameters"), [(0.2, 1_471_336), (0.4, 1_770_728), (0.6, 2_217_000), (0.8, 2_792_488)]
)
def test_narrow_mobilenets_are_torchvisions(width: float, parameters: int) -> None:
    import torch

    from fixtures.workloads.torch_cost import parameters as count

    with torch.device("meta"):
        assert count(models()[f"mobilenet_v2_w{width}"].build(224)) == parameters


def test_an_entry_made_for_real() -> None:
    file, info = SMALL.onnx_file(), SMALL.info()
    assert set(info) == KEYS
    assert json.loads(json.dumps(info)) == info
    assert (info["parameters"], info["macs"], info["flops"]) == (1_471_336, 1_965_968, 2 * 1_965_968)
    assert info["macs_onnx"] == info["macs"]
    assert info["onnx_bytes"] == file.stat().st_size
    assert info["complexity_reason"] is None
    opsets = {opset.domain: opset.version for opset in onnx.load(str(file)).opset_import}
    assert opsets[""] == info["opset"]


def test_parameters_of_the_file_are_torchs_less_the_folded_batch_norms() -> None:
    import torch

    info = SMALL.info()
    norms = [layer for layer in SMALL.workload().module().modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert info["parameters"] - info["parameters_onnx"] == sum(layer.num_features for layer in norms)


@pytest.mark.parametrize("batch", [1, 4])
def test_onnx_runtime_answers_as_torch(batch: int) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(SMALL.onnx_file()), providers=["CPUExecutionProvider"])
    items = SMALL.workload().check_inputs()
    outputs = [session.run(None, {"input": items[start : start + batch]})[0] for start in range(0, len(items), batch)]
    assert agreement(np.concatenate(outputs), SMALL.workload().reference()).error_rel < 1e-4


def test_weights_are_made_anew_when_their_own_family_changes_and_not_for_another() -> None:
    from fixtures.workloads.workload import _model_files

    assert _model_files(models()[SMALL.model]) == ["models/_base", "models/mobilenet_widths", "models/torchvision"]
    assert _model_files(models()["mlp"]) == ["models/_base", "models/mlp"]


def test_without_timm_its_cells_are_skipped_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    found: Any = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "timm" else found(name))
    said = "model mobilevit_s needs timm; install with: pip install timm"
    assert models()["mobilevit_s"].missing() == said
    assert impossible("mobilevit_s", "pytorch", "fp32", 256) == said
    assert impossible("resnet18", "pytorch", "fp32", 256) is None
