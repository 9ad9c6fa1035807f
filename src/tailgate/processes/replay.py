"""The results of a process, reported to the session as if the test had run here."""

from typing import Any

import pytest

from tailgate.processes.attempt import Attempt
from tailgate.processes.endings import Ending
from tailgate.seams import benchmark_names, pytest_names

Report = pytest.TestReport | pytest.CollectReport


def warn(item: pytest.Item, recorded: dict[str, Any]) -> None:
    """Record a warning of the test, for pytest's summary and other plug-ins."""
    item.ihook.pytest_warning_recorded.call_historic(
        kwargs={
            "warning_message": recorded["warning"],
            "when": recorded["when"],
            "nodeid": item.nodeid,
            "location": None,
        }
    )


def rebuilt(item: pytest.Item, data: dict[str, Any]) -> Any:
    """A report from its transportable form."""
    report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
    pytest_names.count_failed_subtest(item.config, report)
    return report


def measured(item: pytest.Item, plain: dict[str, Any]) -> Any:
    """A row of pytest-benchmark's from its transportable form; its parameters never travelled."""
    return benchmark_names.row_from_plain(plain, params=item.callspec.params if hasattr(item, "callspec") else None)


def failure(item: pytest.Item, made: Attempt, ending: Ending) -> Any:
    """A test that its process did not survive, failed with one line."""
    call = pytest.CallInfo.from_call(lambda: pytest.fail(ending.reason, pytrace=False), when=made.phase)  # type: ignore[arg-type]
    report: Any = pytest.TestReport.from_item_and_call(item, call)
    report.tailgate_status = ending.status
    report.sections.extend(made.sections)
    report.duration = made.duration_s
    return report


def passed(item: pytest.Item, properties: list[tuple[str, str]]) -> Any:
    """A test that did, with ``properties`` for JUnit XML."""
    call = pytest.CallInfo.from_call(lambda: None, when="call")
    report = pytest.TestReport.from_item_and_call(item, call)
    report.user_properties.extend(properties)
    return report


def skipped(item: pytest.Item, reason: str) -> Any:
    """A test that was not run, and why."""
    call = pytest.CallInfo.from_call(lambda: pytest.skip(reason), when="call")
    report = pytest.TestReport.from_item_and_call(item, call)
    report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: {reason}")
    return report
