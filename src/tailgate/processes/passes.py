"""The order in which benchmarks get their ``--processes``: interleaved over the whole selection, pass by pass."""

import random
from collections.abc import Sequence

import pytest


def interleaved(
    items: Sequence[pytest.Item], chosen: Sequence[pytest.Item], processes: int, seed: int
) -> list[pytest.Item]:
    """Every benchmark ``processes`` times, pass by pass, each pass in a seeded order of its own.

    Other tests run once, at their places in the first pass. One process: the items as they are.
    """
    if processes == 1:
        return list(items)
    generator = random.Random(seed)

    def shuffled() -> list[pytest.Item]:
        return generator.sample(list(chosen), len(chosen))

    first = iter(shuffled())
    benchmarks = set(chosen)
    order = [next(first) if item in benchmarks else item for item in items]
    for _ in range(processes - 1):
        order += shuffled()
    return order


def drop_later(item: pytest.Item, count: int) -> None:
    """The item's last ``count`` places in the session are not wanted any more."""
    items = item.session.items
    for index in reversed(range(len(items))):
        if count and items[index] is item:
            del items[index]
            count -= 1
