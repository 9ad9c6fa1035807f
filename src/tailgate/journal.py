"""The journal: each finished benchmark is on disk before the next one starts; ``--resume`` goes on from it.

One line of JSON an entry, with a checksum: a line cut short by a power failure, or damaged, is left out,
and the benchmark measured again. An entry is used only where everything that makes two numbers comparable
is as it was.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from tailgate.errors import TailgateError, one_line

VERSION = 1
"""History: 1 (2026-11): nodeid, nth, key, reports, rows, finished_utc."""


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


class Journal:
    """An open journal, locked: two sessions never write one.

    Raises:
        TailgateError: it cannot be written, or another session does.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.remarks: list[str] = []
        """What the user should know of the file that was found."""
        self._entries: dict[tuple[str, int], Entry] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not resume:
                self._put_aside()
            self._file: IO[bytes] = path.open("a+b", buffering=0)
        except OSError as error:
            raise TailgateError(
                f"--journal: {path} cannot be written ({one_line(error)}); name another file with --journal=FILE"
            ) from error
        self._lock()
        if resume:
            self._read()
        elif self._file.tell() == 0:
            self._append({"journal": VERSION, "started_utc": datetime.now(UTC).isoformat()})

    def done(self, nodeid: str, nth: int, key: Mapping[str, Any]) -> Entry | list[str]:
        """The entry of a benchmark, or what stands against it: nothing, when it was never finished."""
        entry = self._entries.get((nodeid, nth))
        if entry is None:
            return []
        differing = [name for name in key if entry.key.get(name) != key[name]]
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
        """Everything selected was measured: nothing to go on with."""
        try:
            self._append({"complete": True})
        except OSError:
            return  # a journal that does not say so is only kept longer

    def close(self) -> None:
        """Let others have it."""
        self._file.close()

    def _append(self, content: dict[str, Any]) -> None:
        text = json.dumps(content, default=repr)
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

    def _put_aside(self) -> None:
        """An unfinished run is not thrown away because somebody forgot ``--resume``."""
        lines = [content for content in map(_content, self.path.read_bytes().splitlines()) if content]
        finished = sum("nodeid" in content for content in lines)
        if not finished or any(content.get("complete") for content in lines):
            self._check_unlocked()
            self.path.unlink()
            return
        self._check_unlocked()
        aside = self.path.with_name(f"{self.path.name}.previous")
        self.path.replace(aside)
        self.remarks.append(
            f"An unfinished run with {finished} measured benchmarks was in the journal; it is kept in {aside} "
            f"(to go on from it: --resume --journal={aside})"
        )

    def _check_unlocked(self) -> None:
        self._file = self.path.open("a+b", buffering=0)
        self._lock()
        self._file.close()

    def _read(self) -> None:
        self._file.seek(0)
        data = self._file.read()
        if not data:
            self.remarks.append(f"--resume: there is nothing to go on from in {self.path}; measuring everything")
            self._append({"journal": VERSION, "started_utc": datetime.now(UTC).isoformat()})
            return
        damaged = []
        for number, line in enumerate(data.splitlines(), start=1):
            content = _content(line)
            if content is None:
                damaged.append(str(number))
            elif "nodeid" in content:
                entry = Entry(*(content[name] for name in ("nodeid", "nth", "key", "reports", "rows")))
                self._entries[entry.nodeid, entry.nth] = entry
        if damaged:
            self.remarks.append(
                f"--resume: {self.path} is damaged in line {', '.join(damaged)}; what stood there is measured again"
            )
        if not data.endswith(b"\n"):
            self._file.write(b"\n")


def _content(line: bytes) -> dict[str, Any] | None:
    """What a line says; ``None``: it is not what was written."""
    try:
        outer = json.loads(line)
        text = outer["entry"]
        if zlib.crc32(text.encode()) != outer["crc32"]:
            return None
        content = json.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return content if isinstance(content, dict) else None
