"""How often a session of many unchanged benchmarks fails (docs/evidence/statistics.md#many-benchmarks).

``PYTHONPATH=src:tests/helpers python tests/helpers/simulated_families.py RUNS`` prints the page's figures.
"""

import sys
from itertools import product

import numpy as np
from scipy import special

from tailgate.gates.saved.judgement import DRIFT_ALPHA
from tailgate.stats.decision import ALPHA
from tailgate.stats.family import significant
from tailgate.stats.prediction import LEAST_SESSIONS

BENCHMARKS = 500
LIMIT_REL = 0.02
SCATTERS = {"each by itself": (0.0, 0.02), "both": (0.014, 0.014), "nearly all shared": (0.02, 0.005)}
"""Of sessions: what shifts all benchmarks, and what shifts each by itself; log-medians, 1 sd."""


def failing_runs(
    runs: int, sessions: int, shared: float, own: float, slower: float = 0.0, benchmarks: int = BENCHMARKS
) -> tuple[float, float]:
    """Share of runs in which any benchmark fails against its saved sessions: as each is alone, and together.

    ``slower``: by how much all are.
    """
    rng = np.random.default_rng(20261130)
    alone = together = 0
    for _ in range(runs):
        logs = rng.normal(0, own, (benchmarks, sessions + 1)) + rng.normal(0, shared, sessions + 1)
        fails, p = _judged(logs[:, :-1], logs[:, -1] + np.log1p(slower))
        alone += bool(fails.any())
        together += bool((fails & np.array(significant(p.tolist(), benchmarks))).any())
    return alone / runs, together / runs


def _judged(history: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which benchmarks fail alone, and the p of each; ``judgement._against`` for arrays."""
    fails, p = _tested(history, now, ALPHA)
    if history.shape[1] > LEAST_SESSIONS:
        drifted, p_drift = _tested(history[:, :LEAST_SESSIONS], now, DRIFT_ALPHA)
        p = np.where(drifted & ~fails, p_drift * ALPHA / DRIFT_ALPHA, p)
        fails |= drifted
    return fails, p


def _tested(history: np.ndarray, now: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    sessions = history.shape[1]
    change = now - history.mean(axis=1)
    p = special.stdtr(sessions - 1, -change / history.std(axis=1, ddof=1) / np.sqrt(1 / sessions + 1))
    return (p < alpha) & (change > np.log1p(LIMIT_REL)), p


def caught(runs: int, sessions: int, slower: float, benchmarks: int) -> float:
    """How often one slower benchmark among unchanged ones fails against its saved sessions; each shifts by 2 %."""
    rng = np.random.default_rng(20261130)
    found = 0
    for _ in range(runs):
        logs = rng.normal(0, 0.02, (benchmarks, sessions + 1))
        logs[0, -1] += np.log1p(slower)
        fails, p = _judged(logs[:, :-1], logs[:, -1])
        found += bool(fails[0] and significant(p.tolist(), benchmarks)[0])
    return found / runs


def main(runs: int) -> None:
    """Print them."""
    for (what, (shared, own)), sessions in product(SCATTERS.items(), (10, 20, 50)):
        alone, together = failing_runs(runs, sessions, shared, own)
        print(f"saved, {sessions} sessions, scatter {what}: runs failing, alone {alone:.1%}, together {together:.1%}")
    for benchmarks, sessions, slower in product((1, 12, 50, 500), (10, 20, 50), (0.05, 0.10)):
        share = caught(runs, sessions, slower, benchmarks)
        print(f"saved, {sessions} sessions, one of {benchmarks} slower by {slower:.0%}: caught {share:.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
