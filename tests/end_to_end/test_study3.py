"""Study 3's grid: what is measured by default, as published, and on a CPU to compare with."""

from pathlib import Path
from typing import Any

import pytest
from suite import ROOT

from benchmarks import test_gpu_precision as study
from fixtures.cells import matrix
from fixtures.cells.matrix import cells, grid_of
from fixtures.options import SuiteOptions
from fixtures.precisions import PRECISIONS
from fixtures.runtimes import runtimes
from tailgate.machine.cpus import usable_cpus

PUBLISHED_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512)
DOCS = (ROOT / "docs" / "suite" / "study3.md").read_text()


def asked(**changes: Any) -> SuiteOptions:
    return SuiteOptions(**{**vars(SuiteOptions(None, None, None, None, None, 224, "random")), **changes})


def grid(protocol: str | None = None, **changes: Any) -> Any:
    return grid_of(study.pytestmark.mark, protocol).with_options(asked(**changes))


@pytest.mark.parametrize("protocol", [None, "quick", "adaptive", "paper"])
def test_the_models_and_the_gpu_are_the_studys(protocol: str | None) -> None:
    found = grid(protocol)
    assert found.models == ("resnet18", "resnet50", "resnet101")
    assert found.devices == ("cuda:0",)
    assert set(found.runtimes) <= set(runtimes())


def test_by_default_all_precisions_at_a_batch_for_latency_and_one_for_throughput() -> None:
    assert grid("quick").precisions == PRECISIONS
    assert grid("quick").batch_sizes == (1, 32)


def test_the_paper_sweeps_batches_of_pytorch() -> None:
    found = grid("paper")
    assert found.batch_sizes == PUBLISHED_BATCHES
    assert "pytorch" in found.runtimes
    assert {"fp32", "tf32", "fp16", "int8"} == set(found.precisions)  # its FP32 let convolutions run in TF32


def test_every_gpu_cell_has_the_marker_and_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "impossible", lambda *cell: None)
    found = list(cells(grid("quick"), 224))
    names = {cell.id for cell in found}
    assert len(names) == len(found) == 3 * len(grid("quick").runtimes) * 5 * 2
    assert {"resnet50-pytorch-fp16-cuda0-b1", "resnet101-onnxruntime-int8-cuda0-b32"} < names
    assert all("gpu" in {mark.name for mark in cell.marks} for cell in found)


def test_the_same_cells_on_a_cpu_take_all_of_it() -> None:
    found = {cell.id: cell for cell in cells(grid("quick", devices=("cpu",), models=("resnet50",)), 224)}
    place = f"t{usable_cpus()}"
    assert {name.split("-")[-2] for name in found} == {place}
    for kind in ("pytorch-fp32", "pytorch-bf16", "onnxruntime-fp32", "onnxruntime-int8"):
        assert [mark.name for mark in found[f"resnet50-{kind}-{place}-b1"].marks] == ["preload"], kind
    (skipped,) = found[f"resnet50-pytorch-tf32-{place}-b1"].marks
    assert skipped.kwargs["reason"] == "pytorch tf32: tf32 is not a precision of a CPU"


@pytest.mark.parametrize(
    "word", ["--devices", "--device-memory-limit", "--flush-l2", "-m gpu", "--protocol=paper", "CUDA_VISIBLE_DEVICES"]
)
def test_what_can_be_typed_is_documented(word: str) -> None:
    assert word in DOCS


def test_the_page_says_what_was_not_seen() -> None:
    assert "## Seen on a GPU" in DOCS
    assert Path(study.__file__).name in DOCS
