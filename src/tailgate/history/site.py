"""A history as a static site: what changed first, and for each benchmark a page with its picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tailgate.history.model import BenchmarkHistory, Change, History
from tailgate.history.picture import CAPTION, draw
from tailgate.history.sparkline import sparkline
from tailgate.history.text import change_lines, names_of, summary_of
from tailgate.results import pictures
from tailgate.results.pages.charts import MISSING
from tailgate.results.pages.document import document, shortened
from tailgate.results.pages.file_names import stems
from tailgate.results.svg import svg
from tailgate.results.verdict_table import quantity
from tailgate.text import printable

HERE = Path(__file__).parent
LONGEST_STEM, MOST_SESSIONS = 80, 60
LEGEND = (
    "How to read it: a character of the history is one session, the oldest first; a bar │ stands where the level "
    "changed, a dot · is a session that does not count. A level is a stretch of sessions between which no change is "
    "known, and its value their mean without those far from it. The column shows the last level; where a benchmark "
    "has too few sessions for one, its last session."
)


def files(histories: Sequence[History]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, the index last: whoever sees it finds every page."""
    machines = []
    for number, history in enumerate(histories, 1):
        names = _files_of(history, number if len(histories) > 1 else None)
        for found in history.benchmarks:
            yield names[found.fullname], _page(history, found).encode("utf8", "backslashreplace")
        rows = [_row(history, one, names[one.fullname]) for one in _changed_first(history)]
        machines.append({"history": history, "rows": rows})
    title = f"History of {printable(histories[0].name)}: {histories[0].metric}"
    yield (
        "index.html",
        document(HERE / "index.html", title, machines=machines, legend=LEGEND).encode("utf8", "backslashreplace"),
    )


def _changed_first(history: History) -> list[BenchmarkHistory]:
    """The latest change first, and of those the ones for the worse."""

    def key(one: BenchmarkHistory) -> tuple[int, bool]:
        return (-one.changes[-1].index, not one.changes[-1].worse) if one.changes else (1, False)

    return sorted(history.benchmarks, key=key)


def _files_of(history: History, machine: int | None) -> dict[str, str]:
    """A file's name for each benchmark."""
    short = names_of(history)
    parts = (f"machine{machine}-{one}" if machine else one for one in short.values())
    return {name: f"{stem}.html" for name, stem in zip(short, stems(parts, LONGEST_STEM, ["index"]), strict=True)}


def _row(history: History, found: BenchmarkHistory, file: str) -> dict[str, Any]:
    values = [None if one.unused else one.value for one in found.points]
    last = found.levels[-1].value if found.levels else next((one for one in reversed(values) if one), None)
    change = found.changes[-1] if found.changes else None
    return {
        "href": file,
        "name": shortened(printable(found.fullname)),
        "verdict": "" if change is None else _verdict(change),
        "change": "" if change is None else f"{change.change_rel:.6g}",
        "summary": shortened(printable(summary_of(history, found))),
        "level": quantity(last, history.metric),
        "value": "" if last is None else f"{last:.6g}",
        "line": sparkline(values, {one.index for one in found.changes}),
    }


def _verdict(change: Change) -> str:
    if change.machines:
        return "the machine's"
    return "worse" if change.worse else "better"


def _page(history: History, found: BenchmarkHistory) -> str:
    name = shortened(printable(found.fullname))
    told = [
        [printable(line) for line in change_lines(history, found, change, name)] for change in reversed(found.changes)
    ]
    drawn = MISSING
    if pictures.installed():
        with pictures.style():
            drawn = svg(draw(history, found), "history", name, "; ".join(lines[0] for lines in told) or "No change.")
    newest = list(zip(history.sessions, found.points, strict=True))[-MOST_SESSIONS:]
    sessions = [
        {
            "file": printable(session.path.name), "date": printable(session.date or "")[:16],
            "commit": str(session.commit or ""), "shown": quantity(point.value, history.metric),
            "value": "" if point.value is None else f"{point.value:.6g}",
            "gate": "failed, accepted" if session.accepted_failure else "failed" if session.failed else "",
            "note": printable(point.unused or ("far from its level" if point.far else "")),
        }
        for session, point in newest
    ]  # fmt: skip
    return document(
        HERE / "benchmark.html", name, history=history, drawn=drawn, is_drawn=pictures.installed(), caption=CAPTION,
        told=told, reason=printable(found.reason or "No level changed."), sessions=sessions[::-1],
    )  # fmt: skip
