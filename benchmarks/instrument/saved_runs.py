"""Large saved runs: a small run of Tailgate's own, and its rows again under other names and at other speeds."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

SEED = """
import pytest

@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 4])
def test_sum(benchmark, batch, threads):
    benchmark.extra_info.update(batch_size=batch, threads=threads, model="model")
    benchmark(sum, range(1000))
"""
PER_SECOND = ("ops", "throughput")


def saved_runs(folder: Path, rows: int, rounds: int) -> tuple[Path, Path]:
    """``base.json`` and ``head.json`` as ``--benchmark-json`` writes them, of the same ``rows`` benchmarks."""
    (folder / "test_seed.py").write_text(SEED)
    seed = folder / "seed.json"
    seeding = [f"--rounds={rounds}", f"--benchmark-json={seed}", "--protocol=quick"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}"]
    subprocess.run([*command, *seeding, "test_seed.py"], cwd=folder, check=True, capture_output=True)
    base, head = folder / "base.json", folder / "head.json"
    for file in (base, head):
        _multiply(seed, file, rows)
    return base, head


def _multiply(seed: Path, file: Path, rows: int) -> None:
    run = json.loads(seed.read_text())
    draw = random.Random(file.name)
    few = run["benchmarks"]
    run["benchmarks"] = [_row(few[index % len(few)], index // len(few), draw) for index in range(rows)]
    run["tailgate_run"].update(selected=rows, measured=rows)
    file.write_text(json.dumps(run, indent=4))


def _row(bench: dict[str, Any], copy: int, draw: random.Random) -> dict[str, Any]:
    factor = (1 + copy) ** 0.5 * draw.lognormvariate(0, 0.02)
    stats: dict[str, Any] = {}
    for name, value in bench["stats"].items():
        if name == "data":
            stats[name] = [one * factor for one in value]
        elif name in PER_SECOND:
            stats[name] = value / factor
        else:
            stats[name] = value * factor if isinstance(value, float) else value
    name = bench["name"].replace("[", f"[model{copy}-")
    return {
        **bench,
        "name": name,
        "fullname": bench["fullname"].replace(bench["name"], name),
        "params": {**bench["params"], "model": f"model{copy}"},
        "param": f"model{copy}-{bench['param']}",
        "extra_info": {**bench["extra_info"], "model": f"model{copy}"},
        "stats": stats,
    }


if __name__ == "__main__":
    saved_runs(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
