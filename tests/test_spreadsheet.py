"""Cells that a spreadsheet would run as formulas are text, and what was there can be had back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.reports.spreadsheet import Writer, harmless, original


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx", "'=1", "＝1"])
def test_a_formula_becomes_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert original(harmless(cell)) == cell


@pytest.mark.parametrize("cell", [-1.5, 3, None, "-1.5", "+2", "-inf", "resnet50", "it's", "'quoted'", ""])
def test_numbers_and_plain_text_stay(cell: object) -> None:
    assert harmless(cell) == cell


@given(st.text())
def test_every_text_comes_back(cell: str) -> None:
    assert original(harmless(cell)) == cell


@given(st.text(alphabet="=+-@'\t\r\n ax1"))
def test_what_is_written_is_no_formula(cell: str) -> None:
    written = harmless(cell)
    assert written[:1] not in tuple("=@\t\r\n＝")


def test_a_row_is_written_with_each_cell_harmless() -> None:
    stream = io.StringIO()
    writer = Writer(stream, ("name", "change"))
    writer.writeheader()
    writer.writerows([{"name": "=HYPERLINK(1)", "change": -0.5}])
    assert next(iter(csv.DictReader(io.StringIO(stream.getvalue())))) == {"name": "'=HYPERLINK(1)", "change": "-0.5"}
