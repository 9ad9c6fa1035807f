"""What a process for each benchmark costs, whether it measures the same, and whether a neighbour is noticed.

Run by hand on a quiet machine, ``pytest benchmarks/instrument/test_isolation.py -m instrument``: some four minutes.
The figures last seen are in docs/evidence/speed.md and docs/guide/trust.md.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tailgate.machine.trust import wait_until_quiet

pytestmark = pytest.mark.instrument
Report = Callable[[str], None]
ROOT = Path(__file__).parents[2]
TURNS = 3
MOST_OVERHEAD_S = 0.5

NOTHING = """
import pytest
@pytest.mark.parametrize("number", range({count}))
def test_nothing(benchmark, number):
    benchmark.pedantic(int, rounds=1)
"""
TORCH = """
import pytest
@pytest.mark.preload("torch", "torchvision")
@pytest.mark.parametrize("number", range({count}))
def test_torch(benchmark, number):
    import torch, torchvision
    torch.set_num_threads(2)
    x = torch.ones(512, 512)
    benchmark.pedantic(torch.mm, args=(x, x), rounds=1)
"""
BUSY = """
import hashlib, pytest
@pytest.mark.parametrize("number", range({count}))
def test_busy(benchmark, number):
    benchmark(hashlib.sha256, bytes(1 << 20))
"""


@pytest.mark.parametrize("project", [NOTHING, TORCH], ids=["nothing", "torch"])
def test_a_process_costs_at_most_half_a_second_a_benchmark(project: str, tmp_path: Path, report: Report) -> None:
    """From sessions of 2 and of 12 benchmarks, so that what is paid once a session, imports included, cancels."""
    per_benchmark_s: dict[str, list[float]] = {"none": [], "process": []}
    for _ in range(TURNS):
        for isolation, found_s in per_benchmark_s.items():
            few_s, many_s = (_session_s(tmp_path, project, count, isolation) for count in (2, 12))
            found_s.append((many_s - few_s) / 10)
    none_s, process_s = (statistics.median(found_s) for found_s in per_benchmark_s.values())
    report(
        f"a benchmark takes {none_s:.3f} s in the session, {process_s:.3f} s in a process of its own: "
        f"{process_s - none_s:+.3f} s (target: at most {MOST_OVERHEAD_S:g} s)"
    )
    assert process_s > 0


def test_the_suite_pays_at_most_half_a_second_a_cell(tmp_path: Path, report: Report) -> None:
    """mobilenet_v2 on the three runtimes, 1 and 2 threads, with its artefacts made: whole sessions in turns."""
    took_s: dict[str, list[float]] = {"none": [], "process": []}
    medians_s: dict[str, dict[str, list[float]]] = {"none": {}, "process": {}}
    for turn in range(TURNS + 1):
        for isolation, found_s in took_s.items():
            seconds, run = _suite(tmp_path, isolation)
            if turn:  # the first makes what is missing
                found_s.append(seconds)
                for name, median_s in run.items():
                    medians_s[isolation].setdefault(name, []).append(median_s)
    cells = len(medians_s["none"])
    none_s, process_s = (statistics.median(found_s) for found_s in took_s.values())
    report(
        f"{cells} cells: {none_s:.1f} s in one process, {process_s:.1f} s in {cells} "
        f"({(process_s - none_s) / cells:+.3f} s a cell, target: at most {MOST_OVERHEAD_S:g} s)"
    )
    for name, none in medians_s["none"].items():
        ratio = statistics.median(medians_s["process"][name]) / statistics.median(none)
        report(f"{name}: median of medians {statistics.median(none) * 1e3:.3f} ms, own process {ratio - 1:+.1%}")
    assert cells


@pytest.mark.parametrize("neighbours", [0, 1], ids=["quiet", "beside-a-neighbour"])
def test_the_whole_plug_in_notices_a_neighbour(neighbours: int, tmp_path: Path, report: Report) -> None:
    """Twenty benchmarks through a foreign project; how many rows are marked, second tries included."""
    if not neighbours and not wait_until_quiet(30):
        pytest.skip("other processes did not come to rest within 30 s: this machine is not quiet")
    with _neighbours(neighbours):
        run = _foreign(tmp_path, BUSY, 20, "process", "--benchmark-max-time=0.5")
    infos = [bench["extra_info"] for bench in run["benchmarks"]]
    marked = sum(info["status"] == "contended" for info in infos)
    twice = sum(info.get("tries") == 2 for info in infos)
    report(f"{neighbours} neighbours: {marked} of {len(infos)} rows contended, {twice} measured twice")
    assert len(infos) == 20
    assert marked >= 19 if neighbours else marked <= 1


def _session_s(folder: Path, project: str, count: int, isolation: str) -> float:
    start_s = time.perf_counter()
    _foreign(folder, project, count, isolation)
    return time.perf_counter() - start_s


def _foreign(folder: Path, project: str, count: int, isolation: str, *arguments: str) -> dict[str, Any]:
    (folder / "test_it.py").write_text(project.format(count=count))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--isolation={isolation}", "--benchmark-json=run.json", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def _suite(folder: Path, isolation: str) -> tuple[float, dict[str, float]]:
    """Seconds of the session, and the median of each cell."""
    start_s = time.perf_counter()
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "benchmarks/test_cpu_scaling.py", "--models=mobilenet_v2",
            "--batch-sizes=1", "--precisions=fp32", "--threads=1,2", "--benchmark-max-time=0.5",
            f"--isolation={isolation}", f"--benchmark-json={folder / 'run.json'}", "-o", "tailgate_baselines=",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start_s
    assert done.returncode == 0, done.stdout + done.stderr
    benches = json.loads((folder / "run.json").read_text())["benchmarks"]
    return seconds, {bench["param"]: bench["stats"]["median"] for bench in benches}


@contextlib.contextmanager
def _neighbours(count: int) -> Iterator[None]:
    """Processes that do nothing but run, in sessions of their own."""
    running: Sequence[subprocess.Popen[bytes]] = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(count)
    ]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert all(not os.path.exists(f"/proc/{one.pid}") for one in running)  # noqa: PTH110 (a process, not a file)
