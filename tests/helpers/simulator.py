"""A simulator of noisy sessions, so that anyone can re-derive the error rates of a rule (docs/evidence/statistics.md).

A call of 10 ms is measured. The machine's speed has a shift for each session (sigma), one for each process, a drift
within minutes, bursts in which everything is slower, and single calls with a heavy tail. Two sides called in turns
share session, drift and bursts; two sessions share nothing.
"""

import sys
from dataclasses import dataclass
from itertools import product

import numpy as np

from tailgate.gates.duet.decision import decide
from tailgate.gates.duet.ratios import block_log_ratio
from tailgate.gates.duet.turns import abba, turns_for
from tailgate.stats.decision import FAIL, PASS

CALL_S = 0.01
TURNS = turns_for(CALL_S)
"""What a side does in a pair."""
PAIRS = 8


@dataclass(frozen=True)
class Machine:
    """How noisy it is; every figure a relative standard deviation unless it says otherwise."""

    session: float = 0.02
    process: float = 0.004
    drift: float = 0.01
    """Of the speed over the minutes of a session."""
    burst: float = 0.08
    """How much slower a burst is, on average."""
    burst_share: float = 0.05
    """Of the time."""
    burst_s: float = 0.5
    call: float = 0.01
    tail_share: float = 0.02
    """Calls that take up to 50 % longer."""


def calls(machine: Machine, rng: np.random.Generator, times_s: np.ndarray, bursts: np.ndarray) -> np.ndarray:
    """Durations of calls made at these times, without the shifts of session and process."""
    noise = rng.normal(0, machine.call, len(times_s))
    tail = (rng.random(len(times_s)) < machine.tail_share) * rng.random(len(times_s)) * 0.5
    slower = bursts[np.minimum((times_s / machine.burst_s).astype(int), len(bursts) - 1)]
    return CALL_S * (1 + np.abs(tail) + slower) * np.exp(noise)


def bursts_of(machine: Machine, rng: np.random.Generator, length_s: float) -> np.ndarray:
    """By stretches of ``burst_s``: how much slower everything is."""
    count = int(length_s / machine.burst_s) + 2
    return (rng.random(count) < machine.burst_share) * rng.exponential(machine.burst, count)


def session(machine: Machine, rng: np.random.Generator, slower: float = 0.0, length_s: float = 20.0) -> np.ndarray:
    """Durations of one session in one process."""
    times_s = np.arange(0, length_s, CALL_S)
    shift = rng.normal(0, machine.session) + rng.normal(0, machine.process)
    drift = rng.normal(0, machine.drift) * times_s / length_s
    durations_s = calls(machine, rng, times_s, bursts_of(machine, rng, length_s))
    return np.asarray(durations_s * np.exp(shift + drift) * (1 + slower))


@dataclass(frozen=True)
class Story:
    """What happens in a history: relative changes of the call's time by session, and the sessions where it changed."""

    slower: np.ndarray
    places: tuple[int, ...] = ()


def step(sessions: int, *changes: tuple[int, float], bad: tuple[int, int, float] | None = None) -> Story:
    """The level changes at each place by so much; ``bad``: from, to and by how much a burst of sessions is slower."""
    slower = np.ones(sessions)
    for place, change in changes:
        slower[place:] *= 1 + change
    if bad is not None:
        slower[bad[0] : bad[1]] *= 1 + bad[2]
    return Story(slower - 1, tuple(place for place, _ in changes))


def drifting(sessions: int, change: float) -> Story:
    """The call becomes slower little by little, by ``change`` from the first session to the last."""
    return Story(np.linspace(0, change, sessions))


