"""Plain text: harmless, in columns, and into a file."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing round, and halves of a character."""


def printable(text: str) -> str:
    """On one line and without anything a terminal would obey: names come from files too."""
    return UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def counted(count: int, things: str) -> str:
    """``1 saved session``, ``2 saved sessions``; ``things`` ends in the ``s`` of several."""
    return f"{count} {things.removesuffix('s') if count == 1 else things}"


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
