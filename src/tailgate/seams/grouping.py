"""``--benchmark-group-by``: a word that is none is refused before measuring, and a row without the parameter is shown.

pytest-benchmark finds out about both when all is measured, and ends with a traceback instead of the table.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tailgate.errors import TailgateError, nearest, unknown_value

GROUPINGS = ("group", "name", "func", "fullname", "fullfunc", "param")
PARAM = "param:"
WITHOUT = "-"
"""Shown as the value of a parameter that a row does not have."""
Bench = dict[str, Any]


def check(config: pytest.Config, benchmarks: Sequence[pytest.Item]) -> None:
    """Check ``--benchmark-group-by`` before anything is measured.

    Raises:
        TailgateError: no such grouping, or a parameter that no selected benchmark has.
    """
    option = "--benchmark-group-by"
    group_by = getattr(config.option, "benchmark_group_by", None) or "group"
    hook = getattr(config.hook, "pytest_benchmark_group_stats", None)
    if hook is None or not benchmarks:
        return
    theirs = {"pytest_benchmark.plugin", "tailgate.plugin"}
    if all(getattr(one.plugin, "__name__", "") in theirs for one in hook.get_hookimpls()):
        _check_groupings(option, group_by)
        _check_params(option, group_by, [getattr(getattr(item, "callspec", None), "params", {}) for item in benchmarks])


def of_saved(stock: Callable[..., Any]) -> Callable[..., Any]:
    """``pytest_benchmark_group_stats`` for ``tailgate compare``, which checks by the rows themselves."""

    def grouped(config: Any, benchmarks: Iterable[Bench], group_by: str) -> Any:
        rows = list(benchmarks)
        _check_groupings("compare --group-by", group_by)
        if rows:
            _check_params("compare --group-by", group_by, [row.get("params") or {} for row in rows])
        with tolerant(rows, group_by):
            return stock(config=config, benchmarks=rows, group_by=group_by)

    return grouped


@contextmanager
def tolerant(benchmarks: Sequence[Bench], group_by: str) -> Iterator[None]:
    """Meanwhile every row has every parameter that is grouped by."""
    blank = dict.fromkeys(_params(group_by), WITHOUT)
    before = [(bench, bench["params"]) for bench in benchmarks if "params" in bench]
    for bench in benchmarks:
        bench.setdefault("param", None)
        bench["params"] = {**blank, **(bench.get("params") or {})}
    try:
        yield
    finally:
        for bench in benchmarks:
            bench["params"] = None
        for bench, params in before:
            bench["params"] = params


def _params(group_by: str) -> list[str]:
    return [word[len(PARAM) :] for word in group_by.split(",") if word.startswith(PARAM)]


def _check_groupings(option: str, group_by: str) -> None:
    for word in group_by.split(","):
        if word not in GROUPINGS and not word.startswith(PARAM):
            raise TailgateError(unknown_value(option, word, (*GROUPINGS, f"{PARAM}NAME"), noun="grouping"))


def _check_params(option: str, group_by: str, known: Sequence[Iterable[str]]) -> None:
    names = sorted({name for one in known for name in one})
    for wanted in _params(group_by):
        if wanted not in names:
            match = nearest(wanted, names)
            hint = f"; did you mean {PARAM}{match}?" if match else ""
            raise TailgateError(
                f"{option}={PARAM}{wanted}: none of the benchmarks has a parameter {wanted!r}{hint} "
                f"(they have: {', '.join(names) or 'none'})"
            )
