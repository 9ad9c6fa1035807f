"""Is that enough, and what does it say: the duet's rule on the pairs of one metric. Pure functions.

R pairs decide; where they leave it open, R more. A fail must be one again on fresh pairs alone (R, and R more where
those leave it open): that is what keeps false alarms rare over many benchmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tailgate.stats.decision import FAIL, UNDECIDED, Evidence, duet_verdict, worsening
from tailgate.stats.paired import Paired, paired

SUSPECT_P = 0.05
LEAST_PAIRS = 7
"""Fewer cannot give p < .01, whatever they are."""


@dataclass(frozen=True)
class Decision:
    """What the pairs so far say of one metric."""

    verdict: str
    found: Paired | None
    """The pairs that gave the verdict: of a fail, the fresh ones."""
    evidence: Evidence | None
    confirmed: bool | None
    """``None``: nothing failed, so nothing was to be confirmed."""
    more: int
    """How many more pairs are wanted; 0: the decision is final."""


def decide(log_ratios: Sequence[float], metric: str, limit_rel: float, pairs: int, *, patient: bool) -> Decision:
    """Judge one metric.

    Args:
        log_ratios: of all pairs so far, in the order in which they were measured.
        metric: decides which direction is worse.
        limit_rel: what may pass.
        pairs: R.
        patient: whether an open question alone is worth R more pairs. Else only a suspicious one is: a P99
            scatters so much that most unchanged ones stay open.
    """
    first = _look(log_ratios, metric, limit_rel, pairs, patient=patient)
    if first.more or first.verdict != FAIL:
        return first
    assert first.found is not None
    fresh = log_ratios[first.found.pairs :]
    second = _look(fresh, metric, limit_rel, pairs, patient=True)
    if second.more:
        return Decision(FAIL, first.found, first.evidence, None, second.more)
    return Decision(second.verdict, second.found, second.evidence, second.verdict == FAIL, 0)


def _look(log_ratios: Sequence[float], metric: str, limit_rel: float, pairs: int, *, patient: bool) -> Decision:
    for count in (pairs, 2 * pairs):
        if len(log_ratios) < count:
            return _judged(log_ratios, metric, limit_rel, more=count - len(log_ratios))
        found = _judged(log_ratios[:count], metric, limit_rel, more=0)
        if found.verdict != UNDECIDED or not (patient or _suspicious(found, limit_rel)):
            break
    return found


def _judged(log_ratios: Sequence[float], metric: str, limit_rel: float, more: int) -> Decision:
    if not log_ratios:
        return Decision(UNDECIDED, None, None, None, more)
    found = paired(log_ratios)
    evidence = worsening(found, metric)
    verdict = duet_verdict(evidence, limit_rel) if found.pairs >= LEAST_PAIRS else UNDECIDED
    return Decision(verdict, found, evidence, None, more)


def _suspicious(found: Decision, limit_rel: float) -> bool:
    evidence = found.evidence
    if evidence is None or evidence.p_worse is None:
        return False
    return evidence.worse_rel > limit_rel or evidence.p_worse < SUSPECT_P
