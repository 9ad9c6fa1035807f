"""A saved run's JSON is what Python's own reader makes of it, by whichever reader, and wrong where that says so."""

import json
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.errors import TailgateError, one_line
from tailgate.results.reading import _by_msgspec, _whole, parsed

FILE = Path("run.json")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3),
    max_leaves=20,
)
RUNS = VALUES | st.fixed_dictionaries({"benchmarks": st.lists(VALUES, max_size=3)}, optional={"datetime": VALUES})
ODD = {
    "nothing": "null", "a list": "[1]", "no list": '{"benchmarks": {"a": 1}}', "empty": "{}", "minus nothing": "-0",
    "nan": "NaN", "infinity": "-Infinity", "beyond floats": "1e400", "denormal": "5e-324", "exponent": "1E5",
    "64 bits": "18446744073709551616", "65 bits": "19933688932870350000", "299 digits": "9" * 299,
    "300 digits": "9" * 300, "minus 300 digits": "-" + "9" * 300, "5000 digits": "1" * 5000,
    "half a character": '"\\ud800"', "both halves": '"\\ud83d\\ude00"', "one name twice": '{"a": 1, "a": {"b": 2}}',
    "rounding": "0.1000000000000000055511",
}  # fmt: skip
WRONG = ("", "{", '{"benchmarks": [1,}', '{"a": 01}', "[1] x", '{"a": "\n"}', "\ufeff{}", '{"benchmarks": [.5]}', "'a'")


def by_python(text: str) -> str:
    return repr(json.loads(text, parse_int=_whole))


@given(RUNS)
def test_any_run_reads_as_python_reads_it(run: Any) -> None:
    text = json.dumps(run)
    assert repr(parsed(FILE, text.encode())) == by_python(text)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_two_readers_might_take_differently_reads_as_python_reads_it(text: str) -> None:
    for place in ("{}", '{{"benchmarks": [{{"extra_info": {{"x": {}}}}}]}}', '{{"benchmarks": [], "x": {}}}'):
        whole = place.format(text)
        assert repr(parsed(FILE, whole.encode())) == by_python(whole)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_json_is_told_in_pythons_words(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as theirs:
        json.loads(text)
    with pytest.raises(TailgateError) as ours:
        parsed(FILE, text.encode())
    assert str(ours.value) == f"run.json: not a saved run (broken or truncated JSON: {one_line(theirs.value)})"


def test_what_is_no_utf_8_is_not_text() -> None:
    for content in (b"\xff\xfe", b'{"benchmarks": [{"name": "\xe9"}]}'):
        with pytest.raises(TailgateError, match=r"^run\.json: not a saved run \(not text: 'utf-8' codec"):
            parsed(FILE, content)


def test_a_usual_run_is_read_by_the_reader_that_is_quick() -> None:
    run = {"benchmarks": [{"name": "a", "stats": {"rounds": 2, "data": [0.5, 1.5]}}], "datetime": "now"}
    assert _by_msgspec(json.dumps(run, indent=4).encode(), compact=False) == run


def test_raw_rounds_are_arrays_where_all_are_floats() -> None:
    def rounds(data: str) -> Any:
        text = f'{{"benchmarks": [{{"stats": {{"rounds": 2, "data": {data}}}}}]}}'
        return parsed(FILE, text.encode(), compact=True)["benchmarks"][0]["stats"]["data"]

    assert rounds("[0.5, 1.5]") == array("d", [0.5, 1.5])
    assert rounds("[0.5, 1]") == [0.5, 1]
    assert rounds("[]") == []
    assert rounds("[NaN, 1e400]")[1] == float("inf")
    assert isinstance(rounds("[0.5, 1e400]"), array)
