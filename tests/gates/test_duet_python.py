"""``--duet=python:OTHER``: base runs what OTHER has installed, in whatever folder the session was started."""

import site
import subprocess
import sys
from pathlib import Path

import mdurl
import psutil
import pytest
from isolated import Project
from repositories import SHORT, committed, verdicts

pytestmark = pytest.mark.end_to_end

FLAT = "import time, rests\ndef test_a(benchmark): benchmark(time.sleep, rests.MS / 1000)\n"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with everything of this one, ``rests`` 1.0, whose call takes 6 ms, and an older mdurl."""
    folder = tmp_path_factory.mktemp("other")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "rests").mkdir()
    (packages / "rests" / "__init__.py").write_text("MS = 6\n")
    (packages / "mdurl").mkdir()
    (packages / "mdurl" / "__init__.py").write_text("__version__ = '0.0.1'\n")
    (packages / "all.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "bin" / "python"


def test_the_working_folders_package_does_not_stand_in_for_the_installed_one(other: Path, tmp_path: Path) -> None:
    project = Project(tmp_path)
    (project.folder / "rests").mkdir()
    (project.folder / "rests" / "__init__.py").write_text("MS = 2\n")  # a flat layout: head's code, 2.0
    (project.folder / "tests").mkdir()
    (project.folder / "conftest.py").rename(project.folder / "tests" / "conftest.py")
    (project.folder / "tests" / "test_a.py").write_text(FLAT)
    session = project.run(*SHORT, f"--duet=python:{other}", "tests")
    assert session.code == 0, session.out
    verdict = verdicts(session)["test_a"]
    assert verdict["verdict"] == "improved"
    assert verdict["base_s"] > 0.006
    assert verdict["base_s"] > verdict["head_s"] > 0.002


def test_a_conftest_that_puts_heads_code_first_is_never_green(other: Path, tmp_path: Path) -> None:
    project = Project(tmp_path, rests="MS = 2\n", test_a=FLAT)
    session = project.run(*SHORT, f"--duet=python:{other}")
    assert session.code == 1, session.out
    verdict = verdicts(session)["test_a"]
    assert verdict["verdict"] == "incomparable"
    assert verdict["reason"].startswith(
        f"base imported rests from {tmp_path}, as head did, though its Python has rests"
    )
    session = project.run(*SHORT, f"--duet=python:{other}", "--import-mode=append")  # as the reason says
    assert verdicts(session)["test_a"]["verdict"] == "improved", session.out


def test_packages_that_differ_are_in_the_verdicts_line(other: Path, tmp_path: Path) -> None:
    project = Project(tmp_path, test_a="import time, mdurl\ndef test_a(benchmark): benchmark(time.sleep, 0.002)\n")
    session = project.run(*SHORT, f"--duet=python:{other}")
    told = f"the project's files are the same, and other packages ran: mdurl 0.0.1 → {mdurl.__version__}"
    assert verdicts(session)["test_a"]["notes"][0] == told, session.out
    assert session.saved is not None
    assert session.saved["tailgate_duet"]["benchmarks"][0]["code"]["note"] == told


def test_the_same_environment_twice_compares_nothing(tmp_path: Path) -> None:
    session = Project(tmp_path, rests="MS = 2\n", test_a=FLAT).run(*SHORT, f"--duet=python:{sys.executable}")
    assert (session.code, verdicts(session)["test_a"]["verdict"]) == (1, "incomparable"), session.out


BUILT = """
import time
try: from rests import _psutil_linux as built
except ImportError: built = None
MS = 2 if built else 6
"""


def test_a_compiled_part_that_git_does_not_have(tmp_path: Path) -> None:
    (library,) = Path(psutil.__file__).parent.glob("_psutil_linux.*")  # stands in for what a compiler would make
    project = Project(tmp_path, test_a=FLAT)
    (project.folder / "rests").mkdir()
    (project.folder / "rests" / "__init__.py").write_text(BUILT)
    (project.folder / ".gitignore").write_text("*.so\n")
    committed(project, "rests")
    build = f"cp {library} rests/"
    subprocess.run(build, shell=True, cwd=project.folder, check=True)
    session = project.run(*SHORT, "--duet=HEAD")
    assert (session.code, verdicts(session)["test_a"]["verdict"]) == (1, "incomparable"), session.out
    assert session.lines("head loaded rests/_psutil_linux.*, which git does not have, and base's .*--duet-build=")
    session = project.run(*SHORT, "--duet=HEAD", f"--duet-build={build}")
    assert verdicts(session)["test_a"]["verdict"] == "pass", session.out
    assert session.saved is not None
    (one,) = session.saved["tailgate_duet"]["benchmarks"]
    assert one["code"]["note"] == "nothing that either side imported differs"
    assert one["code"]["base"]["rests"] == one["code"]["head"]["rests"]
    session = project.run(*SHORT, "--duet=HEAD", "--duet-build=echo no compiler; exit 3")
    assert session.code == 4
    assert session.lines(
        "--duet-build: 'echo no compiler; exit 3' ended with exit code 3; its last output: no compiler"
    )
