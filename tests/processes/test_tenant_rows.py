"""A row of several tenants is no report's row of one."""

from pathlib import Path
from typing import Any

import pytest

from tailgate.commands.formats import formats
from tailgate.errors import TailgateError
from tailgate.results.rows import alone

SUITE = Path(__file__).parents[2]


def run(**changes: Any) -> dict[str, Any]:
    info = {
        "study": "framework-comparison", "model": "resnet18", "runtime": "pytorch", "precision": "fp32",
        "device": "cpu", "threads": 1, "batch_size": 1, "image_size": 224, "status": "ok", "warnings": [], **changes,
    }  # fmt: skip
    stats = {"min": 1.0, "max": 1.0, "median": 1.0, "mean": 1.0, "stddev": 0.0, "rounds": 1, "data": [1.0]}
    row = {"name": "test_a", "fullname": "a.py::test_a", "group": None, "stats": stats, "extra_info": info}
    return {"machine_info": {}, "datetime": "2026-01-02", "benchmarks": [row]}


@pytest.mark.parametrize(("tenants", "is_alone"), [(None, True), (1, True), (2, False), ("theirs", True)])
def test_only_more_than_one_is_several(tenants: Any, is_alone: bool) -> None:
    assert alone({"tenants": tenants}) == is_alone


@pytest.mark.parametrize("name", ["gdev-ai", "scaling", "framework-comparison"])
def test_a_report_of_rows_measured_alone_leaves_it_out(name: str) -> None:
    assert "resnet18" in formats(SUITE)[name].render([run()]) or "mlp" in formats(SUITE)[name].render([run()])
    with pytest.raises(TailgateError, match="no "):
        formats(SUITE)[name].render([run(tenants=2)])


def test_threads_of_a_gpus_host_are_no_scaling() -> None:
    with pytest.raises(TailgateError, match="no row"):
        formats(SUITE)["scaling"].render([run(device="cuda:0")])
