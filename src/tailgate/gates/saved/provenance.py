"""What a saved session was measured of and with: its commit, and the software that the fingerprint leaves out."""

import re
from dataclasses import dataclass

from tailgate.results.saved_run import Run

COMMIT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""Git's, whole. Other version control has other names, and nothing else from a file becomes an argument of git's."""


@dataclass(frozen=True)
class Commit:
    """The commit that a session measured."""

    id: str
    dirty: bool | None
    """Whether the working tree had changes beside it; ``None``: it does not say."""

    def __str__(self) -> str:
        return f"{self.id[:10]}{' and uncommitted changes' if self.dirty else ''}"


def commit_of(run: Run) -> Commit | None:
    """The commit in ``commit_info``; ``None`` where there is no whole one."""
    saved = run.get("commit_info") or {}
    found, dirty = saved.get("id"), saved.get("dirty")
    if not isinstance(found, str) or not COMMIT_ID.fullmatch(found):
        return None
    return Commit(found, dirty if isinstance(dirty, bool) else None)


def software_of(run: Run) -> dict[str, str]:
    """Name -> version, of what is known; ``host`` is the machine's name."""
    info = run.get("machine_info") or {}
    facts = info.get("machine_facts")
    facts = facts if isinstance(facts, dict) else {}
    found = {
        "kernel": facts.get("kernel") or info.get("release"),
        "os": facts.get("os"),
        "pytest-benchmark": run.get("version"),
        "host": facts.get("hostname") or info.get("node"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str) and value}
