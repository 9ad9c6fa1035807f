"""What must be the same for a finished benchmark to stand for the one that would be measured now.

The machine's fingerprint, the options that change how or what is measured, the code (the commit and what is
changed since; without git, every Python file of the project), and whatever a project adds through the hook
``pytest_tailgate_workload``. All but the last are taken before anything is measured: what is edited meanwhile
was not what ran.
"""

import dataclasses
import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tailgate.machine import fingerprint as environment
from tailgate.machine import git
from tailgate.results.plain import plain
from tailgate.session.settings import Settings

GIT_S = 20.0
MOST_FILES = 20_000
"""Python files of a project without git that are looked at."""
DO_NOT_MATTER = {
    "csv", "progress", "report", "gate", "limits", "duet", "duet_pairs", "duet_s", "baselines", "fingerprint_packages",
    "journal", "resume", "order", "seed", "benchmark_timeout_s", "profilers",
}  # fmt: skip
"""Settings that change neither how nor what is measured; what a profiling meter gives is added to a row, in a run
of its own."""


class Comparable:
    """Taken once a session, but for what belongs to one test."""

    def __init__(
        self, config: pytest.Config, settings: Settings, fingerprint: dict[str, Any], items: Iterable[pytest.Item]
    ) -> None:
        self._config = config
        self._settings = settings
        self._fingerprint = fingerprint
        self._code = code_of(config.rootpath)
        self._files = {path: _sha256(path) for path in {item.path for item in items}}

    def key(self, item: pytest.Item) -> dict[str, Any]:
        """Names and values, of JSON's types; ``None``, a value that is not known, is equal to nothing."""
        workload: dict[str, Any] = {}
        for part in self._config.hook.pytest_tailgate_workload(item=item):
            workload.update(part or {})
        key = {
            "machine": environment.fingerprint_id(self._fingerprint),
            "options": self._options,
            "code": self._code,
            "test file": self._files.get(item.path),
            **workload,
        }
        found: dict[str, Any] = plain(key)
        return found

    @cached_property
    def _options(self) -> dict[str, Any]:
        ours = dataclasses.asdict(self._settings)
        if ours["load"] is not None:  # each load is a test of its own name; its arrivals follow from the seed
            ours["load"] = {**ours["load"], "names": None, "seed": self._settings.seed}
        theirs = getattr(self._config, "_benchmarksession", None)
        return {
            **{name: value for name, value in ours.items() if name not in DO_NOT_MATTER},
            **{f"benchmark_{name}": str(value) for name, value in (theirs.options if theirs else {}).items()},
        }


def code_of(folder: Path) -> str | None:
    """What tells one state of a project's code from another; ``None``: it has too many files to look at.

    With git the commit, and a digest of what has changed since in tracked files and of new Python files; without,
    or where git refuses to answer, a digest of every Python file.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "diff", "HEAD", "--binary")
    new = _git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.py")
    if commit is None or changes is None or new is None:
        return _files_digest(folder, _python_files(folder))
    digest = hashlib.sha256(changes)
    added = [folder / name for name in new.decode(errors="surrogateescape").split("\0") if name]
    if not changes and not added:
        return commit.decode().strip()
    digest.update((_files_digest(folder, added) or "").encode())
    return f"{commit.decode().strip()} with changes {digest.hexdigest()[:12]}"


def _python_files(folder: Path) -> Iterator[Path]:
    """Not below hidden folders, caches or virtual environments."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [
            name
            for name in folders
            if not name.startswith((".", "__")) and not (here / name / "pyvenv.cfg").exists() and name != "node_modules"
        ]
        yield from (here / name for name in names if name.endswith(".py"))


def _files_digest(folder: Path, files: Iterable[Path]) -> str | None:
    digest = hashlib.sha256()
    for number, path in enumerate(sorted(files)):
        if number >= MOST_FILES:
            return None
        digest.update(f"{path.relative_to(folder)}\0{_sha256(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:12]


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = git.run(git.place_of(folder, GIT_S), *arguments, timeout_s=GIT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
