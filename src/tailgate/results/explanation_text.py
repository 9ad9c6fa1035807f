"""An explanation in words and as a table, for a terminal, a page and a verdict's line."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tailgate.results.explanation import SIDES, Explanation, Row
from tailgate.results.operator_matching import CHANGED, RENAMED, SAME, UNMATCHED, Matched
from tailgate.results.operators import Operator
from tailgate.results.verdict import Verdict
from tailgate.results.verdict_table import quantity, short_name
from tailgate.stats.simultaneous import LEAST_VALUES, Difference
from tailgate.text import aligned, counted, percent, printable

HEADINGS = ("operator", "kind", "shapes", "base", "head", "part of the change", "95 % interval", "beyond scatter")
EXPLAINED = frozenset({"median", "throughput"})
"""Metrics whose change is a change of operators' times."""
LONGEST = 60
"""Characters of a name that are shown; all of them are in the saved run."""
MOST_IN_A_LINE = 4
UNNAMED = "(unnamed)"


@dataclass(frozen=True)
class Table:
    """One benchmark's, as text."""

    title: str
    facts: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Rows of ``HEADINGS``."""
    headings: tuple[str, ...] = HEADINGS


def table(name: str, found: Explanation, change_rel: float | None, most: int) -> Table:
    """The rows of most weight, and what the others have together.

    Args:
        name: of the benchmark.
        found: its explanation.
        change_rel: of the time of a call, as the duet measured it; ``None``: it did not.
        most: rows shown.
    """
    said = sentence(found, change_rel)
    title = f"{name} {percent(change_rel)}, {said}" if change_rel is not None else f"{name}: {said}"
    told = {id(row) for row, _ in found.told}
    parts = found.contributions
    rows = [_cells(row, part, beyond=id(row) in told) for row, part in parts[:most]]
    if len(parts) > most:
        others = math.fsum(part.mean for _, part in parts[most:])
        rows.append((counted(len(parts) - most, "more operators"), "", "", "", "", percent(others), "", ""))
    if found.total_rel is not None:
        totals_s = (statistics.fmean(map(math.fsum, zip(*side, strict=True))) for side in _sides_s(found.rows))
        rows.append(("all operators", "", "", *(quantity(one, "median") for one in totals_s),
                     percent(found.total_rel), "", ""))  # fmt: skip
    if found.reasons:
        rows = [_cells(row, None, beyond=False) for row in found.rows[:most]]
    return Table(printable(title), facts(found), tuple(tuple(map(printable, row)) for row in rows))


def tables(explanations: Mapping[str, Explanation], verdicts: Sequence[Verdict], most: int) -> list[Table]:
    """A table for each explained benchmark, by its full name; ``most``: rows of each."""
    changes = {one.fullname: one for one in reversed(verdicts) if time_change_rel(one) is not None}
    return [
        table(short_name(name), found, time_change_rel(changes[name]) if name in changes else None, most)
        for name, found in explanations.items()
    ]


def time_change_rel(one: Verdict) -> float | None:
    """How much longer a call takes, by this verdict; ``None``: it does not tell. Operators do not explain a P99."""
    if one.change_rel is None or one.metric not in EXPLAINED:
        return None
    return one.change_rel if one.metric == "median" else 1 / (1 + one.change_rel) - 1


def terminal_lines(found: Table) -> list[str]:
    """A table for a terminal, with an empty line above it."""
    return ["", found.title, *found.facts, *(aligned([found.headings, *found.rows]) if found.rows else ())]


def facts(found: Explanation) -> tuple[str, ...]:
    """How the operators were timed: in how many runs, what that cost, what the profiler adds."""
    told = []
    for side in SIDES:
        overhead_rel = getattr(found, side).overhead_rel
        if overhead_rel is not None:
            told.append(f"{percent(overhead_rel)} in {side}")
    profilers = dict.fromkeys(filter(None, (found.base.profiler, found.head.profiler)))
    lines = [f"operator times by {' and '.join(profilers) or 'the project'}"]
    lines.append(f"in {counted(found.pairs, 'pairs')} of processes of their own ({found.wall_s:.0f} s)")
    lines.append(
        f"profiled calls took {' and '.join(told)}" if told else "what the profiler adds is not told: return call_s"
    )
    return (printable(", ".join(lines)),)


def sentence(found: Explanation, change_rel: float | None) -> str:
    """``of which Conv_12 +3.6 %, Transpose (new) +0.4 %, rest +0.1 % unexplained``, on one line."""
    if found.reasons:
        return printable("; ".join(found.reasons))
    total_rel = found.total_rel
    if total_rel is None:
        return "without operator times"
    if found.lengthened is not None:
        return f"the profiler makes a call {found.lengthened:.1f} times as long, so its parts are not those of the call"
    told = found.told
    if found.pairs < LEAST_VALUES:
        few = f"{counted(found.pairs, 'pairs')} are too few" if found.pairs != 1 else "one pair is too few"
        return f"{few} to tell an operator's difference from its scatter (all together {percent(total_rel)})"
    if not told:
        return f"no operator's difference exceeds its scatter (all together {percent(total_rel)})"
    parts = [f"{label(row.match)} {percent(part.mean)}" for row, part in told[:MOST_IN_A_LINE]]
    if more := told[MOST_IN_A_LINE:]:
        parts.append(f"{len(more)} more {percent(math.fsum(part.mean for _, part in more))}")
    rest_rel = (total_rel if change_rel is None else change_rel) - math.fsum(part.mean for _, part in told)
    return printable(f"of which {', '.join(parts)}, rest {percent(rest_rel)} unexplained")


def label(match: Matched) -> str:
    """The operator's name, and what became of it."""
    shown = match.head or match.base
    if match.change == SAME:
        return _name(shown)
    if match.change == RENAMED:
        same = _name(match.base) == _name(match.head) or len(shown) > 1
        return _name(shown) if same else f"{_name(shown)} ({_name(match.base)} in base)"
    if match.change == CHANGED:
        return f"{_name(shown)} ({_changed(match)})"
    if match.change == UNMATCHED:
        return f"{_name(shown)} ({'head' if match.head else 'base'} alone)"
    longer = max(match.base, match.head, key=len)
    return f"{_name(longer)} ({match.change})"


