"""How much of ``pytest benchmarks -k resnet50`` is no warm-up, timed round or retry, in turns with another checkout.

``git worktree add /tmp/before COMMIT; TAILGATE_BEFORE=/tmp/before pytest benchmarks/instrument/test_suite_speed.py -m
instrument``, with a warm cache. docs/evidence/speed.md has the figures last seen.
"""

import os
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
TURNS = int(os.environ.get("TAILGATE_TURNS", "2"))
CHOSEN = os.environ.get("TAILGATE_CHOSEN", "resnet50")


def test_what_the_suite_spends_beside_its_timed_rounds(tmp_path: Path, report: Any) -> None:
    """Wall time of the whole command less what its benchmarks spent in warm-up and timed rounds, retries included."""
    checkouts = {"now": NOW, **({"before": Path(BEFORE)} if BEFORE else {})}
    beside_s: dict[str, list[float]] = {name: [] for name in checkouts}
    for turn in range(TURNS):
        for name, checkout in checkouts.items():
            parts = tmp_path / f"{name}-{turn}"
            start_s = time.monotonic()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pytest", "-p", "tailgate.plugin", "-p", "timed_part", "-q"),
                    *("benchmarks", "-k", CHOSEN, "--protocol=quick"),
                ],
                cwd=checkout,
                env={
                    **os.environ,
                    "PYTHONPATH": f"{checkout / 'src'}:{HERE / 'suite_speed'}",
                    "TAILGATE_TIMED_PART": str(parts),
                },
                capture_output=True,
                text=True,
                check=False,
            )
            took_s = time.monotonic() - start_s
            timed_s = [float(line.split()[0]) for line in parts.read_text().splitlines()]
            beside_s[name].append(took_s - sum(timed_s))
            report(
                f"{name}: {took_s:.1f} s, {sum(timed_s):.1f} s of it timed in {len(timed_s)} processes; "
                f"{beside_s[name][-1]:.1f} s are not; {done.stdout.splitlines()[-1]}"
            )
    medians_s = {name: statistics.median(values) for name, values in beside_s.items()}
    report(f"beside the timed part: {medians_s}")
    assert medians_s["now"] > 0
