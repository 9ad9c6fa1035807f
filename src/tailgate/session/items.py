"""Questions about a test item: is it a benchmark, what did it measure, how did it fail."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

import pytest

from tailgate.errors import NotMeasuredError, one_line
from tailgate.machine.out_of_memory import is_out_of_memory
from tailgate.number import as_python, is_number, number
from tailgate.results.columns import items_per_call
from tailgate.results.noted import as_info
from tailgate.results.plain import key_text, plain, shown
from tailgate.results.rows import add_warning, warnings_of

NO_ITEMS = "items_per_call is "
ROWS = pytest.StashKey[Sequence[Any]]()
"""The rows that a test has made so far in this process."""


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
    """The rows that a test has made here, told how many items a call processed: none, one, or several.

    What the test noted stays as it is, for its fixtures; what cannot be saved of it is said in the row.
    """
    items = declared_items(item) if rows else None
    for row in rows:
        row.extra_info = as_info(row.extra_info)
        if items is not None:
            row.extra_info["items_per_call"] = items
        for text in list(_unsaid(row.extra_info)):
            if text not in warnings_of(row.extra_info):
                add_warning(row.extra_info, text)
        row.stats.extra_info = row.extra_info
    return whole(rows)


def _unsaid(info: dict[Any, Any]) -> Iterator[str]:
    """What a reader of the saved row would not know: values that are no numbers where we or JSON need some."""
    if items_per_call(info) is None and not any(text.startswith(NO_ITEMS) for text in warnings_of(info)):
        said = as_python(info["items_per_call"])
        if isinstance(said, float) and not is_number(said):
            info["items_per_call"] = str(said)  # as null it would read as if nobody had said anything
        yield (
            f"{NO_ITEMS}{shown(said)}, so there is no throughput: give a positive number, "
            "there or by @pytest.mark.throughput(items=...)"
        )
    for name, value in info.items():
        lost: list[str] = []
        plain(value, lost)
        if lost:
            yield f"{key_text(name)}: JSON has no form for {', '.join(dict.fromkeys(lost))}, so null is in its place"


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
    found = number(items)
    if found is None or found <= 0:
        fail(f"{node.nodeid}: throughput(items={shown(items)}) must be a positive number")
    return found


def shuffle_benchmarks(items: list[pytest.Item], seed: int) -> None:
    """Shuffle the benchmarks among their own places, in place; other tests stay where they are.

    The same seed and selection give the same order.
    """
    places = [index for index, item in enumerate(items) if is_benchmark(item)]
    shuffled = [items[index] for index in places]
    random.Random(seed).shuffle(shuffled)
    for index, item in zip(places, shuffled, strict=True):
        items[index] = item
