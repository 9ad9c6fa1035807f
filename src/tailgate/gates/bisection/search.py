"""From the first duet to the answer.

One wrong step would make the answer wrong. So the first bad commit is compared with its parent: only a fail there is an
answer. Where that is none, both are asked again with more pairs, and git goes on from the corrected words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tailgate.gates.bisection.commits import Ends
from tailgate.gates.bisection.words import BAD, GOOD, SKIP, Comparison, Focus, focus_of
from tailgate.stats.decision import UNDECIDED

AGAIN, ONCE_MORE = 1, 2
"""Attempts: where a step is undecided, and where its answer is doubted."""
CORRECTIONS = 2
"""How often git may be told another word; more would be a slowdown that comes and goes."""


class Bisector(Protocol):
    """Who chooses the commits: git."""

    @property
    def candidate(self) -> str | None:
        """The next to measure; ``None``: the answer is known."""

    @property
    def left(self) -> int:
        """How many commits could still be the answer."""

    first_bad: str | None
    possible: list[str]

    def answer(self, commit: str, word: str) -> None:
        """Good, bad or skip."""

    def parent(self, commit: str) -> str:
        """The first of its parents."""


@dataclass
class Answer:
    """What a bisect has found."""

    first: Comparison
    """The bad end against the good one."""
    focus: Focus | None = None
    """``None``: the bad end is not slower, and there was nothing to bisect."""
    first_bad: str | None = None
    confirmation: Comparison | None = None
    """The first bad commit against its parent."""
    possible: list[str] = field(default_factory=list)
    """Where commits were skipped: all that could be the first bad one."""

    @property
    def confirmed(self) -> bool:
        """Whether one commit alone is known to have made it slower."""
        return self.confirmation is not None and self.confirmation.word == BAD


class Search:
    """Asks duets until git knows the first bad commit."""

    def __init__(
        self,
        ends: Ends,
        start: Callable[[], Bisector],
        compare: Callable[[Comparison], Comparison],
        say: Callable[[Comparison, int | None], None],
    ) -> None:
        """``compare``: fills in what is asked; ``say``: each answer once, and how many commits could still
        be the first.
        """
        self._ends = ends
        self._start = start
        self._compare = compare
        self._say = say
        self._said: list[Comparison] = []
        self._words: dict[str, str] = {}
        """What git is told of a commit, where it was asked again."""

    def run(self) -> Answer:
        """The answer."""
        first = self._decided(self._ends.bad, self._ends.good, None)
        answer = Answer(first, focus_of(first.verdicts))
        if answer.focus is None:
            return answer
        for _ in range(CORRECTIONS + 1):
            bisect = self._bisect(answer.focus)
            answer.possible, answer.first_bad = bisect.possible, bisect.first_bad
            if answer.first_bad is None:
                return answer
            before = bisect.parent(answer.first_bad)
            answer.confirmation = self._confirmed(answer.first_bad, before, answer)
            if answer.confirmation.word != GOOD or not self._corrected(answer.first_bad, before, answer.focus):
                return answer
        return answer

    def _bisect(self, focus: Focus) -> Bisector:
        bisect = self._start()
        while (commit := bisect.candidate) is not None:
            word = self._words.get(commit)
            if word is None:
                word = self._decided(commit, self._ends.good, focus, bisect.left).word
            bisect.answer(commit, SKIP if word == UNDECIDED else word)
        return bisect

    def _confirmed(self, commit: str, before: str, answer: Answer) -> Comparison:
        """Against its parent; where that is the good end it has been measured."""
        assert answer.focus is not None
        if before != self._ends.good:
            return self._decided(commit, before, answer.focus.of_one_commit)
        return answer.first if commit == self._ends.bad else self._decided(commit, before, answer.focus)

    def _corrected(self, commit: str, before: str, focus: Focus) -> bool:
        """Ask both once more; whether git was told something wrong of one."""
        found = False
        for one, told in ((commit, BAD), (before, GOOD)):
            if one not in {self._ends.good, self._ends.bad} and one not in self._words:
                self._words[one] = self._asked(Comparison(one, self._ends.good, ONCE_MORE, focus)).word
                found |= self._words[one] != told
        return found

    def _decided(self, commit: str, against: str, focus: Focus | None, left: int | None = None) -> Comparison:
        made = self._asked(Comparison(commit, against, 0, focus), left)
        if made.word != UNDECIDED:
            return made
        return self._asked(Comparison(commit, against, AGAIN, focus), left)

    def _asked(self, asked: Comparison, left: int | None = None) -> Comparison:
        made = self._compare(asked)
        if made not in self._said:  # a step against the parent is also the confirmation
            self._said.append(made)
            self._say(made, left)
        return made
