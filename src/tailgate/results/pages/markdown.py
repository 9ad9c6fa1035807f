"""Results and verdicts in GitHub's Markdown, for a job's summary."""

from collections.abc import Sequence

from tailgate.results.explanation_text import Table
from tailgate.results.pages.content import Content, of_run
from tailgate.results.saved_run import Run
from tailgate.text import markdown_table_lines, markdown_text

NAME = "markdown"


def render(runs: Sequence[Run]) -> str:
    """One page with all runs, one below the other."""
    return page([of_run(run) for run in runs])


def page(pages: Sequence[Content]) -> str:
    """One page; cells are escaped, so nothing in them is markup."""
    return "\n".join(_one(content) for content in pages)


def _one(content: Content) -> str:
    lines = [f"## {markdown_text(content.title)}", ""]
    lines += [f"- {markdown_text(fact)}" for fact in content.facts]
    if content.verdicts:
        lines += ["", f"### Verdicts: {markdown_text(content.summary)}", ""]
        lines += [*(f"- {markdown_text(text)}" for text in content.failures), ""] if content.failures else []
        lines += [*markdown_table_lines(content.verdicts_headings, content.verdicts)]
    for operators in content.operators:
        lines += ["", operators_section(operators).rstrip()]
    lines += ["", "### Results", "", *markdown_table_lines(content.results_headings, content.results), ""]
    return "\n".join([*lines, *([f"{markdown_text(content.results_note)}.", ""] if content.results_note else ())])


def operators_section(found: Table) -> str:
    """One benchmark's operators."""
    lines = [f"### {markdown_text(found.title)}", "", *(markdown_text(fact) for fact in found.facts), ""]
    return "\n".join([*lines, *(markdown_table_lines(found.headings, found.rows) if found.rows else ()), ""])
