"""Rows of one name that were measured on different work are shown, marked and never pooled."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.cells.matrix import Grid, cells
from studies.cpu_scaling.report import render
from tailgate.errors import TailgateError
from tailgate.results.comparability import other_workload
from tailgate.results.saved_run import load_run
from tailgate.session.settings import Settings

STATS = {"min": 1.0, "max": 1.0, "mean": 1.0, "stddev": 0.0, "median": 1.0, "rounds": 1}


def run(*extra: dict[str, Any], **top: Any) -> dict[str, Any]:
    info = {"model": "m", "runtime": "r", "precision": "fp32", "threads": 1, "batch_size": 1, "image_size": 224}
    benchmarks = [
        {"name": "t", "fullname": "t", "stats": dict(STATS), "extra_info": {**info, **changes}} for changes in extra
    ]
    return {"benchmarks": benchmarks, "machine_info": {}, **top}


@pytest.mark.parametrize(
    ("saved", "now", "different"),
    [
        ({}, {}, []),
        ({"model_sha256": "a"}, {"model_sha256": "a"}, []),
        ({"model_sha256": "a"}, {"model_sha256": "b"}, ["model_sha256"]),
        ({"image_size": 32, "protocol": "quick"}, {"image_size": 64, "protocol": "paper"}, ["image_size", "protocol"]),
        ({"image_size": None}, {"image_size": 64}, []),
    ],
)
def test_other_workload_names_what_differs(saved: dict, now: dict, different: list[str]) -> None:
    assert other_workload(saved, now) == different


def test_another_image_size_or_other_weights_are_another_name() -> None:
    grid = Grid(("resnet18", "mlp"), ("pytorch",), ("fp32",), (1,), (1,))
    assert [cell.id for cell in cells(grid, 64, "pretrained")] == [
        "resnet18-pytorch-fp32-t1-b1-64px-pretrained",
        "mlp-pytorch-fp32-t1-b1-pretrained",
    ]


def test_scaling_pools_only_the_same_workload() -> None:
    text = render([run({"image_size": 32}), run({"image_size": 64})])
    assert "## m · r · fp32 · 32 px" in text
    assert "## m · r · fp32 · 64 px" in text


def test_scaling_leaves_contended_rows_out_and_says_so() -> None:
    text = render([run({}, {"threads": 2, "status": "contended"})])
    assert "1 row(s) left out" in text
    assert "| 1 | 2 |" not in text


def test_scaling_of_disturbed_rows_alone_says_that_they_are_disturbed() -> None:
    with pytest.raises(TailgateError, match=r"every row .* left out \(2 contended, 1 throttled\); .*tailgate doctor"):
        render([run({"status": "contended"}, {"threads": 2, "status": "contended"}, {"status": "throttled"})])


@pytest.mark.parametrize("changes", [{"threads": "2"}, {"runtime": None}, {"batch_size": 0}])
def test_scaling_of_rows_that_are_no_cells_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TailgateError, match="no row with model, threads and batch_size"):
        render([run(changes)])


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"machine_info": [1]}, "machine_info is not an object"),
        ({"benchmarks": []}, "without a single benchmark"),
        ({"benchmarks": [{"name": "t", "fullname": "t", "stats": STATS, "extra_info": [1]}]}, "extra_info of t"),
        ({"benchmarks": [{"name": "t", "fullname": "t", "stats": {**STATS, "median": float("nan")}}]}, "no number for"),
    ],
)
def test_odd_runs_are_refused_with_one_line(tmp_path: Path, broken: dict[str, Any], said: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({**run({}), **broken}))
    with pytest.raises(TailgateError, match=said) as caught:
        load_run(file)
    assert "\n" not in str(caught.value)


def test_a_device_is_no_csv_file() -> None:
    from tailgate.results.tidy_csv import TidyCsv

    with pytest.raises(TailgateError, match="not a regular file"):
        TidyCsv(Path("/dev/full"))


def test_nothing_asked_is_nothing_active() -> None:
    assert not Settings().active
