"""One bisect from its command line to its answer; everything of git's happens in a worktree that is removed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tailgate.errors import TailgateError
from tailgate.gates.bisection import report
from tailgate.gates.bisection.commits import Ends
from tailgate.gates.bisection.commits import ends as checked_ends
from tailgate.gates.bisection.duets import Duets
from tailgate.gates.bisection.environments import Environments
from tailgate.gates.bisection.git_bisect import GitBisect
from tailgate.gates.bisection.journal import Journal
from tailgate.gates.bisection.program import Program, program
from tailgate.gates.bisection.search import Answer, Search
from tailgate.gates.bisection.words import Comparison
from tailgate.gates.duet.launch import environments, instrument_folder
from tailgate.gates.duet.worktree import Worktree
from tailgate.text import counted

PATH_S = 60.0
"""How long an interpreter may take to say where it imports from."""


@dataclass(frozen=True)
class Bisect:
    """What was asked for, checked."""

    ends: Ends
    program: Program
    place: Path
    """The user's working folder, relative to the top."""

    def run(self, *, install: bool, restart: bool, say: Callable[[str], None]) -> tuple[Answer, list[str]]:
        """Find the answer; and the lines that tell it.

        Args:
            install: whether each commit gets the packages that it asks for.
            restart: measure anew what is known from an earlier run.
            say: of each duet as it ends.

        Raises:
            TailgateError: it cannot be; one line.
        """
        ends, asked = self.ends, self.program
        identity = [
            str(ends.top), ends.good, ends.bad, str(ends.first_parent), str(install), str(self.place), asked.typed,
            *asked.python,
        ]  # fmt: skip
        facts = {"good": ends.good, "bad": ends.bad, "top": str(ends.top), "program": asked.typed}
        with contextlib.ExitStack() as ending:
            journal = ending.enter_context(Journal(identity, facts, restart=restart))
            if journal.kept:
                known = f"{counted(len(journal.kept), 'duets')} {'is' if len(journal.kept) == 1 else 'are'} known"
                say(f"{known} from {journal.file}; --restart measures anew")
            worktree = Worktree(ends.top, ends.bad, option="bisect", name="candidate")
            ending.callback(worktree.close)
            folder = worktree.folder.parent  # which is removed whatever happens
            path = [str(instrument_folder(folder)), *imported_from(asked.python, ends.top)]
            packages = Environments(ends, worktree, asked.python[0], say, install=install)
            duets = Duets(worktree, asked, self.place, packages, journal.folder, path)
            told: list[Comparison] = []

            def compare(wanted: Comparison) -> Comparison:
                made = journal.answered(wanted, lambda: duets.measure(wanted))
                if made.usage and made.focus is None:
                    raise TailgateError(f"bisect: {made.reason}")
                return made

            def tell(made: Comparison, left: int | None) -> None:
                told.append(made)
                say(report.step(ends, made, left))

            answer = Search(ends, lambda: GitBisect(folder, ends), compare, tell).run()
            return answer, report.lines(answer, ends, asked, told)


def prepared(inside: Path, good: str, bad: str, words: Sequence[str], *, first_parent: bool) -> Bisect:
    """Check what was asked for before anything is measured.

    Raises:
        TailgateError: one line.
    """
    asked = program(words)
    ends = checked_ends(inside, good, bad, first_parent=first_parent)
    here = Path(os.path.realpath(inside))
    return Bisect(ends, asked, here.relative_to(ends.top) if here.is_relative_to(ends.top) else Path())


def imported_from(python: Sequence[str], top: Path) -> list[str]:
    """Folders of the working tree that an interpreter imports from, relative: an editable installation's, for one.

    Those that ``PYTHONPATH`` names elsewhere follow, for a step gets another ``PYTHONPATH``.

    Raises:
        TailgateError: it does not run.
    """
    try:
        done = subprocess.run(
            [*python, "-c", "import json, sys; print(json.dumps(sys.path))"],
            capture_output=True, text=True, timeout=PATH_S, check=True,
        )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise TailgateError(f"bisect: {python[0]} does not run as a Python ({type(error).__name__})") from None
    packages = environments(top)
    entries = [Path(os.path.realpath(entry)) for entry in found if entry]
    own = [
        str(entry.relative_to(top))
        for entry in entries
        if entry.is_relative_to(top) and not any(entry.is_relative_to(folder) for folder in packages)
    ]
    named = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return [*own, *(entry for entry in named if not Path(os.path.realpath(entry)).is_relative_to(top))]
