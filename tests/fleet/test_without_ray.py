"""``tailgate fleet`` where Ray is not installed: one line with the command that installs it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tailgate.commands.fleet import WITHOUT_RAY

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
WITHOUT = "import sys; sys.modules['ray'] = None; from tailgate.commands.main import main; sys.exit(main())"


@pytest.mark.parametrize("action", ["status", "run"])
def test_it_is_one_line_with_the_command_that_installs_it(tmp_path: Path, action: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "fleet", action], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (4, "", f"tailgate: error: {WITHOUT_RAY}\n")


def test_the_line_names_what_the_extra_names() -> None:
    (wanted,) = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]["fleet"]
    assert f"pip install '{wanted}'" in WITHOUT_RAY
    readme = (PROJECT.parent / "README.md").read_text()
    source = next(line for line in readme.splitlines() if line.startswith("pip install git+"))
    assert f"pip install 'tailgate[fleet] @ {source.removeprefix('pip install ')}'" in WITHOUT_RAY
