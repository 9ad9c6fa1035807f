"""Journals that sessions find: damaged, strange, another's, not resumed, or none."""

import json
import os
import sys

import pytest
from isolated import FORK, SAY, Project, Session, run_together

from tailgate.processes.journal.file import Journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes of this kind are not available here")

THREE = SAY + "".join(f"def test_{name}(benchmark):\n    say('{name}')\n    benchmark(sum, [1])\n" for name in "abc")
NOWHERE = ("-o", "cache_dir=/dev/null/nowhere")
ASKED = {
    "damaged": ("--resume", "--journal=journal.jsonl"),
    "junk": ("--resume", "--journal=journal.jsonl"),
    "unfinished": ("--journal=journal.jsonl",),
    "folder": ("--journal=journal.jsonl",),
    "another session's": ("--journal=journal.jsonl",),
    "no cache": ("--resume", "-p", "no:cacheprovider"),
    "unwritable cache": NOWHERE,
    "unwritable cache, resume": ("--resume", *NOWHERE),
}
Found = tuple[Session, Project]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of a session that measured all three."""
    project = Project(tmp_path_factory.mktemp("whole"), test_three=THREE)
    project.run(*FORK, "--journal=whole.jsonl")
    return (project.folder / "whole.jsonl").read_bytes()


def flipped(line: bytes) -> bytes:
    """With one bit changed."""
    middle = len(line) // 2
    return line[:middle] + bytes([line[middle] ^ 1]) + line[middle + 1 :]


def unfinished(whole: bytes) -> bytes:
    """As after two of three."""
    return b"".join(whole.splitlines(keepends=True)[:3])


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory, whole: bytes) -> dict[str, Found]:
    projects = {name: Project(tmp_path_factory.mktemp("journal"), test_three=THREE) for name in ASKED}
    journals = {name: project.folder / "journal.jsonl" for name, project in projects.items()}
    lines = whole.splitlines(keepends=True)
    journals["damaged"].write_bytes(b"".join([*lines[:2], b"garbage\n", flipped(lines[2]), lines[3][:-50]]))
    journals["junk"].write_bytes(bytes(range(256)) * 40)
    journals["unfinished"].write_bytes(unfinished(whole))
    journals["folder"].mkdir()
    ours = Journal(journals["another session's"], resume=False)
    found = run_together(*((projects[name], (*FORK, *arguments)) for name, arguments in ASKED.items()))
    ours.close()
    return {name: (session, projects[name]) for name, session in zip(ASKED, found, strict=True)}


def test_a_damaged_journal_costs_what_is_damaged(sessions: dict[str, Found]) -> None:
    session, project = sessions["damaged"]
    assert session.code == 0
    assert project.logged == ["b", "c"]
    assert set(session.rows) == {"test_a", "test_b", "test_c"}
    (line,) = session.lines("^--resume: .* is damaged")
    assert line == "--resume: journal.jsonl is damaged in line 3, 4, 5; those benchmarks are measured again"
    # It can be gone on from: what was measured again is found after the damage.
    kept = Journal(project.folder / "journal.jsonl", resume=True)
    assert all(kept.done(f"test_three.py::test_{name}", 0, {}) for name in "abc")
    kept.close()


def test_what_is_no_journal_at_all_is_measured_over(sessions: dict[str, Found]) -> None:
    session, project = sessions["junk"]
    assert session.code == 0
    assert project.logged == ["a", "b", "c"]
    assert session.lines(
        r"^--resume: journal\.jsonl is damaged in line 1, 2, 3, 4, 5 and 36 more; those benchmarks are"
    )
    assert "Traceback" not in session.out


def test_an_unfinished_run_that_was_not_resumed_is_kept(sessions: dict[str, Found], whole: bytes) -> None:
    session, project = sessions["unfinished"]
    assert project.logged == ["a", "b", "c"]
    (line,) = session.lines("^An unfinished run with 2 measured benchmarks was in the journal; it is kept in ")
    assert (project.folder / "journal.jsonl.previous").read_bytes() == unfinished(whole)
    assert line.endswith("(to go on from it: --resume --journal=journal.jsonl.previous)")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder", r"--journal: journal\.jsonl cannot be written \(.+\); name another file with --journal=FILE"),
        (
            "another session's",
            "--journal: another session is writing journal.jsonl; name another file with --journal=F",
        ),
        (
            "unwritable cache, resume",
            r"--journal: pytest's cache cannot be written \(.+\); name a file with --journal=F",
        ),
    ],
)
def test_where_no_journal_can_be_had_a_session_refuses_with_one_line(
    sessions: dict[str, Found], name: str, said: str
) -> None:
    session, project = sessions[name]
    assert session.code == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in session.out
    assert "INTERNALERROR" not in session.out
    assert len(session.lines(f"^ERROR: {said}")) == 1
    assert project.logged == []
    assert session.left == []


def test_another_sessions_journal_is_not_touched(sessions: dict[str, Found]) -> None:
    _, project = sessions["another session's"]
    assert (project.folder / "journal.jsonl").read_bytes().count(b"\n") == 1


def test_without_a_cache_there_is_no_journal_and_resume_says_so(sessions: dict[str, Found]) -> None:
    session, project = sessions["no cache"]
    assert project.logged == ["a", "b", "c"]
    assert session.lines("^--resume: pytest's cache is turned off, so name a file with --journal=FILE$")


def test_where_the_cache_cannot_be_written_measuring_goes_on(sessions: dict[str, Found]) -> None:
    session, project = sessions["unwritable cache"]
    assert (session.code, project.logged) == (0, ["a", "b", "c"])
    assert session.lines("^Nothing was journaled, so --resume has nothing to go on from: .*cache cannot be written")


def test_the_journal_is_json_that_anybody_can_read(whole: bytes) -> None:
    entries = [json.loads(json.loads(line)["entry"]) for line in whole.splitlines()]
    assert entries[0]["journal"] == 1
    assert [entry["nodeid"] for entry in entries[1:-1]] == [f"test_three.py::test_{name}" for name in "abc"]
    assert all(entry["finished_utc"] for entry in entries[1:-1])
    assert entries[-1] == {"complete": True}
    assert sys.executable not in whole.decode(), "nothing of this machine's paths is needed"
