"""``tailgate bisect`` with what it cannot use: one line, exit code 4, and nothing touched."""

import os
import sys
from pathlib import Path

import pytest
from histories_of_git import git, linear

from tailgate.commands.main import main


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    folder = tmp_path / "with spaces"
    folder.mkdir()
    found = linear(folder, 4)
    git(folder, "tag", "v1.2", found[0])
    git(folder, "branch", "topic", found[1])
    git(folder, "checkout", "-q", "topic")
    git(folder, "commit", "-q", "--allow-empty", "-m", "aside")
    git(folder, "checkout", "-q", "main")
    monkeypatch.chdir(folder)
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(["bisect", *arguments])
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (4, "", 1), out + err
    return err.removeprefix("tailgate: error: ").rstrip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--good", "v1.3"], "--good: git knows no commit 'v1.3' in "),
        (["--good", "v1.3"], "; did you mean 'v1.2'?"),
        (["--good", "v1.2", "--bad", "man"], "; did you mean 'main'?"),
        (["--good", "v1.2", "--bad", '\x1b[31m\u202e=1,\n"'], "--bad: git knows no commit"),
        (["--good", "v1.2", "--bad", "x" * 10_000], "--bad: git knows no commit"),
        (["--good", "HEAD"], "bisect: HEAD and HEAD are one commit, "),
        (["--good", "main", "--bad", "v1.2"], "the good side comes first: --good v1.2 --bad main"),
        (["--good", "topic"], "bisect: --good topic is not among the ancestors of --bad HEAD; they fork here: --good "),
    ],
)
def test_ends_that_are_none(commits, capsys, arguments: list[str], said: str) -> None:
    assert said in refused(capsys, *arguments, "--", "pytest")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "bisect: no command; write -- pytest ... at the end"),
        (["tox", "run"], "bisect: 'tox' after -- is not pytest"),
        (["A=1", "pytest"], "set variables before tailgate"),
        (["./no/pytest"], "is not there or cannot be run"),
        (["pytest", "--duet=main"], "bisect: --duet after -- is set by each step"),
        (["pytest", "--benchmark-json", "a.json"], "bisect: --benchmark-json after -- is set by each step"),
        (["pytest", "--benchmark-save=a"], "bisect: --benchmark-save after -- would be written anew"),
        (["python", "-m", "pytest", "--gate"], "bisect: --gate after -- does not go with a duet"),
        (["pytest", "-n4"], "bisect: -n4 after -- does not go with a duet"),
    ],
)
def test_commands_that_are_none(commits, capsys, words: list[str], said: str) -> None:
    assert said in refused(capsys, "--good", "v1.2", "--", *words)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"{tmp_path} is not inside a git repository" in refused(capsys, "--good", "a", "--", "pytest")


def test_no_git(commits, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert "git, which is not installed" in refused(capsys, "--good", "v1.2", "--", "pytest")


def test_a_shallow_clone_says_how_to_deepen_it(commits, tmp_path: Path, monkeypatch, capsys) -> None:
    git(tmp_path, "clone", "-q", "--depth=2", Path.cwd().as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    said = refused(capsys, "--good", commits[0], "--", "pytest")
    assert said.endswith("this clone is shallow: fetch more with git fetch --unshallow")


def test_unknown_options_are_named(commits, capsys) -> None:
    with pytest.raises(SystemExit, match="4"):
        main(["bisect", "--good", "v1.2", "--pairs", "--", "pytest"])
    assert "unknown argument '--pairs'" in capsys.readouterr().err


@pytest.mark.parametrize("printed", ["", "print('ready')"])
def test_a_program_that_is_no_python_is_named(commits, capsys, printed: str) -> None:
    fake = Path("python-fake")
    fake.write_text(f"#!{sys.executable}\n{printed}\n")
    fake.chmod(0o755)
    assert main(["bisect", "--good", commits[0], "--", str(fake.absolute()), "-m", "pytest"]) == 4
    said = capsys.readouterr().err
    assert "python-fake does not run as a Python" in said
    assert len(said.splitlines()) == 1
