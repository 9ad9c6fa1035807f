"""How a table names its rows: what all names share stands once, above them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

PARAMETRISED = re.compile(r"([^\[]+)\[(.+)\]", re.DOTALL)
INDENT = "  "


@dataclass(frozen=True)
class Name:
    """A row's name: the test, and what stands behind it, such as ``" (NOW)"`` or ``" (contended)"``."""

    test: str
    source: str = ""
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.test}{self.source}{self.mark}"


@dataclass(frozen=True)
class Naming:
    """One way to call the rows of a table."""

    rows: tuple[str, ...]
    shared: tuple[str, ...] = ()
    """For the title: ``test_cpu_scaling[resnet18-*-b1]``, where ``*`` stands for what the row says."""
    headings: tuple[tuple[int, str], ...] = ()
    """Lines above the row of this index: several tests, each with consecutive rows."""


def namings(names: Sequence[Name]) -> list[Naming]:
    """Ways to name the rows, from the fullest to the shortest. Only what all rows share is left out."""
    parts = _parts(names)
    one_test = parts is not None and len({function for function, _ in parts}) == 1
    found = [_shortened(names, parts)] if parts else []
    if not one_test:
        found.insert(0, _whole(names))
    mark = names[0].mark
    if len(names) > 1 and mark and all(name.mark == mark for name in names):
        bare = [Name(name.test, name.source) for name in names]
        short = _shortened(bare, parts) if parts else _whole(bare)
        found.append(Naming(short.rows, (*short.shared, f"all{mark}"), short.headings))
    return found


def _shortened(names: Sequence[Name], parts: Sequence[tuple[str, str]]) -> Naming:
    """Without the test, where its rows are consecutive, and without the parameters that are the same in all rows."""
    functions = [function for function, _ in parts]
    before, after = _affixes([ident for _, ident in parts])
    left = [ident[len(before) : len(ident) - len(after)] for _, ident in parts]
    pattern = f"[{before}*{after}]"
    starts = [index for index, one in enumerate(functions) if index == 0 or functions[index - 1] != one]
    if len(starts) == 1:
        return Naming(_rows(names, left), (f"{functions[0]}{pattern}",))
    if len(starts) == len(set(functions)):
        headings = tuple((start, f"{functions[start]}{pattern}") for start in starts)
        return Naming(_rows(names, [f"{INDENT}{one}" for one in left]), (), headings)
    tests = [f"{function}[{one}]" for function, one in zip(functions, left, strict=True)]
    return Naming(_rows(names, tests), (f"*{pattern}",) if before or after else ())


def _whole(names: Sequence[Name]) -> Naming:
    return Naming(tuple(str(name) for name in names))


def _rows(names: Sequence[Name], tests: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{test}{name.source}{name.mark}" for name, test in zip(names, tests, strict=True))


def _parts(names: Sequence[Name]) -> list[tuple[str, str]] | None:
    """Test and parameters of every row; ``None`` where one has no parameters, or is alone and repeats nothing."""
    if len(names) < 2:
        return None
    found = [PARAMETRISED.fullmatch(name.test) for name in names]
    return [(one[1], one[2]) for one in found if one] if all(found) else None


def _affixes(idents: Sequence[str]) -> tuple[str, str]:
    """What all begin and end with, in whole parameters; nothing where all are the same, or nothing would be left."""
    words = [ident.split("-") for ident in idents]
    if len(set(idents)) == 1:
        return "", ""
    most = min(len(one) for one in words) - 1
    before = _alike(words, most)
    after = _alike([one[::-1] for one in words], most - before)
    if any(not "-".join(one[before : len(one) - after]) for one in words):
        return "", ""
    first = words[0]
    return "".join(f"{word}-" for word in first[:before]), "".join(f"-{word}" for word in first[len(first) - after :])


def _alike(words: Sequence[Sequence[str]], most: int) -> int:
    """How many first parts all share, ``most`` at most."""
    count = 0
    while count < most and len({one[count] for one in words}) == 1:
        count += 1
    return count
