"""A duet leaves a repository as it was: commit, index, HEAD, working tree, the user's own worktrees and hooks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from isolated import Project
from patience import until

from tailgate.gates.duet.launch import environments
from tailgate.gates.duet.worktree import Worktree
from tailgate.machine import git

pytestmark = pytest.mark.end_to_end

AS_SOMEBODY = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


def ask(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *AS_SOMEBODY, *arguments], cwd=folder, env=git.environment(), check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits, ``v1`` and the head of ``main``; an uncommitted edit; a post-checkout hook that leaves a trace."""
    folder = tmp_path / "project"
    folder.mkdir()
    ask(folder, "init", "-q", "-b", "main", ".")
    (folder / "a.txt").write_text("one\n")
    ask(folder, "add", ".")
    ask(folder, "commit", "-qm", "one")
    ask(folder, "tag", "v1")
    (folder / "b.txt").write_text("two\n")
    ask(folder, "add", ".")
    ask(folder, "commit", "-qm", "two")
    hook = folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran\n")
    hook.chmod(0o755)
    (folder / "a.txt").write_text("edited\n")
    return folder


def plain(repository: Path) -> Path:
    return repository


def linked(repository: Path) -> Path:
    """In a worktree of the user's own."""
    other = repository.parent / "linked"
    ask(repository, "-c", "core.hooksPath=/dev/null", "worktree", "add", "-q", str(other), "-b", "topic", "v1")
    (other / "a.txt").write_text("edited there\n")
    return other


def rebasing(repository: Path) -> Path:
    """Stopped at a conflict."""
    ask(repository, "-c", "core.hooksPath=/dev/null", "checkout", "-qf", "-b", "topic", "v1")
    (repository / "b.txt").write_text("mine\n")
    ask(repository, "add", ".")
    ask(repository, "commit", "-qm", "mine")
    with pytest.raises(subprocess.CalledProcessError):
        ask(repository, "-c", "core.hooksPath=/dev/null", "rebase", "main")
    return repository


def state(folder: Path) -> dict[str, bytes]:
    """Every file of the working tree and of git's own folder."""
    common = Path(ask(folder, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    files = [*common.rglob("*"), *(path for path in folder.rglob("*") if ".git" not in path.parts)]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture
def as_in_a_hook(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Git starts hooks with such variables; ``commit FILE`` has an index of its own."""
    index = repository.parent / "index-of-the-commit"
    index.write_bytes((repository / ".git" / "index").read_bytes())
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_PREFIX", "")
    return index


@pytest.mark.parametrize("where", [plain, linked, rebasing])
def test_a_checkout_of_base_leaves_everything_as_it_was(repository, as_in_a_hook, where) -> None:
    folder = where(repository)
    before, index = state(folder), as_in_a_hook.read_bytes()
    base = Worktree(folder, "v1")
    try:
        assert (base.folder / "a.txt").read_text() == "one\n"
        assert not (base.folder / "b.txt").exists()
    finally:
        base.close()
    assert state(folder) == before
    assert as_in_a_hook.read_bytes() == index
    assert not (repository.parent / "hook-ran").exists()


BUILD = """
import sys
from pathlib import Path
from tailgate.gates.duet.worktree import Worktree
Worktree(Path(sys.argv[1]), "v1").build(
    "sleep 60 & echo $! $PWD > ../../t; mv ../../t " + sys.argv[2] + "; wait", sys.executable
)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_build_ends_with_the_session_whatever_ends_that(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    told = tmp_path / "built"
    session = subprocess.Popen([sys.executable, "-c", BUILD, str(repository), str(told)], stderr=subprocess.DEVNULL)
    until(told.exists)
    sleeper, folder = told.read_text().split()
    session.send_signal(number)
    session.wait()
    until(lambda: not Path(folder).exists())
    until(lambda: ended(int(sleeper)))


def ended(pid: int) -> bool:
    """Gone, or dead and not yet looked at by whoever inherited it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_environment_in_the_project_s_own_folder_stays_head_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -m venv .``."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    monkeypatch.setattr("sysconfig.get_paths", lambda: dict.fromkeys(names, str(site)))
    assert set(environments(tmp_path)) == {sys.base_prefix, str(site)}
    assert set(environments(tmp_path / "below")) == {sys.base_prefix, str(site)}


def test_a_users_worktree_on_an_absent_disk_stays_known(repository: Path) -> None:
    other = linked(repository)
    other.rename(repository.parent / "unplugged")
    base = Worktree(repository, "v1")
    base.close()
    assert str(other) in ask(repository, "worktree", "list")


def test_a_worktree_that_a_killed_duet_left_in_the_checkout_s_folder_is_forgotten(repository: Path) -> None:
    before = ask(repository, "worktree", "list")
    candidate = Worktree(repository, "v1", name="candidate")
    inner = candidate.folder.parent / "temporary" / "base"
    ask(candidate.folder, "worktree", "add", "--detach", str(inner), "v1")
    candidate.close()
    assert ask(repository, "worktree", "list") == before
    assert not candidate.folder.parent.exists()


def test_what_ties_a_process_to_a_repository_is_left_out_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True)
    names = [*listed.stdout.split(), "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"]
    for name in names:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "stays")
    before = dict(os.environ)
    assert not set(names) & set(git.environment())
    with git.clean_environment():
        assert not set(names) & set(os.environ)
        assert os.environ["GIT_AUTHOR_NAME"] == "stays"
    assert dict(os.environ) == before


def test_a_duet_in_a_pre_commit_hook_leaves_the_commit_alone(tmp_path: Path) -> None:
    text = "import time\ndef test_a(benchmark): benchmark(time.sleep, 0.002)\n"
    project = Project(tmp_path, test_a=text)
    ask(project.folder, "init", "-q", "-b", "main", ".")
    ask(project.folder, "add", "conftest.py", "test_a.py")
    ask(project.folder, "commit", "-qm", "one")
    ask(project.folder, "tag", "v1")
    (project.folder / "new.txt").write_text("data\n")
    ask(project.folder, "add", "new.txt")
    ask(project.folder, "commit", "-qm", "two")
    hook = project.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\n{sys.executable} -m pytest --duet=v1 --duet-pairs=8 --duet-seconds=0.04 --gate-min-effect=50% -q "
        f"-p no:cacheprovider test_a.py > {tmp_path}/told 2>&1; echo $? > {tmp_path}/code\n"
    )
    hook.chmod(0o755)
    (project.folder / "test_a.py").write_text(f"{text}# my change\n")
    ask(project.folder, "commit", "-qam", "three")
    assert (tmp_path / "code").read_text() == "0\n", (tmp_path / "told").read_text()
    assert ask(project.folder, "show", "--stat", "--format=", "HEAD").split("|")[0].strip() == "test_a.py"
    assert ask(project.folder, "ls-tree", "--name-only", "HEAD").split() == ["conftest.py", "new.txt", "test_a.py"]
    assert ask(project.folder, "status", "--porcelain", "-uno") == ""
