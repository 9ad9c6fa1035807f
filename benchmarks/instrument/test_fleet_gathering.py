"""What gathering and comparing the runs of 100 nodes costs at home: time, CPU time and memory.

Run by hand, ``pytest benchmarks/instrument -m instrument``; it prints its figures and the target.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.instrument
NODES, ROWS, ROUNDS = 100, 200, 500
HERE = Path(__file__).parent


def test_gathering_and_comparing_100_nodes(report: Callable[[str], None], tmp_path: Path) -> None:
    """In a process of its own, whose CPU time and peak the kernel tells."""
    subprocess.run([sys.executable, HERE / "saved_runs.py", tmp_path, str(ROWS), str(ROUNDS)], check=True)
    file = tmp_path / "head.json"
    with (tmp_path / "out.txt").open("wb") as out:
        process = subprocess.Popen([sys.executable, HERE / "fleet_nodes.py", tmp_path, file, str(NODES)], stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    *_, told, figures = (tmp_path / "out.txt").read_text().splitlines()
    cpu_s, wall_s = figures.split()
    report(
        f"{NODES} nodes, each {ROWS} rows of {ROUNDS} rounds ({file.stat().st_size / 1e6:.1f} MB): {wall_s} s, "
        f"{cpu_s} s of CPU, {used.ru_maxrss / 1024:.0f} MB (target: 30 s, 1000 MB)"
    )
    assert told == f"On {NODES} machines: 10 fail, {NODES * ROWS - 10} pass"
    assert len(list((tmp_path / "baselines").glob("*/0001_fleet.json"))) == NODES
