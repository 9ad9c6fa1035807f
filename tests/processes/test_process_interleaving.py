"""In which order the processes of several benchmarks run."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tailgate.processes.passes import interleaved


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 5), st.integers(0, 50))
def test_passes_are_interleaved_over_the_whole_selection(kinds: list[bool], processes: int, seed: int) -> None:
    items: list[Any] = [SimpleNamespace(name=str(place)) for place in range(len(kinds))]
    items = [Hashable(place, chosen) for place, chosen in enumerate(kinds)]
    chosen = [item for item in items if item.chosen]
    order = interleaved(items, chosen, processes, seed)
    assert order == interleaved(items, chosen, processes, seed), "seeded"
    first, later = order[: len(items)], order[len(items) :]
    assert Counter(first) == Counter(items)
    assert [item for item in first if not item.chosen] == [item for item in items if not item.chosen]
    assert [item.chosen for item in first] == kinds, "other tests stay where they are"
    assert len(later) == (processes - 1) * len(chosen)
    for start in range(0, len(later), len(chosen) or 1):
        assert Counter(later[start : start + len(chosen)]) == Counter(chosen)
    if processes == 1:
        assert order == items


class Hashable:
    def __init__(self, place: int, chosen: bool) -> None:
        self.place, self.chosen = place, chosen


def test_another_seed_gives_another_order_and_every_pass_its_own() -> None:
    items: list[Any] = [Hashable(place, True) for place in range(30)]
    orders = {tuple(item.place for item in interleaved(items, items, 3, seed)) for seed in range(10)}
    assert len(orders) == 10
    (one, *_) = orders
    assert len({one[:30], one[30:60], one[60:]}) == 3
