"""Two lists of operators become one table: what is the same, changed, fused, split, new, vanished; in any order."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.results.explanation import explained
from tailgate.results.operator_matching import Matched, matched
from tailgate.results.operators import Operator, Profile, Spent, Times, mean_times, steady, summed, total_s

NAMES = st.sampled_from(["conv1", "conv2", "relu1", "", "a,b", 'q"', "=1+1", "<b>", "line\nbreak", "\u202eabc"])
KINDS = st.sampled_from(["Conv", "Relu", ""])
SHAPES = st.sampled_from(["1x3x8x8", "1x8", ""])
OPERATORS = st.builds(
    Operator, NAMES, KINDS, SHAPES, st.sets(st.sampled_from(["conv1", "conv2", "relu1", "x"])).map(sorted).map(tuple)
)
TIMES = st.lists(st.tuples(OPERATORS, st.builds(Spent, st.floats(0, 10), st.floats(0.5, 9))), max_size=12).map(summed)


def op(name: str, kind: str = "Conv", shapes: str = "1x8", *sources: str) -> Operator:
    return Operator(name, kind, shapes, sources)


def changes(base: Sequence[Operator], head: Sequence[Operator]) -> list[tuple[str, list[str], list[str]]]:
    return [
        (one.change, [each.name for each in one.base], [each.name for each in one.head]) for one in matched(base, head)
    ]


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ([op("a")], [op("a")], [("same", ["a"], ["a"])]),
        ([op("a")], [op("a"), op("t", "Transpose")], [("new", [], ["t"]), ("same", ["a"], ["a"])]),
        ([op("a"), op("t", "Transpose")], [op("a")], [("same", ["a"], ["a"]), ("vanished", ["t"], [])]),
        ([op("a")], [op("a", "FusedConv")], [("changed", ["a"], ["a"])]),
        ([op("a")], [op("a", shapes="2x8")], [("changed", ["a"], ["a"])]),
        ([op("n_3")], [op("n_4")], [("renamed", ["n_3"], ["n_4"])]),
        ([op("n_3"), op("n_4")], [op("x_1"), op("x_2"), op("x_3")],
         [("changed", ["n_3", "n_4"], ["x_1", "x_2", "x_3"])]),
        ([op("c", shapes="1x8, 8x8"), op("a", "Add")], [op("d", shapes="1x8, 8x8, 1x8")],
         [("changed", ["c"], ["d"]), ("vanished", ["a"], [])]),
        ([op("c"), op("r", "Relu")], [op("c + r", "Cask", "", "c", "r")], [("fused", ["c", "r"], ["c + r"])]),
        ([op("c + r", "Cask", "", "c", "r")], [op("c"), op("r", "Relu")], [("split", ["c + r"], ["c", "r"])]),
        ([op("c", "Conv", "1x8", "c"), op("r", "Relu")], [op("c", "Conv", "1x8", "c", "r")],
         [("fused", ["c", "r"], ["c"])]),
        ([op("a", kind="")], [op("b", kind="")], [("new", [], ["b"]), ("vanished", ["a"], [])]),
        ([], [op("a")], [("new", [], ["a"])]),
        ([], [], []),
    ],
)  # fmt: skip
def test_each_kind_of_change(base: list[Operator], head: list[Operator], expected: list[object]) -> None:
    assert changes(base, head) == expected


def test_names_that_are_numbered_anew_after_an_insertion_are_not_taken_for_each_other() -> None:
    """``conv_2`` of head is ``conv_1`` of base: the same kind and shapes tell, before the same name does."""
    base = [op("conv_1", shapes="1x8"), op("conv_2", shapes="1x16")]
    head = [op("t_1", "Transpose"), op("conv_2", shapes="1x8"), op("conv_3", shapes="1x16")]
    assert changes(base, head) == [
        ("new", [], ["t_1"]), ("renamed", ["conv_1"], ["conv_2"]), ("renamed", ["conv_2"], ["conv_3"]),
    ]  # fmt: skip


@given(st.lists(OPERATORS, max_size=12, unique=True), st.lists(OPERATORS, max_size=12, unique=True))
def test_every_operator_is_in_exactly_one_match(base: list[Operator], head: list[Operator]) -> None:
    found = matched(base, head)
    assert sorted(one for match in found for one in match.base) == sorted(base)
    assert sorted(one for match in found for one in match.head) == sorted(head)
    assert all(match.base or match.head for match in found)


@given(st.data(), st.lists(OPERATORS, max_size=12, unique=True), st.lists(OPERATORS, max_size=12, unique=True))
def test_the_order_does_not_matter(data: st.DataObject, base: list[Operator], head: list[Operator]) -> None:
    again = matched(data.draw(st.permutations(base)), data.draw(st.permutations(head)))
    assert again == matched(base, head)


@given(st.lists(OPERATORS, max_size=8, unique=True), st.lists(OPERATORS, max_size=8, unique=True))
def test_the_other_way_round_new_is_vanished_and_fused_is_split(base: list[Operator], head: list[Operator]) -> None:
    other = {"new": "vanished", "vanished": "new", "fused": "split", "split": "fused"}
    mirrored = [Matched(other.get(one.change, one.change), one.head, one.base) for one in matched(base, head)]
    assert sorted(mirrored) == matched(head, base)


@given(st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=4))
def test_contributions_add_up_to_the_difference_of_every_pair(pairs: list[tuple[Times, Times]]) -> None:
    base, head = ([[Profile("", pair[side])] for pair in pairs] for side in (0, 1))
    rows = explained(base, head)
    for index, (ours, theirs) in enumerate(pairs):
        difference_s = math.fsum(row.head_s[index] - row.base_s[index] for row in rows)
        assert difference_s == pytest.approx(total_s(theirs) - total_s(ours), abs=1e-9)


@given(st.lists(TIMES, min_size=1, max_size=4))
def test_no_time_is_lost_where_names_are_generated_anew(runs: list[Times]) -> None:
    found = steady(runs)
    assert [total_s(run) for run in found] == pytest.approx([total_s(run) for run in runs])
    assert total_s(mean_times(found)) == pytest.approx(sum(map(total_s, runs)) / len(runs))
    named = [{one for one in run if one.name} for run in found]
    assert all(one == named[0] for one in named)


def test_the_same_name_twice_is_one_operator() -> None:
    found = summed([(op("a"), Spent(1.0)), (op("a"), Spent(2.0)), (op("a", "Relu"), Spent(4.0))])
    assert found == {op("a"): Spent(3.0, 2.0), op("a", "Relu"): Spent(4.0)}


def test_names_of_another_number_in_every_run_are_matched_by_kind_and_shapes() -> None:
    def run(number: int, time_s: float) -> list[Profile]:
        return [Profile("", {op(f"kernel_{number}"): Spent(time_s), op("a", "Relu"): Spent(1.0)})]

    rows = explained([run(1, 2.0), run(2, 2.0)], [run(3, 3.0), run(4, 3.0)])
    assert [(row.match.change, row.match.head[0].kind, row.differences_s) for row in rows] == [
        ("same", "Conv", [1.0, 1.0]), ("same", "Relu", [0.0, 0.0]),
    ]  # fmt: skip


def test_five_thousand_operators_are_matched_as_few_are() -> None:
    base = [op(f"node_{index}", "Conv", f"1x{index % 50}", f"node_{index}") for index in range(5000)]
    head = [op(f"node_{index + 1}", "Conv", f"1x{index % 50}", f"node_{index + 1}") for index in range(5000)]
    found = matched(base, head)
    assert sum(len(one.base) for one in found) == sum(len(one.head) for one in found) == 5000
    assert not [one for one in found if one.change in ("new", "vanished")]
