"""The two ends of a bisect, checked, and what to call a commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.gates.duet.worktree import ask, is_shallow, repository, resolve

DIGITS = 10
"""Of a commit's name, for people."""


@dataclass(frozen=True)
class Ends:
    """A good and a bad commit with others between them."""

    place: tuple[str, ...]
    """How git is told where the repository is."""
    top: Path
    """Of the user's working tree."""
    good: str
    bad: str
    first_parent: bool
    commits: int
    """That could be the first bad one; the bad end is one of them."""
    changed: int
    """Files of the working tree that differ from ``HEAD``: no step measures them."""


def ends(inside: Path, good: str, bad: str, *, first_parent: bool) -> Ends:
    """Check both ends.

    Raises:
        TailgateError: no repository, no such ref, or no way from one to the other; one line.
    """
    place, top = repository(inside, "bisect")
    shas = (resolve(place, top, good, "--good"), resolve(place, top, bad, "--bad"))
    if shas[0] == shas[1]:
        raise TailgateError(f"bisect: {good} and {bad} are one commit, {shas[0][:DIGITS]}; there is nothing to bisect")
    bases = _git(place, "merge-base", "--all", *shas, may_fail=True).split()
    if shas[0] not in bases:
        raise TailgateError(_unrelated(place, good, bad, shas, bases))
    walk = ["--first-parent"] if first_parent else []
    count = int(_git(place, "rev-list", "--count", *walk, f"{shas[0]}..{shas[1]}"))
    changed = _git(place, "status", "--porcelain", "--untracked-files=no").splitlines()
    return Ends(place, top, *shas, first_parent, count, len(changed))


def _unrelated(place: Sequence[str], good: str, bad: str, shas: Sequence[str], bases: Sequence[str]) -> str:
    if shas[1] in bases:
        return f"bisect: --bad {bad} is older than --good {good}; the good side comes first: --good {bad} --bad {good}"
    fork = f"; they fork here: --good {bases[0][:DIGITS]}" if bases else "; they have no common commit"
    shallow = "; this clone is shallow: git fetch --unshallow" if is_shallow(place) else ""
    return f"bisect: --good {good} is not among the ancestors of --bad {bad}{fork}{shallow}"


def called(place: Sequence[str], commit: str) -> str:
    """``3f2a1c4e77 "Subject" (author, day)``; its subject may hold anything."""
    return f"{commit[:DIGITS]} " + _git(place, "show", "--no-patch", '--format="%s" (%an, %as)', commit)


def _git(place: Sequence[str], *arguments: str, may_fail: bool = False) -> str:
    try:
        return ask(place, *arguments, what=f"git {arguments[0]}", option="bisect")
    except TailgateError:
        if may_fail:
            return ""
        raise
