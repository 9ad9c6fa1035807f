"""How often a run of many unchanged benchmarks fails (docs/evidence/statistics.md#many-benchmarks).

``PYTHONPATH=src:tests/helpers python tests/helpers/simulated_families.py RUNS`` prints the page's figures.
"""

import sys
from itertools import product

import numpy as np
from scipy import special
from simulator import rule

from tailgate.stats.decision import ALPHA, FAIL
from tailgate.stats.family import significant

BENCHMARKS = 500
LIMIT_REL = 0.02
SCATTERS = {"each by itself": (0.0, 0.02), "both": (0.014, 0.014), "nearly all shared": (0.02, 0.005)}
"""Of sessions: what shifts all benchmarks, and what shifts each by itself; log-medians, 1 sd."""


def failing_runs(
    runs: int, sessions: int, shared: float, own: float, slower: float = 0.0, benchmarks: int = BENCHMARKS
) -> tuple[float, float]:
    """Share of runs in which any benchmark fails against its saved sessions: as each is alone, and together.

    ``slower``: by how much all are. The rule is ``prediction.predicted`` with the limit, written for arrays.
    """
    rng = np.random.default_rng(20261130)
    alone = together = 0
    for _ in range(runs):
        logs = rng.normal(0, own, (benchmarks, sessions + 1)) + rng.normal(0, shared, sessions + 1)
        history, now = logs[:, :-1], logs[:, -1] + np.log1p(slower)
        change = now - history.mean(axis=1)
        spread = history.std(axis=1, ddof=1) * np.sqrt(1 / sessions + 1)
        p = special.stdtr(sessions - 1, -change / spread)
        fails = (p < ALPHA) & (change > np.log1p(LIMIT_REL))
        alone += bool(fails.any())
        together += bool((fails & np.array(significant(p.tolist(), benchmarks))).any())
    return alone / runs, together / runs


def caught(runs: int, sessions: int, slower: float, benchmarks: int) -> float:
    """How often one slower benchmark among unchanged ones fails against its saved sessions; each shifts by 2 %."""
    rng = np.random.default_rng(20261130)
    found = 0
    for _ in range(runs):
        logs = rng.normal(0, 0.02, (benchmarks, sessions + 1))
        logs[0, -1] += np.log1p(slower)
        change = logs[:, -1] - logs[:, :-1].mean(axis=1)
        spread = logs[:, :-1].std(axis=1, ddof=1) * np.sqrt(1 / sessions + 1)
        p = special.stdtr(sessions - 1, -change / spread)
        found += bool(p[0] < ALPHA and change[0] > np.log1p(LIMIT_REL) and significant(p.tolist(), benchmarks)[0])
    return found / runs


def main(runs: int) -> None:
    """Print them."""
    for (what, (shared, own)), sessions in product(SCATTERS.items(), (10, 20, 50)):
        alone, together = failing_runs(runs, sessions, shared, own)
        print(f"saved, {sessions} sessions, scatter {what}: runs failing, alone {alone:.1%}, together {together:.1%}")
    for benchmarks, sessions, slower in product((1, 12, 50, 500), (10, 20, 50), (0.05, 0.10)):
        share = caught(runs, sessions, slower, benchmarks)
        print(f"saved, {sessions} sessions, one of {benchmarks} slower by {slower:.0%}: caught {share:.1%}")
    rng = np.random.default_rng(20261130)
    for scatter in (0.008, 0.013, 0.018, 0.03, 0.05):
        decisions = [rule(rng, scatter, 0.0) for _ in range(20 * runs)]
        first = np.mean([one[0] for one in decisions])
        last = np.mean([one[1] == FAIL for one in decisions])
        print(
            f"duet, pairs scatter by {scatter:.1%}: of {len(decisions)} failed first {first:.3%}, confirmed {last:.3%}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
