"""CSV cells that a spreadsheet would obey are made text, and back.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break is a formula to a spreadsheet: it gets an
apostrophe before it, which spreadsheets read as "this is text". Numbers, negative ones too, stay numbers. A reader
takes the apostrophe off again with :func:`original`. See https://owasp.org/www-community/attacks/CSV_Injection.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""With apostrophes before it too: so that taking one off gives back what was there."""


def harmless(value: Any) -> Any:
    """A cell as it is written."""
    if not isinstance(value, str) or not FORMULA.match(value) or _is_number(value):
        return value
    return f"'{value}"


def original(cell: str) -> str:
    """What :func:`harmless` was given, as text."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


class Writer:
    """Rows by name, each cell harmless.

    ``extrasaction``: as of ``csv.DictWriter``.
    """

    def __init__(self, stream: IO[str], header: Sequence[str], extrasaction: Any = "raise") -> None:
        self._writer = csv.DictWriter(stream, header, extrasaction=extrasaction, lineterminator="\n")
        self.writeheader = self._writer.writeheader

    def writerow(self, row: Mapping[str, Any]) -> None:
        """Write one line."""
        self._writer.writerow({name: harmless(value) for name, value in row.items()})

    def writerows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Many."""
        for row in rows:
            self.writerow(row)


class Rows:
    """``csv.writer``, each cell harmless: for a table that pytest-benchmark writes.

    ``dialect``: as of ``csv.writer``.
    """

    def __init__(self, stream: IO[str], **dialect: Any) -> None:
        self._writer = csv.writer(stream, **dialect)

    def writerow(self, cells: Iterable[Any]) -> None:
        """Write one line."""
        self._writer.writerow([harmless(cell) for cell in cells])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
