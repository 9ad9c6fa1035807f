"""The order of sessions, and what git says of their commits."""

import subprocess
from pathlib import Path

import histories as saved
import pytest

from tailgate.gates.saved.provenance import Commit
from tailgate.gates.saved.sessions import Session, read
from tailgate.history.commits import Repository
from tailgate.history.order import ordered

MISSING = "0" * 39 + "1"


def sessions_of(folder: Path, ids: list[str | None], dates: list[str] | None = None) -> list[Session]:
    """One for each commit, saved in this order; ``None``: plain pytest-benchmark's where there is no git."""
    found = [
        saved.saved_run(
            saved.bench("test_it.py::test_one", 1e-3),
            commit_info={"id": one, "dirty": False} if one else {"id": "unversioned", "dirty": False},
            **({"datetime": dates[index]} if dates else {}),
        )
        for index, one in enumerate(ids)
    ]
    return [read(file) for file in saved.write(folder, "epyc", found)]


def numbers(sessions: list[Session]) -> list[int]:
    return [int(one.path.name[:4]) for one in sessions]


def test_numbers_that_follow_the_commits_stay(folder, commits):
    order = ordered(sessions_of(folder, commits), Repository(folder))
    assert numbers(order.sessions) == list(range(1, 13))
    assert (order.how, order.notes) == ("by number, as their commits are", [])


def test_an_older_commit_measured_later_goes_where_it_belongs(folder, commits):
    measured = [commits[0], commits[5], commits[11], commits[3], commits[5], None]
    order = ordered(sessions_of(folder, measured), Repository(folder))
    assert numbers(order.sessions) == [1, 4, 2, 5, 6, 3]
    assert order.how == "by commit, which their numbers do not follow"


def test_a_missing_commit_stays_behind_the_session_before_it(folder, commits):
    order = ordered(sessions_of(folder, [commits[0], MISSING, commits[1]]), Repository(folder))
    assert numbers(order.sessions) == [1, 2, 3]
    assert order.notes == ["1 of 3 commits not known: not in this repository (git fetch --all)"]


def test_clocks_that_go_backwards_do_not_count(folder, commits):
    dates = ["2026-11-20T10:00:00", "2026-11-19T10:00:00+00:00", "no date"]
    order = ordered(sessions_of(folder, commits[:3], dates), Repository(folder))
    assert numbers(order.sessions) == [1, 2, 3]
    assert order.notes == ["the clock went backwards between two sessions: the order does not go by it"]


def test_sessions_of_another_branch_are_said(folder, git, commits):
    git("checkout", "-q", "-b", "other", commits[3])
    git("commit", "-q", "--allow-empty", "-m", "elsewhere")
    other = git("rev-parse", "HEAD")
    repository = Repository(folder)
    order = ordered(sessions_of(folder, [commits[2], commits[6], other, commits[7]]), repository)
    assert numbers(order.sessions) == [1, 2, 3, 4]
    assert order.notes == ["3 commits of other branches: their sessions stay where their numbers are"]
    between = repository.between(Commit(commits[6], False), Commit(other, False))
    assert between.said == (
        f"commits: {commits[6][:10]} is no ancestor of {other[:10]}: "
        "another branch, with 1 commit that the first has not"
    )
    assert [line.partition(" ")[2] for line in between.log] == ["elsewhere"]


def test_without_a_repository_the_order_is_that_of_numbers(folder):
    order = ordered(sessions_of(folder, [MISSING, MISSING[::-1]]), Repository(folder))
    assert order.how == "by number"
    assert order.notes == ["2 of 2 commits not known: there is no git repository here"]


def test_without_git(folder, commits, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    order = ordered(sessions_of(folder, commits[:2]), Repository(folder))
    assert order.notes == ["2 of 2 commits not known: there is no git here"]


def test_a_range_is_git_logs(folder, commits):
    between = Repository(folder).between(Commit(commits[2], False), Commit(commits[9], True))
    assert between.said == f"commits: 7 commits, {commits[2][:10]}..{commits[9][:10]} and uncommitted changes"
    assert [line.partition(" ")[2] for line in between.log] == [f"change {number}" for number in (9, 8, 7, 6, 5)]


@pytest.mark.parametrize(
    ("dirty", "said", "unchanged"),
    [
        (False, "commits: none; both sessions measured", True),
        (True, "commits: none, but uncommitted changes; both sessions measured", False),
        (None, "commits: none; both sessions measured", False),
    ],
)
def test_the_same_commit_twice(folder, commits, dirty, said, unchanged):
    between = Repository(folder).between(Commit(commits[2], False), Commit(commits[2], dirty))
    assert (between.said, between.unchanged) == (f"{said} {commits[2][:10]}", unchanged)


def test_ends_that_git_cannot_tell(folder, commits):
    repository = Repository(folder)
    assert (
        "the later session measured an older commit"
        in repository.between(Commit(commits[4], False), Commit(commits[2], False)).said
    )
    assert f"{MISSING[:10]} not known" in repository.between(Commit(MISSING, False), Commit(commits[2], False)).said
    assert "does not say which commit" in repository.between(None, Commit(commits[2], False)).said


def test_a_shallow_clone_says_what_brings_its_commits(folder, git, commits):
    shallow = folder / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=2", f"file://{folder}", str(shallow)], check=True)
    repository = Repository(shallow)
    order = ordered(sessions_of(folder, [commits[0], commits[10], commits[11]]), repository)
    assert order.notes == ["1 of 3 commits not known: this clone is shallow (git fetch --unshallow)"]
    said = repository.between(Commit(commits[0], False), Commit(commits[11], False)).said
    assert said.endswith(f"{commits[0][:10]} not known: this clone is shallow (git fetch --unshallow)")


def test_a_subject_is_not_obeyed_by_a_terminal(folder, git, commits):
    git("commit", "-q", "--allow-empty", "-m", "red \x1b[31m <b>")
    between = Repository(folder).between(Commit(commits[11], False), Commit(git("rev-parse", "HEAD"), False))
    assert between.log[0].endswith("red \\x1b[31m <b>")


def test_asking_changes_nothing(folder, git, commits):
    before = {file: file.stat().st_mtime_ns for file in (folder / ".git").rglob("*") if file.is_file()}
    order = ordered(sessions_of(folder, commits[::-1]), Repository(folder))
    assert numbers(order.sessions) == list(range(12, 0, -1))
    assert {file: file.stat().st_mtime_ns for file in (folder / ".git").rglob("*") if file.is_file()} == before
