"""Measurements by a fixture that is not ours: said in one line where an option of ours cannot reach them."""

from pathlib import Path

import pytest
from foreign import run_all

CONFTEST = """
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

class Mine(BenchmarkFixture):
    pass

def made(request):
    session = request.config._benchmarksession
    return Mine(
        request.node, add_stats=session.benchmarks.append, logger=session.logger, warner=request.node.warn,
        disabled=session.disabled, **dict(session.options),
    )
"""
OVERRIDDEN = """
@pytest.fixture
def benchmark(request):
    fixture = made(request)
    yield fixture
    fixture._cleanup()
"""
BESIDE = OVERRIDDEN.replace("def benchmark", "def mine")
LOADED = ("-p", "tailgate.plugin")
TENANTS = ("--isolation=process", "--tenants=2")


def project(folder: Path, fixture: str, test: str) -> Path:
    (folder / "conftest.py").write_text(CONFTEST + fixture)
    (folder / "test_a.py").write_text(test)
    return folder


def test_a_benchmark_of_the_project_s_own_class(tmp_path: Path) -> None:
    folder = project(tmp_path, OVERRIDDEN, "def test_a(benchmark): benchmark(int)\n")
    asked = [("--protocol=quick",), ("--protocol=quick", "--isolation=process"), TENANTS]
    ran = run_all(folder, LOADED, *((*LOADED, *options) for options in asked))
    assert ran[LOADED][0] == 0  # as without Tailgate
    for options in asked:
        code, text = ran[*LOADED, *options]
        assert (code, "INTERNALERROR" in text, "Traceback" in text) == (1, False, False), text
        assert "benchmark is a Mine here, a class of the project's own" in text


@pytest.mark.parametrize("test", ["mine(int)", "mine(int); benchmark(int)"])
def test_tenants_that_measure_by_another_fixture_do_not_measure_together(tmp_path: Path, test: str) -> None:
    folder = project(tmp_path, BESIDE, f"def test_a(mine, benchmark): {test}\n")
    code, text = run_all(folder, (*LOADED, *TENANTS))[*LOADED, *TENANTS]
    assert code == 1, text
    assert "1 measurement is not of the benchmark fixture, so not at the same time" in text


def test_a_gate_without_pytest_benchmark_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): pass")
    ran = pytester.runpytest_subprocess("-p", "no:benchmark", *LOADED, "--gate")
    assert ran.ret == 4
    ran.stderr.fnmatch_lines(["ERROR: --gate judges benchmarks, and pytest-benchmark is turned off*"])
