"""What can be asked of a test item: is it a benchmark, what did it measure, how did it fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import pytest

from tailgate.endings import NotMeasuredError, is_out_of_memory
from tailgate.errors import one_line


def is_benchmark(item: pytest.Item) -> bool:
    """Whether a test asks for pytest-benchmark's fixture."""
    names = getattr(item, "fixturenames", ())
    return "benchmark" in names or "benchmark_weave" in names


def is_only_marked(item: pytest.Item) -> bool:
    """Whether a test has the marker ``benchmark`` and not the fixture: pytest-codspeed times such a test as a whole."""
    return not is_benchmark(item) and item.get_closest_marker("benchmark") is not None


def fixture_of(item: pytest.Item) -> Any:
    """The ``benchmark`` of a test that runs in this process; ``None`` before its set-up and elsewhere."""
    return (getattr(item, "funcargs", None) or {}).get("benchmark")


def whole(rows: Iterable[Any]) -> list[Any]:
    """Those of pytest-benchmark's rows that were measured to the end: an exception leaves some without."""
    return [row for row in rows if row and not row.has_error]


def connect(item: pytest.Item, rows: Sequence[Any]) -> list[Any]:
    """The rows that a test has made here, told how many items a call processed: none, one, or several."""
    items = declared_items(item) if rows else None
    for row in rows:
        if items is not None:
            row.extra_info["items_per_call"] = items
        row.stats.extra_info = row.extra_info
    return whole(rows)


def tidy(item: pytest.Item, call: Any, report: Any) -> None:
    """One line where an allocation failed or the test says its status, and no second complaint about its failure."""
    if not report.failed or report.when == "teardown":
        return
    fixture = fixture_of(item)
    if fixture is not None:
        fixture.skipped = True  # else pytest-benchmark also warns that it "was not used at all"
    error = None if call.excinfo is None else call.excinfo.value
    if isinstance(error, NotMeasuredError):
        _end(item, report, error.status, str(error))
    elif error is not None and is_out_of_memory(error):
        report.sections.append(("Where the allocation failed", report.longreprtext))
        _end(item, report, "oom", f"oom: {one_line(error)}")


def _end(item: pytest.Item, report: Any, status: str, reason: str) -> None:
    report.tailgate_status = status  # travels with the report from a benchmark's own process
    failed = pytest.CallInfo.from_call(lambda: pytest.fail(reason, pytrace=False), when=report.when)
    report.longrepr = item.repr_failure(failed.excinfo)  # type: ignore[arg-type]


def failure_line(report: Any) -> str:
    """The first line of what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr)
    return str(message.strip().partition("\n")[0].removeprefix("Failed: "))


def skip_reason(report: Any) -> str:
    """Why it was skipped."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple | list) else str(report.longrepr)
    return str(reason.removeprefix("Skipped: "))


def declared_items(node: pytest.Item) -> float | None:
    """Items per call from ``@pytest.mark.throughput(items=...)``: a number, or a parameter's name.

    A marker that is misspelt, or names a parameter the test does not have, fails the test with one line.
    """

    def fail(text: str) -> NoReturn:
        pytest.fail(text, pytrace=False)

    marker = node.get_closest_marker("throughput")
    if marker is None:
        return None
    if marker.args or set(marker.kwargs) != {"items"}:
        fail(f"{node.nodeid}: write @pytest.mark.throughput(items=NUMBER_OR_PARAMETER_NAME)")
    items = marker.kwargs["items"]
    if isinstance(items, str):
        params = node.callspec.params if hasattr(node, "callspec") else {}
        if items not in params:
            fail(
                f"{node.nodeid}: throughput(items={items!r}) names no parameter of the test "
                f"(it has: {', '.join(params) or 'none'})"
            )
        items = params[items]
    if isinstance(items, bool) or not isinstance(items, int | float) or items <= 0:
        fail(f"{node.nodeid}: throughput(items={items!r}) must be a positive number")
    return items
