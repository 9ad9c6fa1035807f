"""From the pairs of a benchmark to its verdicts, one a metric, with every number behind them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from tailgate.gates.duet.campaign import Record
from tailgate.gates.duet.decision import Decision
from tailgate.gates.duet.outcome import BASE, HEAD, Outcome
from tailgate.gates.duet.ratios import unusable, value
from tailgate.processes.endings import at_once_hint
from tailgate.results.explanation_text import sentence, time_change_rel
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import HIGHER_IS_BETTER, INCOMPARABLE, MISSING, NEW, UNDECIDED
from tailgate.text import counted, milliseconds

WORTH_A_NOTE_STEAL_SHARE = 0.01
WORTH_A_NOTE_OTHER_CPUS = 0.1
UNMATCHED = {
    MISSING: "base has this benchmark and head has not: it was removed, renamed or deselected",
    NEW: "base does not have this benchmark",
}


class Judge:
    """Judges the benchmarks of one session."""

    def __init__(self, pairs: int, reproduce: Callable[[str], str | None]) -> None:
        self._pairs = pairs
        self._reproduce = reproduce

    def of(self, record: Record) -> list[Verdict]:
        """One verdict per metric; one in all where nothing could be compared."""
        name = record.names[HEAD]
        reason = self._incomparable(record)
        if reason is not None:
            verdict = MISSING if record.stopped is not None and record.stopped.given_up else INCOMPARABLE
            return [Verdict(name, next(iter(record.limits.relative), "median"), verdict, reason)]
        decisions = record.decisions(self._pairs)
        return [self._one(record, metric, decision) for metric, decision in decisions.items()]

    def _incomparable(self, record: Record) -> str | None:
        """Why the two sides cannot be compared."""
        if record.stopped is not None:
            return why_stopped(record.stopped)
        return record.incomparable if record.outcomes else "no pair was measured"

    def _one(self, record: Record, metric: str, decision: Decision) -> Verdict:
        name = record.names[HEAD]
        found = decision.found
        limit_rel = record.limits.relative[metric]
        silent = unusable(record.outcomes, metric)
        if silent is not None:
            return Verdict(name, metric, UNDECIDED, silent, limit_rel=limit_rel)
        assert found is not None
        evidence = decision.evidence
        unfinished: str | None = None
        if decision.more:
            unfinished = f"it wanted at least {counted(decision.more, 'pairs')} more"
        less = metric in HIGHER_IS_BETTER
        judged = Verdict(
            fullname=name,
            metric=metric,
            verdict=UNDECIDED if decision.more else decision.verdict,
            reason=unfinished,
            base=statistics.median(value(outcome, BASE, metric) for outcome in record.outcomes),
            head=statistics.median(value(outcome, HEAD, metric) for outcome in record.outcomes),
            change_rel=found.change_rel,
            low_rel=found.low_rel,
            high_rel=found.high_rel,
            confidence=found.confidence,
            p=min(found.p_more, found.p_less) if evidence is not None else None,
            limit_rel=limit_rel,
            detectable_rel=None if found.half_width_log is None else math.expm1(found.half_width_log),
            replicates=found.pairs,
            worse=found.pairs - found.more if less else found.more,
            confirmed=decision.confirmed,
            notes=(*([record.ran.note] if record.ran and record.ran.note else []), *notes(record.outcomes)),
            reproduce=self._reproduce(name) if decision.verdict == "fail" else None,
        )
        change_rel = time_change_rel(judged)
        if record.explanation is None or change_rel is None:
            return judged
        return replace(judged, notes=(*judged.notes, sentence(record.explanation, change_rel)))


def why_stopped(outcome: Outcome) -> str:
    """Why a side could not be measured."""
    for side, name in ((BASE, "base"), (HEAD, "head")):
        made = outcome.sides[side]
        if made.ending is not None:
            return f"{name}: {made.ending.reason}"
        for report in made.reports:
            if report["outcome"] == "skipped":
                return f"{name} skipped it: {_said(report)}"
            if report["outcome"] == "failed":
                return f"{name} failed: {_said(report)}{at_once_hint(_said(report))}"
    if outcome.unlike is not None:
        return outcome.unlike
    further = max(made.further for made in outcome.sides)
    if further:
        return (
            f"its test makes {further + 1} measurements, and a duet takes turns over one: "
            "make each a test of its own, such as with @pytest.mark.parametrize"
        )
    who = (
        "neither side calls" if not any(outcome.called) else f"{'head' if outcome.called[BASE] else 'base'} never calls"
    )
    return f"{who} benchmark(...) in this test"


def unmatched(name: str, verdict: str) -> Verdict:
    """A benchmark of one side alone."""
    return Verdict(name, "median", verdict, UNMATCHED[verdict])


def notes(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """What else the machine did meanwhile, on average."""
    found = []
    steal = [outcome.steal_share for outcome in outcomes if outcome.steal_share is not None]
    if steal and statistics.fmean(steal) >= WORTH_A_NOTE_STEAL_SHARE:
        found.append(f"steal {statistics.fmean(steal) * 100:.0f} %")
    others = [outcome.other_cpus for outcome in outcomes if outcome.other_cpus is not None]
    if others and statistics.fmean(others) >= WORTH_A_NOTE_OTHER_CPUS:
        found.append(f"other processes used {statistics.fmean(others):.1f} CPUs")
    late_s = [outcome.late_s for outcome in outcomes if outcome.late_s is not None]
    if late_s:
        found.append(f"late in {len(late_s)} of the pairs: up to {milliseconds(max(late_s))} after a request was due")
    rates_per_s = [outcome.rate_per_s for outcome in outcomes if outcome.rate_per_s is not None]
    if rates_per_s:
        found.append(f"at {statistics.median(rates_per_s):.4g} requests/s")
    return tuple(found)


def _said(report: dict[str, object]) -> str:
    longrepr = report.get("longrepr")
    if isinstance(longrepr, tuple | list):
        return str(longrepr[2]).removeprefix("Skipped: ")
    if isinstance(longrepr, dict):
        crash = longrepr.get("reprcrash") or {}
        return str(crash.get("message", "")).partition("\n")[0]
    return str(longrepr).partition("\n")[0]
