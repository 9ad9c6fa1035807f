"""A new session against saved ones: within what their scatter lets one expect? The prediction interval.

Between sessions a machine's speed shifts, by more than any session's own interval says: only several sessions
show by how much (docs/evidence/statistics.md).
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_SESSIONS = 10
"""Below, the scatter is known so badly that its interval sees nothing of use."""


@dataclass(frozen=True)
class Prediction:
    """What saved sessions say of new ones. Changes are relative: +0.03 is 3 % more than the history."""

    sessions: int
    change_rel: float
    low_rel: float | None
    high_rel: float | None
    """Where a further session was to be expected (99 % on either side); ``None`` with fewer than two sessions."""
    p_more: float | None
    """One-sided: how often a session of an unchanged program is at least so much more."""
    p_less: float | None
    detectable_rel: float | None
    """The smallest change upwards that falls outside."""


ROUNDING_LOG = 1e-12
"""Logarithms this near are equal: their own rounding is a thousandth of it."""


def predicted(history_log: Sequence[float], now_log: Sequence[float], alpha: float = 0.01) -> Prediction:
    """Judge the mean of the new sessions' logarithms by the saved sessions'.

    The interval of the mean of m further values of a normal sample of size K:
    mean +- t(K-1) s sqrt(1/K + 1/m) (Hahn and Meeker, Statistical Intervals, 1991, section 4.8).

    Raises:
        ValueError: no saved session, no new one, or a value that is not finite.
    """
    values = [*history_log, *now_log]
    if not history_log or not now_log or not all(math.isfinite(value) for value in values):
        raise ValueError(f"need finite logarithms of saved and new sessions: {list(history_log)!r}, {list(now_log)!r}")
    difference = statistics.fmean(now_log) - statistics.fmean(history_log)
    if len(history_log) < 2:
        return Prediction(len(history_log), math.expm1(difference), None, None, None, None, None)
    from scipy.special import stdtr, stdtrit

    freedom = len(history_log) - 1
    spread = statistics.stdev(history_log) * math.sqrt(1 / len(history_log) + 1 / len(now_log))
    reach = float(stdtrit(freedom, 1 - alpha)) * spread
    if spread > ROUNDING_LOG:
        p_more = float(stdtr(freedom, -difference / spread))
    else:
        p_more = 0.5 if abs(difference) <= ROUNDING_LOG else float(difference < 0)
    return Prediction(
        sessions=len(history_log),
        change_rel=math.expm1(difference),
        low_rel=math.expm1(-reach),
        high_rel=math.expm1(reach),
        p_more=p_more,
        p_less=1 - p_more,
        detectable_rel=math.expm1(reach),
    )
