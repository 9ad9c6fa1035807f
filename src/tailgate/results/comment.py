"""A pull request's comment: the verdicts that somebody has to look at first, and no more than GitHub takes."""

from collections.abc import Iterable, Sequence

from tailgate.results.explanation_text import Table
from tailgate.results.verdict import Verdict
from tailgate.results.verdict_table import failure_lines, markdown_rows, summary
from tailgate.stats.decision import IMPROVED, NEW, PASS
from tailgate.text import counted, markdown_table_lines, markdown_text, printable

MARKER = "<!-- tailgate -->"
"""The first line, by which .github/workflows/tailgate-comment.yml finds the comment that it keeps up to date."""
MOST_BYTES = 65_000
"""GitHub takes 65,536 characters; the rest is for the workflow's own line on commit and run."""
FOLDED = frozenset({PASS, IMPROVED, NEW})
UNFOLD = ["", "</details>"]


Section = tuple[list[str], list[str], list[str]]
"""What opens it, its lines, of which as many are kept as there is room for, and what closes it."""


def comment(verdicts: Sequence[Verdict], base: str, explained: Sequence[Table] = ()) -> str:
    """Marker, summary, table, failures in full; folded the operators, and the rows that nobody has to look at.

    Whatever is in a name shows as it is: it mentions nobody, links to nothing and is no HTML.
    """
    heading = markdown_rows(())
    folded = [one for one in verdicts if one.verdict in FOLDED]
    sections: list[Section] = [
        (heading, _rows(one for one in verdicts if one.verdict not in FOLDED), []),
        ([""], failure_lines(verdicts), []),
        *map(_operators, explained),
        (_fold(summary(folded), *heading), _rows(folded), UNFOLD),
    ]
    lines = [MARKER, f"**{summary(verdicts)}**", f"against {markdown_text(printable(base))}", ""]
    room, left_out = MOST_BYTES - _bytes(lines), 0
    for opening, rows, closing in sections:
        kept, room_for_rows = [], room - _bytes([*opening, *closing])
        for row in rows:
            if _bytes([row]) <= room_for_rows:
                kept.append(row)
                room_for_rows -= _bytes([row])
        if kept:
            lines += [*opening, *kept, *closing]
            room = room_for_rows
        left_out += len(rows) - len(kept)
    if left_out:
        lines += ["", f"{counted(left_out, 'lines')} left out: a comment is too short; `tailgate duet` shows them."]
    return "\n".join([*lines, ""])


def _operators(found: Table) -> Section:
    """One benchmark's, folded; where it has no rows its title says why."""
    heading, rows = markdown_table_lines(found.headings, ()), markdown_table_lines(found.headings, found.rows)[2:]
    facts = [markdown_text(fact) for fact in found.facts]
    title = markdown_text(found.title)
    return (_fold(title, *heading), rows, ["", *facts, *UNFOLD]) if rows else (_fold(title), facts, UNFOLD)


def _fold(title: str, *lines: str) -> list[str]:
    return ["", f"<details><summary>{title}</summary>", "", *lines]


def _rows(verdicts: Iterable[Verdict]) -> list[str]:
    return markdown_rows(verdicts)[2:]


def _bytes(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
