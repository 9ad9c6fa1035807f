"""Cells of a GPU: how they come into being, what they are called, who selects them, and how one runs out of memory."""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import ROOT, suite

from fixtures.cells import gpu, matrix
from fixtures.cells.matrix import Grid, cells, grid_of, impossible, pytest_tailgate_expected
from fixtures.devices.options import DeviceWishes, set_wishes, wishes
from fixtures.inference import fixture
from fixtures.inference.out_of_memory import forget
from fixtures.onnx_files import cells as onnx_cells
from fixtures.options import OPTIONS, SuiteOptions, device_wishes
from tailgate.errors import TailgateError
from tailgate.session.protocol import PRESETS
from tailgate.session.settings import SETTINGS, Settings

OWN = {
    "name": "study", "models": ["resnet50"], "runtimes": ["pytorch"], "precisions": ["fp32"], "threads": [1, 2],
    "batch_sizes": [8],
}  # fmt: skip
SMI = """#!/bin/sh
echo "0, NVIDIA L4, 580.1, 8.9, 30.1, 0"
"""
NO_DRIVER = """#!/bin/sh
echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
exit 9
"""


def machine(folder: Path, script: str) -> dict[str, str]:
    """Environment of a machine whose ``nvidia-smi`` this is."""
    smi = folder / "bin" / "nvidia-smi"
    smi.parent.mkdir(exist_ok=True)
    smi.write_text(script)
    smi.chmod(0o755)
    return {"PATH": f"{smi.parent}{os.pathsep}{os.environ['PATH']}", "CUDA_VISIBLE_DEVICES": "0"}


def marker(**changes: object) -> pytest.Mark:
    return pytest.mark.study(**{**OWN, **changes}).mark


def found(grid: Grid) -> dict[str, list[str]]:
    """Names of each cell's marks by its id."""
    return {cell.id: [mark.name for mark in cell.marks] for cell in cells(grid, 224)}


def test_a_study_without_devices_runs_on_the_cpu_under_the_ids_it_had() -> None:
    assert found(grid_of(marker(), None)) == {
        "resnet50-pytorch-fp32-t1-b8": ["preload"],
        "resnet50-pytorch-fp32-t2-b8": ["preload"],
    }


def test_a_gpus_cell_has_its_number_for_the_threads_and_the_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "impossible", lambda *cell: None)
    grid = grid_of(marker(devices=["cpu", "cuda"], precisions=["fp16"]), None)
    assert found(grid) == {
        "resnet50-pytorch-fp16-t1-b8": ["preload"],
        "resnet50-pytorch-fp16-t2-b8": ["preload"],
        "resnet50-pytorch-fp16-cuda0-b8": ["gpu", "preload"],
    }
    values = [cell.values for cell in cells(grid, 224)]
    assert values[-1] == ("resnet50", "pytorch", "fp16", 1, 8, "cuda:0")


@given(
    devices=st.lists(st.sampled_from(["cpu", "cuda:0", "cuda:1", "cuda:10"]), min_size=1, unique=True),
    threads=st.lists(st.integers(1, 64), min_size=1, max_size=4, unique=True),
    batches=st.lists(st.integers(1, 512), min_size=1, max_size=4, unique=True),
)
def test_every_place_is_measured_once_under_its_own_name(
    devices: list[str], threads: list[int], batches: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(matrix, "impossible", lambda *cell: None)
        grid = Grid(("mlp",), ("pytorch",), ("fp32",), tuple(threads), tuple(batches), tuple(devices))
        names = found(grid)
    gpus = [device for device in devices if device != "cpu"]
    places = len(gpus) + (len(threads) if "cpu" in devices else 0)
    assert len(names) == places * len(batches)
    assert sum("gpu" in marks for marks in names.values()) == len(gpus) * len(batches)


def test_a_flushed_cache_is_another_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "impossible", lambda *cell: None)
    before = wishes()
    try:
        set_wishes(DeviceWishes(flush_l2=True))
        assert list(found(grid_of(marker(devices=["cpu", "cuda:1"], threads=[1]), None))) == [
            "resnet50-pytorch-fp32-t1-b8",
            "resnet50-pytorch-fp32-cuda1-b8-l2flush",
        ]
    finally:
        set_wishes(before)


def test_an_absent_gpu_comes_before_every_other_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "absent", lambda device: "no NVIDIA GPU" if device == "cuda:0" else None)
    assert impossible("resnet50", "openvino", "tf32", 224, "cuda:0") == "no NVIDIA GPU"
    assert str(impossible("resnet50", "openvino", "tf32", 224, "cuda:1")).startswith("openvino tf32: ")
    assert found(grid_of(marker(devices=["cuda:0"]), None)) == {"resnet50-pytorch-fp32-cuda0-b8": ["gpu", "skip"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"devices": ["gpu"]}, "study marker 'study': unknown device 'gpu'; did you mean 'cuda:0'?"),
        ({"runtimes": ["pytroch"]}, "study marker 'study': unknown runtime 'pytroch'; did you mean 'pytorch'?"),
        ({"models": ["resnet5"]}, "study marker 'study': unknown model 'resnet5'; did you mean 'resnet50'?"),
        ({"precisions": ["fp23"]}, "study marker 'study': unknown precision 'fp23'; did you mean 'fp32'?"),
    ],
)
def test_a_study_names_what_there_is(changes: dict[str, object], said: str) -> None:
    with pytest.raises(TailgateError) as refused:
        grid_of(marker(**changes), None)
    assert str(refused.value).startswith(said)


