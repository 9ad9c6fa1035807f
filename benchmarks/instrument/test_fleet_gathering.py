"""What gathering and comparing the runs of 100 nodes costs at home: time, CPU time and memory.

Run by hand, ``pytest benchmarks/instrument -m instrument``; it prints its figures and the target.
"""

import os
import subprocess
import sys
import time
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
        start_s = time.monotonic()
        process = subprocess.Popen([sys.executable, HERE / "fleet_nodes.py", tmp_path, file, str(NODES)], stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    taken_s = time.monotonic() - start_s
    process.returncode = os.waitstatus_to_exitcode(status)
    report(
        f"{NODES} nodes, each {ROWS} rows of {ROUNDS} rounds ({file.stat().st_size / 1e6:.1f} MB): {taken_s:.1f} s, "
        f"{used.ru_utime + used.ru_stime:.1f} s of CPU, {used.ru_maxrss / 1024:.0f} MB (target: 30 s, 1000 MB)"
    )
    assert process.returncode == 0
    assert f"On {NODES} machines: 10 fail, {NODES * ROWS - 10} pass" in (tmp_path / "out.txt").read_text()
    assert len(list((tmp_path / "baselines").glob("*/0001_fleet.json"))) == NODES
