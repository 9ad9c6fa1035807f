"""Plain text: in columns, and into a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

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


def replace_text(file: Path, text: str) -> None:
    """The file anew, whole or as it was.

    Raises:
        OSError: it could not be written.
    """
    replace_bytes(file, text.encode("utf8", "backslashreplace"))


def replace_bytes(file: Path, content: bytes) -> None:
    """The file anew, whole or as it was.

    Raises:
        OSError: it could not be written.
    """
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".saving-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)
