"""What git says of the commits that were measured. It only reads; without git everything else works."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tailgate.errors import one_line
from tailgate.gates.saved.provenance import Commit
from tailgate.history.model import Commits
from tailgate.machine import git
from tailgate.text import counted, printable

TIMEOUT_S = 20.0
SHOWN = 5
"""Commits of a range that are listed."""


class Repository:
    """The repository around a folder, or why there is none."""

    def __init__(self, folder: Path) -> None:
        self._place: tuple[str, ...] = ()
        self._ranges: dict[tuple[Commit, Commit], Commits] = {}
        self._why: str | None = None
        self._why = self._failure(folder)

    @property
    def why_unknown(self) -> str:
        """Why a commit may not be known here."""
        if self._why:
            return self._why
        if self._ask("rev-parse", "--is-shallow-repository") == "true":
            return "this clone is shallow (git fetch --unshallow)"
        return "not in this repository (git fetch --all)"

    def ancestors(self, ids: Sequence[str]) -> dict[str, set[str]]:
        """Of each commit that is known here, which of the others are its ancestors."""
        known = self._known_of(ids)
        if len(known) < 2:
            return {one: set() for one in known}
        base = self._ask("merge-base", "--octopus", *known)
        graph = self._ask(
            "rev-list", "--topo-order", "--reverse", "--parents", *known, *([f"^{base}^@"] if base else [])
        )
        bits = {one: 1 << index for index, one in enumerate(known)}
        reached: dict[str, int] = {}
        for line in (graph or "").splitlines():
            commit, *parents = line.split()
            mask = 0
            for parent in parents:
                mask |= reached.get(parent, 0) | bits.get(parent, 0)
            reached[commit] = mask
        return {one: {other for other in known if reached.get(one, 0) & bits[other]} for one in known}

    def between(self, before: Commit | None, after: Commit | None) -> Commits:
        """The commits that the second has and the first has not."""
        if before is None or after is None:
            return Commits("commits: a session does not say which commit it measured")
        if (before, after) not in self._ranges:
            self._ranges[before, after] = self._between(before, after)
        return self._ranges[before, after]

    def _between(self, before: Commit, after: Commit) -> Commits:
        if before.id == after.id:
            dirty = [one.dirty for one in (before, after)]
            if any(dirty):
                return Commits(f"commits: none, but uncommitted changes; both sessions measured {before.id[:10]}")
            return Commits(f"commits: none; both sessions measured {before.id[:10]}", unchanged=None not in dirty)
        ends = f"{before.id[:10]}..{after.id[:10]}"
        unknown = [one.id[:10] for one in (before, after) if not self._known_of([one.id])]
        if unknown:
            return Commits(f"commits: {ends}; {' and '.join(unknown)} not known: {self.why_unknown}")
        count = self._ask("rev-list", "--count", ends)
        log = self._ask(
            "log", "--no-color", "--no-decorate", "--no-show-signature", f"--max-count={SHOWN}",
            "--format=%h %s", ends,
        )  # fmt: skip
        if count is None or log is None:
            return Commits(f"commits: {ends}; git does not say what is between them")
        said = f"{counted(int(count), 'commits')}, {before}..{after}"
        follows = self._is_ancestor(before, after)
        if not follows:
            said = f"{before} is no ancestor of {after}: " + (
                "the later session measured an older commit"
                if self._is_ancestor(after, before)
                else f"another branch, with {counted(int(count), 'commits')} that the first has not"
            )
        lines = tuple(printable(line) for line in log.splitlines())
        return Commits(f"commits: {said}", lines, int(count) if follows else None)

    def _is_ancestor(self, one: Commit, other: Commit) -> bool:
        return self._ask("merge-base", "--is-ancestor", one.id, other.id) is not None

    def _known_of(self, ids: Sequence[str]) -> list[str]:
        found = self._ask("rev-list", "--no-walk=unsorted", "--ignore-missing", *ids) if ids else None
        return [one for one in ids if one in (found or "").split()]

    def _failure(self, folder: Path) -> str | None:
        """Why git cannot be asked."""
        try:
            self._place = git.place_of(folder)
            done = git.run(self._place, "rev-parse", "--git-dir", timeout_s=TIMEOUT_S)
        except OSError:
            return "there is no git here"
        except subprocess.TimeoutExpired as error:
            return one_line(error)
        return None if done.returncode == 0 else "there is no git repository here"

    def _ask(self, *arguments: str) -> str | None:
        """What it prints; ``None``: it failed."""
        if self._why:
            return None
        try:
            done = git.run(self._place, *arguments, timeout_s=TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode("utf8", "replace").strip() if done.returncode == 0 else None
