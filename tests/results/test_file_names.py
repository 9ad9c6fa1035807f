"""Names of the files of a site: kept apart and shown everywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.results.pages.file_names import stems

MOST = 80
ODD = ["", ".", "..", "_", "-", "CON", "nul.x", "com1", "Index", "index", ".hidden", "_hidden", "a.", "é", "x" * 999]


@given(st.lists(st.one_of(st.text(), st.sampled_from(ODD)), max_size=30))
def test_names_are_portable_and_differ_in_more_than_case(names: list[str]) -> None:
    made = list(stems(names, MOST, ["index"]))
    assert len(made) == len(names)
    assert len({one.casefold() for one in [*made, "index"]}) == len(names) + 1
    for one in made:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", one)
        assert not one.endswith(".")
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", one, re.IGNORECASE)
        assert len(one) <= MOST + 3


@pytest.mark.parametrize(
    ("names", "made"),
    [
        (["test_a", "TEST_A", "test_a"], ["test_a", "TEST_A-2", "test_a-3"]),
        (["_x", ".x"], ["x", "x-2"]),
        (["con", "aux.y[1]"], ["file-con", "file-aux.y_1"]),
        (["index"], ["index-2"]),
    ],
)
def test_a_name_stays_readable(names: list[str], made: list[str]) -> None:
    assert list(stems(names, MOST, ["index"])) == made
