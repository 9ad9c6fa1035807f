"""A git repository, and saved sessions of its commits."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is run; no repository is around it."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def git(folder: Path) -> Git:
    """Run git there, in a repository without the user's settings."""
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def run(*arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        done = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **nobody}
        )
        return done.stdout.strip()

    run("init", "-q", "-b", "main", ".")
    return run


@pytest.fixture
def commits(git: Git) -> list[str]:
    """Twelve commits, the oldest first."""

    def made(number: int) -> str:
        git("commit", "-q", "--allow-empty", "-m", f"change {number}")
        return git("rev-parse", "HEAD")

    return [made(number) for number in range(12)]
