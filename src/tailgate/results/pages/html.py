"""One self-contained page: verdicts, pictures, results. It opens from disk, fetches nothing, runs its own script alone.

``page.html``, ``page.css`` and ``page.js`` lie beside this file. The page's Content-Security-Policy names the style and
the script by their hashes, so nothing that a run's names may hold runs, is fetched or styles anything.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tailgate.results import pictures
from tailgate.results.pages.charts import sections
from tailgate.results.pages.content import ANY_NAME, VALUES, Content, of_run
from tailgate.results.pages.sections import Kind, NotDrawn, Section
from tailgate.results.saved_run import Run

NAME = "html"
ROUNDS = True
"""Distributions are drawn from raw rounds."""
HERE = Path(__file__).parent
LONGEST_TEXT = 300
"""Characters of a cell; a name of ten thousand would hide all others."""
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
    """Every value is escaped, whatever it is; without ``drawn`` the page says that its pictures come later."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(HERE), trim_blocks=True, lstrip_blocks=True
    )
    style, script = ((HERE / f"page.{suffix}").read_text(encoding="utf8") for suffix in ("css", "js"))
    return (
        environment.get_template("page.html").render(
            style=style,
            script=script,
            policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; "
            "form-action 'none'",
            pages=[_one(*each) for each in zip(pages, drawn or [LATER] * len(pages), strict=True)],
            any_name=ANY_NAME,
        )
        + "\n"
    )


def _hash(text: str) -> str:
    """As a policy names it (Content Security Policy Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _one(content: Content, drawn: Drawn) -> dict[str, Any]:
    troubled = [(row[1], row[0], row[-1]) for row in content.results if row[1] not in CLEAN]
    counts = Counter(status for status, _, _ in troubled)
    return {
        "content": content,
        "verdicts": [[_shortened(cell) for cell in row] for row in content.verdicts],
        "troubled": [[_shortened(cell) for cell in row] for row in troubled[:MOST_TROUBLED]],
        "troubled_summary": ", ".join(f"{count} {_shortened(status)}" for status, count in counts.most_common()),
        "troubled_more": max(0, len(troubled) - MOST_TROUBLED),
        "sections": [one for one in drawn if isinstance(one, Section)],
        "not_drawn": [one for one in drawn if isinstance(one, NotDrawn)],
        "headings": [(heading, value is None) for heading, value in zip(content.results_headings, VALUES, strict=True)],
        "rows": _rows(content),
        "statuses": sorted({_shortened(row[1]) for row in content.results}),
    }


def _rows(content: Content) -> Iterator[list[tuple[str, str]]]:
    """Text and sort key of each cell."""
    for texts, values in zip(content.results, content.values, strict=True):
        yield [
            (_shortened(text), "" if value is None else f"{value:.6g}")
            for text, value in zip(texts, values, strict=True)
        ]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"
