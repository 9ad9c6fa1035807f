"""``--csv FILE``: one row appended, and on disk, as each benchmark ends."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.reports.spreadsheet import Writer
from tailgate.rows import CONTEXT, STATISTICS, Row

HEADER = (
    "timestamp_utc", "fingerprint_id", "name", "status", *CONTEXT, *STATISTICS.values(), "warnings",
)  # fmt: skip


LONGEST_HEADER = 65_536
"""Characters of a file's first line that are looked at; ours has some hundreds."""


class TidyCsv:
    """Opened, and so known to be writable, before anything is measured.

    Raises:
        TailgateError: the path cannot be written, or holds a file with other columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists() and not path.is_file():
            raise TailgateError(f"--csv: {path} cannot be written (not a regular file); name another file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+", newline="", encoding="utf8")  # closed by close()
        except OSError as error:
            raise TailgateError(
                f"--csv: {path} cannot be written ({error.strerror or error}); name another file"
            ) from error
        first = self._header()
        self._writer = Writer(self._stream, HEADER, "ignore")
        if first is None:
            self._writer.writeheader()
            self._flush()
        elif tuple(first) != HEADER:
            self._stream.close()
            raise TailgateError(f"--csv: {path} has other columns than Tailgate writes; name another file")
        self._stream.seek(0, os.SEEK_END)
        if first is not None and not path.read_bytes().endswith(b"\n"):
            self._stream.write("\n")  # the last row was cut off; ours starts on a line of its own

    def _header(self) -> list[str] | None:
        """The file's first line; ``None`` for an empty file."""
        self._stream.seek(0)
        try:
            line = self._stream.readline(LONGEST_HEADER)
            return next(csv.reader([line]), None) if line else None
        except (UnicodeDecodeError, csv.Error):
            return ["not a CSV"]

    def append(self, row: Row) -> None:
        """Write one row through to the disk."""
        self._writer.writerow(row)
        self._flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _flush(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
