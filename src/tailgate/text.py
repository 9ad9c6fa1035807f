"""Plain text in columns."""

from __future__ import annotations

from collections.abc import Sequence

from tailgate.gate.verdict import printable


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right; nothing in a cell is obeyed by a terminal."""
    told = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in told) for index in range(len(told[0]))]
    return [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in told
    ]
