"""A real history with a planted slowdown: ``python benchmarks/instrument/change_points/real_history.py FOLDER``.

In FOLDER a git repository is made with two benchmarks; each of sixteen commits is measured in a session of its own.
From the eleventh on one of the two sorts a list that is longer by a twentieth, or by the share that follows FOLDER.
``tailgate history real`` in FOLDER shows it.
"""

import subprocess
import sys
from pathlib import Path

SESSIONS, PLACE = 16, 10
LENGTH = 20_000
PROJECT = """
import json
import random

from length import LENGTH

NUMBERS = random.Random(1).sample(range(10 ** 9), LENGTH)
OBJECT = {str(number): [number, str(number)] for number in range(2000)}


def test_sort(benchmark):
    benchmark(sorted, NUMBERS)


def test_json(benchmark):
    benchmark(json.dumps, OBJECT)
"""
INI = """
[pytest]
tailgate_baselines = baselines
"""


def main(folder: Path, share: float) -> None:
    """Make the repository, and measure each commit."""
    folder.mkdir(parents=True)

    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(command, cwd=folder, check=True)

    git("init", "-q", "-b", "main", ".")
    (folder / "test_it.py").write_text(PROJECT)
    (folder / "pytest.ini").write_text(INI)
    (folder / ".gitignore").write_text("baselines\n__pycache__\n.pytest_cache\n")
    for number in range(SESSIONS):
        length = LENGTH if number < PLACE else round(LENGTH * (1 + share))
        (folder / "length.py").write_text(f"LENGTH = {length}\nCOMMIT = {number}\n")
        git("add", ".")
        git("commit", "-q", "-m", f"Sort {length} numbers, commit {number}")
        command = [sys.executable, "-m", "pytest", "-q", "--benchmark-max-time=1", "--benchmark-save=real"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.05)
