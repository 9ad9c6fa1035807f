"""``--csv FILE``: one row appended, and on disk, as each benchmark ends."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.results.rows import CONTEXT, STATISTICS, Row
from tailgate.results.spreadsheet import Writer

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
        self.path = path
        if path.exists() and not path.is_file():
            raise TailgateError(f"--csv: {path} cannot be written (not a regular file); name another file")
        with contextlib.ExitStack() as on_error:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("a+b", buffering=0)  # closed by close()
                on_error.callback(self._file.close)
                first = self._header()
                if first is None:
                    self._write(HEADER_ROW)
                elif tuple(first) != HEADER:
                    raise TailgateError(f"--csv: {path} has other columns than Tailgate writes; name another file")
                elif not path.read_bytes().endswith(b"\n"):
                    self._write("\n")  # the last row was cut off; ours starts on a line of its own
            except OSError as error:
                raise TailgateError(
                    f"--csv: {path} cannot be written ({error.strerror or error}); name another file"
                ) from error
            on_error.pop_all()

    def append(self, row: Row) -> None:
        """Write one row through to the disk, whole or not at all.

        Raises:
            OSError: the disk is full, or gone.
        """
        self._write(_line(row))

    def elsewhere(self) -> TidyCsv:
        """A file of the same name in the temporary folder, for the rows that this one cannot take.

        Raises:
            TailgateError, OSError: that folder cannot be written either.
        """
        self.close()
        return TidyCsv(Path(tempfile.mkdtemp(prefix="tailgate-unsaved-")) / self.path.name)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _header(self) -> list[str] | None:
        """The file's first line; ``None`` for an empty file."""
        self._file.seek(0)
        try:
            line = self._file.readline(LONGEST_HEADER).decode("utf8")
            return next(csv.reader([line]), None) if line else None
        except (UnicodeDecodeError, csv.Error):
            return ["not a CSV"]

    def _write(self, text: str) -> None:
        data, end = text.encode("utf8", "backslashreplace"), self._file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise


def _line(row: Row) -> str:
    text = io.StringIO(newline="")
    Writer(text, HEADER, "ignore").writerow(row)
    return text.getvalue()


HEADER_ROW = _line(dict(zip(HEADER, HEADER, strict=True)))
