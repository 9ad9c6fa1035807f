"""Numbers of any library, live or saved: what they are, how they are kept, and that both are equal."""

import json
import math
from collections import OrderedDict, namedtuple
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.gates.duet.outcome import Outcome
from tailgate.gates.duet.ratios import unusable
from tailgate.number import is_number, number
from tailgate.processes.attempt import Attempt
from tailgate.processes.tenants.overlap import Span
from tailgate.processes.tenants.rows import _throughputs
from tailgate.results.columns import complete, items_per_call, throughput
from tailgate.results.comparability import calibrations, other_workload
from tailgate.results.noted import Noted, as_info
from tailgate.results.plain import MOST_ELEMENTS, as_compared, json_text, plain
from tailgate.results.rows import threads_of
from tailgate.session import items, run_json


class Size(IntEnum):
    ONE = 1


Pair = namedtuple("Pair", "a b")


class Hostile:
    """Has no answer, and no text."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


NUMBERS = [
    (8, 8), (0.5, 0.5), (Size.ONE, 1), (np.int64(8), 8), (np.uint8(255), 255), (np.float32(0.5), 0.5),
    (np.float64(0.1), 0.1), (np.float16(2), 2.0), (np.longdouble(3), 3.0), (np.array(8), 8), (np.array(0.25), 0.25),
    (Decimal("8"), 8), (Decimal("0.5"), 0.5), (Fraction(6, 3), 2), (Fraction(1, 4), 0.25), (-3, -3), (0, 0),
]  # fmt: skip
NONE = [
    None, True, False, np.bool_(True), np.array(True), "8", "", math.nan, math.inf, -math.inf, np.float32("nan"),
    np.array(math.inf), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e400"), 10**400, 10**5000,
    1j, np.complex128(1), [1], (1,), np.array([8]), np.timedelta64(5, "s"), np.datetime64("2026-01-01"), b"8",
    Hostile(),
]  # fmt: skip


@pytest.mark.parametrize(("value", "found"), NUMBERS, ids=repr)
def test_numbers_of_any_library_are_numbers(value: Any, found: float) -> None:
    assert (number(value), type(number(value))) == (found, type(found))
    assert (plain(value), type(plain(value))) == (found, type(found))
    assert items_per_call({"items_per_call": value}) == (found if found > 0 else None)


@pytest.mark.parametrize("value", NONE, ids=lambda value: type(value).__name__)
def test_what_is_none_is_no_number_and_gives_no_throughput(value: Any) -> None:
    assert number(value) is None
    assert not is_number(value)
    assert items_per_call({"items_per_call": value}) == (1 if value is None else None)


def test_torch_tensors_are_numbers_and_lists() -> None:
    torch = pytest.importorskip("torch")
    assert plain({"a": torch.tensor(8), "b": torch.tensor([1.0, 2.0]), "c": torch.tensor(True)}) == {
        "a": 8, "b": [1.0, 2.0], "c": True,
    }  # fmt: skip


SAVED = [
    ((1, 2), [1, 2]), (Pair(1, (2,)), [1, [2]]), ({"c", "a", "b"}, ["a", "b", "c"]), (frozenset({10, 9.5}), [9.5, 10]),
    (np.arange(3), [0, 1, 2]), (np.eye(2, dtype=bool), [[True, False], [False, True]]), (np.str_("x"), "x"),
    (OrderedDict(a=1), {"a": 1}), (MappingProxyType({"a": np.int8(1)}), {"a": 1}), (np.bool_(False), False),
    ({("n", 1): 1, 2: 2, np.int64(3): 3, None: 4, b"k": 5, True: 6},
     {"('n', 1)": 1, "2": 2, "3": 3, "null": 4, "b'k'": 5, "true": 6}),
    (b"bytes", "UNSERIALIZABLE[b'bytes']"), (1j, "UNSERIALIZABLE[1j]"), (10**400, f"UNSERIALIZABLE[{10**400}]"),
    (10**5000, "UNSERIALIZABLE[<int>]"), (Hostile, f"UNSERIALIZABLE[{Hostile!r}]"), ("\udc80", "\\udc80"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "saved"), SAVED, ids=lambda value: type(value).__name__)
def test_what_json_holds_of_a_value_is_what_a_live_one_compares_with(value: Any, saved: Any) -> None:
    assert plain(value) == saved
    back = json.loads(json_text(plain({"batch_size": value})))
    assert back == {"batch_size": saved}
    assert other_workload(back, {"batch_size": value}) == other_workload({"batch_size": value}, back) == []
    assert other_workload(back, {"batch_size": "another"}) == ["batch_size"]


def test_a_value_inside_of_itself_is_told_once() -> None:
    ring: list[Any] = []
    ring += [ring, ring]  # told by every way through it, it would be 2 to the 50th texts
    assert plain(ring) == ["UNSERIALIZABLE[[[...], [...]]]"] * 2


def test_a_large_array_is_told_by_its_content() -> None:
    one, other = np.zeros(MOST_ELEMENTS + 1), np.zeros(MOST_ELEMENTS + 1)
    assert plain(one) == plain(other)
    other[77] = 1
    assert other_workload({"data": one}, {"data": other}) == ["data"]


@pytest.mark.parametrize(
    ("older", "live"),
    [
        ("UNSERIALIZABLE[np.int64(8)]", np.int64(8)), ("UNSERIALIZABLE[8]", np.int32(8)),
        ("UNSERIALIZABLE[np.float32(1e-05)]", 1e-05), ("UNSERIALIZABLE[np.True_]", np.bool_(True)),
        ("UNSERIALIZABLE[Decimal('0.5')]", Decimal("0.5")), ("UNSERIALIZABLE[array(8)]", np.array(8)),
        ("UNSERIALIZABLE[array(0.5, dtype=float32)]", 0.5), ("UNSERIALIZABLE[<object object at 0x7f00>]", object()),
    ],
)  # fmt: skip
def test_rows_that_an_older_tailgate_saved_are_comparable(older: str, live: Any) -> None:
    assert other_workload({"batch_size": older}, {"batch_size": live}) == []
    assert as_compared(older) == as_compared(live)


def test_other_numbers_are_other_work() -> None:
    assert other_workload({"batch_size": "UNSERIALIZABLE[np.int64(8)]"}, {"batch_size": np.int64(1)}) == ["batch_size"]
    assert other_workload({"items_per_call": 8}, {"items_per_call": np.int64(1)}) == ["items_per_call"]
    assert other_workload({"items_per_call": 8}, {}) == []


HASHABLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers())
VALUES = st.recursive(
    HASHABLE | st.decimals() | st.fractions() | st.sets(HASHABLE, max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HASHABLE, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(VALUES)
def test_whatever_is_noted_is_saved_and_compares_equal_with_itself(value: Any) -> None:
    saved = json.loads(json_text({"data": value}))
    assert other_workload(saved, {"data": value}) == []
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == plain(value) == plain(plain(value))


class Row(SimpleNamespace):
    """pytest-benchmark's, as far as it matters here."""

    has_error = False


