"""How long a duet takes, in turns with another checkout of Tailgate, and where its time goes.

``git worktree add /tmp/before COMMIT; TAILGATE_BEFORE=/tmp/before TAILGATE_LOAD_MODEL=model.onnx pytest
benchmarks/instrument/test_duet_speed.py -m instrument``, on a quiet machine, and once more beside
``python -c "while True: pass"``. docs/evidence/speed.md has the figures last seen.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.instrument
HERE = Path(__file__).parent
NOW = HERE.parents[1]
BEFORE = os.environ.get("TAILGATE_BEFORE")
MODEL = os.environ.get("TAILGATE_LOAD_MODEL")
TURNS = int(os.environ.get("TAILGATE_TURNS", "3"))
OPTION = """
def pytest_addoption(parser):
    parser.addoption("--slower-rel", type=float, default=0.0)
"""
SERVED = """
import statistics, time
import numpy, onnxruntime, pytest

@pytest.mark.parametrize("number", range({benchmarks}))
def test_served(benchmark, number, request):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    made = onnxruntime.InferenceSession({model!r}, options, providers=["CPUExecutionProvider"])
    (given,) = made.get_inputs()
    feed = {{given.name: numpy.random.default_rng(0).random([1, *given.shape[1:]], dtype=numpy.float32)}}
    slower_rel = request.config.getoption("--slower-rel")
    def call():
        start_s = time.perf_counter()
        made.run(None, feed)
        end_s = time.perf_counter()
        end_s += slower_rel * (end_s - start_s)
        while time.perf_counter() < end_s:
            pass
    benchmark(call)
"""


@pytest.mark.skipif(MODEL is None, reason="TAILGATE_LOAD_MODEL names no network of ONNX")
@pytest.mark.parametrize(("benchmarks", "slower_rel"), [(1, 0.0), (1, 0.05), (4, 0.0)])
def test_a_verdict_now_and_before(benchmarks: int, slower_rel: float, tmp_path: Path, report: Any) -> None:
    """Wall time of the whole command until the verdict."""
    (tmp_path / "conftest.py").write_text(OPTION)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_one.py").write_text(SERVED.format(model=MODEL, benchmarks=benchmarks))
    checkouts = {"now": NOW, **({"before": Path(BEFORE)} if BEFORE else {})}
    took_s: dict[str, list[float]] = {name: [] for name in checkouts}
    for _ in range(TURNS):
        for name, checkout in checkouts.items():
            start_s = time.monotonic()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pytest", "-p", "tailgate.plugin", "-p", "breakdown", "-q", "test_one.py"),
                    *(f"--slower-rel={slower_rel}", "--duet=option:--slower-rel=0", "--benchmark-json=run.json"),
                ],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": f"{checkout / 'src'}:{HERE / 'duet_speed'}"},
                capture_output=True,
                text=True,
                check=False,
            )
            took_s[name].append(time.monotonic() - start_s)
            duet = json.loads((tmp_path / "run.json").read_text())["tailgate_duet"]
            verdicts = [f"{one['metric']} {one['verdict']} {one['replicates']}" for one in duet["verdicts"]]
            spent = re.findall(r"breakdown: (.*)", done.stdout)
            report(f"{name}: {took_s[name][-1]:.1f} s, {duet['pairs_measured']} pairs; {verdicts}; {'; '.join(spent)}")
    medians_s = {name: statistics.median(values) for name, values in took_s.items()}
    report(f"{benchmarks} benchmarks, {slower_rel:.0%} slower: {medians_s}")
    assert medians_s["now"] > 0