SAVED = {
    "study": "study", "model": "resnet50", "runtime": "pytorch", "precision": "fp16", "threads": 1, "batch_size": 1,
    "image_size": 224, "weights": "random", "protocol": "quick", "device": "cuda:0", "l2_flushed": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "flush", "changes", "expected"),
    [
        ({}, False, {}, None),
        ({"devices": ("cuda:0",)}, False, {}, None),
        ({"devices": ("cpu",)}, False, {}, False),
        ({"devices": ("cuda:0",)}, False, {"device": "cpu"}, False),
        ({"threads": (4,)}, False, {}, None),
        ({"threads": (4,)}, False, {"device": "cpu"}, False),
        ({}, True, {}, False),
        ({}, True, {"l2_flushed": True}, None),
        ({}, True, {"device": "cpu", "l2_flushed": None}, None),
    ],
)
def test_a_saved_cell_of_another_device_is_not_missing(
    asked: dict[str, Any], flush: bool, changes: dict[str, object], expected: bool | None
) -> None:
    before = wishes()
    options = SuiteOptions(None, None, None, None, None, 224, "random", **asked) if "devices" in asked else (
        SuiteOptions(None, None, None, asked.get("threads"), None, 224, "random")
    )  # fmt: skip
    config: Any = SimpleNamespace(stash={OPTIONS: options, SETTINGS: Settings(protocol=PRESETS["quick"])})
    try:
        set_wishes(DeviceWishes(flush_l2=flush))
        assert pytest_tailgate_expected(config, SAVED | changes) is expected
    finally:
        set_wishes(before)


def test_what_only_a_cpu_measures_says_so_where_a_gpu_is_asked_for() -> None:
    (cell,) = onnx_cells.cells({"m": SimpleNamespace(id="m", problem=None)}, ("onnxruntime",), (1,), None, "no")  # type: ignore[dict-item]
    assert cell.marks[0].kwargs == {"reason": "no"}


def test_no_frame_holds_anything_after_it_was_told() -> None:
    held: list[Any] = []

    def layer() -> None:
        tensor = bytearray(8)
        held.append(tensor)
        raise RuntimeError("CUDA out of memory")

    def model() -> None:
        activations = bytearray(8)
        held.append(activations)
        try:
            layer()
        except RuntimeError as error:
            raise ValueError("in the model") from error

    with pytest.raises(ValueError, match="in the model") as caught:
        model()
    frames = []
    error: BaseException | None = caught.value
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            frames.append(trace.tb_frame)
            trace = trace.tb_next
        error = error.__cause__
    forget(caught.value)
    kept = [frame.f_code.co_name for frame in frames if {"tensor", "activations"} & set(frame.f_locals)]
    assert kept == []
    assert len(held) == 2


def test_a_board_that_cannot_be_told_has_no_name_and_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixture, "gpu", lambda device: None)
    info: dict[str, Any] = {"warnings": []}
    fixture.describe_board("cuda:1", info)
    assert (info["gpu_name"], info["device_memory_limit_bytes"]) == (None, None)
    assert info["warnings"] == [
        "gpu_name: nvidia-smi's list does not tell which GPU cuda:1 is; CUDA_DEVICE_ORDER=PCI_BUS_ID would"
    ]


def test_training_and_peaks_on_an_absent_gpu_are_one_line_too(tmp_path: Path) -> None:
    files = ("benchmarks/test_training_roofline.py", "benchmarks/test_roofline_peaks.py")
    done = suite(*files[1:], "--devices", "cuda:0", within=files[0], **machine(tmp_path, NO_DRIVER))
    assert done.code == 5
    assert done.lines(r"Nothing was measured: 15 cells need a GPU that is not to be had"), done.text


