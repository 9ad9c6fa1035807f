"""Which commit to measure next is git's own decision, merges and skipped commits included.

Git keeps the state of a bisect per worktree, so one in a linked worktree is none of the user's. ``--no-checkout``: it
only names commits.
"""

from __future__ import annotations

import re
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.gates.bisection.commits import Ends
from tailgate.gates.duet.worktree import ask

FIRST_BAD = re.compile(r"^# first bad commit: \[([0-9a-f]+)\]", re.MULTILINE)
POSSIBLE = re.compile(r"^# possible first bad commit: \[([0-9a-f]+)\]", re.MULTILINE)


class GitBisect:
    """A bisect in a worktree.

    Raises:
        TailgateError: git refuses.
    """

    def __init__(self, folder: Path, ends: Ends) -> None:
        self._place = ("-C", str(folder))
        walk = ["--first-parent"] if ends.first_parent else []
        self._git("bisect", "reset")  # of an earlier round in this worktree
        self._git("bisect", "start", "--no-checkout", *walk, ends.bad, ends.good, "--")
        self._read()

    def answer(self, commit: str, word: str) -> None:
        """``good``, ``bad`` or ``skip``."""
        try:
            self._git("bisect", word, commit)
        except TailgateError:
            self._read()
            if not self.possible:  # git fails, too, where only skipped commits are left
                raise
        else:
            self._read()

    @property
    def candidate(self) -> str | None:
        """The next to measure; ``None``: git has its answer."""
        return None if self.first_bad or self.possible else self._git("rev-parse", "--verify", "BISECT_HEAD")

    @property
    def left(self) -> int:
        """How many commits could still be the answer."""
        good = self._git("for-each-ref", "--format=%(objectname)", "refs/bisect/good-*").split()
        return int(self._git("rev-list", "--count", "refs/bisect/bad", "--not", *good))

    def parent(self, commit: str) -> str:
        """The first of its parents."""
        return self._git("rev-parse", f"{commit}^1")

    def _read(self) -> None:
        log = self._git("bisect", "log")
        found = FIRST_BAD.findall(log)
        self.first_bad: str | None = found[-1] if found else None
        """The answer, where there is one."""
        self.possible: list[str] = POSSIBLE.findall(log)
        """All that could be the answer, where the rest was skipped."""

    def _git(self, *arguments: str) -> str:
        return ask(self._place, *arguments, what=f"git {arguments[0]}", option="bisect")
