"""What the commands on saved runs cost: CPU time and memory, on 5,000 rows with their raw rounds.

Run by hand, ``pytest benchmarks/instrument -m instrument``; each prints its figures and the target.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.instrument
Report = Callable[[str], None]
ROWS = 5000
MAKER = Path(__file__).with_name("saved_runs.py")
TAILGATE = "import sys; from tailgate.commands.main import main; sys.exit(main())"
COMMANDS = {
    "compare": ["compare", "base.json", "head.json"],
    "compare --fail-on-regression": ["compare", "base.json", "head.json", "--fail-on-regression"],
    "compare, percentiles": ["compare", "base.json", "head.json", "--columns=median,p99,p99_blocks,throughput"],
    "report, markdown": ["report", "base.json", "--format=markdown"],
    "report, html": ["report", "base.json", "--format=html"],
    "report of two, html": ["report", "base.json", "head.json", "--format=html", "--output=report.html"],
    "baselines list": ["baselines", "list", "--storage=stored"],
}


@pytest.mark.parametrize("rounds", [200, 1000])
def test_commands_on_large_runs(report: Report, tmp_path: Path, rounds: int) -> None:
    """Each in a process of its own, whose CPU time and peak the kernel tells."""
    # In a process of its own: a child's peak begins with its parent's.
    subprocess.run([sys.executable, MAKER, tmp_path, str(ROWS), str(rounds)], check=True)
    stored = tmp_path / "stored" / "machine"
    stored.mkdir(parents=True)
    (stored / "0001_many.json").hardlink_to(tmp_path / "base.json")
    (stored / "0002_many.json").hardlink_to(tmp_path / "head.json")
    for name, arguments in COMMANDS.items():
        with (tmp_path / "out.txt").open("wb") as out:
            process = subprocess.Popen([sys.executable, "-c", TAILGATE, *arguments], cwd=tmp_path, stdout=out)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        report(
            f"{name}, {ROWS} rows of {rounds} rounds: {used.ru_utime + used.ru_stime:.1f} s of CPU, "
            f"{used.ru_maxrss / 1024:.0f} MB (target: 5 s, 500 MB)"
        )
        assert process.returncode == 0
