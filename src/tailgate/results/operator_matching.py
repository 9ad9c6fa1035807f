"""Which operators of one side answer to which of the other. Pure functions; the order of operators does not matter.

1. The same name, kind, shapes and sources.
2. Fused on one side: what shares a source. TensorRT and OpenVINO tell which operators a layer was made of.
3. As many of the same kind and shapes, whatever the names: names are numbered anew where an operator was put in before.
4. The same name: its kind or its shapes changed.
5. The same kind and first input: what is fused into an operator, such as an addition, is one more input of it.

What is left is new, or has vanished.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass

from tailgate.results.operators import Operator

SAME, RENAMED, CHANGED, FUSED, SPLIT, NEW, VANISHED, UNMATCHED = (
    "same", "renamed", "changed", "fused", "split", "new", "vanished", "unmatched",
)  # fmt: skip
"""What became of an operator of base; ``unmatched``: the other side told nothing."""
CHANGES = (SAME, RENAMED, CHANGED, FUSED, SPLIT, NEW, VANISHED, UNMATCHED)


@dataclass(frozen=True, order=True)
class Matched:
    """Operators of base that answer to those of head, each side in the order of its names."""

    change: str
    base: tuple[Operator, ...]
    head: tuple[Operator, ...]


def matched(base: Collection[Operator], head: Collection[Operator]) -> list[Matched]:
    """Every operator of both sides, each in exactly one match."""
    same = set(base) & set(head)
    found = [Matched(SAME, (one,), (one,)) for one in same]
    left, right = set(base) - same, set(head) - same
    for group in _sharing_sources(left, right):
        ours, theirs = left & group, right & group
        found.append(_match(_fusion(ours, theirs), ours, theirs))
        left, right = left - group, right - group
    for key, change, alike in (
        (_kind_and_shapes, RENAMED, True),
        (_own_name, CHANGED, False),
        (_kind_and_first_input, CHANGED, False),
    ):
        mine, yours = _grouped(left, key), _grouped(right, key)
        for shared in mine.keys() & yours.keys():
            if not alike or len(mine[shared]) == len(yours[shared]):
                found.append(_match(change, mine[shared], yours[shared]))
                left, right = left - mine[shared], right - yours[shared]
    found += [Matched(VANISHED, (one,), ()) for one in left]
    found += [Matched(NEW, (), (one,)) for one in right]
    return sorted(found)


def _match(change: str, base: Iterable[Operator], head: Iterable[Operator]) -> Matched:
    return Matched(change, tuple(sorted(base)), tuple(sorted(head)))


def _fusion(base: Collection[Operator], head: Collection[Operator]) -> str:
    if len(base) == len(head):
        return CHANGED
    return FUSED if len(base) > len(head) else SPLIT


def _kind_and_shapes(one: Operator) -> Hashable:
    return (one.kind, one.shapes) if one.kind else None


def _own_name(one: Operator) -> Hashable:
    return one.name or None


def _kind_and_first_input(one: Operator) -> Hashable:
    first = one.shapes.partition(",")[0]
    return (one.kind, first) if one.kind and first else None


def _grouped(operators: Iterable[Operator], key: Callable[[Operator], Hashable]) -> dict[Hashable, set[Operator]]:
    found: dict[Hashable, set[Operator]] = {}
    for one in operators:
        if (shared := key(one)) is not None:
            found.setdefault(shared, set()).add(one)
    return found


def _sharing_sources(base: Collection[Operator], head: Collection[Operator]) -> list[set[Operator]]:
    """Groups of both sides' operators that are made of the same sources, where one of them was fused of several."""
    groups: list[tuple[set[str], set[Operator]]] = []
    place: dict[str, int] = {}
    for one in sorted({*base, *head}):
        sources = set(one.sources or (one.name,)) - {""}
        members = {one}
        for index in sorted({place[source] for source in sources if source in place}):
            sources |= groups[index][0]
            members |= groups[index][1]
            groups[index] = (set(), set())
        for source in sources:
            place[source] = len(groups)
        groups.append((sources, members))
    return [
        members
        for _, members in groups
        if members & set(base) and members & set(head) and any(len(one.sources) > 1 for one in members)
    ]
