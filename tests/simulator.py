"""A simulator of noisy sessions, so that anyone can re-derive the error rates of a rule (docs/gate.md).

A call of 10 ms is measured. The machine's speed has a shift for each session (sigma), one for each process, a drift
within minutes, bursts in which everything is slower, and single calls with a heavy tail. Two sides called in turns
share session, drift and bursts; two sessions share nothing.
"""

from dataclasses import dataclass

import numpy as np

CALL_S = 0.01
BLOCK_CALLS, BLOCKS = 5, 20
"""50 ms a block, a second a side."""


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


def pair(machine: Machine, rng: np.random.Generator, slower: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Durations of base and head, fresh processes called in A B B A blocks."""
    length_s = 2 * BLOCKS * BLOCK_CALLS * CALL_S
    bursts = bursts_of(machine, rng, length_s)
    drift = rng.normal(0, machine.drift)
    shifts = rng.normal(0, machine.process, 2)
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    now_s = 0.0
    for block in range(BLOCKS):
        for side in (0, 1) if block % 2 == 0 else (1, 0):
            times_s = now_s + np.arange(BLOCK_CALLS) * CALL_S
            now_s = times_s[-1] + CALL_S
            durations_s = calls(machine, rng, times_s, bursts)
            durations_s = durations_s * np.exp(shifts[side] + drift * now_s / length_s)
            sides[side].append(durations_s * (1 + slower) if side else durations_s)
    return np.concatenate(sides[0]), np.concatenate(sides[1])


def log_ratios(
    machine: Machine, rng: np.random.Generator, pairs: int, slower: float = 0.0, percent: float = 50
) -> list[float]:
    """Log of head over base, one a pair, of the median or another percentile."""
    found = []
    for _ in range(pairs):
        base, head = pair(machine, rng, slower)
        found.append(float(np.log(np.percentile(head, percent) / np.percentile(base, percent))))
    return found
