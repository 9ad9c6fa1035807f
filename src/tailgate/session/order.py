"""A seeded random order, so that drift of the machine does not look like an effect."""

from __future__ import annotations

import random

import pytest

from tailgate.session.items import is_benchmark


def shuffle_benchmarks(items: list[pytest.Item], seed: int) -> None:
    """Shuffle the benchmarks among their own places, in place; other tests stay where they are.

    The same seed and selection give the same order.
    """
    places = [index for index, item in enumerate(items) if is_benchmark(item)]
    shuffled = [items[index] for index in places]
    random.Random(seed).shuffle(shuffled)
    for index, item in zip(places, shuffled, strict=True):
        items[index] = item
