"""Which packages a commit asks for, and the environment that it is measured in."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from histories_of_git import between, git

from tailgate.gates.bisection.environments import (
    CannotMeasureError,
    Environments,
    dependencies,
    pins,
    project_dependencies,
)
from tailgate.gates.duet.worktree import Worktree


def wheel(folder: Path, version: str) -> None:
    """Of a package ``rests`` that knows its version."""
    with zipfile.ZipFile(folder / f"rests-{version}-py3-none-any.whl", "w") as file:
        file.writestr("rests.py", f"VERSION = {version!r}\n")
        info = f"rests-{version}.dist-info"
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: rests\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three of a project in ``project``: rests 1.0, rests 2.0, and one that does not exist."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        wheel(wheels, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", ".")
    for version in ("1.0", "2.0", "3.0"):
        (folder / "requirements.txt").write_text(f"rests=={version}\n")
        (folder / "pyproject.toml").write_text(f"[project]\nname = 'p'\nversion = '{version}'\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", version)
    return git(folder, "rev-list", "--reverse", "main").split()


def test_an_environment_has_what_its_commit_asks_for_and_all_else_of_the_users(commits, tmp_path: Path) -> None:
    ends = between(tmp_path / "project", commits)
    said: list[str] = []
    worktree = Worktree(ends.top, ends.bad, option="bisect", name="candidate")

    def check_out(commit: str) -> None:
        git(worktree.folder, "checkout", "-q", "--force", "--detach", commit)

    try:
        found = Environments(ends, worktree, sys.executable, said.append, install=True)
        assert found.changed == ["requirements.txt"]  # the version of pyproject.toml asks for nothing
        pythons = [found.python(commit, check_out) for commit in commits[:2]]
        assert [found.python(commit, check_out) for commit in commits[:2]] == pythons
        assert len(said) == 2  # each is made once
        with pytest.raises(CannotMeasureError, match=r"what it asks for cannot be installed \(.*rests==3\.0"):
            found.python(commits[2], check_out)
        none = Environments(ends, worktree, sys.executable, said.append, install=False)
        assert none.python(commits[1], check_out) is None
        assert none.note(commits[0]) is None
        assert "requirements.txt changed, and was not installed (--no-install)" in str(none.note(commits[1]))
    finally:
        worktree.close()
    script = "import json, rests, numpy, pytest; print(json.dumps([rests.VERSION, numpy.__file__]))"
    import numpy

    for python, version in zip(pythons, ("1.0", "2.0"), strict=True):
        told = subprocess.run([str(python), "-c", script], check=True, capture_output=True, text=True).stdout
        assert json.loads(told) == [version, numpy.__file__]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("requirements.txt", "requirements"),
        ("requirements-dev.txt", "requirements"),
        ("requirements/bench.txt", "requirements"),
        ("pyproject.toml", "requirements"),
        ("requirements/lock.txt", "pins"),
        ("constraints.txt", "pins"),
        ("uv.lock", "pins"),
        ("docs/requirements.txt", None),
        ("setup.py", None),
        ("src/pyproject.toml", None),
    ],
)
def test_which_files_say_what_is_to_be_installed(name: str, kind: str | None) -> None:
    assert dependencies(name) == kind


def test_a_lock_with_two_versions_of_a_package_says_neither() -> None:
    text = "".join(f'[[package]]\nname = "{name}"\nversion = "{version}"\n' for name, version in
                   (("A_b", "1"), ("c", "1"), ("c", "2")))  # fmt: skip
    assert pins("uv.lock", text) == {"a-b": "1"}
    assert pins("uv.lock", "no = toml =") == {}
    assert pins("requirements/lock.txt", "# a==1\nB==2 ; python_version > '3'\nc>=3\n") == {"b": "2"}


@pytest.mark.parametrize("text", ["", "no = toml =", "project = 3", "[project]\ndependencies = []\nversion = '2'\n"])
def test_a_project_that_asks_for_nothing(text: str) -> None:
    assert project_dependencies(text) == project_dependencies("[project]\n")
