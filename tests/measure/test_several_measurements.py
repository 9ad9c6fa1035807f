"""A test with several measurements, by copies of the fixture: each is a row, and is counted, shown and judged."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from isolated import FORK, Project

from tailgate.processes.pooling import pooled
from tailgate.results.noted import Noted

TESTS = """
import copy, json
import pytest

def another(benchmark, suffix):
    other = copy.copy(benchmark)
    other.name += suffix
    other.fullname += suffix
    return other

def test_two(benchmark):
    benchmark.extra_info["kind"] = "codec"
    another(benchmark, "::a").pedantic(sum, ((1, 2),), rounds=20)
    another(benchmark, "::b").pedantic(sum, ((1, 2, 3),), rounds=20)

def test_one(benchmark):
    benchmark.pedantic(sum, ((1,),), rounds=20)

def test_raises_in_a_timed_call(benchmark):
    benchmark(iter(range(30)).__next__)

@pytest.fixture
def measured_after(benchmark):
    yield
    benchmark.pedantic(sum, ((1,),), rounds=20)

def test_fixture(measured_after):
    pass

def test_expected(benchmark):
    with pytest.raises(StopIteration):
        benchmark(iter(range(30)).__next__)
"""
MEASURED = {"test_two::a", "test_two::b", "test_one", "test_fixture"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("several"), test_it=TESTS)


@pytest.mark.parametrize(
    "how", [(), FORK, (*FORK, "--processes=2"), (*FORK, "--tenants=2")], ids=["here", "isolated", "pooled", "tenants"]
)
def test_each_measurement_is_a_row_whatever_runs_it(project: Project, how: tuple[str, ...]) -> None:
    for name in ("a.csv", "a.md"):
        (project.folder / name).unlink(missing_ok=True)
    found = project.run(*how, "--protocol=quick", "--rounds=20", "--csv=a.csv", "--report=a.md")
    assert found.code == 1, found.out
    assert "INTERNALERROR" not in found.out
    assert "Measured 3 of 5" in found.out or "1 x " in found.out
    assert set(found.rows) == MEASURED
    with (project.folder / "a.csv").open() as stream:
        written = {row["name"].partition("::")[2] for row in csv.DictReader(stream) if row["median_s"]}
    assert written == MEASURED
    page = (project.folder / "a.md").read_text().replace("&#95;", "_").replace("&#58;", ":")
    assert all(name in page for name in MEASURED)
    infos = [found.rows[name]["extra_info"] for name in ("test_two::a", "test_two::b")]
    assert [info["kind"] for info in infos] == ["codec", "codec"]
    assert infos[0]["timestamp_utc"] != infos[1]["timestamp_utc"], "each has its own"
    assert all(len(info.get("process_medians_s", [0, 0])) == 2 for info in infos)
    assert list(found.unmeasured) == ["test_raises_in_a_timed_call"]


def test_the_gate_judges_each_and_misses_the_one_that_is_gone(project: Project) -> None:
    folder = project.folder
    chosen = ("-k", "two or one", "--rounds=20", "--benchmark-storage=file://./saved")
    project.run(*chosen, "--benchmark-save=base", save=False)
    same = project.run(*chosen, "--benchmark-compare=base", "--gate")
    assert (same.code, {one["fullname"] for one in verdicts(same)}) == (
        0, {"test_it.py::test_two::a", "test_it.py::test_two::b", "test_it.py::test_one"},
    ), same.out  # fmt: skip
    project.write("test_it.py", TESTS.replace('another(benchmark, "::b")', 'another(benchmark, "::a")'))
    twice = {one["fullname"]: one for one in verdicts(project.run(*chosen, "--benchmark-compare=base", "--gate"))}
    project.write("test_it.py", TESTS)
    assert "fullname of its own" in twice["test_it.py::test_two::a"]["reason"]
    assert twice["test_it.py::test_two::b"]["verdict"] == "missing"
    assert folder.exists()


def test_a_duet_says_that_it_takes_one_and_goes_on_with_the_next(project: Project) -> None:
    found = project.run("-k", "two or one", "--duet=option:-q", "--duet-pairs=8", "--duet-seconds=0.05")
    assert "its test makes 2 measurements, and a duet takes turns over one" in found.out
    by_name = {one["fullname"]: one["verdict"] for one in found.saved["tailgate_duet"]["verdicts"]}  # type: ignore[index]
    assert by_name["test_it.py::test_two"] == "incomparable"
    assert by_name["test_it.py::test_one"] in {"pass", "undecided", "improved", "fail"}


def test_what_one_measurement_notes_is_not_the_next_ones() -> None:
    info: dict[str, Any] = {"model": "a", "warnings": ["mine"]}
    noted = Noted(info)
    info["warnings"].append("contended")
    info["status"] = "contended"
    noted.end()
    info["text"] = "written between the two"
    assert noted.without() == {"model": "a", "warnings": ["mine"], "text": "written between the two"}
    assert info["status"] == "contended"


def test_two_rows_of_one_name_are_pooled_each_with_its_own() -> None:
    def row(data_s: float) -> dict[str, Any]:
        return {"fullname": "a", "data": [data_s], "extra_info": {}, "has_error": False}

    found = pooled([[row(1.0), row(9.0)], [row(2.0), row(8.0)]])
    assert [one["data"] for one in found] == [[1.0, 2.0], [9.0, 8.0]]


def verdicts(found: Any) -> list[dict[str, Any]]:
    return found.saved["tailgate_gate"]["verdicts"]  # type: ignore[no-any-return]


def test_the_saved_interval_is_of_the_row_it_stands_in(tmp_path: Path) -> None:
    text = """
import copy
def test_two(benchmark):
    for size in (10, 5000):
        copy.copy(benchmark).pedantic(sum, (range(size),), rounds=400)
"""
    project = Project(tmp_path, test_it=text)
    assert project.run("--protocol=quick").code == 0
    for one in json.loads((tmp_path / "run.json").read_text())["benchmarks"]:
        assert one["stats"]["p99_low"] in one["stats"]["data"]


def test_what_a_test_does_to_its_descriptors_costs_no_other_benchmark(tmp_path: Path) -> None:
    text = """
import os, time
def test_writes_to_all(benchmark):
    benchmark.pedantic(sum, ((1,),), rounds=5)
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"garbage" * 9)
        except OSError:
            pass
def test_closes_all(benchmark):
    benchmark.pedantic(sum, ((1,),), rounds=5)
    os.closerange(3, 256)
def test_leaves_a_child(benchmark):
    benchmark.pedantic(sum, ((1,),), rounds=5)
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
def test_after(benchmark):
    benchmark.pedantic(sum, ((1,),), rounds=5)
"""
    found = Project(tmp_path, test_it=text).run(*FORK)
    assert set(found.rows) == {"test_writes_to_all", "test_leaves_a_child", "test_after"}, found.out
    status, reason = found.unmeasured["test_closes_all"]
    assert (status, found.left) == ("crashed", [])
    assert "closed the file descriptor by which it reports" in reason