def noted(info: Any, marker: Any = None) -> dict[str, Any]:
    item: Any = SimpleNamespace(get_closest_marker=lambda name: marker, nodeid="test_a")
    row = Row(extra_info=info, stats=SimpleNamespace())
    for _ in range(3):  # once a phase
        items.connect(item, [row])
    assert row.stats.extra_info is row.extra_info
    return row.extra_info  # type: ignore[no-any-return]


INVALID = [
    (math.nan, "nan"), (math.inf, "inf"), (np.float32("-inf"), "-inf"), (0, "0"), (-1, "-1"), (True, "True"),
    ("8", "'8'"), (np.bool_(True), "True"), (Decimal("NaN"), "nan"), ([8], "[8]"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "told"), INVALID, ids=repr)
def test_items_that_are_no_positive_number_give_no_throughput_and_one_warning(said: Any, told: str) -> None:
    info = noted({"items_per_call": said})
    assert items_per_call(info) is None
    (warning,) = info["warnings"]
    assert warning.startswith(f"items_per_call is {told}, so there is no throughput")
    back = json.loads(json_text(info))
    assert complete({"median": 0.5, "p99": 1.0}, back)["throughput"] is None, "one item a call is not what was said"
    pair = Outcome(sides=(Attempt(), Attempt(rows=[{"extra_info": back}])), rounds_s=([1.0], [1.0]))
    assert unusable([pair], "throughput")
    assert unusable([pair], "median") is None


