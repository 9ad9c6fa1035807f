"""Which commit to measure next is git's own decision, merges and skipped commits included.

It decides in an empty repository that borrows the user's objects: in theirs, or in a worktree of it, ``git bisect``
would write ``packed-refs`` anew. ``--no-checkout``: it only names commits.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.gates.bisection.commits import Ends
from tailgate.gates.bisection.journal import write
from tailgate.gates.duet.worktree import ask

FIRST_BAD = re.compile(r"^# first bad commit: \[([0-9a-f]+)\]", re.MULTILINE)
POSSIBLE = re.compile(r"^# possible first bad commit: \[([0-9a-f]+)\]", re.MULTILINE)


class GitBisect:
    """A bisect of its own.

    Raises:
        TailgateError: git refuses.
    """

    def __init__(self, folder: Path, ends: Ends) -> None:
        """``folder``: where the repository is made."""
        self._place = ("-C", str(folder))
        objects, shallow, kind = (
            ask(ends.place, "rev-parse", "--path-format=absolute", *words, what="git rev-parse", option="bisect")
            for words in (("--git-path", "objects"), ("--git-path", "shallow"), ("--show-object-format",))
        )
        repository = Path(tempfile.mkdtemp(prefix="bisect-", dir=folder))
        self._git("init", "--quiet", "--bare", f"--object-format={kind}", str(repository))
        self._place = ("-C", str(repository))
        write(repository / "objects" / "info" / "alternates", f"{objects}\n")
        if Path(shallow).exists():
            shutil.copy(shallow, repository / "shallow")
        self._git("update-ref", "--no-deref", "HEAD", ends.bad)
        walk = ["--first-parent"] if ends.first_parent else []
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