def _sides_s(rows: Sequence[Row]) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """Base's and head's times of each row, by pair."""
    return [row.base_s for row in rows], [row.head_s for row in rows]


def _changed(match: Matched) -> str:
    base, head = (sorted({one.kind for one in side}) for side in (match.base, match.head))
    if base != head:
        return f"{_short(', '.join(base))} → {_short(', '.join(head))}"
    return "other shapes" if len(match.base) == len(match.head) else f"{len(match.base)} in base"


def _name(operators: Sequence[Operator]) -> str:
    """Of several, those of one kind are counted."""
    if len(operators) == 1:
        return _short(operators[0].name or operators[0].kind or UNNAMED)
    kinds = {one.kind for one in operators}
    if len(kinds) == 1 and len(operators) > 2:
        return _short(f"{len(operators)} × {kinds.pop() or UNNAMED}")
    return _short(" + ".join(dict.fromkeys(one.name or one.kind or UNNAMED for one in operators)))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _cells(row: Row, part: Difference | None, *, beyond: bool) -> tuple[str, ...]:
    match = row.match
    shown = match.head or match.base
    interval = ""
    if part is not None and part.low is not None and part.high is not None:
        interval = f"{percent(part.low, unit=False)}, {percent(part.high, unit=False)}"
    return (
        label(match),
        _short(", ".join(sorted({one.kind for one in shown}))),
        _short("; ".join(sorted({one.shapes for one in shown}))),
        *(
            quantity(statistics.fmean(times), "median") if times and getattr(match, side) else ""
            for side, times in zip(SIDES, (row.base_s, row.head_s), strict=True)
        ),
        percent(part.mean) if part else "",
        interval,
        "yes" if beyond else "",
    )
