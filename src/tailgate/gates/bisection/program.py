"""The pytest command after ``--``: which Python runs it, and what must not be among its options."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tailgate.errors import TailgateError

PYTESTS = frozenset({"pytest", "py.test"})
OURS = ("--duet", "--benchmark-json")
"""Every step sets them itself."""
SAVING = (
    "--benchmark-save", "--benchmark-autosave", "--benchmark-save-data", "--benchmark-histogram", "--csv", "--report",
    "--junitxml", "--junit-xml", "--journal",
)  # fmt: skip
"""Each step would write that file anew, into a checkout that is removed."""
OTHER = (
    "--benchmark-compare", "--benchmark-compare-fail", "--benchmark-disable", "--benchmark-skip", "--gate", "--resume",
    "--collect-only", "--co", "--pdb", "--trace", "--numprocesses", "-n", "--lf", "--last-failed", "--ff",
    "--failed-first", "--sw", "--stepwise",
)  # fmt: skip
"""They contradict a duet, or ask for a terminal, or for what an earlier session left."""


@dataclass(frozen=True)
class Program:
    """A pytest command, taken apart."""

    python: tuple[str, ...]
    """The interpreter and its flags."""
    arguments: tuple[str, ...]
    """Pytest's."""
    typed: str
    """As the user wrote it."""

    @property
    def build(self) -> str | None:
        """The command of ``--duet-build``: a candidate's checkout needs it as much as the base's."""
        return self.value("--duet-build")

    def value(self, option: str) -> str | None:
        """The last value of an option of pytest's; ``None``: it was not given."""
        found = None
        for index, word in enumerate(self.arguments):
            name, equals, value = word.partition("=")
            if name == option:
                found = value if equals else next(iter(self.arguments[index + 1 :]), None)
        return found


def program(words: Sequence[str]) -> Program:
    """Take a command apart.

    Raises:
        TailgateError: it is not pytest's, or has an option that contradicts a bisect; one line.
    """
    if not words:
        raise TailgateError("bisect: no command; write -- pytest ... at the end, such as -- pytest -k resnet50")
    python, arguments = _python(list(words))
    for word in arguments:
        name = word.partition("=")[0]
        if name in OURS:
            raise TailgateError(f"bisect: {name} after -- is set by each step; leave it out")
        if name in SAVING:
            raise TailgateError(f"bisect: {name} after -- would be written anew by each step; leave it out")
        if name in OTHER or (word.startswith("-n") and word[2:].isdigit()):
            raise TailgateError(f"bisect: {name} after -- does not go with a duet of each step; leave it out")
    return Program(python, tuple(arguments), shlex.join(words))


def _python(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    first = Path(words[0])
    if first.name in PYTESTS:
        # -P: "python -m pytest" puts the working folder on the path, and "pytest" does not.
        python = sys.executable if words[0] in PYTESTS else str(first.absolute().parent / "python")
        return (_checked(python), "-P"), words[1:]
    if first.name.startswith("python") and "-m" in words:
        at = words.index("-m")
        if words[at + 1 : at + 2] == ["pytest"]:
            return (_checked(words[0]), *words[1:at]), words[at + 2 :]
    hint = "; set variables before tailgate" if "=" in words[0] else ""
    raise TailgateError(
        f"bisect: {words[0]!r} after -- is not pytest (allowed: pytest ..., python -m pytest ...){hint}"
    )


def _checked(python: str) -> str:
    found = shutil.which(python)
    if found is None:
        raise TailgateError(f"bisect: {python} is not there or cannot be run")
    return os.path.abspath(found)  # noqa: PTH100 (not resolved: an environment's interpreter is a link)
