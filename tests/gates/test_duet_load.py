"""A duet under load, its partners simulated: both sides get the same schedules, at a rate by base's capacity."""

import random
from typing import Any

import pytest

from tailgate.gates.duet.load_turns import LEAST_REQUESTS, ScheduleOrder, schedule_orders
from tailgate.gates.duet.outcome import BASE, HEAD, Outcome
from tailgate.gates.duet.pairs import Pair
from tailgate.processes.attempt import Attempt
from tailgate.session.load import Load


class FakePartner:
    """Answers at once."""

    def __init__(self, name: str, capacity_per_s: float | None, late: bool = False, lost_at: int = 99) -> None:
        self.name, self.capacity, self.late, self.lost_at = name, capacity_per_s, late, lost_at
        self.orders: list[ScheduleOrder] = []

    def pause(self) -> None:
        pass

    def capacity_per_s(self, made: Attempt, deadline_s: float) -> float | None:
        return self.capacity

    def segment(self, order: ScheduleOrder, made: Attempt, deadline_s: float) -> Any:
        if len(self.orders) == self.lost_at:
            return None
        self.orders.append(order)
        return [0.01] * len(order.due_s), (0.002, 0.001) if self.late else None


def played(load: str, base: FakePartner, head: FakePartner, seed: int = 3) -> Outcome:
    made = Outcome((Attempt(), Attempt()), first=BASE)
    ready = [{"load": load, "one_thread": False} for _ in range(2)]
    pair = Pair((base, head), 1.0, 60.0, seed, Load((load,), seconds=2.0))  # type: ignore[arg-type]
    pair._under_load(made, ready, 1e12)
    return made


def test_both_sides_play_the_same_schedules_at_the_rate_of_base() -> None:
    base, head = FakePartner("base", 1000.0), FakePartner("head", 10.0)
    made = played("poisson:70%", base, head)
    assert made.rate_per_s == pytest.approx(700.0)
    assert len(base.orders) == len(head.orders) == 2
    for one, other in zip(base.orders, head.orders, strict=True):
        assert one.due_s == other.due_s
    assert len({tuple(order.due_s) for order in base.orders}) == 2  # fresh ones in a pair
    assert len(made.rounds_s[BASE]) == len(made.rounds_s[HEAD]) == 1400
    assert made.late_s is None


def test_another_seed_is_another_schedule() -> None:
    first, second = FakePartner("base", 1000.0), FakePartner("base", 1000.0)
    played("poisson:70%", first, FakePartner("head", 1.0), 3)
    played("poisson:70%", second, FakePartner("head", 1.0), 4)
    assert first.orders[0].due_s != second.orders[0].due_s


@pytest.mark.parametrize("load", ["poisson:120%", "poisson:1000", "constant:5000"])
def test_a_rate_that_overloads_base_is_not_compared(load: str) -> None:
    base, head = FakePartner("base", 1000.0), FakePartner("head", 1000.0)
    made = played(load, base, head)
    assert base.orders == head.orders == []
    assert made.unlike is not None
    assert "overload base, which serves 1000/s at most" in made.unlike


def test_a_late_side_is_noted_and_a_lost_one_ends_the_pair() -> None:
    late = played("poisson:70%", FakePartner("base", 1000.0), FakePartner("head", 1.0, late=True))
    assert late.late_s == 0.002
    base, head = FakePartner("base", 1000.0), FakePartner("head", 1.0, lost_at=1)
    played("poisson:70%", base, head)
    assert len(head.orders) == 1
    gone = FakePartner("base", None)
    assert played("poisson:70%", gone, head).rate_per_s is None
    assert gone.orders == []


@pytest.mark.parametrize(
    ("load", "seconds", "schedules", "requests"),
    [("constant:1", 1.0, 2, LEAST_REQUESTS), ("poisson:50", 10.0, 10, 50), ("poisson:400", 5.0, 4, 400)],
)
def test_schedules_of_a_second_and_enough_requests_fill_the_time(
    load: str, seconds: float, schedules: int, requests: int
) -> None:
    orders = schedule_orders(Load((load,), seconds=seconds), load, 1000.0, random.Random(1))
    assert len(orders) == schedules
    for order in orders:
        assert len(order.due_s) == requests
        assert list(order.due_s) == sorted(order.due_s)
