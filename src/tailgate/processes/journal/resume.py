"""What a session asks of its journal: which benchmarks are finished, and to write down each that is measured."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tailgate.errors import TailgateError, one_line
from tailgate.processes.attempt import Attempt
from tailgate.processes.journal.file import Entry, Journal, JournalError, UnwritableError
from tailgate.processes.journal.key import Comparable
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings


class ResumableJournal:
    """Without a file, because there can be none, it finishes and writes nothing.

    Raises:
        pytest.UsageError: another session writes it; or it was asked for and cannot be had.
    """

    def __init__(
        self, config: pytest.Config, settings: Settings, run: BenchmarkRun, items: Iterable[pytest.Item]
    ) -> None:
        self._run = run
        self._resume = settings.resume
        self._file, remarks = open_journal(config, settings)
        run.remark(*remarks)
        self._comparable = Comparable(config, settings, run.fingerprint, items) if self._file else None
        self._resumed = 0
        self._changed: Counter[str] = Counter()

    def finished(self, item: pytest.Item, nth: int) -> Attempt | None:
        """What the journal has of a benchmark's ``nth`` process; ``None``: it is to be measured."""
        if self._file is None or self._comparable is None:
            return None
        found = self._file.done(item.nodeid, nth, self._comparable.key(item))
        if isinstance(found, Entry):
            self._resumed += 1
            self._run.resumed()
            return Attempt(reports=found.reports, rows=found.rows, final_message={"in_order": True})
        self._changed.update(found)
        return None

    def append(self, item: pytest.Item, nth: int, made: Attempt) -> None:
        """Write down what was measured; where that fails, measuring stops."""
        if self._file is None or self._comparable is None:
            return
        try:
            # The test itself may have made the workload's own facts: ask for them again.
            key = self._comparable.key(item)
            self._file.append(Entry(item.nodeid, nth, key, made.reports, made.rows))
        except JournalError as error:
            item.session.shouldstop = f"{error}; measuring stops here, what was measured is kept"

    def complete(self) -> None:
        """Write that everything selected was measured."""
        if self._file is not None:
            self._file.complete()

    def close(self) -> None:
        """Let other sessions have the file."""
        if self._file is not None:
            self._file.close()

    def remarks(self) -> list[str]:
        """How many benchmarks ``--resume`` took from the file, and why it took no more."""
        if self._file is None or not self._resume:
            return []
        taken = [f"--resume: {self._resumed} already finished, taken from {self._file.path}"] if self._resumed else []
        return taken + [
            f"--resume: {count} measured again, because the {name} changed or is not known"
            for name, count in self._changed.items()
        ]


def open_journal(config: pytest.Config, settings: Settings) -> tuple[Journal | None, list[str]]:
    """The journal, and what the user should know of it.

    Raises:
        pytest.UsageError: another session writes it; or it was asked for and cannot be had.
    """
    try:
        path = settings.journal or _default_path(config)
        journal = None if path is None else Journal(path, resume=settings.resume)
    except TailgateError as error:
        if settings.journal or settings.resume or not isinstance(error, UnwritableError):
            raise pytest.UsageError(str(error)) from error
        return None, [f"Nothing was journaled, so --resume has nothing to go on from: {error}"]
    if journal is not None:
        return journal, journal.remarks
    off = "--resume: pytest's cache is turned off, so name a file with --journal=FILE"
    return None, [off] if settings.resume else []


def _default_path(config: pytest.Config) -> Path | None:
    """In pytest's cache; ``None`` where that is turned off."""
    cache = getattr(config, "cache", None)
    if cache is None:
        return None
    try:
        folder = Path(cache.mkdir("tailgate"))
        if folder.is_relative_to(config.rootpath):
            return folder / "journal.jsonl"
        # Under tox the cache is the environment's, whatever project its tests run.
        return folder / f"journal-{hashlib.sha256(bytes(config.rootpath)).hexdigest()[:8]}.jsonl"
    except OSError as error:
        raise UnwritableError(
            f"--journal: pytest's cache cannot be written ({one_line(error)}); name a file with --journal=FILE"
        ) from error
