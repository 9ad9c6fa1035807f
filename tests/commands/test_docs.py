"""Documented commands are the real ones, and what is real is documented."""

import contextlib
import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from foreign import run_all
from suite import ROOT

from tailgate.commands.formats import formats
from tailgate.commands.main import main
from tailgate.meters import meters, profilers
from tailgate.options import INI_ONLY, OPTIONS
from tailgate.results.pages import folder
from tailgate.results.saved_run import load_run
from tailgate.session.protocol import PRESETS

README_FILE = ROOT / "README.md"
README = README_FILE.read_text()
TEXTS = {".md", ".py", ".txt", ".yml"}
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCS = README + "".join(file.read_text() for file in PAGES)
OPTIONS_PAGE = (ROOT / "docs" / "reference" / "options.md").read_text()


def commands_in(text: str) -> list[str]:
    """The lines of its ``bash`` blocks, without their comments."""
    lines = [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [re.sub(r"\s+#.*$", "", line) for line in lines]


def flags_in(text: str) -> list[str]:
    """The options that a help text names."""
    return re.findall(r"--[a-z0-9][a-z0-9-]*", text)


COMMANDS = commands_in(README)
DOCUMENTED = list(dict.fromkeys([*COMMANDS, *(line for page in PAGES for line in commands_in(page.read_text()))]))
"""Those of the README and of every page, each once."""


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    command = next(line for line in COMMANDS if line.endswith("tests"))
    assert command in (ROOT / ".ci" / "run").read_text()


def test_there_are_two_commands_for_a_fresh_machine() -> None:
    assert len([line for line in COMMANDS if line.startswith("python3 -m venv")]) == 2


SELECTING = [line for line in DOCUMENTED if line.startswith("pytest benchmarks")]


@pytest.fixture(scope="module")
def selections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:  # type: ignore[type-arg]
    """Exit code and output of each command, nothing measured, from one process: each takes a second to start."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "model.onnx").touch()
    (folder / "profile.yaml").write_text("threads: 1\n")
    elsewhere = ("--benchmark-compare", "--gate", "--benchmark-json", "--results", "results")
    places = {"DIR": str(folder), "models": str(folder), "--config=profile.yaml": f"--config={folder}/profile.yaml"}

    def session(command: str) -> tuple[str, ...]:
        parts = [part for part in shlex.split(command)[1:] if not part.startswith(elsewhere)]
        return ("--collect-only", "-q", *(places.get(part, part) for part in parts))

    found = run_all(ROOT, *map(session, SELECTING))
    return {command: found[session(command)] for command in SELECTING}


@pytest.mark.parametrize("command", SELECTING)
def test_documented_pytest_commands_select_benchmarks(selections: dict[str, list], command: str) -> None:  # type: ignore[type-arg]
    code, said = selections[command]
    assert code == 0, said
    studies = "cpu_scaling|framework_comparison|as_published|onnx_profiles|gpu_precision|training|peak_gemm|peak_triad"
    assert re.search(rf"::test_({studies})\[", said)


@pytest.mark.parametrize("command", [line for line in DOCUMENTED if line.startswith("tailgate ")])
def test_documented_tailgate_commands_and_their_options_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    parts = shlex.split(command.partition(" -- ")[0])[1:]  # after it are pytest's arguments
    name = " ".join(parts[: 2 if parts[0] in {"baselines", "fleet"} else 1])
    with contextlib.suppress(SystemExit):  # argparse exits after its help
        main([*name.split(), "--help"])
    said = capsys.readouterr().out
    assert f"{name} [-h]" in said
    assert {part.partition("=")[0] for part in parts if part.startswith("--")} <= set(flags_in(said))


@pytest.fixture(scope="module")
def pytests_help() -> str:
    """Of pytest in this repository: the suite's options, the instrument's and pytest-benchmark's."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_every_documented_option_is_real(pytests_help: str, capsys: pytest.CaptureFixture[str]) -> None:
    tailgates = ["--fail-on-regression"]  # compare's help is pytest-benchmark's
    for words in (
        "compare",
        "report",
        "duet",
        "bisect",
        "baselines list",
        "baselines accept",
        "baselines prune",
        "history",
        "fleet run",
        "fleet status",
        "doctor",
        "export",
    ):
        with contextlib.suppress(SystemExit):
            main([*words.split(), "--help"])
        tailgates += flags_in(capsys.readouterr().out)
    assert not set(re.findall(r"`(--[a-z0-9-]+)", OPTIONS_PAGE)) - {*flags_in(pytests_help), *tailgates}


def test_every_option_of_the_suite_is_documented(pytests_help: str) -> None:
    groups = re.findall(r"^Tailgate's suite: .*?\n(?=\S)", pytests_help, re.DOTALL | re.MULTILINE)
    flags = [flag for group in groups for flag in re.findall(r"^  (--[a-z0-9-]+)", group, re.MULTILINE)]
    assert len(groups) == 2
    assert not [flag for flag in flags if f"`{flag}" not in OPTIONS_PAGE]


@pytest.mark.parametrize("flag", [option.flag for option in OPTIONS])
def test_every_option_of_the_instrument_is_documented(flag: str) -> None:
    assert f"`{flag}" in OPTIONS_PAGE


@pytest.mark.parametrize(
    "name", [*(option.ini for option in INI_ONLY), *PRESETS, *formats(ROOT), *meters(), *profilers()]
)
def test_every_name_a_user_may_type_is_documented(name: str) -> None:
    assert name in DOCS


@pytest.mark.parametrize("folder", [".", "processes"])
def test_every_room_of_the_instrument_is_in_the_design(folder: str) -> None:
    design = (ROOT / "docs" / "project" / "design.md").read_text()
    found = [path for path in (ROOT / "src" / "tailgate" / folder).iterdir() if path.suffix in ("", ".py")]
    rooms = [path for path in found if not path.name.startswith("__")]
    names = [path.stem if folder == "processes" else path.name for path in rooms]
    assert not [name for name in names if not re.search(rf"(^|  +){name}/?( |$)", design, re.MULTILINE)]


def anchors(page: Path) -> set[str]:
    """What may stand after ``#`` in a link to this page, by GitHub's rule (the site's generator has the same one)."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"^#+ (.*)$", prose, re.MULTILINE))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", [README_FILE, ROOT / "CHANGELOG.md", *PAGES], ids=lambda file: file.name)
def test_links_between_pages_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)\s]+)\)", file.read_text()):
        path, _, anchor = target.partition("#")
        page = file.parent / path if path else file
        assert page.exists(), f"{file.name} links to {target}"
        assert not anchor or anchor in anchors(page), f"{page.name} has no heading {anchor!r}"


def test_pages_that_code_and_texts_name_are_there() -> None:
    folders = ("benchmarks", "docs", "fixtures", "findings", "requirements", "src", "studies", "tests", ".github")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in TEXTS]
    named = {name: file for file in files for name in re.findall(r"(?<![\w./])docs/[a-z0-9/-]+\.md", file.read_text())}
    assert not {name: str(file) for name, file in named.items() if not (ROOT / name).exists()}


def test_every_page_is_on_the_map() -> None:
    index = ROOT / "docs" / "index.md"
    targets = re.findall(r"\]\(([a-z]+/[a-z0-9-]+\.md)\)", index.read_text())
    assert sorted(targets) == sorted(str(page.relative_to(index.parent)) for page in PAGES if page != index)


def test_the_page_of_public_names_is_what_the_docstrings_say() -> None:
    done = runpy.run_path(str(ROOT / "docs" / "public_api.py"))
    assert done["PAGE"].read_text() == done["page"](), "python docs/public_api.py writes it anew"


def test_the_readmes_picture_is_one_of_its_runs_page() -> None:
    """With its own commands."""
    found = re.search(r"tailgate report (\S+) --out (\S+)\ncp \2/(\S+\.png) (\S+)\n", README_FILE.read_text())
    assert found is not None
    run, _, name, picture = found.groups()
    assert f"]({picture})" in README_FILE.read_text()
    assert (ROOT / picture).stat().st_size < 60_000
    assert folder.files([load_run(ROOT / run)])[name].startswith(b"\x89PNG")


def test_the_documented_pacer_decides_when_to_call(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "project" / "development.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    (tmp_path / "think_time.py").write_text(code[1])
    (tmp_path / "test_it.py").write_text("def test_it(benchmark):\n    assert benchmark(sum, [1, 2]) == 3\n")
    session = ("-p", "think_time", "--isolation=process", "--benchmark-json=run.json")
    code_of_exit, said = run_all(tmp_path, session)[session]
    assert code_of_exit == 0, said
    (row,) = json.loads((tmp_path / "run.json").read_text())["benchmarks"]
    assert row["stats"]["rounds"] == 100


@pytest.mark.parametrize("file", [README_FILE, *PAGES], ids=lambda file: file.name)
def test_prose_fits_120_columns(file: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert not [line for line in prose.splitlines() if len(line) > 120 and not line.lstrip().startswith("|")]
