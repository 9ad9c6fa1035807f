"""How Sphinx makes the site of these pages: ``tox run -e docs``, warnings as errors.

The pages are plain Markdown that reads the same on a repository's web pages. The site's front page is the README with
the map of ``index.md`` below it, and its navigation follows that map.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

README = Path(__file__).parent.parent / "README.md"
LINK = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")

project = "Tailgate"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Tailgate"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
exclude_patterns = ["*.py"]
myst_heading_anchors = 4
smartquotes = False
"""What was typed stays: ``--`` and ``"`` are parts of commands here."""


def front_page(index: str) -> str:
    """The README, the map of the pages below it, and a table of contents for each folder of the map."""
    start = LINK.sub(lambda link: f"]({_from_docs(link[1])})", README.read_text())
    pages = re.findall(r"^- \[[^\]]+\]\(([a-z]+/[a-z0-9-]+)\.md\)", index, re.MULTILINE)
    for folder, group in groupby(pages, key=lambda page: PurePosixPath(page).parts[0]):
        listed = "\n".join(group)
        index += f"\n```{{toctree}}\n:hidden:\n:caption: {folder.capitalize()}\n\n{listed}\n```\n"
    return start + "\n" + re.sub(r"^#", "##", index, flags=re.MULTILINE)


def _from_docs(target: str) -> str:
    """Where a link of the README leads from this folder; the map is on the same page."""
    if target == "docs/index.md":
        return "#tailgates-documentation"
    return target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}"


def source_read(app: Any, name: str, source: list[str]) -> None:
    """Sphinx calls this with each page's text."""
    if name == "index":
        app.env.note_dependency(str(README), docname=name)
        source[0] = front_page(source[0].replace("](../README.md)", "](#two-commands)"))
    source[0] = source[0].replace("](../../README.md", "](../index.md")


def setup(app: Any) -> None:
    """Sphinx calls this once."""
    app.connect("source-read", source_read)
