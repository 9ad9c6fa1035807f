"""The bar of ``tailgate bisect``: ``python benchmarks/instrument/bisections.py MINUTES FILE.json [pytest options]``.

A repository of 64 commits, a call that does 5 % more work from a random commit on; the whole command, again and again
with another place. Keeps each result in FILE.json and prints how many were found, and with how many duets.
docs/evidence/bisect.md has the figures last seen.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COMMITS, MOST_DUETS = 64, 8
ROUNDS, SLOWER_REL = 20_000, 0.05
"""A loop of about a millisecond."""
WORK = """REVISION = {revision}


def work():
    total = 0
    for number in range({rounds}):
        total += number * number
    return total
"""
TEST = """import work


def test_work(benchmark):
    benchmark(work.work)


def test_unchanged(benchmark):
    benchmark(sum, range({rounds}))
"""
TAILGATE = (sys.executable, "-c", "import sys; from tailgate.commands.main import main; sys.exit(main())")
TOLD = re.compile(r"^([0-9a-f]{10}) .* is the first bad commit$", re.MULTILINE)
TOTAL = re.compile(r"^(\d+) duets, (\d+) pairs, ", re.MULTILINE)


def main(minutes: float, file: Path, options: list[str]) -> None:
    """As long as another bisect is likely to end in time."""
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    begun_s, longest_s = time.monotonic(), 0.0
    while time.monotonic() - begun_s + longest_s < minutes * 60:
        start_s = time.monotonic()
        found.append(one_bisect(seed=len(found), options=options))
        file.write_text(json.dumps(found, indent=1))
        longest_s = max(longest_s, time.monotonic() - start_s)
        print_summary(found)


def one_bisect(seed: int, options: list[str]) -> dict[str, Any]:
    """Plant, search, compare."""
    first_slow = random.Random(seed).randrange(1, COMMITS)
    with tempfile.TemporaryDirectory(prefix="bisections-") as folder:
        top = Path(folder) / "project"
        commits = repository(top, first_slow)
        words = ["--", "pytest", "-p", "no:cacheprovider", *options]
        start_s = time.monotonic()
        done = subprocess.run(
            [*TAILGATE, "bisect", "--good", commits[0], "--bad", commits[-1], *words],
            cwd=top, env={**os.environ, "TAILGATE_CACHE": folder}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        wall_s = time.monotonic() - start_s
    told, total = TOLD.search(done.stdout), TOTAL.search(done.stdout)
    print(done.stdout, done.stderr, sep="", flush=True)
    return {
        "seed": seed, "first_slow": first_slow, "exit_code": done.returncode,
        "found": bool(told) and commits[first_slow].startswith(told[1]) if told else False,
        "wrong": bool(told) and not commits[first_slow].startswith(told[1]) if told else False,
        "duets": int(total[1]) if total else None, "pairs": int(total[2]) if total else None, "wall_s": wall_s,
        "options": options, "load_1min": os.getloadavg()[0], "output": done.stdout + done.stderr,
    }  # fmt: skip


def repository(top: Path, first_slow: int) -> list[str]:
    """Its commits, the oldest first; each changes the module that is measured."""
    top.mkdir()
    files = {"test_work.py": TEST.format(rounds=ROUNDS)}
    stream = []
    for number in range(COMMITS):
        rounds = round(ROUNDS * (1 + SLOWER_REL)) if number >= first_slow else ROUNDS
        files["work.py"] = WORK.format(revision=number, rounds=rounds)
        stream.append(f"commit refs/heads/main\nmark :{number + 1}\ncommitter a <a@b> {1700000000 + number} +0000\n")
        stream.append(f"data {len(f'c{number}')}\nc{number}\n" + (f"from :{number}\n" if number else ""))
        stream += [f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items()]
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q", "."], cwd=top, check=True)
    subprocess.run([*git, "fast-import", "--quiet"], input="".join(stream), cwd=top, check=True, text=True)
    subprocess.run([*git, "reset", "-q", "--hard", "main"], cwd=top, check=True)
    listed = [*git, "rev-list", "--reverse", "main"]
    return subprocess.run(listed, cwd=top, check=True, capture_output=True, text=True).stdout.split()


def print_summary(found: list[dict[str, Any]]) -> None:
    """Of all bisects so far."""
    duets = [one["duets"] for one in found if one["duets"] is not None]
    print(
        f"{sum(one['found'] for one in found)} of {len(found)} found, {sum(one['wrong'] for one in found)} wrong; "
        f"duets: at most {max(duets, default=0)}, {sum(count <= MOST_DUETS for count in duets)} with {MOST_DUETS} or "
        f"fewer; {sum(one['wall_s'] for one in found) / len(found):.0f} s each",
        flush=True,
    )


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
