"""Linear and branched git histories, and duets that measure nothing: a commit's level is known."""

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tailgate.gates.bisection.commits import Ends, ends
from tailgate.gates.bisection.git_bisect import GitBisect
from tailgate.gates.bisection.search import Answer, Search
from tailgate.gates.bisection.words import Comparison
from tailgate.results.verdict import Verdict

NAME = "test_a.py::test_a"
GATE_REL = 0.02


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "gc.auto=0")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def linear(folder: Path, commits: int) -> list[str]:
    """A repository of that many commits, the oldest first; all in one process of git's."""
    git(folder, "init", "-q", ".")
    stream = ""
    for number in range(commits):
        text = f"{number}\n"
        stream += (
            f"commit refs/heads/main\nmark :{number + 1}\ncommitter a <a@b> {1700000000 + number} +0000\n"
            f"data {len(f'c{number}')}\nc{number}\n" + (f"from :{number}\n" if number else "")
        )
        stream += f"M 100644 inline file\ndata {len(text)}\n{text}\n"
    subprocess.run(["git", "fast-import", "--quiet"], input=stream, cwd=folder, check=True, text=True)
    git(folder, "reset", "-q", "--hard", "main")
    return git(folder, "rev-list", "--reverse", "main").split()


class Line:
    """What git's bisect does where there are no merges, but for which commit it takes beside a skipped one."""

    def __init__(self, commits: Sequence[str]) -> None:
        self._commits = commits
        self._good, self._bad, self._skipped = 0, len(commits) - 1, set[int]()

    def answer(self, commit: str, word: str) -> None:
        place = self._commits.index(commit)
        if word == "skip":
            self._skipped.add(place)
        elif word == "bad":
            self._bad = place
        else:
            self._good = place

    @property
    def _open(self) -> list[int]:
        return [place for place in range(self._good + 1, self._bad) if place not in self._skipped]

    @property
    def candidate(self) -> str | None:
        middle = (self._good + self._bad) / 2
        place = min(self._open, key=lambda one: abs(one - middle), default=None)
        return None if place is None else self._commits[place]

    @property
    def left(self) -> int:
        return self._bad - self._good

    @property
    def first_bad(self) -> str | None:
        return self._commits[self._bad] if self.left == 1 else None

    @property
    def possible(self) -> list[str]:
        return [] if self._open or self.left == 1 else list(self._commits[self._good + 1 : self._bad + 1])

    def parent(self, commit: str) -> str:
        return self._commits[self._commits.index(commit) - 1]


@dataclass
class Bisection:
    """One search over a history whose levels are known."""

    ends: Ends
    levels: Mapping[str, float]
    """How slow each commit is, relative to a level of 1."""
    wrong: Callable[[Comparison], str | None] = lambda asked: None
    """The verdict to give in place of the right one."""

    def __post_init__(self) -> None:
        self.asked: list[Comparison] = []

    def run(self) -> Answer:
        """By git."""
        with tempfile.TemporaryDirectory() as folder:
            return Search(self.ends, lambda: GitBisect(Path(folder), self.ends), self.compare, self.tell).run()

    def simulated(self, commits: Sequence[str]) -> Answer:
        """On a line, without git."""
        return Search(self.ends, lambda: Line(commits), self.compare, self.tell).run()

    def compare(self, asked: Comparison) -> Comparison:
        change_rel = self.levels[asked.commit] / self.levels[asked.against] - 1
        limit_rel = asked.focus.limit_rel if asked.focus else GATE_REL
        verdict = self.wrong(asked) or ("fail" if change_rel > limit_rel else "pass")
        if verdict in {"incomparable", "missing"}:
            return replace(asked, reason="no such thing")
        return replace(asked, verdicts=(Verdict(NAME, "median", verdict, change_rel=change_rel, limit_rel=limit_rel),))

    def tell(self, made: Comparison, left: int | None) -> None:
        self.asked.append(made)


def between(folder: Path, commits: list[str], *, first_parent: bool = False) -> Ends:
    return ends(folder, commits[0], commits[-1], first_parent=first_parent)
