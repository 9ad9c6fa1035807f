"""How wide a table is, what its rows are called and how its numbers are written."""

import itertools
import re

import pytest

from tailgate.results.columns import LABELS
from tailgate.results.row_names import Name, namings
from tailgate.seams.table_cells import WITH_ONE_FACTOR, Cells, decimals_for, short_number
from tailgate.seams.table_lines import ALWAYS_WIDE, folded, limit, table_lines

COLUMNS = ["min", "median", "p99", "stddev", "rounds", "throughput"]
EVERY = [*COLUMNS, "max", "mean", "iqr", "outliers", "ops", "iterations", "p90", "p95", "p999", "p99_blocks"]
TITLES = {name: name.capitalize() for name in EVERY} | LABELS | {"name": "Name (time in ms)"}
SUITE = [
    f"test_cpu_scaling[resnet50-{runtime}-{precision}-t{threads}-b4-64px]"
    for runtime in ("onnxruntime", "pytorch-compile")
    for precision in ("fp32", "int8")
    for threads in (1, 12)
]
FAIR = "test_framework_comparison[resnet50-pytorch-compile-fp32-t1-b4-64px]"


def bench(scale):
    return {
        **dict.fromkeys(EVERY, scale),
        "rounds": 50, "iterations": 1, "outliers": "2;3", "throughput": 1 / scale, "ops": 1 / scale,
        "p99_low": scale * 0.98, "p99_high": None, "p99_blocks_low": scale * 0.9, "p99_blocks_high": scale * 1.1,
    }  # fmt: skip


def drawn(
    names, *, columns=COLUMNS, sort="name", most=100, title="benchmark 'resnet50, batch 4': 8 tests", scales=None
):
    """The lines, and which grid they show; values in s, shown in ms."""
    title = f"benchmark 'resnet50, batch 4': {len(names)} tests"
    names = [name if isinstance(name, Name) else Name(name) for name in names]
    rows = [bench(scale) for scale in scales or [0.0123456 * 1.25**index for index in range(len(names))]]
    extremes = tuple({name: pick(row[name] for row in rows) for name in columns} for pick in (min, max))

    def scaled(column, value):
        return value if column in ("throughput", "ops") else value * 1e3

    cells = Cells(rows, columns, extremes, scaled, lambda best, value: f" ({value / best:.2f})")
    lines, grid = table_lines(
        title, TITLES["name"], namings(names), cells.grids(TITLES, sort), [False] * len(names), most
    )
    return ["".join(text for text, _ in line) for line in lines], grid


def test_the_legend_of_factors_stands_where_one_column_has_them() -> None:
    rows = [bench(0.01), bench(0.02)]
    cells = Cells(
        rows, COLUMNS, (rows[0], rows[1]), lambda _, value: value, lambda best, value: f" ({value / best:.2f})"
    )
    with_factors = [
        sum(any(cell.factor for cell in column) for column in zip(*grid.rows, strict=True))
        for grid in cells.grids(TITLES, "median")
    ]
    assert [index for index, count in enumerate(with_factors) if count == 1] == list(WITH_ONE_FACTOR)
    assert with_factors[-1] == 0


CONTENDED = " (contended)"
WIDE = {
    "the suite": SUITE,
    "the suite, all contended": [Name(name, "", CONTENDED) for name in SUITE],
    "one contended": [Name(name, "", CONTENDED if index == 1 else "") for index, name in enumerate(SUITE)],
    "two studies": [*SUITE, FAIR],
    "two studies, all contended": [Name(name, "", CONTENDED) for name in (*SUITE, FAIR)],
    "compared": [Name(name, source) for name in SUITE[:3] for source in (" (NOW)", " (0001_epyc)")],
    "one alone": [FAIR],
    "long": ["test_" + "x" * 300, "test_y"],
    "words": ["test_a[" + "many words " * 30 + "1]", "test_a[" + "many words " * 30 + "2]"],
}


