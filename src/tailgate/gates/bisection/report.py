"""The lines of a bisect: each duet as it ends, and the answer."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from tailgate.gates.bisection.commits import DIGITS, Ends, called
from tailgate.gates.bisection.program import Program
from tailgate.gates.bisection.search import Answer
from tailgate.gates.bisection.words import GOOD, SKIP, Comparison
from tailgate.results.verdict import Verdict, line, ordered
from tailgate.results.verdict_table import short_name
from tailgate.stats.decision import IMPROVED, UNDECIDED
from tailgate.text import counted, duration, printable

LISTED = 20
"""Commits, or verdicts, that are listed where there are many."""


def opening(ends: Ends, good: str, bad: str) -> str:
    """What is to be done."""
    text = (
        f"{_named(good, ends.good)} is good, {_named(bad, ends.bad)} is bad: "
        f"{counted(ends.commits, 'commits')}, about {counted(ends.commits.bit_length() + 2, 'duets')}"
    )
    if ends.changed:
        files = counted(ends.changed, "changed files")
        text += f"; the working tree ({files}) stays as it is and is not measured"
    return printable(text)


def _named(ref: str, commit: str) -> str:
    return commit[:DIGITS] if commit.startswith(ref) else f"{ref} ({commit[:DIGITS]})"


def step(ends: Ends, made: Comparison, left: int | None) -> str:
    """One duet."""
    against = "" if made.against == ends.good else f" against {made.against[:DIGITS]}"
    ahead = f"{left} left: " if left is not None else ""
    word = "asked again with more pairs" if made.word == UNDECIDED and not made.attempt else made.word
    told = [f"{ahead}{made.commit[:DIGITS]}{against} {word}", said(made), f"{made.pairs} pairs, {made.wall_s:.0f} s"]
    return "; ".join([*told, *map(printable, made.notes)])


def said(made: Comparison) -> str:
    """Its most telling verdict, or why there is none."""
    one = made.telling
    return printable(made.reason or "nothing was compared") if one is None else _line(one)


def lines(answer: Answer, ends: Ends, program: Program, duets: Sequence[Comparison]) -> list[str]:
    """The answer, with the verdict that it rests on."""
    found = _answer(answer, ends, program, duets)
    wall_s = sum(one.wall_s for one in duets)
    return [*found, f"{counted(len(duets), 'duets')}, {sum(one.pairs for one in duets)} pairs, {duration(wall_s)}"]


def _answer(answer: Answer, ends: Ends, program: Program, duets: Sequence[Comparison]) -> list[str]:
    if answer.focus is None:
        return [_nothing(answer.first, ends), *(f"  {_line(one)}" for one in ordered(answer.first.verdicts)[:LISTED])]
    if answer.first_bad is None:
        return _range(answer, ends, duets)
    name = printable(called(ends.place, answer.first_bad))
    made = answer.confirmation
    assert made is not None
    if answer.confirmed:
        again = shlex.quote(f"--duet={made.against[:DIGITS]}")
        command = f"git checkout {made.commit[:DIGITS]} && {program.typed} {again}"
        failed = [one for one in made.looked_for if one.failed]
        others = [name for name in answer.focus.names if name not in {one.fullname for one in failed}]
        return [
            f"{name} is the first bad commit",
            *(f"  {_line(one, command)}" for one in failed),
            *(f"  {printable(name)} got slower elsewhere: bisect it alone, with -k" for name in others),
        ]
    if made.word == GOOD:
        return [
            f"no single commit made it slower; it comes together over several, half of it up to {name}",
            f"  {made.commit[:DIGITS]} against its parent: {said(made)}",
            f"  {ends.bad[:DIGITS]} against {ends.good[:DIGITS]}: {said(answer.first)}",
        ]
    return [
        f"{name} is the first bad commit, but against its parent alone that could not be told",
        f"  {made.commit[:DIGITS]} against {made.against[:DIGITS]}: {said(made)}",
    ]


def _nothing(first: Comparison, ends: Ends) -> str:
    pair = f"{ends.bad[:DIGITS]} against {ends.good[:DIGITS]}"
    if any(one.verdict == IMPROVED for one in first.verdicts):
        return f"{pair}: faster, so there is nothing to bisect"
    if first.word == GOOD:
        return f"{pair}: not slower, so there is nothing to bisect"
    if first.word == SKIP:
        why = f" ({printable(first.reason)})" if first.reason else ""
        return f"{pair}: could not be compared{why}, so there is nothing to bisect"
    return f"{pair}: undecided, so there is nothing to bisect; a larger --duet-seconds tells smaller changes"


def _range(answer: Answer, ends: Ends, duets: Sequence[Comparison]) -> list[str]:
    why = {one.commit: said(one) for one in duets if one.word in {SKIP, UNDECIDED}}
    found = [f"the first bad commit is one of {len(answer.possible)}; the others could not be told:"]
    found += [
        f"  {printable(called(ends.place, commit))}" + (f": {why[commit]}" if commit in why else "")
        for commit in answer.possible[:LISTED]
    ]
    if len(answer.possible) > LISTED:
        found.append(f"  and {len(answer.possible) - LISTED} more")
    return found


def _line(one: Verdict, reproduce: str | None = None) -> str:
    """Without the command of the step, which names a checkout that is gone."""
    return line(replace(one, reproduce=reproduce), name=short_name(one.fullname))