def test_without_a_gpu_one_line_says_so_and_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "spy.py").write_text(
        "import sys\ndef pytest_unconfigure():\n"
        "    print('imported', [name for name in ('torch', 'numpy', 'onnxruntime') if name in sys.modules])\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    outcome = suite("-m", "gpu", "-p", "spy", PYTHONPATH=path, **machine(tmp_path, NO_DRIVER))
    assert outcome.code == 5, outcome.text
    (line,) = outcome.lines("GPU|nvidia|NVIDIA|test_")
    assert re.match(
        r"Nothing was measured: \d+ cells need a GPU that is not to be had \(nvidia-smi fails: NVIDIA-SMI has failed "
        r"because it couldn't communicate with the NVIDIA driver\..*\)\. --devices cpu measures them on the CPU; ",
        line,
    )
    assert outcome.lines("^imported") == ["imported []"]


def test_its_own_file_alone_says_what_to_add(tmp_path: Path) -> None:
    outcome = suite(within="benchmarks/test_gpu_precision.py", **machine(tmp_path, SMI))
    assert outcome.code == 5
    assert outcome.lines("add -m gpu")
    assert len(outcome.lines("test_gpu_precision")) == 1


def test_a_typed_device_selects_its_cells_of_every_study(tmp_path: Path) -> None:
    arguments = ("--collect-only", "-q", "--devices=cpu,cuda:0", "-k", "resnet18 and b1")
    typed = suite(*arguments, **machine(tmp_path, SMI))
    assert typed.lines("test_cpu_scaling.*cuda0-b1")
    assert typed.lines("test_gpu_precision.*resnet18-pytorch-bf16-cuda0-b1")
    assert typed.lines("test_gpu_precision.*resnet18-pytorch-bf16-t[0-9]+-b1")


@pytest.mark.parametrize(
    ("devices", "typed", "becomes"),
    [
        (None, None, "not instrument and not gpu"),
        (("cpu",), None, "not instrument and not gpu"),
        (("cpu", "cuda:0"), None, "not instrument"),
        (("cuda:0",), "not gpu", "not gpu"),
        (("cuda:0",), "gpu", "gpu"),
        (("cuda:0",), "", ""),
    ],
)
def test_devices_lift_the_inis_marker_and_never_a_typed_one(
    devices: tuple[str, ...] | None, typed: str | None, becomes: str, pytestconfig: pytest.Config
) -> None:
    own = gpu.marks_of_ini(pytestconfig)
    assert own == "not instrument and not gpu"
    option = SimpleNamespace(markexpr=own if typed is None else typed)
    options = SuiteOptions(None, None, None, None, None, 224, "random", devices=devices)
    config: Any = SimpleNamespace(stash={OPTIONS: options}, option=option, getini=pytestconfig.getini)
    gpu.pytest_configure(config)
    assert option.markexpr == becomes


@pytest.mark.parametrize(
    ("limit", "flush", "expected"),
    [(None, False, DeviceWishes()), ("512MiB", True, DeviceWishes(2**29, flush_l2=True))],
)
def test_the_options_are_the_wishes(limit: str | None, flush: bool, expected: DeviceWishes) -> None:
    given = {"--device-memory-limit": limit, "--flush-l2": flush}
    config: Any = SimpleNamespace(getoption=given.get)
    assert device_wishes(config) == expected
    config = SimpleNamespace(getoption={**given, "--device-memory-limit": "2G"}.get)
    with pytest.raises(TailgateError, match=r"^--device-memory-limit: 'G' is not a unit "):
        device_wishes(config)


BATCHES = {1: None, 2: "CUDA out of memory", 4: "Failed to allocate memory", 8: "Error Code 2: OutOfMemory", 16: None}


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_a_cell_that_runs_out_of_device_memory_costs_itself_alone(isolation: str, tmp_path: Path) -> None:
    log, run = tmp_path / "log.txt", tmp_path / "run.json"
    config = tmp_path / "asked.yaml"
    config.write_text("devices: cuda\ndevice-memory-limit: 2GiB\nflush-l2: true\nmodels: mlp\nruntimes: fakegpu\n")
    path = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    outcome = suite(
        "-p", "fake_gpu", f"--config={config}", "--precisions=fp32", f"--batch-sizes={','.join(map(str, BATCHES))}",
        "--rounds=20", "--warmup-rounds=1", f"--isolation={isolation}", f"--benchmark-json={run}",
        within="benchmarks/test_gpu_precision.py", PYTHONPATH=path, LOG=str(log), **machine(tmp_path, SMI),
    )  # fmt: skip
    assert outcome.code == 1, outcome.text
    saved = json.loads(run.read_text())
    rows = {row["name"].partition("[")[2]: row for row in saved["benchmarks"]}
    assert list(rows) == ["mlp-fakegpu-fp32-cuda0-b1-l2flush]", "mlp-fakegpu-fp32-cuda0-b16-l2flush]"]
    for row in rows.values():
        info = row["extra_info"]
        assert (info["device"], info["gpu_name"], info["threads"]) == ("cuda:0", "NVIDIA L4", 1)
        assert (info["device_memory_limit_bytes"], info["h2d_bytes"]) == (2**31, 1)
        assert "threads_observed" not in info
    endings = {entry["fullname"].rpartition("-b")[2]: entry for entry in saved["unmeasured"]}
    for batch, words in BATCHES.items():
        if words:
            ending = endings[f"{batch}-l2flush]"]
            assert ending["status"] == "oom"
            assert ending["reason"].startswith("oom: ")
            assert words in ending["reason"]
    lines = log.read_text().splitlines()
    loads = [line for line in lines if line.startswith("load")]
    assert list(dict.fromkeys(loads)) == [f"load b{batch} held=0" for batch in BATCHES]
    emptied = [line for line in lines if line.startswith("empty_cache")]
    assert set(emptied) == {"empty_cache held=0"}
    assert len(emptied) >= len(BATCHES)
    if isolation == "process":
        assert lines[-1] == "session imported=[]"
