"""What a duet asks of its pairs: which metrics, how many, how long; the pairs are simulated."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tailgate.gates.duet.campaign import Campaign, Record
from tailgate.gates.duet.outcome import Outcome
from tailgate.gates.duet.turns import LEAST_ROUNDS_OF_P99, LONGEST_P99_S, Turns, p99_remedy, turns_for
from tailgate.gates.duet.verdicts import Judge
from tailgate.gates.limits import session_limits
from tailgate.processes.attempt import Attempt
from tailgate.results.limits import Limits

REPORT = {"outcome": "passed"}


@dataclasses.dataclass
class FakePair:
    """Both sides are as fast as each other."""

    call_s: float
    asked: list[float] = dataclasses.field(default_factory=list)

    def measure(
        self, names: Any, following: Any, first: int, *, p99_s: float, announce: Callable[[Turns, str], None]
    ) -> Outcome:
        self.asked.append(p99_s)
        turns = turns_for(self.call_s, p99_s=p99_s)
        announce(turns, p99_remedy([{"call_s": self.call_s, "iterations": 1, "fixed": None}]))
        rounds_s = [self.call_s + index * 1e-9 * (len(self.asked) + 1) for index in range(turns.rounds * turns.blocks)]
        sides = (Attempt(reports=[REPORT], rows=[]), Attempt(reports=[REPORT], rows=[]))
        return Outcome(sides, (rounds_s, rounds_s[::-1]), (True, True), turns=turns)

    def close(self) -> None:
        pass


def judged(call_s: float, limits: Limits) -> tuple[Record, FakePair, list[str]]:
    record, pair = Record(("t", "t"), limits), FakePair(call_s)
    said: list[str] = []
    Campaign(
        pair,  # type: ignore[arg-type]
        [record],
        8,
        1,
        same_work=False,
        checkouts=None,
        tell=lambda _: None,
        say=lambda text: said.append(f"{len(pair.asked)}: {text}"),
    ).run()
    return record, pair, said


def test_a_p99_that_nobody_named_is_left_out_where_calls_are_long_and_that_is_said_once() -> None:
    record, pair, said = judged(0.02, session_limits(None, None, duet=True))
    assert list(record.decisions(8)) == ["median"]
    assert len(pair.asked) == 5
    assert not any(pair.asked)
    (line,) = said
    assert line == (  # in the first pair, before its turns
        "1: t: P99 is not judged, because 24 calls a side in a pair are too few (at least 50); "
        "--gate-metrics=median,p99 makes more"
    )


def test_a_p99_that_nobody_named_keeps_its_calls_once_there_are_enough() -> None:
    record, pair, said = judged(0.005, session_limits(None, None, duet=True))
    assert list(record.decisions(8)) == ["median", "p99"]
    assert pair.asked == [0.0, *[2 * LONGEST_P99_S] * 4]
    assert not said


@pytest.mark.parametrize(
    ("call_s", "fixed", "remedy"),
    [
        (0.02, None, "--gate-metrics=median,p99 makes more"),
        (0.1, None, "so many would take more than 5 s"),
        (0.02, {"rounds": 20}, "rounds=50 in benchmark.pedantic makes enough"),
    ],
)
def test_too_few_calls_for_a_p99_have_a_remedy_that_works(
    call_s: float, fixed: dict[str, int] | None, remedy: str
) -> None:
    assert p99_remedy([{"call_s": call_s, "iterations": 1, "fixed": fixed}] * 2) == remedy


@pytest.mark.parametrize(("call_s", "enough"), [(0.02, True), (0.09, True), (0.5, False)])
def test_a_p99_that_was_named_gets_its_calls_where_there_is_time(call_s: float, enough: bool) -> None:
    record, pair, said = judged(call_s, session_limits(None, "median,p99", duet=True))
    assert list(record.decisions(8)) == ["median", "p99"]
    assert pair.asked == [LONGEST_P99_S, *[2 * LONGEST_P99_S if enough else 0.0] * 4]
    few = "1: t: P99 stays undecided, because 2 calls a side in a pair are too few (at least 50); so many would take "
    assert said == ([] if enough else [f"{few}more than 5 s"])
    turns = record.outcomes[0].turns
    assert turns is not None
    assert (turns.rounds * turns.blocks >= LEAST_ROUNDS_OF_P99) == enough
    alone, _, _ = judged(call_s, session_limits(None, "p99", duet=True))
    assert len(alone.outcomes) == (5 if enough else 1)  # a second pair would not have more calls
    assert turns.rounds * turns.blocks * call_s <= LONGEST_P99_S * 1.1


@pytest.mark.parametrize(("metrics", "more"), [(None, 0), ("median,p99", 2)])
def test_a_p99_that_nobody_named_takes_no_pairs_once_the_median_failed(metrics: str | None, more: int) -> None:
    record = Record(("t", "t"), session_limits(None, metrics, duet=True))
    for index in range(10):
        base_s = [0.001 + 1e-6 * index + 1e-9 * call for call in range(60)]
        # The slowest call of a few pairs is much slower: P99 is suspicious, and open.
        head_s = [*(1.05 * call_s for call_s in base_s[:-2]), *[0.00115 if index % 2 else 0.0011] * 2]
        record.outcomes.append(Outcome(rounds_s=(base_s, head_s), turns=Turns(1, 1, 60, 0)))
    found = record.decisions(8)
    assert (found["median"].verdict, found["median"].more, found["p99"].more) == ("fail", 0, 2)
    assert record.more(8) == more


def test_a_benchmark_that_head_gives_up_is_missing_once() -> None:
    record = Record(("t", "t"), session_limits(None, "median,p99", duet=True))
    skipped = Attempt(reports=[{"outcome": "skipped", "longrepr": ("", 1, "Skipped: tired")}])
    record.stopped = Outcome((Attempt(reports=[REPORT]), skipped), called=(True, False))
    (one,) = Judge(8, lambda _: None).of(record)
    assert (one.verdict, one.reason) == ("missing", "head skipped it: tired")


def test_a_marker_names_a_p99() -> None:
    assert session_limits(None, None, duet=True).if_enough == {"p99"}
    assert session_limits("3%", None, duet=True).if_enough == {"p99"}
    assert session_limits(None, "median,p99", duet=True).if_enough == frozenset()
    assert session_limits(None, None).relative == {"median": 0.02}
