"""``tailgate export``, and how a project adds commands of its own."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from suite import ROOT

from tailgate.commands.main import main

NAME = "mobilenet_v2_w0.2-32px"


@pytest.fixture(autouse=True)
def kept_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "benchmarks")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.usefixtures("checkout")
def test_a_model_is_written_once_and_anew_where_it_was_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("export", "modelgauge", "--out", str(tmp_path / "new" / "out"), "--models", "*_w0.2-32px")
    code, text = run(capsys, *arguments)
    assert (code, f"[ 1/1] {NAME}: written (6.1 MB)" in text) == (0, True)
    files = sorted((tmp_path / "new" / "out").iterdir())
    assert [file.name for file in files] == [f"{NAME}.info", f"{NAME}.onnx"]
    assert json.loads(files[0].read_text())["name"] == NAME
    times = [file.stat().st_mtime_ns for file in files]
    code, text = run(capsys, *arguments)
    assert (code, f"{NAME}: already there (6.1 MB)" in text) == (0, True)
    assert [file.stat().st_mtime_ns for file in files] == times
    whole = files[1].read_bytes()
    files[1].write_bytes(whole[:-1] + b"?")
    code, text = run(capsys, *arguments)
    assert (code, f"{NAME}: written" in text) == (0, True)
    assert files[1].read_bytes() == whole


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("modelgage", "--out", "x"),
            "export: unknown set 'modelgage'; did you mean 'modelgauge'? (allowed: modelgauge)",
        ),
        (("modelgauge",), "the following arguments are required: --out"),
        (("modelgauge", "--out", "x", "--models", "resnet50-32"), "did you mean 'resnet50-32px'? (32 are known"),
        (("modelgauge", "--out", "x", "--models", ","), "--models: no model given"),
        (("modelgauge", "--out", "{file}/x"), "cannot be written"),
        (("modelgauge", "--out", "{file}"), "cannot be written"),
        (("modelgauge", "--out", "x", "--frobnicate"), "unknown argument '--frobnicate'"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    code, text = run(capsys, "export", *(part.format(file=tmp_path / "file") for part in arguments))
    assert code == 4
    assert said in text
    assert text.count("\n") == 1


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (OSError(28, "No space left on device"), 1, "not written: [Errno 28] No space left on device"),
        (KeyboardInterrupt(), 2, "interrupted"),
    ],
)
def test_what_stops_it_leaves_no_half_file(
    raised: BaseException,
    code: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*arguments: Any) -> None:
        raise raised

    monkeypatch.setattr("fixtures.export_command.copy_files.shutil.copyfileobj", full)
    found, text = run(capsys, "export", "modelgauge", "--out", str(tmp_path), "--models", NAME)
    assert found == code
    assert said in text
    assert [file.name for file in tmp_path.iterdir()] == [f"{NAME}.info"]


@pytest.mark.usefixtures("checkout")
def test_a_model_that_cannot_be_made_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.models.mobilevit.MobileVit.missing", lambda spec: "model mobilevit_s needs timm")
    code, text = run(capsys, "export", "modelgauge", "--out", str(tmp_path), "--models", f"mobilevit*,{NAME}")
    assert code == 1
    assert "mobilevit_s-256px: not exported: model mobilevit_s needs timm" in text
    assert f"{NAME}: written" in text
    assert "1 of 2 models in" in text


def test_outside_a_project_it_says_where_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = run(capsys, "export", "modelgauge", "--out", "x")
    assert (code, text.count("\n")) == (4, 1)
    assert "'export' is none of tailgate's own commands" in text
    assert "run it inside the checkout" in text


MODULE = """
def add(commands):
    parser = commands.add_parser("greet", help="greet somebody")
    parser.add_argument("who")
    parser.set_defaults(run=lambda options, rest: print(f"hello {options.who}") or 7)
"""
CONFIGURATIONS = [
    ("pytest.ini", "[pytest]\naddopts =\n    # a comment\n    -q\ntailgate_commands = {module}\n"),
    (".pytest.ini", "[pytest]\ntailgate_commands = {module}\n"),
    ("tox.ini", "[tox]\nx = %(y)\n[pytest]\ntailgate_commands = {module}\n"),
    ("setup.cfg", "[tool:pytest]\ntailgate_commands = {module}\n"),
    ("pyproject.toml", '[tool.pytest.ini_options]\ntailgate_commands = "{module}"\n'),
    ("pyproject.toml", '[tool.pytest]\ntailgate_commands = "{module}"\n'),
    ("pytest.toml", '[pytest]\ntailgate_commands = "{module}"\n'),
    (".pytest.toml", '[pytest]\ntailgate_commands = "{module}"\n'),
]


def project(folder: Path, name: str, configuration: str, module: str, text: str = MODULE) -> Path:
    (folder / name).write_text(configuration.format(module=module))
    (folder / f"{module}.py").write_text(text)
    (folder / "below" / "it").mkdir(parents=True)
    return folder / "below" / "it"


@pytest.mark.parametrize(("name", "configuration"), CONFIGURATIONS, ids=[name for name, _ in CONFIGURATIONS])
def test_a_project_adds_a_command(
    name: str, configuration: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"commands_of_{name.replace('.', '_')}_{len(configuration)}"
    monkeypatch.chdir(project(tmp_path, name, configuration, module))
    assert run(capsys, "greet", "world") == (7, "hello world\n")
    code, text = run(capsys, "--help")
    assert (code, "greet somebody" in text) == (0, True)
    code, text = run(capsys, "greeet", "world")
    assert (code, "unknown name 'greeet'; did you mean 'greet'?" in text) == (4, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise OSError('no such thing')", "cannot be imported (OSError: no such thing at "),
        ("def (", "cannot be imported (SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "cannot be imported (SystemExit: 3 at "),
        ("x = 1", "has no add(commands)"),
    ],
)
def test_a_broken_module_is_one_line_and_disturbs_none_of_our_commands(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"broken_{abs(hash(text))}"
    monkeypatch.chdir(project(tmp_path, *CONFIGURATIONS[0], module, text))
    code, shown = run(capsys, "greet", "world")
    assert (code, said in shown, shown.count("\n")) == (4, True, 1)
    assert run(capsys, "baselines", "--help")[0] == 0
    assert run(capsys, "--help")[0] == 0


@pytest.mark.parametrize("name", ["pytest.ini", "pyproject.toml"])
def test_a_configuration_that_cannot_be_read_is_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("[pytest\nno = ini")
    monkeypatch.chdir(tmp_path)
    code, text = run(capsys, "greet")
    assert (code, f"{name}: cannot be read" in text, text.count("\n")) == (4, True, 1)


def test_the_nearest_configuration_counts_as_for_pytest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    below = project(tmp_path, *CONFIGURATIONS[0], "unseen_commands")
    (below / "pytest.ini").write_text("")
    monkeypatch.chdir(below)
    assert "no project adds it here" in run(capsys, "greet", "world")[1]
