"""Markdown tables that can be read before they are rendered, too; and names in them that nothing can obey."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tailgate import printable

MARKUP = re.compile(r"[\\`*\[\]<>|~&$]")
"""What could mean something in Markdown within a line; written as numeric entities."""
OF_A_PAGE = re.compile(r"<(?=[A-Za-z/!?])|(?<=\])\(|(?<!\\)\|")
"""What in a cell could only be another's markup: a tag, a link, the end of the cell. Code spans stay as they are."""


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1, text_last: bool = False
) -> str:
    """The first ``text_columns`` (and the last) to the left, the others to the right.

    Cells are Markdown already; but a tag or a link in one is a name's, and shown as it is.
    """
    lines = [[safe(cell) for cell in line] for line in (header, *rows)]
    widths = [max(3, *(len(line[index]) for line in lines)) for index in range(len(header))]
    left = [index < text_columns or (text_last and index == len(header) - 1) for index in range(len(header))]
    rule = ["-" * width if is_text else "-" * (width - 1) + ":" for width, is_text in zip(widths, left, strict=True)]
    padded = [
        [
            cell.ljust(width) if is_text else cell.rjust(width)
            for cell, width, is_text in zip(line, widths, left, strict=True)
        ]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]]) + "\n"


def safe(cell: str) -> str:
    """A cell of names and numbers that nobody made Markdown of."""
    parts = re.split(r"(`[^`]*`)", cell)  # code spans are at the odd places
    return "".join(
        part if index % 2 else OF_A_PAGE.sub(lambda match: f"&#{ord(match[0])};", part)
        for index, part in enumerate(parts)
    )


def code(text: str) -> str:
    """A name as it is: in a code span, which has no markup but its own end and a table's bar."""
    return f"`{printable(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def words(text: str) -> str:
    """A name in a heading or a sentence: on one line, and no markup."""
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", printable(text))


def number(value: float | None, digits: int = 4, missing: str = "–") -> str:
    """So many significant digits, thousands apart, never an exponent below a million."""
    if value is None:
        return missing
    if value != 0 and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 1
    if 0 < abs(value) < 1:
        return f"{value:#.{digits}g}"
    return f"{value:,.{max(0, digits - whole)}f}"
