"""A run on one page: verdicts, what was disturbed, pictures, results, and how to measure again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tailgate.results import pictures
from tailgate.results.pages.charts import sections
from tailgate.results.pages.content import ANY_NAME, Content, of_run
from tailgate.results.pages.document import HERE, LONGEST_LINE, document, shortened
from tailgate.results.pages.sections import Kind, NotDrawn, Section
from tailgate.results.saved_run import Run

NAME = "html"
ROUNDS = True
"""Distributions are drawn from raw rounds."""
MOST_TROUBLED = 50
CLEAN = frozenset({"ok", "oversubscribed"})
"""Statuses of rows that nothing disturbed."""
LATER = [NotDrawn("Pictures", "they are drawn when the session has ended")]
Drawn = Sequence[Section | NotDrawn]


def render(runs: Sequence[Run], more: Sequence[Kind] = ()) -> str:
    """One page with all runs, one below the other; ``more``: the pictures that a project adds."""
    return page([of_run(run) for run in runs], draw(runs, more))


def draw(runs: Sequence[Run], more: Sequence[Kind] = ()) -> list[Drawn]:
    """The pictures of each run."""
    with pictures.style():
        return [sections(run, f"run{number}-", more) for number, run in enumerate(runs, 1)]


def page(pages: Sequence[Content], drawn: Sequence[Drawn] | None = None) -> str:
    """The page of these contents; without ``drawn`` it says that its pictures come later."""
    shown = [_one(*each) for each in zip(pages, drawn or [LATER] * len(pages), strict=True)]
    return document(HERE / "page.html", pages[0].title, pages=shown, any_name=ANY_NAME)


def _one(content: Content, drawn: Drawn) -> dict[str, Any]:
    troubled = [(row[1], row[0], row[-1]) for row in content.results if row[1] not in CLEAN]
    counts = Counter(status for status, _, _ in troubled)
    return {
        "content": content,
        "judged": bool(content.verdicts),
        "failures": [shortened(line, LONGEST_LINE) for line in content.failures],
        "verdicts": _rows(content.verdicts, content.verdict_values),
        "troubled": [[_cell(cell) for cell in row] for row in troubled[:MOST_TROUBLED]],
        "troubled_summary": ", ".join(f"{count} {shortened(status)}" for status, count in counts.most_common()),
        "troubled_more": max(0, len(troubled) - MOST_TROUBLED),
        "sections": [one for one in drawn if isinstance(one, Section) or one.asked],
        "not_asked": [one for one in drawn if isinstance(one, NotDrawn) and not one.asked],
        "rows": _rows(content.results, content.values),
        "statuses": sorted({shortened(row[1]) for row in content.results}),
    }


def _cell(text: str) -> str:
    """Escaped; a name breaks behind its file rather than anywhere."""
    from markupsafe import Markup

    return Markup("::<wbr>").join(shortened(text).split("::"))


def _rows(rows: Sequence[Sequence[str]], values: Sequence[Sequence[float | None]]) -> Iterator[list[tuple[str, str]]]:
    """Text and sort key of each cell."""
    for texts, keys in zip(rows, values, strict=True):
        yield [(_cell(text), "" if key is None else f"{key:.6g}") for text, key in zip(texts, keys, strict=True)]
