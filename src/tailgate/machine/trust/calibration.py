"""A fixed piece of work, timed: whether the machine changed, when the numbers did.

Two parts, because they age apart: heat, a lower clock or a neighbour on the same core slow the computing; a
neighbour anywhere on the chip slows the memory. Standard library only, no thread of its own.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

COMPUTE_BUFFER = bytes(range(256)) * 1024
"""256 KiB: within any second-level cache, so that hashing it sees the core and not the memory."""
COMPUTE_PASSES = 8
COPIED_BYTES = 32 * 2**20
"""From one half to the other of a buffer of twice this size: more than most last-level caches."""
REPEATS = 8


@dataclass(frozen=True)
class Calibration:
    """Seconds of the best of :data:`REPEATS` repeats.

    The best, because everything that comes in bursts (an interrupt, a neighbour's turn) only adds, and seldom
    to all repeats; while a slower clock or a lasting neighbour slows the best one too.

    Attributes:
        compute_s: SHA-256 over 2 MiB in cache.
        memory_s: copying 32 MiB.
    """

    compute_s: float
    memory_s: float


def calibrate() -> Calibration:
    """Run it: about 50 ms, of which half is for getting the memory and giving it back.

    The 64 MiB are the process's only while this runs: between benchmarks they would count as their memory. So
    run it before the peak of resident memory is reset for the next benchmark (``measure.mark_meters``), not after.
    """
    return Calibration(_compute_s(), _memory_s())


def _compute_s() -> float:
    def work() -> None:
        digest = hashlib.sha256()
        for _ in range(COMPUTE_PASSES):
            digest.update(COMPUTE_BUFFER)

    return _best_s(work)


def _memory_s() -> float:
    # Made anew each time, and filled with zeros by that: every page is there before the clock starts.
    with memoryview(bytearray(2 * COPIED_BYTES)) as view:

        def work() -> None:
            view[:COPIED_BYTES] = view[COPIED_BYTES:]

        return _best_s(work)


def _best_s(work: Callable[[], None]) -> float:
    work()  # warm: caches, branch predictors, and the clock of a core that slept
    best_s = float("inf")
    for _ in range(REPEATS):
        start_s = time.perf_counter()
        work()
        best_s = min(best_s, time.perf_counter() - start_s)
    return best_s
