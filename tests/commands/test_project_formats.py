"""Formats of a project: what is wrong with one is one line that names it, and takes away none of Tailgate's own."""

import json
from pathlib import Path

import pytest

from tailgate.commands import main as cli
from tailgate.commands.formats import formats

SOUND = "def render(runs): return 'sound\\n'"
NUMBERS = ("min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "ops", "total", "rounds", "iterations")
RUN = {"benchmarks": [{"name": "test_a", "fullname": "t.py::test_a", "stats": dict.fromkeys(NUMBERS, 1)}]}
BROKEN = {
    "raise RuntimeError('x\\ny')": "cannot be imported (RuntimeError: x y at ",
    "import not_there": "cannot be imported (ModuleNotFoundError: No module named 'not_there' at ",
    "def (": "cannot be imported (SyntaxError: invalid syntax",
    "raise SystemExit(3)": "cannot be imported (SystemExit: 3 at ",
    "NAME = 'mine'": "has NAME = 'mine' and no function render(runs)",
    "NAME = 'mine'; render = 3": "has NAME = 'mine' and no function render(runs)",
    f"NAME = 'mine'; attachments = 3\n{SOUND}": "has NAME = 'mine' and no function attachments(runs)",
    f"NAME = 3\n{SOUND}": "is 3; it has to be a text",
    f"NAME = ['x']\n{SOUND}": "is ['x']; it has to be a text",
    f"NAME = 'html'\n{SOUND}": "is 'html', which is another format's; choose another",
    "NAME = 'mine'\ndef render(runs): return 1 / 0": "--format=mine: the project's format broke: ZeroDivisionError: ",
    "NAME = 'mine'\ndef render(): return ''": "--format=mine: the project's format broke: TypeError: ",
    "NAME = 'mine'\ndef render(runs): return None": "has to return a text that UTF-8 can hold; it returned NoneType",
    "NAME = 'mine'\ndef render(runs): return '\\ud800'": "has to return a text that UTF-8 can hold; it returned str",
    f"NAME = 'mine'\n{SOUND}\ndef attachments(runs): return {{'.csv': 'text'}}": "has to return {SUFFIX: bytes}",
}


@pytest.fixture(params=list(BROKEN))
def said(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = f"formats_{list(BROKEN).index(request.param)}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "one.py").write_text(request.param)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ntailgate_reports = {package}\n")
    (tmp_path / "run.json").write_text(json.dumps(RUN))
    monkeypatch.chdir(tmp_path)
    return BROKEN[request.param]


def test_a_broken_format_is_one_line(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "run.json", "--format=mine", "--output=mine.md"]) == 4
    text = capsys.readouterr().err
    assert (text.count("\n"), said in text) == (1, True), text


def test_html_is_there_whatever_the_project_s_formats_are(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "run.json", "--format=html"]) == 0, said
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")


OWN = {"bencher", "github-action-benchmark", "html", "load", "markdown", "openmetrics", "otava-csv"}
STUDY_FORMATS = (
    "accuracy", "deep-gap", "deep-gap-csv", "framework-comparison", "gdev-ai", "modelgauge", "roofline", "scaling",
    "training", "trtexec",
)  # fmt: skip


@pytest.mark.parametrize("given", [("--format", name) for name in STUDY_FORMATS] + [("--format",), ()])
def test_outside_a_checkout_one_line_says_where_the_formats_of_studies_are(
    given: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(RUN))
    assert cli.main(["report", "run.json", *given]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"(allowed: {', '.join(sorted(OWN))}); the formats of studies belong to their suite" in said


def test_those_are_the_formats_of_this_suite() -> None:
    assert set(formats(Path(__file__).parents[2])) == {*STUDY_FORMATS, *OWN}
