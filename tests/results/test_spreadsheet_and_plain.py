"""CSV cells that a spreadsheet would obey, and extra_info that JSON cannot hold."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.processes.journal.file import Entry, Journal
from tailgate.results.plain import plain
from tailgate.results.spreadsheet import Writer, harmless, original


@given(st.text(alphabet="'=+-@\t\r\n0123.e a,\"", max_size=8) | st.text(max_size=8))
def test_a_cell_is_harmless_and_comes_back(text: str) -> None:
    written = harmless(text)
    assert original(written) == text
    try:
        float(written)
    except ValueError:
        assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1.5", "-1.5"),
        (-1.5, -1.5),
        ("-1+cmd", "'-1+cmd"),
        ("it's", "it's"),
    ],
)
def test_numbers_stay_numbers(value: Any, written: Any) -> None:
    assert harmless(value) == written


def test_every_cell_of_a_row_goes_through_it() -> None:
    stream = io.StringIO()
    Writer(stream, ("a", "b")).writerow({"a": "=x", "b": -2})
    assert next(csv.reader([stream.getvalue()])) == ["'=x", "-2"]


def cyclic() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [{("a", 1): 1}, {b"x": 1, None: 2}, {1, 2}, cyclic(), deep(), "\udc80", Unshowable(), {Unshowable(): 1}],
    ids=lambda value: type(value).__name__,
)
def test_json_holds_whatever_a_test_noted(value: Any) -> None:
    text = json.dumps(plain({"info": value}), allow_nan=False).encode().decode()
    assert json.loads(text)["info"] not in (None, {}, [], ""), "told by its text, and not left out"


def test_nothing_is_lost_by_two_keys_that_read_alike() -> None:
    assert sorted(plain({1: "a", "1": "b"}).values()) == ["a", "b"]


def test_an_earlier_unfinished_journal_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for name in ("first", "second", "third"):
        journal = Journal(path, resume=False)
        journal.append(Entry(name, 0, {}, [], [{"extra_info": {("t",): cyclic()}}]))
        journal.close()
    kept = sorted(file.read_text() for file in tmp_path.glob("*.previous*"))
    assert len(kept) == 2
    assert "first" in kept[0] + kept[1]
    assert "second" in kept[0] + kept[1]
