"""What of a report counts as measured, and what it is called otherwise."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tailgate.errors import TailgateError
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings

METADATA = object()


@pytest.fixture
def run() -> Any:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(collectonly=False),
        pluginmanager=SimpleNamespace(get_plugin=lambda name: None),
        hook=SimpleNamespace(pytest_tailgate_result=lambda **_: None),
    )
    made: Any = BenchmarkRun(config, Settings())
    made.counted = []
    made._recorder._measured = lambda item, rows, complete: made.counted.extend(rows)
    return made


class Item:
    fixturenames = ("benchmark",)
    nodeid, name = "test_a.py::test_a", "test_a"


ITEM: Any = Item()


def report(when: str, outcome: str, **more: Any) -> Any:
    flags = {name: outcome == name for name in ("passed", "failed", "skipped")}
    return SimpleNamespace(when=when, outcome=outcome, longrepr="oom: one line", **flags, **more)


@pytest.mark.parametrize(
    ("when", "outcome", "counted"),
    [
        ("setup", "passed", False),
        ("call", "passed", True),
        ("teardown", "passed", False),
        ("call", "rerun", False),  # pytest-rerunfailures': it is tried again
        ("setup", "rerun", False),
        ("call", "failed", False),
    ],
)
def test_measured_is_what_passed_its_call(run: Any, when: str, outcome: str, counted: bool) -> None:
    run.note(ITEM, report(when, outcome), [METADATA])
    assert run.counted == [METADATA] * counted


def test_codspeed_beside_our_options_is_one_line() -> None:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(collectonly=False, codspeed=True),
        pluginmanager=SimpleNamespace(get_plugin=lambda name: None),
    )
    with pytest.raises(TailgateError, match="--codspeed puts a benchmark fixture"):
        BenchmarkRun(config, replace(Settings(), csv=Path("a.csv")))


def test_a_status_is_told_by_the_report_and_not_read_out_of_its_text(run: Any) -> None:
    run.note(ITEM, report("call", "failed"), [])
    run.note(ITEM, report("call", "failed", tailgate_status="oom"), [])
    assert [entry["status"] for entry in run._found.unmeasured] == ["failed", "oom"]
