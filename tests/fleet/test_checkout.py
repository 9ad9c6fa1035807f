"""The archive of a checkout: what is in it, what is not, and that it is the same where the files are."""

import subprocess
from pathlib import Path

import pytest

from tailgate.errors import TailgateError
from tailgate.fleet.checkout import packed, unpack

HOSTILE = "a b\n\"'=,\u202e.py"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    for name in ("kept.py", "removed.py", HOSTILE, "sub/script.sh"):
        (folder / name).write_text(name)
    (folder / "sub/script.sh").chmod(0o755)
    (folder / "link").symlink_to("/data/elsewhere")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "init", "-q", ".")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    (folder / "removed.py").unlink()
    (folder / "new.py").touch()
    (folder / "ignored").touch()
    for place in ("baselines/machine", "__pycache__", ".pytest_cache", "sub/node_modules"):
        (folder / place).mkdir(parents=True)
        (folder / place / "file").touch()
    return folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


def test_with_git_tracked_and_new_files_as_they_are_now(project: Path, tmp_path: Path) -> None:
    found = packed(project / "sub", project / "baselines")
    unpack(found.archive, tmp_path / "there")
    assert names(tmp_path / "there") == {"kept.py", HOSTILE, "sub/script.sh", "link", ".gitignore", "new.py"}
    assert (found.cwd, found.files) == ("sub", 6)
    assert (tmp_path / "there" / "sub/script.sh").stat().st_mode & 0o111
    assert (tmp_path / "there" / "link").readlink() == Path("/data/elsewhere")
    assert (tmp_path / "there" / HOSTILE).read_text() == HOSTILE


def test_without_git_all_outside_of_hidden_folders_and_environments(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    for place in ("src", ".hidden", "env", "baselines/m", "src/__pycache__"):
        (folder / place).mkdir(parents=True)
        (folder / place / "file.py").touch()
    (folder / "env" / "pyvenv.cfg").touch()
    (folder / "src" / "all").symlink_to(folder / ".hidden")
    unpack(packed(folder, folder / "baselines").archive, tmp_path / "there")
    assert names(tmp_path / "there") == {"src/file.py", "src/all"}


def test_the_digest_follows_names_modes_and_contents_alone(project: Path) -> None:
    def digest() -> str:
        return packed(project, project / "baselines").digest

    seen = [digest()]
    (project / "kept.py").touch()
    assert digest() == seen[0]
    for change in (
        lambda: (project / "kept.py").write_text("other"),
        lambda: (project / "kept.py").chmod(0o755),
        lambda: (project / "kept.py").rename(project / "moved.py"),
    ):
        change()
        seen.append(digest())
    assert len(set(seen)) == 4


def test_an_empty_or_unreadable_project_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TailgateError, match="no file in"):
        packed(tmp_path / "empty", tmp_path / "baselines")


def test_data_is_not_sent(project: Path) -> None:
    with (project / "data.bin").open("wb") as stream:
        stream.truncate(5 * 2**30)  # no block of it is on the disk
    with pytest.raises(TailgateError, match=r"has 5.0 GiB \(allowed: 4\).*data.bin \(5120 MiB\)"):
        packed(project, project / "baselines")