def history(machine: Machine, rng: np.random.Generator, sessions: int, bad_share: float = 0.0) -> np.ndarray:
    """Log-medians of sessions in which nothing changed; the log of 1 + ``Story.slower`` is to be added.

    ``bad_share``: of the sessions, at random, that are slower as a whole, by 10 % on average.
    """
    medians_s = [np.median(session(machine, rng)) for _ in range(sessions)]
    bad = (rng.random(sessions) < bad_share) * rng.exponential(0.1, sessions)
    return np.asarray(np.log(medians_s) + np.log1p(bad))


def pair(machine: Machine, rng: np.random.Generator, slower: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Durations of base and head, fresh processes called in A B B A blocks as the duet calls them."""
    order = np.repeat(list(abba(TURNS.blocks, int(rng.integers(2)))), TURNS.rounds)
    times_s = np.arange(len(order)) * CALL_S
    durations_s = calls(machine, rng, times_s, bursts_of(machine, rng, times_s[-1]))
    speed = rng.normal(0, machine.process, 2)[order] + rng.normal(0, machine.drift) * times_s / times_s[-1]
    durations_s = durations_s * np.exp(speed) * (1 + slower * order)
    return durations_s[order == 0], durations_s[order == 1]


def log_ratios(
    machine: Machine, rng: np.random.Generator, pairs: int, slower: float = 0.0, metric: str = "median"
) -> list[float]:
    """Log of head over base, one a pair, as the duet has it."""
    found = []
    for _ in range(pairs):
        base, head = pair(machine, rng, slower)
        if metric == "p99":
            found.append(float(np.log(np.percentile(head, 99) / np.percentile(base, 99))))
        else:
            found.append(block_log_ratio(base.tolist(), head.tolist(), TURNS.rounds))
    return found


def duet(
    machine: Machine, rng: np.random.Generator, slower: float, metric: str = "median", limit_rel: float = 0.02
) -> tuple[str, str]:
    """The whole rule: what the first look said, and the last word."""
    values: list[float] = []
    while True:
        found = decide(values, metric, limit_rel, PAIRS, patient=metric != "p99")
        if not found.more:
            return found.verdict if found.confirmed is None else FAIL, found.verdict
        values += log_ratios(machine, rng, found.more, slower, metric)


def rule(rng: np.random.Generator, spread: float, slower: float) -> tuple[bool, str, int]:
    """The rule alone, on log-ratios with Student's t of 4: whether a look failed, the last word, pairs."""
    values: list[float] = []
    while True:
        found = decide(values, "median", 0.02, PAIRS, patient=True)
        if not found.more:
            return found.confirmed is not None, found.verdict, len(values)
        values += (np.log1p(slower) + spread * rng.standard_t(4, found.more) / np.sqrt(2)).tolist()


def main(runs: int) -> None:
    """The duet's lines of docs/evidence/statistics.md."""
    rng = np.random.default_rng(20261121)
    for metric, limit_rel, changes in (("median", 0.02, (0.0, 0.03, 0.05, 0.10)), ("p99", 0.10, (0.0, 0.10, 0.20))):
        for sigma, slower in product((0.02, 0.04), changes):
            words = [duet(Machine(session=sigma), rng, slower, metric, limit_rel) for _ in range(runs)]
            first, last = (sum(word[look] == FAIL for word in words) / runs for look in (0, 1))
            print(f"{metric} sigma {sigma:.0%}, slower {slower:.0%}: failed first {first:.2%}, confirmed {last:.2%}")
    for spread, slower in product((0.005, 0.008, 0.013, 0.018, 0.03, 0.05), (0.0, 0.02, 0.03, 0.05, 0.10)):
        made = [rule(rng, spread, slower) for _ in range(runs)]
        first, pairs = sum(one[0] for one in made) / runs, sum(one[2] for one in made) / runs
        failed, passed = (sum(one[1] == word for one in made) / runs for word in (FAIL, PASS))
        print(
            f"pairs scatter by {spread:.1%}, slower {slower:.0%}: failed first {first:.2%}, confirmed {failed:.2%}, "
            f"passed {passed:.1%}; {pairs:.1f} pairs"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
