"""A duet's results as pytest's reports: the verdict is the test's outcome, head's rounds are its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tailgate.gates.duet.campaign import Record
from tailgate.gates.duet.outcome import HEAD, Outcome
from tailgate.processes import replay
from tailgate.processes.attempt import Attempt
from tailgate.processes.endings import Ending
from tailgate.processes.pooling import pooled
from tailgate.results.explanation import Explanation
from tailgate.results.explanation_text import tables, terminal_lines
from tailgate.results.verdict import Verdict, line, overall
from tailgate.stats.decision import INCOMPARABLE, NEW

MOST_OPERATORS = 10
"""Rows of a table of operators in the session's terminal; ``tailgate duet RUN.json`` shows more."""


def reports_of(item: pytest.Item, verdicts: Sequence[Verdict], record: Record | None) -> list[Any]:
    """The reports of head's own test where it did not pass; otherwise one report with the verdict."""
    stopped = record.stopped if record else None
    failed = " | ".join(line(one, name=item.name) for one in verdicts if one.failed)
    if stopped is not None:
        made = stopped.sides[HEAD]
        if made.ending is not None:
            return [replay.failure(item, made, Ending(made.ending.status, f"head {made.ending.reason}"))]
        own = [replay.rebuilt(item, data) for data in made.reports]
        if not failed and any(report.outcome != "passed" for report in own):
            return own
    if failed:
        return [replay.failure(item, Attempt(phase="call"), Ending("failed", failed))]
    if overall(verdicts) in {INCOMPARABLE, NEW, None}:
        reasons = [line(one, name=item.name) for one in verdicts]
        return [replay.skipped(item, "; ".join(reasons) or "no pair was measured")]
    return [measured(item, verdicts)]


def measured(item: pytest.Item, verdicts: Sequence[Verdict]) -> Any:
    """A test that passed, with its verdicts for JUnit XML."""
    return replay.passed(item, [("tailgate_verdict", line(one, name=item.name)) for one in verdicts])


def operator_lines(explanations: Mapping[str, Explanation], verdicts: Sequence[Verdict]) -> list[str]:
    """The operators of the benchmarks that were explained."""
    return [text for one in tables(explanations, verdicts, MOST_OPERATORS) for text in terminal_lines(one)]


def row_of(item: pytest.Item, record: Record, verdict: str | None) -> Any:
    """Head's rounds of all pairs, for the table and the saved run; ``None`` where there are none."""
    runs = [_head_rows(outcome) for outcome in record.outcomes]
    if not any(runs):
        return None
    row = pooled(runs)[0]
    row["extra_info"]["gate_verdict"] = verdict
    return replay.measured(item, row)


def _head_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """What the side sent, with all of its rounds."""
    if outcome.turns is None:
        return []
    iterations = outcome.turns.iterations
    data = [duration_s / iterations for duration_s in outcome.rounds_s[HEAD]]
    return [{**row, "data": data, "iterations": iterations} for row in outcome.sides[HEAD].rows[:1]]
