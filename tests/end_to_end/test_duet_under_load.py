"""A duet under load in a real session: both sides are called by the same schedules, and have a verdict."""

import sys
from pathlib import Path

import pytest
from isolated import Project, adopting

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="benchmarks have processes of their own")

PAIRS = 8
TESTS = """
import time

def busy():
    end_s = time.perf_counter() + 0.0005
    while time.perf_counter() < end_s:
        pass

def test_busy(benchmark):
    benchmark(busy)
"""


def test_each_metric_has_a_verdict_from_pairs_at_one_rate(tmp_path: Path) -> None:
    project = Project(tmp_path, test_it=TESTS)
    with adopting():
        session = project.start(
            *("--duet=option:--benchmark-disable-gc", "--load=poisson:50%", "--load-seconds=0.3"),
            *(f"--duet-pairs={PAIRS}", "--gate-min-effect=900%"),  # soon decided, also on a busy machine
        )
        found = project.finish(session)
    assert found.code in (0, 1), found.out  # how fast it is on a busy machine is not asked
    assert found.left == []
    assert found.saved is not None
    duet = found.saved["tailgate_duet"]
    assert {verdict["metric"] for verdict in duet["verdicts"]} == {"median", "p99"}
    assert {verdict["fullname"] for verdict in duet["verdicts"]} == {"test_it.py::test_busy[poisson:50%]"}
    (benchmark,) = duet["benchmarks"]
    assert PAIRS * 5 / 8 <= len(benchmark["pairs"]) <= 5 * PAIRS
    for pair in benchmark["pairs"]:
        assert pair["load_rate_offered_per_s"] > 0
        assert len(pair["base_rounds_s"]) == len(pair["head_rounds_s"]) >= 50
        assert {"load_late_s", "first"} <= set(pair)
