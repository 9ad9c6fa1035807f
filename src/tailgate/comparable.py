"""What must be the same for a finished benchmark to stand for the one that would be measured now.

GATE.md's fingerprint, the options that change how or what is measured, the code (the commit and what is
changed since), and whatever a project adds through the hook ``pytest_tailgate_workload``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tailgate import environment
from tailgate.settings import Settings

GIT_S = 20.0
DO_NOT_MATTER = {
    "csv", "progress", "baselines", "fingerprint_packages", "journal", "resume", "order", "benchmark_timeout_s",
}  # fmt: skip
"""Settings that change neither how nor what is measured."""


class Comparable:
    """Taken once a session, but for what belongs to one test."""

    def __init__(self, config: pytest.Config, settings: Settings, fingerprint: dict[str, Any]) -> None:
        self._config = config
        self._settings = settings
        self._fingerprint = fingerprint

    def key(self, item: pytest.Item) -> dict[str, Any]:
        """Names and values, of JSON's types; a value that is not known is equal to nothing."""
        workload: dict[str, Any] = {}
        for part in self._config.hook.pytest_tailgate_workload(item=item):
            workload.update(part or {})
        key = {
            "machine": environment.fingerprint_id(self._fingerprint),
            "options": self._options,
            "commit": self._commit,
            "test file": _sha256(item.path),
            **workload,
        }
        found: dict[str, Any] = json.loads(json.dumps(key, default=repr))
        return found

    @cached_property
    def _options(self) -> dict[str, Any]:
        ours = dataclasses.asdict(self._settings)
        theirs = getattr(self._config, "_benchmarksession", None)
        return {
            **{name: value for name, value in ours.items() if name not in DO_NOT_MATTER},
            **{f"benchmark_{name}": str(value) for name, value in (theirs.options if theirs else {}).items()},
        }

    @cached_property
    def _commit(self) -> str | None:
        """The commit, and a digest of what tracked files have changed since; ``None`` outside a repository."""
        commit = _git(self._config.rootpath, "rev-parse", "HEAD")
        changes = _git(self._config.rootpath, "diff", "HEAD", "--binary")
        if commit is None or changes is None:
            return None
        digest = hashlib.sha256(changes).hexdigest()[:12] if changes else ""
        return f"{commit.decode().strip()}{f' with changes {digest}' if digest else ''}"


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, timeout=GIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