def test_a_marker_outranks_what_the_test_notes() -> None:
    marker = SimpleNamespace(args=(), kwargs={"items": np.int64(8)})
    assert noted({"items_per_call": math.nan}, marker) == {"items_per_call": 8}


@pytest.mark.parametrize("said", [math.nan, math.inf, 0, -1, True, np.bool_(True), None, [8], Decimal("NaN")], ids=repr)
def test_a_marker_without_a_positive_number_is_refused(said: Any) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"test_a: throughput\(items=.*\) must be a positive number"):
        noted({}, SimpleNamespace(args=(), kwargs={"items": said}))


def test_what_json_has_no_form_for_is_null_and_said() -> None:
    given = {"error": math.nan, "bounds": (1, math.inf), ("k", 1): [np.float32("-inf")] * 3, "fine": 1}
    info = noted(given)
    assert info is given
    assert info["bounds"] == (1, math.inf), "the test's own"
    assert info["warnings"] == [
        "error: JSON has no form for nan, so null is in its place",
        "bounds: JSON has no form for inf, so null is in its place",
        "('k', 1): JSON has no form for -inf, so null is in its place",
    ]
    assert json.loads(json_text(info))["bounds"] == [1, None]


@pytest.mark.parametrize(
    ("given", "info"),
    [
        (None, {}), ([1], {"extra_info": [1]}), ("text", {"extra_info": "text"}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (np.arange(2), {"extra_info": np.arange(2)}),
    ],
)  # fmt: skip
def test_extra_info_that_is_no_dictionary_is_kept_in_one(given: Any, info: dict[str, Any]) -> None:
    assert plain(noted(given)) == plain(info)
    assert isinstance(as_info(given), dict)


def test_several_measurements_may_note_arrays() -> None:
    info: dict[str, Any] = {"list": [np.arange(2)]}
    one = Noted(info)
    info["list"] = [np.arange(3)]
    one.end()
    assert one.without()["list"][0].shape == (2,)


def test_throughput_is_finite_or_not_known() -> None:
    assert throughput(0.5, np.int64(8)) == 16
    assert throughput(0.0, 8) is throughput(0.5, None) is throughput(1e-300, 1e300) is None


def test_threads_are_counted_whatever_number_says_them() -> None:
    assert [threads_of({"threads": said}) for said in (np.int64(4), 4.0, "4", 0, None, True, math.nan)] == [
        4, 4, 1, 1, 1, 1, 1,
    ]  # fmt: skip


def test_tenants_whose_items_are_not_known_have_no_throughput() -> None:
    rows = [{"data": [1.0] * 4, "iterations": 1, "extra_info": {"items_per_call": said}} for said in (2, "nan")]
    found = _throughputs(rows, [Span(0.0, 0.0, 4.0, 4.0)] * 2)
    assert found["tenant_throughputs_items_per_s"] == [2.0, None]
    assert found["total_throughput_items_per_s"] is None


def test_calibrations_of_a_file_are_numbers_or_none() -> None:
    whole = {"compute_s": 1.0, "memory_s": 2.0}
    assert len(calibrations([whole])) == 1
    for broken in (math.inf, "1", None, 0, True):
        assert calibrations([whole, {**whole, "memory_s": broken}]) == []


def test_a_row_without_numbers_does_not_make_the_file_unreadable() -> None:
    stats = dict.fromkeys(("min", "max", "mean", "stddev", "median", "rounds"), 1.0)
    benches = [{"fullname": f"t.py::{name}", "stats": {**stats, "median": value}, "extra_info": {}}
               for name, value in (("a", 1.0), ("b", math.nan), ("c", math.inf), ("d", "1"))]  # fmt: skip
    output: dict[str, Any] = {"benchmarks": benches, "unmeasured": []}
    run_json.complete_json([], output)
    assert [bench["fullname"] for bench in output["benchmarks"]] == ["t.py::a"]
    assert [entry["fullname"] for entry in output["unmeasured"]] == ["t.py::b", "t.py::c", "t.py::d"]


def test_the_project_has_one_test_of_a_number() -> None:
    """Its own copies disagreed about 10**400, true and numpy's."""
    source = Path(items.__file__).parent
    own = [path.name for path in source.rglob("*.py") if "not isinstance(value, bool)" in path.read_text()]
    assert own == []
