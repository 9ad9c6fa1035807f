"""A path on a command line that is empty, or where nothing is: one line, and nothing is written."""

from pathlib import Path

import pytest

from tailgate.commands.main import main


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["report", "run.json", "--out", ""], "--out"),
        (["report", "run.json", "--format=html", "--output", " "], "--output"),
        (["report", "", "--format=html"], "RUN.json"),
        (["history", "nightly", "--html", ""], "--html"),
        (["history", "nightly", "--storage="], "--storage"),
        (["baselines", "list", "--storage="], "--storage"),
        (["fleet", "run", "--storage="], "--storage"),
        (["duet", ""], "RUN.json"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(
    arguments: list[str], flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 4
    assert f"argument {flag}: " in error
    assert "names no file or folder; see tailgate " in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rest", [[], ["--format=html"], ["--out=site"]])
def test_a_run_that_is_not_there_is_said_first(
    rest: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "nightly.json", *rest]) == 4
    said = "tailgate: error: nightly.json: cannot be read (no such file); "
    assert capsys.readouterr().err == f"{said}save a run with: pytest --benchmark-json=FILE\n"
    (tmp_path / "nightly2.json").touch()
    assert main(["report", "nightly.json", *rest]) == 4
    assert capsys.readouterr().err == f"{said}did you mean 'nightly2.json'?\n"
