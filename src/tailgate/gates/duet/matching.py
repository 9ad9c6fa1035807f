"""Which benchmark of one side answers to which of the other. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Matched:
    """Benchmarks by name; each side is a list of node ids in the order in which pytest collected them."""

    pairs: tuple[tuple[str, str], ...]
    """Base's name, head's name; in head's order."""
    missing: tuple[str, ...]
    """Only in base."""
    new: tuple[str, ...]
    """Only in head."""


def matched(base: Sequence[str], head: Sequence[str], *, by_order: bool) -> Matched:
    """Match benchmarks of the same name first.

    ``by_order``: what is left of one test function is matched in order where both sides have as many: another
    configuration (``--threads=1``) changes the names.
    """
    match = {name: name for name in head if name in set(base)}
    if by_order:
        for function in dict.fromkeys(map(_function, head)):
            ours = [name for name in head if _function(name) == function and name not in match]
            theirs = [name for name in base if _function(name) == function and name not in match]
            if len(ours) == len(theirs):
                match.update(zip(ours, theirs, strict=True))
    taken = set(match.values())
    return Matched(
        pairs=tuple((match[name], name) for name in head if name in match),
        missing=tuple(name for name in base if name not in taken),
        new=tuple(name for name in head if name not in match),
    )


def _function(name: str) -> str:
    return name.partition("[")[0]
