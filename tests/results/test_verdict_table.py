"""The table of verdicts in a terminal: its columns, its colours, and what one more verdict costs."""

import cProfile
import pstats
import re

from rich.cells import cell_len

from tailgate.results.verdict import Verdict
from tailgate.results.verdict_table import STYLES, terminal_table
from tailgate.stats.decision import FAIL, PASS
from tailgate.text import aligned

NAMES = ("test_it.py::test_a[é]", "test_it.py::test_b[模型]", "test_it.py::test_c[e\u0301]", "test_it.py::test_d")
VERDICTS = [
    Verdict(name, "median", verdict, base=1e-3, head=2e-3, change_rel=1.0, low_rel=0.9, high_rel=1.1, p=0.001)
    for name, verdict in zip(NAMES, (PASS, FAIL, PASS, FAIL), strict=True)
]
MOST_CALLS = 300
"""Of Python and of C, for one verdict."""


def test_columns_stand_below_each_other_whatever_is_in_a_name() -> None:
    heading, *rows = terminal_table(VERDICTS, color=False).splitlines()
    assert [row.split()[0] for row in rows] == ["fail", "fail", "pass", "pass"]
    assert {cell_len(row.partition("median")[0]) for row in rows} == {heading.index("metric")}
    ends = {cell_len(row[: row.index("+100.0 %") + len("+100.0 %")]) for row in rows}
    assert ends == {heading.index("change") + len("change")}


def test_all_tables_count_a_terminals_columns_not_characters() -> None:
    assert aligned([["模型", "1"], ["abcd", "22"]]) == ["模型   1", "abcd  22"]


def test_colour_changes_no_column() -> None:
    coloured = terminal_table(VERDICTS, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == terminal_table(VERDICTS, color=False)
    assert "\x1b[1;31mfail\x1b[0m" in coloured
    assert "\x1b[32mpass\x1b[0m" in coloured


def test_every_verdict_has_a_colour() -> None:
    for verdict in STYLES:
        assert f"m{verdict}\x1b[0m" in terminal_table([Verdict("a", "median", verdict)], color=True)


def test_a_thousand_verdicts_cost_a_thousand_lines_and_no_layout() -> None:
    def calls(count: int) -> int:
        profile = cProfile.Profile()
        with profile:
            terminal_table(VERDICTS[-1:] * count, color=False)
        return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]

    calls(1)  # imports
    assert (calls(60) - calls(10)) / 50 < MOST_CALLS
