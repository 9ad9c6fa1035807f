"""A page, and beside it each picture as PNG and every table as CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tailgate.results import pictures
from tailgate.results.pages import file_names, html, markdown, tables
from tailgate.results.pages.content import of_run, unmeasured_rows
from tailgate.results.pages.sections import Kind, Panel, Section
from tailgate.results.rows import rows_of
from tailgate.results.saved_run import Run, machine_id_of
from tailgate.results.tidy_csv import HEADER

LONGEST_NAME = 60


def files(runs: Sequence[Run], more: Sequence[Kind] = ()) -> dict[str, bytes]:
    """Every file by its name; texts are UTF-8. ``more``: the pictures that a project adds."""
    pages = [of_run(run) for run in runs]
    with pictures.style():
        drawn = html.draw(runs, more)
        found = dict(_pictures(drawn))
    texts = {
        "index.html": html.page(pages, drawn),
        "report.md": markdown.page(pages),
        "results.csv": tables.text(HEADER, _results(runs)),
        **tables.files(runs, pages),
    }
    return {name: text.encode("utf8", "backslashreplace") for name, text in texts.items()} | found


def _pictures(drawn: Sequence[html.Drawn]) -> Iterator[tuple[str, bytes]]:
    """Named by kind and panel, and of several runs by the run's number."""
    panels = [
        (f"run{number}-{section.name}-{panel.title}" if len(drawn) > 1 else f"{section.name}-{panel.title}", panel)
        for number, sections in enumerate(drawn, 1)
        for section in sections
        if isinstance(section, Section)
        for panel in section.panels
    ]
    names = file_names.stems((name for name, _ in panels), LONGEST_NAME)
    for stem, (_, panel) in zip(names, panels, strict=True):
        yield f"{stem}.png", _png(panel)


def _png(panel: Panel) -> bytes:
    """With its title, which a page has beside it."""
    panel.figure.suptitle(panel.title, ha="left", x=0.02)
    return pictures.png(panel.figure, pictures.DOTS_PER_INCH)


def _results(runs: Sequence[Run]) -> Iterator[Sequence[Any]]:
    for run in runs:
        rows: list[Mapping[str, Any]] = [*rows_of(run), *unmeasured_rows(run)]
        for row in rows:
            yield [row.get(name, machine_id_of(run) if name == "fingerprint_id" else None) for name in HEADER]
