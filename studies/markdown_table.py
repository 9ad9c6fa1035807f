"""Markdown of all studies: one table, names that nothing can obey, and numbers of few digits."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tailgate import printable
from tailgate.text import markdown_text

MISSING = "–"
OF_A_PAGE = re.compile(r"<(?=[A-Za-z/!?])|(?<=\])\(|(?<!\\)\|")
"""What in a cell could only be another's markup: a tag, a link, the end of the cell. Code spans stay as they are."""


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text_columns: int = 1,
    text_last: bool = False,
    padded: bool = True,
) -> str:
    """The first ``text_columns`` (and the last) to the left, the others to the right.

    Cells are Markdown already. A tag or a link in one comes from a name, and shows as it is. ``padded``: columns are
    aligned in the text itself.
    """
    lines = [[safe(cell) for cell in line] for line in (header, *rows)]
    left = [index < text_columns or (text_last and index == len(header) - 1) for index in range(len(header))]
    widths = [max(3, *(len(line[index]) for line in lines)) if padded else 3 for index in range(len(header))]
    rule = ["-" * width if is_text else "-" * (width - 1) + ":" for width, is_text in zip(widths, left, strict=True)]
    if padded:
        lines = [
            [
                cell.ljust(width) if is_text else cell.rjust(width)
                for cell, width, is_text in zip(line, widths, left, strict=True)
            ]
            for line in lines
        ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]]) + "\n"


def safe(cell: str) -> str:
    """A cell of names and numbers that nobody made Markdown of."""
    parts = re.split(r"(`[^`]*`)", cell)  # code spans are at the odd indices
    return "".join(
        part if index % 2 else OF_A_PAGE.sub(lambda match: f"&#{ord(match[0])};", part)
        for index, part in enumerate(parts)
    )


def code(text: str) -> str:
    """A name as it is: in a code span, which has no markup but its own end and a table's bar."""
    return f"`{printable(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def words(text: str) -> str:
    """A name in a heading or a sentence: on one line, without markup."""
    return markdown_text(printable(text))


def number(value: float | None, digits: int = 4, missing: str = MISSING) -> str:
    """So many significant digits, with a thousands separator, without an exponent from 1e-4 to 1e9."""
    if value is None:
        return missing
    if value != 0 and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    if 0 < abs(value) < 1:
        return f"{value:#.{digits}g}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 1
    return f"{value:,.{max(0, digits - whole)}f}"


def percent(share: float | None, digits: int = 1) -> str:
    """``0.256`` as ``25.6%``."""
    return MISSING if share is None else f"{share:.{digits}%}"
