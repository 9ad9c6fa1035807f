"""Projects of ``isolated`` as git repositories, and what a duet leaves of them."""

import subprocess
from typing import Any

from isolated import Project, Session

SHORT = ("--duet-pairs=8", "--duet-seconds=0.04", "--gate-min-effect=20%", "--gate-metrics=median", "-v")


def committed(project: Project, *more: str) -> Project:
    """A git repository with its modules committed, and whatever else is named."""
    for command in (
        ("init", "-q", "-b", "main", "."),
        ("add", "conftest.py", "test_a.py", *more),
        ("commit", "-q", "-m", "base"),
    ):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], cwd=project.folder, check=True)
    return project


def worktrees(project: Project) -> list[str]:
    """But for the project itself."""
    told = subprocess.run(
        ["git", "worktree", "list", "--porcelain"], cwd=project.folder, check=True, capture_output=True, text=True
    ).stdout
    return [line for line in told.splitlines() if line.startswith("worktree")][1:]


def verdicts(session: Session) -> dict[str, dict[str, Any]]:
    assert session.saved is not None, session.out
    return {one["fullname"].rpartition("::")[2]: one for one in session.saved["tailgate_duet"]["verdicts"]}
