"""Which journal a session writes, if it can."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tailgate.errors import TailgateError, one_line
from tailgate.processes.journal.file import Journal, UnwritableError
from tailgate.session.settings import Settings


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