@pytest.mark.parametrize("names", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("most", [100, 113, 160, 250])
@pytest.mark.parametrize("columns", [COLUMNS, EVERY], ids=["default", "every"])
def test_no_line_is_wider_than_it_may_be_and_no_name_is_lost(names, most, columns):
    lines, _ = drawn(names, columns=columns, most=most)
    assert max(map(len, lines)) <= most
    text = "".join(lines).replace(" ", "")
    for word in {word for name in map(str, names) for word in re.split(r"[-\[\] ]", name)}:
        assert word in text


def test_a_suites_table_says_shared_names_once_and_fits_100_columns():
    lines, grid = drawn(SUITE)
    assert lines[0].strip("-") == " benchmark 'resnet50, batch 4': 8 tests, test_cpu_scaling[resnet50-*-b4-64px] "
    assert lines[3].startswith("onnxruntime-fp32-t1  ")
    assert sum("test_cpu_scaling" in line for line in lines) == 1
    assert len(lines) == 12
    assert grid == 3


def test_a_wide_terminal_shows_four_decimals_and_every_factor():
    lines, grid = drawn(SUITE, most=250)
    assert grid == 0
    assert "12.3456 (1.00)" in lines[3]
    assert lines[3].count("(1.00)") == 4
    assert "P99 [95 % interval]" in lines[1]


@pytest.mark.parametrize(("sort", "column"), [("name", 2), ("median", 2), ("min", 1), ("stddev", 4), ("rounds", 2)])
def test_a_narrow_table_has_factors_of_the_column_it_is_sorted_by_or_of_the_median(sort, column):
    lines, _ = drawn(SUITE, sort=sort)
    before = lines[4].partition(" (1.25)")[0].replace(" [", "[").replace(", ?", ",?")
    assert lines[4].count("(") == 1
    assert len(before.split()) == column + 1


def test_what_all_rows_are_marked_with_may_move_to_the_title_but_not_what_one_is():
    every, _ = drawn(WIDE["two studies, all contended"], scales=[0.0123456 * 2**index for index in range(9)])
    assert every[0].strip("-").endswith(", all (contended) ")
    assert sum("(contended)" in line for line in every) == 1
    one, _ = drawn(WIDE["one contended"])
    assert [line for line in one if "(contended)" in line] == [line for line in one if line.startswith("onnx")][1:2]


def test_rows_of_several_tests_stand_below_their_test():
    lines, _ = drawn([*SUITE, FAIR])
    assert "test_" not in lines[0]
    assert lines[3] == "test_cpu_scaling[resnet50-*-b4-64px]"
    assert lines[4].startswith("  onnxruntime-fp32-t1 ")
    assert lines[12] == "test_framework_comparison[resnet50-*-b4-64px]"
    assert lines[13].startswith("  pytorch-compile-fp32-t1 ")


def test_columns_that_do_not_fit_stand_below_the_others():
    lines, _ = drawn(SUITE, columns=EVERY)
    headers = [line.removeprefix("Name (time in ms)") for line in lines if line.startswith("Name (time in ms)")]
    assert len(headers) == 2
    assert sum(line.startswith("onnxruntime-fp32-t1 ") for line in lines) == 2
    assert "".join(headers).split()[:3] == ["Min", "Median", "P99"]


def test_a_name_that_is_too_long_has_a_line_of_its_own():
    lines, _ = drawn(["test_" + "x" * 70, "test_y"])
    assert lines[3] == "test_" + "x" * 70
    assert lines[4].split()[0] == "12.3"
    assert lines[5].split()[:2] == ["test_y", "15.4"]


def test_values_far_apart_keep_three_digits_each():
    lines, grid = drawn(SUITE, scales=[1.234e-6 * 9**index for index in range(8)])
    assert grid == 5
    assert lines[3].split()[1] == "0.00123"


NAMED = {
    "one row repeats nothing": (["test_a[1-2]"], ["test_a[1-2]"], ()),
    "plain tests": (["test_a", "test_b"], ["test_a", "test_b"], ()),
    "one of them plain": (["test_a[1]", "test_a"], ["test_a[1]", "test_a"], ()),
    "nothing shared but the test": (["test_a[1]", "test_a[2]"], ["1", "2"], ("test_a[*]",)),
    "whole parameters only": (["test_a[x10-1]", "test_a[x11-1]"], ["x10", "x11"], ("test_a[*-1]",)),
    "something is left": (["test_a[1]", "test_a[1-1]"], ["1", "1-1"], ("test_a[*]",)),
    "nothing empty is left": (["test_a[a--b]", "test_a[a-c-b]"], ["a--b", "a-c-b"], ("test_a[*]",)),
    "the same twice": (["test_a[1-2]", "test_a[1-2]"], ["1-2", "1-2"], ("test_a[*]",)),
    "brackets in a parameter": (["test_a[x[0]-1]", "test_a[x[0]-2]"], ["1", "2"], ("test_a[x[0]-*]",)),
    "a path before it": (["a.py::T::test_a[1]", "a.py::T::test_a[2]"], ["1", "2"], ("a.py::T::test_a[*]",)),
}


@pytest.mark.parametrize(("names", "rows", "shared"), NAMED.values(), ids=NAMED)
def test_names_of_rows(names, rows, shared):
    found = namings([Name(name) for name in names])[0]
    assert (list(found.rows), found.shared) == (rows, shared)


def test_several_tests_in_mixed_order_keep_their_names():
    *_, short = namings([Name(name) for name in ("test_a[x-1]", "test_b[x-2]", "test_a[x-3]")])
    assert (short.rows, short.shared) == (("test_a[1]", "test_b[2]", "test_a[3]"), ("*[x-*]",))


def test_two_rows_that_differ_stay_different_in_every_naming():
    idents = ["-".join(parts) for parts in itertools.product(["", "a", "b"], ["", "a", "a-b"], ["a", "b"])]
    for size in (2, 3):
        for chosen in itertools.combinations(idents, size):
            for naming in namings([Name(f"test_a[{ident}]", " (NOW)") for ident in chosen]):
                assert len(set(naming.rows)) == len(set(chosen)), chosen
                assert all(row.removesuffix(" (NOW)") for row in naming.rows), chosen


@pytest.mark.parametrize(
    ("values", "decimals"),
    [([2750.98, 337.7], 0), ([99.9], 1), ([1.0, 2750.0], 2), ([0.5], 3), ([0.0123], 4), ([1.2e-7], 4), ([0.0], 0),
     ([], 0), ([float("inf"), float("nan"), 12.5], 1)],
)  # fmt: skip
def test_decimals_are_what_the_smallest_value_needs(values, decimals):
    assert decimals_for(values) == decimals


@pytest.mark.parametrize("exponent", range(-12, 13))
def test_a_short_number_keeps_three_significant_digits(exponent):
    for digits in (1.0, 1.234, 4.5678, 9.99, 9.999):
        value = digits * 10.0**exponent
        for others in ([value], [value, 1.0], [value, 1e9], [value, 1e-9]):
            shown = float(short_number(value, decimals_for(others)).replace(",", ""))
            assert shown == pytest.approx(value, rel=0.00501)


def test_the_limit_is_the_terminals_width_or_100(monkeypatch):
    for columns, most in (("60", ALWAYS_WIDE), ("100", 100), ("213", 213)):
        monkeypatch.setenv("COLUMNS", columns)
        assert limit() == most


def test_text_is_folded_at_spaces():
    assert folded("  P99: as if rounds were independent", 20, "    ") == ["  P99: as if rounds", "    were independent"]
    assert max(map(len, folded("x" * 250, 100))) == 100
