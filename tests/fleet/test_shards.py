"""Dividing a selection: every benchmark once, units whole, and only over machines that are equally fast."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.fleet.shards import alike, divided, unit_of
from tailgate.machine.trust import Calibration
from tailgate.results.verdict_table import short_name

UNITS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5))


@given(UNITS, st.integers(1, 6), st.data())
def test_every_benchmark_has_one_machine_and_no_unit_is_torn(sizes: dict[str, int], shares: int, data) -> None:
    units = {unit: [f"{unit}:{index}" for index in range(size)] for unit, size in sizes.items()}
    every = [name for names in units.values() for name in names]
    finished = {name for name in every if name[-1] in data.draw(st.sampled_from(["", "0", "13", "01234"]))}
    found = divided(units, finished, shares)
    assert len(found) == shares
    assert sorted(name for share in found for name in share) == sorted(every)
    for names in units.values():
        assert sum(bool(set(names) & set(share)) for share in found) == 1
    loads = [sum(name not in finished for name in share) for share in found]
    left = [sum(name not in finished for name in names) for names in units.values()]
    # Graham's bound for any list scheduling (1966).
    assert max(loads) <= sum(left) / shares + max(left, default=0)


def test_the_same_units_give_the_same_division() -> None:
    units = {"a": ["1", "2"], "b": ["3"], "c": ["4"]}
    assert divided(units, set(), 2) == divided(dict(reversed(units.items())), set(), 2) == [["1", "2"], ["3", "4"]]


def item(nodeid: str, group: str | None = None, **params: object) -> SimpleNamespace:
    marker = SimpleNamespace(kwargs={"group": group}) if group else None
    return SimpleNamespace(
        nodeid=nodeid,
        name=short_name(nodeid),
        callspec=SimpleNamespace(params=params, id="-".join(map(str, params.values()))),
        get_closest_marker=lambda name: marker,
    )


@pytest.mark.parametrize(
    ("group_by", "unit"),
    [
        ("group", "group=g"),
        ("func", "func=test_f"),
        ("fullfunc", "fullfunc=a/test_x.py::C::test_f"),
        ("name", "name=test_f[1-a::b]"),
        ("param:n", "param:n=1"),
        ("param:n,group", "param:n=1 group=g"),
        ("param:other", "fullfunc=a/test_x.py::C::test_f"),
    ],
)
def test_a_unit_is_what_one_table_shows(group_by: str, unit: str) -> None:
    assert unit_of(item("a/test_x.py::C::test_f[1-a::b]", "g", n=1, s="a::b"), group_by) == unit  # type: ignore[arg-type]


def test_without_a_group_the_parameters_of_a_function_stay_together() -> None:
    one, other = (unit_of(item(f"test_x.py::test_f[{n}]", n=n), "group") for n in (1, 2))  # type: ignore[arg-type]
    assert one == other == "fullfunc=test_x.py::test_f"


def test_machines_beyond_the_kernels_limit_are_not_pooled_and_that_is_said() -> None:
    fast, near, slow = Calibration(1.0, 1.0), Calibration(1.03, 1.1), Calibration(1.2, 1.0)
    groups, lines = alike({"a": [fast], "b": [near, near, Calibration(9.0, 9.0)], "c": [slow], "d": [slow]})
    assert groups == [["a", "b"], ["c", "d"]]
    assert lines == ["c has the fingerprint of a and is 20% slower at computing (limit 5%): they are not pooled"]
