"""Plain text: harmless, in columns, and into a file."""

import re
from collections.abc import Iterable, Sequence

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing round, and halves of a character."""


def printable(text: str) -> str:
    """On one line and without anything a terminal would obey: names come from files too."""
    return text if text.isprintable() else UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def counted(count: int, things: str) -> str:
    """``1 saved session``, ``2 saved sessions``; ``things`` ends in the ``s`` of several."""
    return f"{count} {things.removesuffix('s') if count == 1 else things}"


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """The first ``left`` columns to the left, the others to the right; nothing in a cell is obeyed by a terminal."""
    shown = [[printable(cell) for cell in row] for row in rows]
    columns = []
    for index, column in enumerate(zip(*shown, strict=True)):
        taken = [_columns_taken(cell) for cell in column]
        widest = max(taken)
        gaps = [" " * (widest - one) for one in taken]
        pairs = zip(column, gaps, strict=True)
        columns.append([cell + gap if index < left else gap + cell for cell, gap in pairs])
    return ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]


def _columns_taken(cell: str) -> int:
    """Of a terminal: a Chinese character takes two, an accent none."""
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def percent(value_rel: float, *, unit: bool = True) -> str:
    """``+4.6 %``."""
    return f"{value_rel * 100:+.1f}{' %' if unit else ''}"


def probability(p: float) -> str:
    """``= .001``, or ``< .001``."""
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".")


MARKDOWN = re.compile(
    r"""[`|~$]                      # code, the end of a cell, a line through, mathematics
    | (?<!\s)\*|\*(?!\s)|^\*     # emphasis, a list
    | (?<!\w)_|_(?!\w)           # emphasis; not inside a name
    | \\(?=[!-/:-@\[-`{-~]|$)     # an escape
    | <(?=[A-Za-z/!?])            # a tag, an address
    | &(?=\#?\w+;)                # an entity
    | \](?=[(\[:])|^\[           # a link, the target of one
    | (?P<reference>@(?=\w)|\#(?=\d)|\bGH-(?=\d))  # GitHub's mention of a person, of an issue
    | (?<=\w):(?=//)|(?<=\bwww)\.  # an address
    | ^[\#>]|^[-+=](?=\s|[-=]|$)|^\d+[.)](?=\s|$)|\#$  # a heading, a quotation, a list, a rule
    """,
    re.VERBOSE,
)
"""What Markdown would interpret; written as numeric entities, which nothing reads as markup."""
ZERO_WIDTH_SPACE = "&#8203;"
"""GitHub looks for mentions in the rendered text, where an entity is its character again; this parts ``@`` and name."""


def markdown_text(text: str) -> str:
    """Text that shows as it is, and that is readable where the Markdown itself is read.

    Without spaces before it, which Markdown does not show, and behind which a ``>`` would begin a quotation.
    """
    return MARKDOWN.sub(_entity, text.lstrip(" "))


def markdown_table_lines(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in GitHub's dialect, its two heading lines first; nothing in a cell is markup."""
    lines = [headings, ["---"] * len(headings), *([markdown_text(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _entity(match: re.Match[str]) -> str:
    parted = ZERO_WIDTH_SPACE if match["reference"] else ""
    return f"{match[0][:-1]}&#{ord(match[0][-1])};{parted}"


def duration(seconds: float) -> str:
    """``75`` -> ``1:15 min``; ``5400`` -> ``1:30 h``; ``8`` -> ``8 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def milliseconds(seconds: float) -> str:
    """A latency at a readable scale, always in ms or µs."""
    value, unit = (seconds * 1e3, "ms") if seconds >= 1e-3 else (seconds * 1e6, "µs")
    return f"{value:.3g} {unit}" if value < 99.5 else f"{value:.0f} {unit}"


def file_part(name: str) -> str:
    """``name`` as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
