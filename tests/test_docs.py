"""Documented commands are the real ones, and what is real is documented."""

import contextlib
import re
import shlex

import pytest
from foreign import run_all
from suite import ROOT

from tailgate.commands.formats import formats
from tailgate.commands.main import main
from tailgate.meters import meters, profilers
from tailgate.options import INI_ONLY, OPTIONS
from tailgate.session.protocol import PRESETS

README = (ROOT / "README.md").read_text()
DOCS = README + "".join(file.read_text() for file in sorted((ROOT / "docs").glob("*.md")))
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    command = next(line for line in COMMANDS if line.endswith("tests"))
    assert command in (ROOT / ".ci" / "run").read_text()


def test_there_are_two_commands_for_a_fresh_machine() -> None:
    assert len([line for line in COMMANDS if line.startswith("python3 -m venv")]) == 2


SELECTING = [line for line in COMMANDS if line.startswith("pytest benchmarks")]


@pytest.fixture(scope="module")
def selections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:  # type: ignore[type-arg]
    """Exit code and output of each command, nothing measured, from one process: each takes a second to start."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "model.onnx").touch()
    elsewhere = ("--benchmark-compare", "--benchmark-json", "--results", "results")

    def session(command: str) -> tuple[str, ...]:
        parts = [part for part in shlex.split(command)[1:] if not part.startswith(elsewhere)]
        return ("--collect-only", "-q", *(str(folder) if part == "DIR" else part for part in parts))

    found = run_all(ROOT, *map(session, SELECTING))
    return {command: found[session(command)] for command in SELECTING}


@pytest.mark.parametrize("command", SELECTING)
def test_documented_pytest_commands_select_benchmarks(selections: dict[str, list], command: str) -> None:  # type: ignore[type-arg]
    code, said = selections[command]
    assert code == 0, said
    studies = "cpu_scaling|framework_comparison|as_published|onnx_profiles|gpu_precision|training|peak_gemm|peak_triad"
    assert re.search(rf"::test_({studies})\[", said)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("tailgate")])
def test_documented_tailgate_commands_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = shlex.split(command)[1]
    with contextlib.suppress(SystemExit):  # argparse exits after its help
        main([name, "--help"])
    assert f"{name} [-h]" in capsys.readouterr().out


@pytest.mark.parametrize("flag", [option.flag for option in OPTIONS if option.name not in ("rounds", "seed")])
def test_every_option_of_the_instrument_is_in_the_readme(flag: str) -> None:
    assert f"`{flag}" in README


@pytest.mark.parametrize(
    "name", [*(option.ini for option in INI_ONLY), *PRESETS, *formats(ROOT), *meters(), *profilers()]
)
def test_every_name_a_user_may_type_is_documented(name: str) -> None:
    assert name in DOCS


@pytest.mark.parametrize("folder", [".", "processes"])
def test_every_room_of_the_instrument_is_in_the_design(folder: str) -> None:
    design = (ROOT / "docs" / "design.md").read_text()
    found = [path for path in (ROOT / "src" / "tailgate" / folder).iterdir() if path.suffix in ("", ".py")]
    rooms = [path for path in found if not path.name.startswith("__")]
    names = [path.stem if folder == "processes" else path.name for path in rooms]
    assert not [name for name in names if not re.search(rf"(^|  +){name}/?( |$)", design, re.MULTILINE)]


def test_links_between_pages_lead_somewhere() -> None:
    for file in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.name} links to {target}"
