"""Is that enough, and what does it say: the duet's rule on the pairs of one metric. Pure functions.

A group-sequential test: the pairs are looked at a few times, and the significance level is spent over the looks. A fail
must be one again on fresh pairs alone: that is what keeps false alarms rare over many benchmarks.
docs/evidence/statistics.md has the error rates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tailgate.stats.decision import FAIL, PASS, UNDECIDED, Evidence, duet_verdict, worsening
from tailgate.stats.paired import Paired, paired

SUSPECT_P = 0.05
LOOKS = ((0.5, 0.0), (0.625, 0.0), (0.75, 0.0), (1.0, 0.004), (1.5, 0.004), (2.5, 0.006))
"""Of the first pairs: how many, as multiples of R, and the level of the signed-rank test. About 1 % together, for a
change of nothing that is told from nothing; the limit makes it far less. Four that are all beyond the limit fail."""
FRESH_LOOKS = ((0.5, 0.0), (0.625, 0.032), (1.0, 0.02), (1.5, 0.01), (2.5, 0.01))
"""Of the fresh pairs that confirm a fail: 4 that are all beyond the limit are enough, or 5 that agree (p = 1/32)."""
LEAST_PAIRS_OF_A_PASS = 5
"""Fewer end in no other verdict than a fail: passes by four let twice as many duets pass that are 3 % slower."""
FAMILY, FALL = 20, 0.75
"""Benchmarks of a duet that need no stricter confirmation, and the power of their number by which its levels fall: so
that among any number about as many duets fail by chance as among 20."""
BOUNDS = 1 - 2 * 0.032
"""Two-sided confidence of the interval that is held against the limit: with 5 pairs it reaches from the least to the
largest."""


@dataclass(frozen=True)
class Decision:
    """What the pairs so far say of one metric."""

    verdict: str
    found: Paired | None
    """The pairs that it is told by: of a confirmed fail all of them, of one that was not the fresh ones."""
    evidence: Evidence | None
    confirmed: bool | None
    """``None``: nothing failed, so nothing was to be confirmed."""
    more: int
    """How many more pairs are wanted; 0: the decision is final."""


def decide(
    log_ratios: Sequence[float], metric: str, limit_rel: float, pairs: int, *, patient: bool, family: int = 1
) -> Decision:
    """Judge one metric.

    Args:
        log_ratios: of all pairs so far, in the order in which they were measured.
        metric: decides which direction is worse.
        limit_rel: what may pass.
        pairs: R.
        patient: whether an open question alone is worth more pairs. Else only a suspicious one is: a P99
            scatters so much that most unchanged ones stay open.
        family: benchmarks that are judged together: of many more some fail by chance, so that more has to confirm one.
    """
    first = _looked(log_ratios, metric, limit_rel, pairs, LOOKS, patient=patient)
    if first.more or first.verdict != FAIL:
        return first
    assert first.found is not None
    fresh = log_ratios[first.found.pairs :]
    second = _looked(fresh, metric, limit_rel, pairs, FRESH_LOOKS, patient=True, share=share_of(family))
    if second.more:
        return Decision(FAIL, first.found, first.evidence, None, second.more)
    if second.verdict != FAIL:
        return Decision(second.verdict, second.found, second.evidence, False, 0)
    assert second.found is not None
    both = paired(log_ratios[: first.found.pairs + second.found.pairs])
    return Decision(FAIL, both, second.evidence, True, 0)


def share_of(family: int) -> float:
    """Of the levels of :data:`FRESH_LOOKS`, what a benchmark among so many has."""
    return float(min(1.0, (FAMILY / family) ** FALL))


def _looked(
    log_ratios: Sequence[float],
    metric: str,
    limit_rel: float,
    pairs: int,
    looks: Sequence[tuple[float, float]],
    *,
    patient: bool,
    share: float = 1.0,
) -> Decision:
    """``share``: of the levels by which a fail is told."""
    for multiple, alpha in looks:
        count = math.ceil(pairs * multiple)
        more = max(0, count - len(log_ratios))
        found = _judged(log_ratios[:count], metric, limit_rel, alpha, more=more, share=share)
        if found.more or found.verdict == FAIL:
            break
        wanted = found.verdict == UNDECIDED and (patient or _suspicious(found, limit_rel))
        if count >= LEAST_PAIRS_OF_A_PASS and not wanted:
            break
    return found


def _judged(
    log_ratios: Sequence[float], metric: str, limit_rel: float, alpha: float, *, more: int, share: float
) -> Decision:
    if not log_ratios:
        return Decision(UNDECIDED, None, None, None, more)
    told, judged = paired(log_ratios), paired(log_ratios, BOUNDS)
    evidence = worsening(judged, metric)
    if share < 1:
        evidence = replace(evidence, best_rel=_best_rel(log_ratios, metric, 1 - (1 - BOUNDS) * share))
    verdict = duet_verdict(evidence, limit_rel, alpha * share)
    worst_rel = worsening(told, metric).worst_rel
    if verdict == PASS and worst_rel is not None and worst_rel >= limit_rel:
        told = judged  # a pass whose interval reached beyond the limit would look like a mistake
    return Decision(verdict, told, evidence, None, more)


def _best_rel(log_ratios: Sequence[float], metric: str, confidence: float) -> float | None:
    """``None``: so few pairs have no interval of that confidence."""
    found = paired(log_ratios, confidence)
    return worsening(found, metric).best_rel if found.confidence == confidence else None


def _suspicious(found: Decision, limit_rel: float) -> bool:
    evidence = found.evidence
    if evidence is None or evidence.p_worse is None:
        return False
    return evidence.worse_rel > limit_rel or evidence.p_worse < SUSPECT_P
