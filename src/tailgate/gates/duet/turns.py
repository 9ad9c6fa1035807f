"""Whose turn it is, and for how many calls: short blocks in the order A B B A. Pure functions.

Blocks are shorter than a machine's bursts, and there are many of them. The prototype had blocks of 30 to 100 ms, a
second a side; docs/evidence/duet-evidence.md has the figures that led to these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

BLOCK_S = 0.005
USUAL_BLOCKS, LONGEST_USUAL_S = 50, 0.5
"""A side, in one pair: more hardly narrow the pairs' scatter, which is the processes' own; of long calls fewer."""
MOST_ROUNDS = 20_000
"""A side, in one pair: all are kept."""
PRIMING_SHARE = 0.04
"""Of a block, called untimed first: while a side waits, the other one takes the caches."""
LONGEST_PRIMED_S = BLOCK_S
"""A longer call fills the caches anew by itself, and one more of it costs more than it brings."""
BLOCKS_UNSEEN = 100
"""At most this many blocks per side of rounds whose length is not known before the first."""
LEAST_ROUNDS_OF_P99 = 50
"""A side, in one pair: below, a P99 is hardly more than the slowest call."""
LONGEST_P99_S = 5.0
"""A side, in the first pair: a P99 that was named makes it longer than was asked for, at most so long."""
LEAST_BLOCKS = 2
"""A side: one A B B A, so that a drift cancels."""


@dataclass(frozen=True)
class Turns:
    """What both sides do, the same on each."""

    iterations: int
    """Calls a round."""
    rounds: int
    """A block."""
    blocks: int
    """A side."""
    priming: int
    """Untimed rounds before each block."""


def usual_side_s(round_s: float) -> float:
    """How long each side of one pair is measured where the user does not say it, by the length of a round."""
    return min(USUAL_BLOCKS * max(round_s, BLOCK_S), LONGEST_USUAL_S)


def turns_for(call_s: float, iterations: int = 1, side_s: float | None = None, *, p99_s: float = 0.0) -> Turns:
    """Turns for calls of ``call_s`` seconds (wall clock, slower side) with ``iterations`` calls per round.

    ``side_s``: how long each side is to be measured in all, whatever the benchmark's own timer counts: it may want more
    calls a round than there is time for. ``None``: :func:`usual_side_s`.
    ``p99_s``: each side is measured up to so long where that makes enough rounds for a P99.
    """
    call_s = max(call_s, 1e-9)
    side_s = usual_side_s(call_s * iterations) if side_s is None else side_s
    least_rounds = 0
    if _enough_for_p99_s(call_s, iterations) <= p99_s:
        side_s, least_rounds = max(side_s, _enough_for_p99_s(call_s, iterations)), LEAST_ROUNDS_OF_P99
    fitting = max(1, math.floor(side_s / LEAST_BLOCKS / call_s))
    iterations = max(min(iterations, fitting), math.ceil(side_s / MOST_ROUNDS / call_s))
    round_s = call_s * iterations
    rounds = max(1, round(BLOCK_S / round_s))
    blocks = max(LEAST_BLOCKS, 2 * round(side_s / (rounds * round_s) / 2), 2 * math.ceil(least_rounds / rounds / 2))
    priming = max(1, round(rounds * PRIMING_SHARE)) if round_s < LONGEST_PRIMED_S else 0
    return Turns(iterations, rounds, blocks, priming)


def _enough_for_p99_s(call_s: float, iterations: int) -> float:
    """More than the rounds need: the next pair's calls may take longer."""
    return 1.1 * LEAST_ROUNDS_OF_P99 * call_s * iterations


def p99_remedy(ready: Sequence[dict[str, Any]]) -> str:
    """What would make enough rounds for a P99, where these are too few."""
    if ready[0]["fixed"] is not None:
        return f"rounds={LEAST_ROUNDS_OF_P99} in benchmark.pedantic makes enough"
    call_s, iterations = max(found["call_s"] for found in ready), max(found["iterations"] for found in ready)
    if _enough_for_p99_s(call_s, iterations) > LONGEST_P99_S:
        return f"so many would take more than {LONGEST_P99_S:g} s"
    return "--gate-metrics=median,p99 makes more"


def authors_turns(rounds: int, iterations: int, round_s: float | None) -> Turns:
    """Turns for rounds that a test's author fixed: no block is primed, and no round is added.

    ``round_s``: of the author's warm-up on the slower side; ``None``: there is none.
    """
    most = max(1, rounds // LEAST_BLOCKS)
    wanted = math.ceil(rounds / BLOCKS_UNSEEN) if round_s is None else round(BLOCK_S / max(round_s, 1e-9))
    a_block = max(1, min(most, wanted))
    while rounds - rounds % a_block < LEAST_ROUNDS_OF_P99 <= rounds:  # what does not fill a block is left out
        a_block -= 1
    return Turns(iterations, a_block, rounds // a_block, 0)


def turns_of(ready: Sequence[dict[str, Any]], side_s: float | None, *, p99_s: float) -> Turns:
    """The same turns for both sides, from the slower one's calls and from what the test's author fixed."""
    calls_s = [found["call_s"] for found in ready]
    iterations = max(found["iterations"] for found in ready)
    if ready[0]["fixed"] is None:
        return turns_for(max(calls_s), iterations, side_s, p99_s=p99_s)
    round_s = None if None in calls_s else max(calls_s) * iterations
    return authors_turns(min(found["fixed"]["rounds"] for found in ready), iterations, round_s)


def abba(blocks: int, first: int) -> Iterator[int]:
    """Side 0 or 1, ``blocks`` times each: first, second, second, first, first, ..."""
    for block in range(blocks):
        yield from (first, 1 - first) if block % 2 == 0 else (1 - first, first)
