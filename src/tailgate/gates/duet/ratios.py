"""From the rounds of one pair to the logarithm of head over base, of each metric. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from tailgate.gates.duet.outcome import BASE, HEAD, Outcome
from tailgate.gates.duet.turns import LEAST_ROUNDS_OF_P99
from tailgate.results.columns import items_per_call
from tailgate.stats.quantiles import percentile


def log_ratio(outcome: Outcome, metric: str) -> float:
    """log(head / base) of one pair."""
    assert outcome.turns is not None
    if metric == "p99":
        return math.log(value(outcome, HEAD, metric) / value(outcome, BASE, metric))
    slower = block_log_ratio(*outcome.rounds_s, outcome.turns.rounds)
    if metric == "throughput":
        base, head = items_of(outcome, BASE), items_of(outcome, HEAD)
        assert base is not None
        assert head is not None
        return math.log(head) - math.log(base) - slower
    return slower


def block_log_ratio(base_s: Sequence[float], head_s: Sequence[float], rounds: int) -> float:
    """log(head / base) of the medians of neighbouring blocks: the median over all blocks of ``rounds`` rounds.

    Neighbours in A B B A share what the machine does at that moment. The ratio of the two overall medians does not use
    that: beside other work on this project's 2-CPU machine its spread was 2.4 to 43 times as large
    (docs/evidence/duet-evidence.md).
    """
    starts = range(0, min(len(base_s), len(head_s)), rounds)
    return statistics.median(
        math.log(statistics.median(head_s[start : start + rounds]) / statistics.median(base_s[start : start + rounds]))
        for start in starts
    )


def value(outcome: Outcome, side: int, metric: str) -> float:
    """One side's value in one pair: seconds per call, or items per second."""
    assert outcome.turns is not None
    rounds_s = outcome.rounds_s[side]
    if metric == "p99":
        return percentile(sorted(rounds_s), 99) / outcome.turns.iterations
    call_s = statistics.median(rounds_s) / outcome.turns.iterations
    if metric != "throughput":
        return call_s
    items = items_of(outcome, side)
    assert items is not None
    return items / call_s


def said_items(outcome: Outcome, side: int) -> Any:
    """Items per call as the test says it, whatever that is; ``None``: it does not."""
    rows = outcome.sides[side].rows
    return rows[0]["extra_info"].get("items_per_call") if rows else None


def items_of(outcome: Outcome, side: int) -> float | None:
    """Items per call, 1 where the test says nothing; ``None``: what it says is not a positive number."""
    return items_per_call({"items_per_call": said_items(outcome, side)})


def unusable(outcomes: Sequence[Outcome], metric: str) -> str | None:
    """Why these rounds say nothing of a metric; ``None``: they do."""
    rounds = min((len(side_s) for outcome in outcomes for side_s in outcome.rounds_s), default=0)
    if metric == "p99" and outcomes and rounds < LEAST_ROUNDS_OF_P99:
        return f"{rounds} calls a side in a pair are too few for a P99 (at least {LEAST_ROUNDS_OF_P99})"
    if any(min(side_s, default=0.0) <= 0 for outcome in outcomes for side_s in outcome.rounds_s):
        return "some calls took 0 s by this timer (--benchmark-timer)"
    if metric == "throughput":
        for outcome in outcomes:
            for side, name in ((BASE, "base"), (HEAD, "head")):
                if items_of(outcome, side) is None:
                    return f"items_per_call is {said_items(outcome, side)!r} in {name}, which is not a positive number"
    return None
