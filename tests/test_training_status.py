"""A benchmark that knows its own status: ``diverged`` is a failure in one line, with no stats; the rest goes on."""

import csv
from pathlib import Path

from isolated import FORK, Project

MODULE = """
import pytest
from tailgate import NotMeasuredError

@pytest.fixture
def bad_data():
    raise NotMeasuredError("failed", "data/x.JPEG is corrupt")

def test_before(benchmark):
    benchmark(sum, [1])

def test_diverges(benchmark):
    losses = iter([1.0, 2.0, 3.0])

    def check():
        if next(losses) == 3.0:
            raise NotMeasuredError("diverged", "the loss is nan at batch 3")

    benchmark.pedantic(sum, args=([1],), teardown=lambda _: check(), rounds=10)

def test_bad_data(benchmark, bad_data):
    benchmark(sum, [1])

def test_after(benchmark):
    benchmark(sum, [1])
"""
REASON = "diverged: the loss is nan at batch 3"


def test_a_diverged_run_is_no_row(tmp_path: Path) -> None:
    project = Project(tmp_path, test_training=MODULE)
    session = project.run(*FORK, "--progress=on", "--junitxml=junit.xml", "--csv=rows.csv", "--protocol=quick")
    assert session.code == 1, session.out
    assert set(session.rows) == {"test_before", "test_after"}
    assert session.unmeasured == {
        "test_diverges": ("diverged", REASON),
        "test_bad_data": ("failed", "data/x.JPEG is corrupt"),
    }
    assert session.lines(f"FAILED: {REASON}|  1 x {REASON}")
    assert "Traceback" not in session.out
    assert "NotMeasuredError" not in session.out
    assert REASON in (tmp_path / "junit.xml").read_text()
    with (tmp_path / "rows.csv").open() as file:
        rows = {row["name"].rpartition("::")[2]: row["status"] for row in csv.DictReader(file)}
    assert rows["test_diverges"] == "diverged"
    assert rows["test_bad_data"] == "failed"
