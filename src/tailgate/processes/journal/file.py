"""The journal: each finished benchmark is on disk before the next one starts; ``--resume`` goes on from it.

One line of JSON an entry, with a checksum: a line cut short by a power failure, or damaged, is left out,
and the benchmark measured again. An entry is used only where everything that makes two numbers comparable
is as it was.
"""

import contextlib
import fcntl
import itertools
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from tailgate.errors import TailgateError, one_line
from tailgate.results.plain import json_text

VERSION = 1
"""History: 1 (2026-11): nodeid, nth, key, reports, rows, finished_utc."""
FIRST_BYTES = b'{"crc32": '
MOST_NAMED = 5
"""At most this many damaged lines are named; a file that is not a journal may have thousands."""


class JournalError(Exception):
    """An entry could not be written; the text says why, and which file."""


@dataclass(frozen=True)
class Entry:
    """One benchmark, measured in one process."""

    nodeid: str
    nth: int
    """Which of ``--processes``, from 0."""
    key: Mapping[str, Any]
    """What must be the same for the numbers to be comparable."""
    reports: list[dict[str, Any]]
    rows: list[dict[str, Any]]


class UnwritableError(TailgateError):
    """The file cannot be made, read or written; another could."""


class Journal:
    """An open journal, locked: two sessions never write one.

    Raises:
        UnwritableError: it cannot be written.
        TailgateError: another session writes it.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.remarks: list[str] = []
        """What the user should know of the file that was found."""
        self._entries: dict[tuple[str, int], Entry] = {}
        with self._or_another_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                raise OSError("not a regular file")
            self._file: IO[bytes] = path.open("a+b", buffering=0)
        self._lock()
        try:
            with self._or_another_file():
                self._read() if resume else self._begin_anew()
        except BaseException:
            self._file.close()
            raise

    def done(self, nodeid: str, nth: int, key: Mapping[str, Any]) -> Entry | list[str]:
        """The entry of a benchmark, or what stands against it: nothing, when it was never finished."""
        entry = self._entries.get((nodeid, nth))
        if entry is None:
            return []
        differing = [name for name, value in key.items() if value is None or entry.key.get(name) != value]
        return differing or entry

    def append(self, entry: Entry) -> None:
        """Write and sync one entry.

        Raises:
            JournalError: the disk is full, or gone.
        """
        try:
            self._append({**vars(entry), "finished_utc": datetime.now(UTC).isoformat()})
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be written ({one_line(error)})") from error

    def complete(self) -> None:
        """Write that everything selected was measured."""
        try:
            self._append({"complete": True})
        except OSError:
            return  # a journal that does not say so is only kept longer

    def close(self) -> None:
        """Let others have it."""
        self._file.close()

    @contextlib.contextmanager
    def _or_another_file(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnwritableError(
                f"--journal: {self.path} cannot be written ({one_line(error)}); name another file with --journal=FILE"
            ) from error

    def _append(self, content: dict[str, Any]) -> None:
        text = json_text(content)
        line = json.dumps({"crc32": zlib.crc32(text.encode()), "entry": text}) + "\n"
        start = self._file.seek(0, os.SEEK_END)
        try:
            data = line.encode()
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(start)  # whole or not at all
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise TailgateError(
                f"--journal: another session is writing {self.path}; name another file with --journal=FILE"
            ) from error

    def _bytes(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def _begin_anew(self) -> None:
        """Begin anew, but keep an unfinished run for a user who forgot ``--resume``."""
        data = self._bytes()
        if data and not data.startswith(FIRST_BYTES):
            raise OSError("it is not a journal, and would be overwritten")
        contents = [content for content in map(_content, data.split(b"\n")) if content]
        finished = {(entry.nodeid, entry.nth) for entry in map(_entry, contents) if entry}
        if finished and not contents[-1].get("complete"):
            aside = _kept_aside(self.path, data)
            self.remarks.append(
                f"An unfinished run with {len(finished)} measured benchmarks was in the journal; it is kept in {aside} "
                f"(to go on from it: --resume --journal={aside})"
            )
        self._file.truncate(0)
        self._append({"journal": VERSION, "started_utc": datetime.now(UTC).isoformat()})

    def _read(self) -> None:
        data = self._bytes()
        if not data:
            self.remarks.append(f"--resume: there is nothing to go on from in {self.path}; measuring everything")
            self._append({"journal": VERSION, "started_utc": datetime.now(UTC).isoformat()})
            return
        damaged: list[int] = []
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
            content = _content(line)
            if content is None:
                damaged.append(number)
                continue
            if content.get("journal", VERSION) != VERSION:
                self.remarks.append(f"--resume: {self.path} was written by another Tailgate; measuring everything")
                break
            entry = _entry(content)
            if entry:
                self._entries[entry.nodeid, entry.nth] = entry
        if damaged:
            lines = ", ".join(map(str, damaged[:MOST_NAMED]))
            more = f" and {len(damaged) - MOST_NAMED} more" if len(damaged) > MOST_NAMED else ""
            self.remarks.append(
                f"--resume: {self.path} is damaged in line {lines}{more}; those benchmarks are measured again"
            )
        if not data.endswith(b"\n"):
            self._file.write(b"\n")


def _kept_aside(path: Path, data: bytes) -> Path:
    """Beside it under the first name that is free: an earlier unfinished run is not written over either."""
    for number in itertools.count(1):
        aside = path.with_name(f"{path.name}.previous{'' if number == 1 else f'-{number}'}")
        try:
            with aside.open("xb") as stream:
                stream.write(data)
        except FileExistsError:
            if aside.is_file() and aside.read_bytes() == data:
                return aside
            continue
        except OSError:  # half a copy is none
            aside.unlink(missing_ok=True)
            raise
        return aside
    raise AssertionError  # there is no last number


def entry_in(line: bytes) -> Entry | None:
    """The entry that a line of a journal holds; ``None``: it is damaged, or says something else."""
    content = _content(line)
    return None if content is None else _entry(content)


def _entry(content: dict[str, Any]) -> Entry | None:
    """``None``: a line of another kind, or of another version."""
    try:
        return Entry(*(content[name] for name in ("nodeid", "nth", "key", "reports", "rows")))
    except KeyError:
        return None


def _content(line: bytes) -> dict[str, Any] | None:
    """What a line says; ``None``: it is not what was written."""
    try:
        outer = json.loads(line)
        text = outer["entry"]
        if zlib.crc32(text.encode()) != outer["crc32"]:
            return None
        content = json.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
