"""Bars for a terminal, in a block of Markdown that keeps them aligned."""

import io
import re
from collections.abc import Sequence

from tailgate.text import printable

COLUMNS = 40
LONGEST_LABEL = 44
MARKUP = re.compile(r"[`<>\[\]|]")
"""What would end the block, or would be markup outside of it."""


def bars(rows: Sequence[tuple[str, float, str]]) -> str:
    """A line for each row (label, value, value as text); the largest value is ``COLUMNS`` wide, and 0 is empty.

    Values are finite and not negative.
    """
    from rich.bar import Bar
    from rich.console import Console

    labels = [MARKUP.sub("?", printable(label))[:LONGEST_LABEL] for label, _, _ in rows]
    widest = max(map(len, labels), default=0)
    most = max((value for _, value, _ in rows), default=0.0)
    lines = []
    for label, (_, value, text) in zip(labels, rows, strict=True):
        stream = io.StringIO()
        Console(file=stream, width=COLUMNS, color_system=None).print(Bar(most or 1.0, 0.0, value, width=COLUMNS))
        drawn = stream.getvalue().splitlines()[0] if value > 0 else ""
        lines.append(f"{label:<{widest}}  {drawn:<{COLUMNS}}  {MARKUP.sub('?', printable(text))}")
    return "\n".join(["```text", *lines, "```", ""])
