"""The live bar of the duet: ``python benchmarks/instrument/live_gate/campaign.py MINUTES FOLDER [pytest options]``.

Runs the whole command again and again, keeps each run's JSON in FOLDER, and prints false alarms, power and wall time
so far, beside what ``--benchmark-compare-fail=mean:5%`` and ``median:5%`` say of the same processes: one process as
the saved run, another one's as today's, as pytest-benchmark would have it.
"""

import json
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RULES = ("mean", "median")


def main(minutes: float, folder: Path, options: list[str]) -> None:
    """As long as another run is likely to end in time."""
    folder.mkdir(parents=True, exist_ok=True)
    begun_s = time.monotonic()
    longest_s = 0.0
    while time.monotonic() - begun_s + longest_s < minutes * 60:
        start_s = time.monotonic()
        file = folder / f"{len(list(folder.glob('*.json'))):03}.json"
        command = ["-m", "pytest", str(HERE), "-m", "instrument", "-q", "--duet=option:--slower=off"]
        subprocess.run(
            [sys.executable, *command, f"--benchmark-json={file}", *options], check=False, stdout=subprocess.DEVNULL
        )
        longest_s = max(longest_s, time.monotonic() - start_s)
        print_summary([json.loads(one.read_text())["tailgate_duet"] for one in sorted(folder.glob("*.json"))])


def print_summary(duets: list[dict[str, Any]]) -> None:
    """Of all duets so far."""
    verdicts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for duet in duets:
        for one in duet["verdicts"]:
            verdict = one["verdict"] if one["confirmed"] is not False else f"{one['verdict']} (not confirmed)"
            verdicts[_kind(one["fullname"]), one["metric"]][verdict] += 1
    print(f"{len(duets)} runs, {sum(duet['wall_s'] for duet in duets) / len(duets):.0f} s each")
    for (kind, metric), counts in sorted(verdicts.items()):
        print(f"  {kind:12} {metric:7} {sum(counts.values()):4} verdicts: {dict(counts.most_common())}")
    for kind, counts in sorted(by_stock_rules(duets).items()):
        shares = ", ".join(f"{rule}:5% {counts[rule] / counts['all']:.1%}" for rule in RULES)
        print(f"  {kind:12} {counts['all']:4} comparisons of one process with the next: {shares}")


def by_stock_rules(duets: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """How often pytest-benchmark's rules say "slower": base's process of one pair, head's of the next."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for duet in duets:
        for bench in duet["benchmarks"]:
            counts = found[_kind(bench["fullname"])]
            for saved, now in zip(bench["pairs"], bench["pairs"][1:], strict=False):
                counts["all"] += 1
                for rule in RULES:
                    compute = getattr(statistics, rule)
                    counts[rule] += compute(now["head_rounds_s"]) > 1.05 * compute(saved["base_rounds_s"])
    return found


def _kind(fullname: str) -> str:
    name = fullname.rpartition("[")[2].rstrip("]")
    return name.rpartition("-")[0]


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
