"""A history for a terminal: a line per benchmark, then each change with its commits and what the machine did."""

import shlex
from collections import Counter
from collections.abc import Sequence

from tailgate.history.model import BenchmarkHistory, Change, History
from tailgate.history.sparkline import sparkline
from tailgate.results.verdict_table import quantity, short_name
from tailgate.text import aligned, counted, percent, printable

WIDEST_NAME = 70
WIDEST_ID = 200
"""Of a test's name in a command; a longer one is left to the user."""


def as_text(history: History) -> str:
    """The whole of it; names and subjects may have anything in them, and nothing of it is obeyed."""
    dates = [one.date[:10] for one in history.sessions if one.date]
    when = f", {dates[0]} to {dates[-1]}" if dates else ""
    lines = [
        f"{', '.join(history.folders)}: {counted(len(history.sessions), 'sessions')}{when}; ordered {history.order}",
        *(f"Note: {note}" for note in history.notes),
        "",
        *_table(history),
        "",
    ]
    names = names_of(history)
    for found in history.benchmarks:
        for change in found.changes:
            lines += [*change_lines(history, found, change, names[found.fullname]), ""]
    if not any(found.changes for found in history.benchmarks):
        lines += [_nothing(history.benchmarks), ""]
    return "\n".join(map(printable, lines))


def _nothing(benchmarks: Sequence[BenchmarkHistory]) -> str:
    """That nothing changed, or could not be told."""
    untold = sum(found.reason is not None for found in benchmarks)
    if untold == len(benchmarks):
        return "No change could be told: too few sessions."
    return f"No level changed; {untold} of {len(benchmarks)} could not be told." if untold else "No level changed."


def _table(history: History) -> list[str]:
    names = names_of(history)
    rows = [["benchmark", "sessions", "level", "history", "changes"]]
    for found in sorted(history.benchmarks, key=lambda one: not one.changes):
        values = [None if one.unused else one.value for one in found.points]
        last = found.levels[-1].value if found.levels else next((one for one in reversed(values) if one), None)
        row = [names[found.fullname], str(sum(one is not None for one in values)), quantity(last, history.metric)]
        rows.append([*row, sparkline(values, {one.index for one in found.changes}), summary_of(history, found)])
    widest = max(len(row[3]) for row in rows)
    return aligned([[*row[:3], row[3].ljust(widest), row[4]] for row in rows])


def summary_of(history: History, found: BenchmarkHistory) -> str:
    """Its changes, or why there are none, in a few words."""
    if found.reason:
        return found.reason
    told = [f"{percent(one.change_rel)} at {_file(history, one.index)}" for one in found.changes]
    return ", ".join(told) or "none"


def change_lines(history: History, found: BenchmarkHistory, change: Change, name: str) -> list[str]:
    """All that is known of a change; ``name``: what the benchmark is called there."""
    word = "worse" if change.worse else "better"
    interval = f"[99 % CI {percent(change.low_rel, unit=False)}, {percent(change.high_rel, unit=False)}]"
    lines = [
        f"{name} {history.metric} {percent(change.change_rel)} {interval}, {word}, "
        f"from {_file(history, change.index)} on"
    ]
    if change.earliest < change.latest:
        first, last = (_file(history, index) for index in (change.earliest, change.latest))
        lines.append(f"  the first session of the new level is one from {first} to {last} (95 %)")
    lines.append(f"  {change.commits.said}")
    lines += [f"    {line}" for line in change.commits.log]
    lines += _next(history, found, change)
    if change.machine:
        lines.append(f"  the machine changed there too, so this is the machine's: {'; '.join(change.machine)}")
    elif change.commits.unchanged:
        lines.append("  the code did not change, so this is the machine's, though nothing that is known of it changed")
    else:
        lines.append("  the machine: no change is known of its fingerprint, packages and kernel")
    lines += [f"  not known: {reason}" for reason in change.unknown]
    together = _together(history, change)
    if together > 1:
        lines.append(
            f"  {together} of {counted(len(history.benchmarks), 'benchmarks')} changed there in this direction"
        )
    if change.accepted is not None:
        lines.append(f"  accepted with {_file(history, change.accepted)}")
    return lines


def _next(history: History, found: BenchmarkHistory, change: Change) -> list[str]:
    """The command that tells the commits between apart, where there are several and the code may be the cause."""
    good, bad = (history.sessions[index].commit for index in (change.previous, change.index))
    if good is None or bad is None or (change.commits.count or 0) < 2 or not change.worse or change.machines:
        return []
    test = shlex.quote(found.fullname) if len(found.fullname) <= WIDEST_ID else "TEST"
    return [f"  next: tailgate bisect --good {good.id[:10]} --bad {bad.id[:10]} -- pytest {test}"]


def _together(history: History, change: Change) -> int:
    """How many benchmarks changed there in this direction."""
    return sum(
        any(one.earliest <= change.index <= one.latest and one.worse == change.worse for one in found.changes)
        for found in history.benchmarks
    )


def _file(history: History, index: int) -> str:
    return history.sessions[index].path.name


def names_of(history: History) -> dict[str, str]:
    """A short name for each, where no other has the same."""
    full: Sequence[str] = [one.fullname for one in history.benchmarks]
    times = Counter(map(_cut, map(short_name, full)))
    return {name: short if times[short := _cut(short_name(name))] == 1 else _cut(name) for name in full}


def _cut(name: str) -> str:
    half = WIDEST_NAME // 2
    return name if len(name) <= WIDEST_NAME else f"{name[:half]}…{name[-half:]}"
