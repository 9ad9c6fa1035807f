"""Do memray and Massif agree on real models, and what does a heap run cost?

Run by hand, ``pytest benchmarks/instrument/test_meters.py -m instrument``: some ten minutes on a quiet machine, nearly
all of them Valgrind's. The figures last seen are in docs/guide/meters.md.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.instrument
Report = Callable[[str], None]
ROOT = Path(__file__).parents[2]
MODELS = ("mlp", "squeezenet1_1", "resnet18")
AGREE_REL, AGREE_BYTES = 0.05, 4e6
"""Massif adds what the allocator adds to each block, counts every Python object on its own, and finds a peak to one
percent of the whole process; for a model of a few megabytes these are more than it needs itself."""


@pytest.mark.parametrize("model", MODELS)
def test_memray_and_massif_agree(model: str, tmp_path: Path, report: Report) -> None:
    """On ONNX Runtime, one thread: memray's peak, and what Massif saw the process grow by from the same mark."""
    heap_s, heap = _cell(model, "heap", tmp_path)
    both_s, both = _cell(model, "massif", tmp_path)
    heap_bytes, growth_bytes = heap["heap_peak_bytes"], both["massif_growth_bytes"]
    assert heap_bytes is not None, heap["warnings"]
    assert growth_bytes is not None, both["warnings"]
    report(
        f"{model}: memray {heap_bytes / 1e6:.1f} MB ({heap_s:.0f} s); Massif {both['massif_peak_bytes'] / 1e6:.1f} MB "
        f"at most, {both['massif_baseline_bytes'] / 1e6:.1f} MB at the mark, {growth_bytes / 1e6:.1f} MB more after it "
        f"({both_s:.0f} s): memray/Massif {heap_bytes / growth_bytes:.3f}"
    )
    assert abs(heap_bytes - growth_bytes) <= AGREE_REL * growth_bytes + AGREE_BYTES


def test_a_heap_run_costs_little(tmp_path: Path, report: Report) -> None:
    """Sessions of the three models with and without it, so that what is paid once cancels."""
    with_heap_s, without_s = (_session_s(",".join(MODELS), meters, tmp_path) for meters in ("cpu,rss,heap", "cpu,rss"))
    report(f"a heap run costs {(with_heap_s - without_s) / len(MODELS):.1f} s a model")
    assert with_heap_s - without_s < 3 * len(MODELS)


def _cell(model: str, meter: str, folder: Path) -> tuple[float, dict[str, Any]]:
    took_s = _session_s(model, meter, folder)
    (row,) = json.loads((folder / "run.json").read_text())["benchmarks"]
    return took_s, row["extra_info"]


def _session_s(models: str, meters: str, folder: Path) -> float:
    command = [
        sys.executable, "-m", "pytest", "benchmarks/test_cpu_scaling.py", "-p", "no:cacheprovider",
        f"--models={models}", "--runtimes=onnxruntime", "--precisions=fp32", "--threads=1", "--batch-sizes=1",
        f"--meters={meters}", "--benchmark-max-time=0.5", "--benchmark-timeout=3600", f"--basetemp={folder / 'base'}",
        f"--benchmark-json={folder / 'run.json'}", "-o", "tailgate_baselines=",
    ]  # fmt: skip
    start_s = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return time.perf_counter() - start_s
