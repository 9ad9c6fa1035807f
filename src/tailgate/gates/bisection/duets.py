"""One commit against another: a duet in a checkout of its own, whose head side is the commit."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.gates.bisection import inside
from tailgate.gates.bisection.commits import DIGITS
from tailgate.gates.bisection.environments import CannotMeasureError, Environments
from tailgate.gates.bisection.journal import write
from tailgate.gates.bisection.program import Program
from tailgate.gates.bisection.words import Comparison
from tailgate.gates.duet.worktree import Worktree, ask
from tailgate.results.verdict import lenient_from_json
from tailgate.session.settings import DEFAULT_PAIRS, MOST_PAIRS

PAIRS = "--duet-pairs"
USAGE, NOTHING_SELECTED = 4, 5
FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
"""What the output of a session says whose disk is full."""
BECAUSE = (
    re.compile(r"^E\s+(\S.*)"),
    re.compile(r"^(?:ERROR|tailgate: error): (?!usage:)(.*)"),
    re.compile(r"^\S.*?: error: (.*)"),
    re.compile(r"^(\w\S* \S.*)"),
)
"""The line of pytest's output that says why it measured nothing: of a collection error, of wrong usage, of an option
that argparse does not know, any other."""


class Duets:
    """Measures commits in one worktree."""

    def __init__(
        self, worktree: Worktree, program: Program, place: Path, environments: Environments, folder: Path,
        path: Sequence[str],
    ) -> None:  # fmt: skip
        """Nothing is measured yet.

        Args:
            worktree: where the commits are checked out, one after the other.
            program: what is run there.
            place: the working folder, relative to the checkout.
            environments: the packages of each commit.
            folder: for logs and runs.
            path: what Python imports from first; relative entries are of the checkout.
        """
        self._worktree = worktree
        self._program = program
        self._place = worktree.folder / place
        self._environments = environments
        self._folder = folder
        # Beside the checkout, and removed with it: a session that is killed leaves its own checkout to nobody.
        self._temporary = worktree.folder.parent / "temporary"
        self._temporary.mkdir()
        self._path = os.pathsep.join(str(worktree.folder / entry) for entry in path)

    def measure(self, asked: Comparison) -> Comparison:
        """The comparison with its verdicts, or with the reason for having none.

        Raises:
            TailgateError: git cannot check the commit out, or ``--duet-build`` fails at an end of the range.
        """
        start_s = time.monotonic()
        try:
            base = self._environments.python(asked.against, self._check_out)
            head = self._environments.python(asked.commit, self._check_out)
            self._check_out(asked.commit)
            if self._program.build is not None:
                self._worktree.build(self._program.build, head or self._program.python[0])
            made = self._run(asked, base, head)
        except CannotMeasureError as error:
            made = replace(asked, reason=str(error))
        notes = (self._environments.note(asked.against), self._environments.note(asked.commit))
        told = tuple(dict.fromkeys(filter(None, (*made.notes, *notes))))
        return replace(made, wall_s=time.monotonic() - start_s, notes=told)

    def _run(self, asked: Comparison, base: str | None, head: str | None) -> Comparison:
        if not self._place.is_dir():
            raise CannotMeasureError(f"it has no folder {self._place.relative_to(self._worktree.folder)}")
        earlier = {file.stem for file in self._folder.glob("[0-9]*-*")}
        stem = self._folder / f"{len(earlier) + 1:03}-{asked.commit[:DIGITS]}"
        step, verdicts = stem.with_suffix(".step"), stem.with_suffix(".verdicts")
        names = None if asked.focus is None else asked.focus.names
        write(step, json.dumps({"names": names, "verdicts": str(verdicts)}))
        code, output = self._worktree.run(
            self._command(asked, base, head, stem.with_suffix(".json")),
            self._place,
            PYTHONPATH=self._path,
            TMPDIR=str(self._temporary),
            **{inside.STEP: str(step)},
        )
        found = json.loads(verdicts.read_text(encoding="utf8")) if verdicts.exists() else []
        for file in (step, verdicts):
            file.unlink(missing_ok=True)
        asked = replace(asked, notes=_kept(stem.with_suffix(".log"), output))
        if found:
            return replace(asked, verdicts=tuple(lenient_from_json(one) for one in found))
        full = next((text.strip() for text in output.splitlines() if any(one in text for one in FULL)), None)
        full = full or next(iter(asked.notes), None)
        if full is not None:  # no matter of this commit's: each that follows would be skipped, too
            raise TailgateError(
                f"bisect: {asked.commit[:DIGITS]} was not measured ({full}); make room, and the same command goes on"
            )
        why = "no benchmark was selected" if code == NOTHING_SELECTED else because(output)
        return replace(asked, reason=f"{why} (exit code {code})", usage=code == USAGE)

    def _command(self, asked: Comparison, base: str | None, head: str | None, saved: Path) -> list[str]:
        python = self._program.python if head is None else (head, *self._program.python[1:])
        ours = [f"--duet={asked.against}" + (f",python:{base}" if base else ""), f"--benchmark-json={saved}"]
        if asked.attempt:
            pairs = int(self._program.value(PAIRS) or DEFAULT_PAIRS)
            ours.append(f"{PAIRS}={min(MOST_PAIRS, pairs * (asked.attempt + 1))}")
        if asked.focus is not None:
            ours += [f"--gate-metrics={asked.focus.metric}", f"--gate-min-effect={asked.focus.limit_rel * 100:g}%"]
        plugins = ("-p", "tailgate.plugin", "-p", inside.__name__)
        # A step asks which commit, not which operator; --explain after -- still explains each.
        off = ("-o", "tailgate_explain=off")
        return [*python, "-m", "pytest", *plugins, *off, *map(self._mapped, self._program.arguments), *ours]

    def _mapped(self, word: str) -> str:
        """An absolute path in the user's working tree becomes the checkout's."""
        name, equals, value = word.partition("=")
        if equals and name.startswith("-") and Path(value).is_absolute():
            return f"{name}={self._worktree.mapped(Path(value))}"
        return str(self._worktree.mapped(Path(word))) if Path(word).is_absolute() else word

    def _check_out(self, commit: str) -> None:
        """The commit and nothing else: what an earlier step left there may be its compiled modules."""
        place = ("-C", str(self._worktree.folder))
        for words in (("checkout", "--quiet", "--force", "--detach", commit), ("clean", "--quiet", "-ffdx")):
            ask(place, *words, what=f"{commit[:DIGITS]} cannot be checked out", option="bisect")


def _kept(log: Path, output: str) -> tuple[str, ...]:
    """Write it down; a verdict that was measured is not lost where that fails."""
    try:
        write(log, output)
    except OSError as error:
        return (f"its output is not kept: {error.filename}: {error.strerror}",)
    return ()


def because(output: str) -> str:
    """The one line of pytest's output that says why nothing was measured."""
    lines = output.splitlines()
    for pattern in BECAUSE:
        found = [match[1].strip() for line in lines if (match := pattern.match(line))]
        if found:
            return found[-1]
    return "pytest said nothing"
