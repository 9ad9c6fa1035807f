"""Every duet of a bisect on disk, at once: the same command goes on where it was interrupted, however that happened.

A bisect asks the same questions in the same order, so it needs no state but the answers that it has.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tailgate.errors import TailgateError, one_line
from tailgate.files import cache_folder, replace_text
from tailgate.gates.bisection.words import Comparison, from_json

VERSION = 1
"""Of the file; 1: the first."""


def write(file: Path, text: str) -> None:
    """The file anew, whole or as it was.

    Raises:
        OSError: it could not be written; ``filename`` is the file's, also where a full disk was found out by writing.
    """
    try:
        replace_text(file, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error


class Journal:
    """The folder of one bisect, held by one process at a time.

    Raises:
        TailgateError: another process holds it, or it cannot be read or written.
    """

    def __init__(self, identity: Sequence[str], facts: dict[str, Any], *, restart: bool) -> None:
        """``identity``: what makes it this bisect and no other; ``facts``: for a reader of the file."""
        key = hashlib.sha256("\0".join(identity).encode(errors="surrogateescape")).hexdigest()[:12]
        self.folder = cache_folder() / "bisect" / key
        self.file = self.folder / "bisect.json"
        self._facts = facts
        self._held: IO[str] | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._held = (self.folder / "lock").open("w")
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TailgateError(f"bisect: this bisect runs already, in another process ({self.folder})") from None
        except OSError as error:
            raise TailgateError(
                f"bisect: {self.folder} cannot be written ({one_line(error)}); name another with TAILGATE_CACHE=DIR"
            ) from None
        self.kept: list[Comparison] = [] if restart else self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            self._held.close()

    def answered(self, asked: Comparison, measure: Callable[[], Comparison]) -> Comparison:
        """The answer from the file, else a new one, which is then in the file."""
        known = next((one for one in self.kept if one.asked == asked.asked), None)
        if known is not None:
            return known
        made = measure()
        if not made.verdicts:  # nothing was measured, and the reason may be gone the next time
            return made
        self.kept.append(made)
        content = {"version": VERSION, **self._facts, "duets": [one.as_json() for one in self.kept]}
        write(self.file, json.dumps(content, indent=1))
        return made

    def _read(self) -> list[Comparison]:
        if not self.file.exists():
            return []
        try:
            content = json.loads(self.file.read_text(encoding="utf8"))
            if content["version"] != VERSION:
                raise ValueError(f"version {content['version']!r}")
            return [from_json(one) for one in content["duets"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise TailgateError(
                f"bisect: {self.file} cannot be read ({one_line(error)}); --restart begins anew"
            ) from None
