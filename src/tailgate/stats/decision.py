"""From numbers to a verdict: significant, and larger than what matters. Pure functions."""

from dataclasses import dataclass

from tailgate.stats.paired import Paired
from tailgate.stats.prediction import LEAST_SESSIONS, Prediction

ALPHA = 0.01
PASS, FAIL, UNDECIDED, IMPROVED = "pass", "fail", "undecided", "improved"
INCOMPARABLE, MISSING, NEW = "incomparable", "missing", "new"
HIGHER_IS_BETTER = frozenset({"throughput"})


@dataclass(frozen=True)
class Evidence:
    """One metric's change, turned so that positive is worse."""

    worse_rel: float
    p_worse: float | None
    p_better: float | None
    best_rel: float | None
    worst_rel: float | None
    """The ends of the interval of how much worse it is; ``None`` where there is none."""


def worsening(found: Paired, metric: str) -> Evidence:
    """A duet's pairs as evidence; of a throughput, less is worse."""
    if metric in HIGHER_IS_BETTER:
        best, worst = (None if end is None else -end for end in (found.high_rel, found.low_rel))
        return Evidence(-found.change_rel, found.p_less, found.p_more, best, worst)
    return Evidence(found.change_rel, found.p_more, found.p_less, found.low_rel, found.high_rel)


def duet_verdict(evidence: Evidence, limit_rel: float, alpha: float = ALPHA) -> str:
    """``fail``: significantly worse and by more than the limit, or the whole interval is above the limit.

    ``improved``: the same the other way. ``pass``: the whole interval is below the limit. Anything else is
    ``undecided``: more pairs may tell.
    """
    best, worst = evidence.best_rel, evidence.worst_rel
    worse = evidence.p_worse is not None and evidence.p_worse < alpha and evidence.worse_rel > limit_rel
    if worse or (best is not None and best > limit_rel):
        return FAIL
    better = evidence.p_better is not None and evidence.p_better < alpha and -evidence.worse_rel > limit_rel
    if better or (worst is not None and worst < -limit_rel):
        return IMPROVED
    if worst is not None and worst < limit_rel:
        return PASS
    return UNDECIDED


def saved_verdict(found: Prediction, metric: str, limit_rel: float, alpha: float = ALPHA) -> str:
    """A session against the history: ``undecided`` below ten sessions, whatever it looks like.

    Inside the interval is ``pass``; how large a change it could have shown is said beside it.
    """
    if found.sessions < LEAST_SESSIONS or found.p_more is None or found.p_less is None:
        return UNDECIDED
    sign = -1 if metric in HIGHER_IS_BETTER else 1
    p_worse, p_better = (found.p_more, found.p_less) if sign > 0 else (found.p_less, found.p_more)
    worse_rel = sign * found.change_rel
    if p_worse < alpha and worse_rel > limit_rel:
        return FAIL
    if p_better < alpha and -worse_rel > limit_rel:
        return IMPROVED
    return PASS
