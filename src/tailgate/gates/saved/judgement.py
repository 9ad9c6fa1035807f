"""New sessions of one benchmark against its saved ones. Pure functions."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from tailgate.gates.saved.objectives import objectives
from tailgate.gates.saved.samples import Sample
from tailgate.gates.saved.sessions import History
from tailgate.gates.saved.since import since
from tailgate.results.comparability import other_workload
from tailgate.results.limits import Limits
from tailgate.results.verdict import CONFIDENCE, Verdict
from tailgate.stats.decision import ALPHA, FAIL, HIGHER_IS_BETTER, INCOMPARABLE, NEW, UNDECIDED, saved_verdict
from tailgate.stats.prediction import LEAST_SESSIONS, predicted
from tailgate.text import counted, percent

DRIFT_ALPHA = 0.001
"""Against the oldest sessions alone. A slow drift widens the scatter of the whole history along with itself, and so
is never outside of it; a second test at the first one's level would double the false alarms, this adds a tenth."""
RULE = (
    "prediction interval of the sessions' mean logarithm, one-sided, and worse by more than the limit; "
    f"against the oldest {LEAST_SESSIONS} sessions alone at p < {DRIFT_ALPHA}"
)
UNIT = "saved sessions"


def judged(now: Sequence[Sample], history: History, limits: Limits) -> list[Verdict]:
    """One verdict per metric with a limit, and one per objective.

    ``now``: the benchmark's row, and those of its confirmation; objectives are judged on the last.
    """
    found = [_against(now, history, metric, limit_rel) for metric, limit_rel in limits.relative.items()]
    return found + objectives(now[-1], limits.absolute)


def _against(now: Sequence[Sample], history: History, metric: str, limit_rel: float) -> Verdict:
    name = now[0].fullname
    blank = Verdict(name, metric, NEW, head=now[-1].values.get(metric), limit_rel=limit_rel, unit=UNIT)
    if history.unusable and history.latest.has(name):
        return replace(blank, verdict=INCOMPARABLE, reason=history.unusable)
    rows = [session.samples[name] for session in history.sessions if name in session.samples]
    if not rows:
        several = next((session for session in reversed(history.sessions) if name in session.several), None)
        if several is not None:
            return replace(blank, verdict=INCOMPARABLE, reason=several_rows(several.several[name], several.path.name))
        return replace(blank, reason="not in the baseline")
    same = [row for row in rows if not other_workload(row.info, now[0].info)]
    if not same:
        differs = ", ".join(
            f"{key} {rows[-1].info.get(key)!r} there, {now[0].info.get(key)!r} here"
            for key in other_workload(rows[-1].info, now[0].info)
        )
        return replace(blank, verdict=INCOMPARABLE, reason=f"another workload: {differs}")
    logs = [log for row in same if row.trusted and (log := row.log(metric)) is not None]
    now_logs = [log for row in now if (log := row.log(metric)) is not None]
    if not logs or len(now_logs) < len(now):
        return replace(blank, verdict=UNDECIDED, reason=_nothing_to_judge(same, logs, metric))
    found = _measured_by(blank, logs, now_logs, ALPHA)
    if found.verdict != FAIL and len(logs) > LEAST_SESSIONS:
        drifted = _measured_by(blank, logs[:LEAST_SESSIONS], now_logs, DRIFT_ALPHA)
        if drifted.verdict == FAIL:
            reason = f"slow drift: against the oldest {LEAST_SESSIONS} sessions; of all {len(logs)} it is within reach"
            assert drifted.p is not None
            # Its level is a tenth of the other test's, so its p counts ten times where both are looked at.
            found = replace(drifted, reason=reason, p=drifted.p * ALPHA / DRIFT_ALPHA)
    unsure = next((row.status for row in now if not row.trusted), None)
    if found.verdict == FAIL and unsure:
        return replace(found, verdict=UNDECIDED, reason=f"looks like a regression, but the row is {unsure}")
    begun = since(now, history.every, metric) if found.verdict == FAIL else None
    return replace(found, notes=(begun,)) if begun else found


def several_rows(count: int, file: str) -> str:
    """Why rows of one name cannot be compared: which is which?"""
    return f"{count} rows of one name in {file}, and which one is meant is not known"


def _nothing_to_judge(same: Sequence[Sample], logs: Sequence[float], metric: str) -> str:
    if logs:
        return f"this session has no {metric}"
    if not any(row.trusted for row in same):
        which = f"all {len(same)} saved sessions were" if len(same) > 1 else "the one saved session was"
        return f"{which} disturbed ({', '.join(sorted({row.status for row in same}))})"
    return f"no saved session has a {metric} (save with raw rounds: --benchmark-save-data)"


def _measured_by(blank: Verdict, logs: Sequence[float], now_logs: Sequence[float], alpha: float) -> Verdict:
    """The verdict on one metric, with every number behind it."""
    found = predicted(logs, now_logs, alpha)
    assert blank.limit_rel is not None
    filled = replace(
        blank,
        verdict=saved_verdict(found, blank.metric, blank.limit_rel, alpha),
        base=math.exp(statistics.fmean(logs)),
        head=math.exp(statistics.fmean(now_logs)),
        change_rel=found.change_rel,
        p=found.p_more if found.change_rel > 0 else found.p_less,
        replicates=found.sessions,
    )
    if found.high_rel is None:
        return replace(filled, reason=f"one saved session shows no scatter; a verdict needs {LEAST_SESSIONS}")
    worst = math.log1p(found.high_rel)
    reach = math.log1p(predicted(logs, now_logs, (1 - CONFIDENCE) / 2).high_rel or 0.0)
    change = math.log1p(found.change_rel)
    filled = replace(
        filled,
        low_rel=math.expm1(change - reach),
        high_rel=math.expm1(change + reach),
        detectable_rel=-math.expm1(-worst) if blank.metric in HIGHER_IS_BETTER else math.expm1(worst),
    )
    if found.sessions < LEAST_SESSIONS:
        seen = percent(filled.detectable_rel or 0.0).lstrip("+")
        reason = f"{counted(found.sessions, UNIT)} of the {LEAST_SESSIONS} a verdict needs show changes from {seen}"
        return replace(filled, reason=reason)
    return filled


def settled(first: Verdict, alone: Verdict, both: Verdict) -> Verdict:
    """One metric's verdict after its benchmark was measured a second time."""
    if not first.failed:
        return first
    if alone.verdict == FAIL:
        return replace(both if both.failed else alone, confirmed=True)
    told = "failed once, and not when it was measured again in a fresh process"
    if alone.verdict == UNDECIDED and alone.reason:
        told = f"failed once; measured again in a fresh process, it {alone.reason}"
    return replace(first, verdict=UNDECIDED, confirmed=False, reason=told)
