"""``--duet=python:OTHER``: base runs what OTHER has installed, in whatever folder the session was started."""

import site
import subprocess
import sys
from pathlib import Path

import pytest
from isolated import Project
from repositories import SHORT, verdicts


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with everything of this one, and with ``rests`` 1.0, whose call takes 6 ms."""
    folder = tmp_path_factory.mktemp("other")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "rests").mkdir()
    (packages / "rests" / "__init__.py").write_text("MS = 6\n")
    (packages / "all.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "bin" / "python"


def test_the_working_folders_package_does_not_stand_in_for_the_installed_one(other: Path, tmp_path: Path) -> None:
    project = Project(tmp_path)
    (project.folder / "rests").mkdir()
    (project.folder / "rests" / "__init__.py").write_text("MS = 2\n")  # a flat layout: head's code, 2.0
    (project.folder / "tests").mkdir()
    (project.folder / "tests" / "test_a.py").write_text(
        "import time, rests\ndef test_a(benchmark): benchmark(time.sleep, rests.MS / 1000)\n"
    )
    session = project.run(*SHORT, f"--duet=python:{other}", "tests")
    assert session.code == 0, session.out
    verdict = verdicts(session)["test_a"]
    assert verdict["verdict"] == "improved"
    assert verdict["base_s"] > 0.006 > 0.004 > verdict["head_s"]
