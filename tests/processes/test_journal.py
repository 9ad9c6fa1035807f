"""What is in a journal is what was written, or is left out."""

import errno
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.errors import TailgateError
from tailgate.processes.journal import key as comparable
from tailgate.processes.journal.file import Entry, Journal, JournalError, UnwritableError
from tailgate.processes.journal.key import Comparable, code_of
from tailgate.session.settings import Settings

FACTS = {"cpu_model": "x", "memory_total_bytes": 2**33}
KEY = {"machine": "abc", "options": {"seed": 0}, "code": "c0ffee"}


def entry(name: str = "test_a", nth: int = 0, **row: Any) -> Entry:
    reports = [{"nodeid": name, "when": when, "outcome": "passed"} for when in ("setup", "call", "teardown")]
    return Entry(name, nth, KEY, reports, [{"fullname": name, "data": [0.1, 0.25, 1e-9], **row}])


def written(path: Path, *entries: Entry, complete: bool = False) -> bytes:
    journal = Journal(path, resume=True)
    for one in entries:
        journal.append(one)
    if complete:
        journal.complete()
    journal.close()
    return path.read_bytes()


def read(path: Path) -> Journal:
    journal = Journal(path, resume=True)
    journal.close()
    return journal


def test_what_was_written_is_found(tmp_path: Path) -> None:
    entries = [entry("test_a"), entry("test_a", 1), entry("test_b", extra_info={"answer": 42, "none": None})]
    written(tmp_path / "j", *entries)
    journal = read(tmp_path / "j")
    for one in entries:
        assert journal.done(one.nodeid, one.nth, KEY) == one
    assert journal.done("test_b", 1, KEY) == []
    assert journal.done("test_c", 0, KEY) == []
    assert journal.remarks == []


def test_the_last_of_two_entries_counts(tmp_path: Path) -> None:
    written(tmp_path / "j", entry(group="old"), entry(group="new"))
    found = read(tmp_path / "j").done("test_a", 0, KEY)
    assert isinstance(found, Entry)
    assert found.rows[0]["group"] == "new"


@pytest.mark.parametrize(
    ("key", "differing"),
    [
        (KEY, None),
        ({}, None),
        ({**KEY, "code": "other"}, ["code"]),
        ({**KEY, "options": {"seed": 1}, "machine": "xyz"}, ["machine", "options"]),
        ({**KEY, "model": "new"}, ["model"]),
        ({**KEY, "code": None}, ["code"]),  # what is not known is equal to nothing
    ],
)
def test_an_entry_is_used_only_where_all_is_as_it_was(
    tmp_path: Path, key: dict[str, Any], differing: list[str] | None
) -> None:
    written(tmp_path / "j", entry())
    found = read(tmp_path / "j").done("test_a", 0, key)
    assert found == (entry() if differing is None else differing)


def test_what_json_cannot_hold_is_kept_as_pytest_benchmark_would_save_it(tmp_path: Path) -> None:
    odd = {"tuple": (1, 2), "object": 1j, (1, 2): "pair", 3: "number", "nan": float("inf")}
    written(tmp_path / "j", entry(extra_info=odd))
    found = read(tmp_path / "j").done("test_a", 0, KEY)
    assert isinstance(found, Entry)
    assert found.rows[0]["extra_info"] == {
        "tuple": [1, 2], "object": "UNSERIALIZABLE[1j]", "(1, 2)": "pair", "3": "number", "nan": None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, list[Entry]]:
    path = tmp_path_factory.mktemp("sound") / "j"
    entries = [entry(f"test_{name}", extra_info={"text": f'"{name}" \\ \n é'}) for name in "abc"]
    return path, written(path, *entries, complete=True), entries


def check_nothing_is_wrong(sound: tuple[Path, bytes, list[Entry]], data: bytes) -> int:
    """Whatever is found is what was written; how much that is."""
    path, _, entries = sound
    path.write_bytes(data)
    journal = read(path)
    found = [(one, journal.done(one.nodeid, one.nth, KEY)) for one in entries]
    assert all(got in ([], one) for one, got in found)
    return sum(got == one for one, got in found)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_byte_never_yields_a_wrong_entry(sound: tuple[Path, bytes, list[Entry]], data: st.DataObject) -> None:
    whole = sound[1]
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    kept = check_nothing_is_wrong(sound, whole[:place] + bytes([byte]) + whole[place + 1 :])
    assert kept >= 2 - (whole[place] == ord("\n")), "the damage of a line is that line's, a lost line end's two lines'"


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_lost_or_strange_stretch_never_yields_a_wrong_entry(
    sound: tuple[Path, bytes, list[Entry]], data: st.DataObject
) -> None:
    whole = sound[1]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    check_nothing_is_wrong(sound, whole[:start] + data.draw(st.binary(max_size=50)) + whole[end:])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_a_journal_cut_off_anywhere_keeps_what_was_whole_and_can_be_gone_on_with(
    sound: tuple[Path, bytes, list[Entry]], cut: int
) -> None:
    path, whole, entries = sound
    cut = min(cut, len(whole))
    lines = whole[:cut].count(b"\n")
    # A line is whole when only its end is missing.
    at_end = whole[cut : cut + 1] == b"\n"
    assert check_nothing_is_wrong(sound, whole[:cut]) == min(3, max(0, lines + at_end - 1))
    journal = Journal(path, resume=True)
    journal.append(entry("test_new"))
    journal.close()
    again = read(path)
    assert again.done("test_new", 0, KEY) == entry("test_new")
    assert sum(again.done(one.nodeid, 0, KEY) == one for one in entries) == min(3, max(0, lines + at_end - 1))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "there is nothing to go on from in "),
        (b"\n", "damaged in line 1; "),
        (b"\0" * 4096, "damaged in line 1; "),
        (b'{"crc32": 1}\n[]\nnull\n"entry"\n7\n{}\n', "damaged in line 1, 2, 3, 4, 5 and 1 more; "),
        (b"[" * 200_000, "damaged in line 1; "),
        (b'\xff\xfe{"entry": 1}\n', "damaged in line 1; "),
    ],
    ids=["empty", "a line end", "zeros", "other JSON", "very deep", "not UTF-8"],
)
def test_what_is_no_journal_holds_nothing_and_says_so(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "j").write_bytes(data)
    journal = read(tmp_path / "j")
    (remark,) = journal.remarks
    assert remark.startswith("--resume: ")
    assert said in remark
    assert len(remark) < 300
    assert journal.done("test_a", 0, {}) == []


def line(content: object) -> bytes:
    text = json.dumps(content)
    return json.dumps({"crc32": zlib.crc32(text.encode()), "entry": text}).encode() + b"\n"


def test_a_sound_line_of_another_kind_or_version_is_passed_over(tmp_path: Path) -> None:
    whole = written(tmp_path / "j", entry())
    (tmp_path / "j").write_bytes(line({"note": 1}) + line({"nodeid": "test_a", "nth": 0}) + line([1]) + whole)
    journal = read(tmp_path / "j")
    assert journal.done("test_a", 0, KEY) == entry()

    (tmp_path / "j").write_bytes(line({"journal": 99}) + whole)
    journal = read(tmp_path / "j")
    assert journal.done("test_a", 0, KEY) == []
    assert "was written by another Tailgate" in journal.remarks[0]


def test_two_never_write_one_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j", resume=False)
    first.append(entry())
    before = (tmp_path / "j").read_bytes()
    for resume in (False, True):
        with pytest.raises(
            TailgateError, match=r"another session is writing .*; name another file with --journal=FILE"
        ):
            Journal(tmp_path / "j", resume=resume)
    assert (tmp_path / "j").read_bytes() == before
    first.close()
    assert isinstance(read(tmp_path / "j").done("test_a", 0, KEY), Entry)


@pytest.mark.parametrize("place", ["folder", "file/journal", "fifo"])
def test_where_nothing_can_be_written_another_file_is_asked_for(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UnwritableError, match=r"^--journal: .* cannot be written \(.+\); name another file") as refused:
        Journal(tmp_path / place, resume=True)
    assert "\n" not in str(refused.value)


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    Journal(tmp_path / "some" / "where" / "j", resume=False).close()
    assert (tmp_path / "some" / "where" / "j").exists()


def test_an_unfinished_run_is_put_aside_and_a_finished_one_replaced(tmp_path: Path) -> None:
    path, aside = tmp_path / "j", tmp_path / "j.previous"
    unfinished = written(path, entry("test_a"), entry("test_b"), entry("test_a"))
    journal = Journal(path, resume=False)
    journal.close()
    (remark,) = journal.remarks
    assert remark.startswith(f"An unfinished run with 2 measured benchmarks was in the journal; it is kept in {aside} ")
    assert aside.read_bytes() == unfinished
    assert read(path).done("test_a", 0, {}) == []

    aside.unlink()
    written(path, entry(), complete=True)
    journal = Journal(path, resume=False)
    journal.close()
    assert journal.remarks == []
    assert not aside.exists()


def test_a_run_that_went_on_after_a_finished_one_is_unfinished(tmp_path: Path) -> None:
    written(tmp_path / "j", entry("test_a"), complete=True)
    written(tmp_path / "j", entry("test_b"))
    journal = Journal(tmp_path / "j", resume=False)
    journal.close()
    assert "An unfinished run with 2 measured benchmarks" in journal.remarks[0]


def test_another_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("years of work\n")
    with pytest.raises(UnwritableError, match="it is not a journal, and would be overwritten"):
        Journal(tmp_path / "notes.txt", resume=False)
    assert (tmp_path / "notes.txt").read_text() == "years of work\n"


class FullDisk:
    """A file on it: some of what is written arrives, then nothing."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self._room = room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        part = data[: self._room]
        self._room -= len(part)
        if not part:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(self._file.write(part))


@pytest.mark.parametrize("room", [0, 1, 200])
def test_an_entry_is_written_whole_or_not_at_all(tmp_path: Path, room: int) -> None:
    path = tmp_path / "j"
    before = written(path, entry("test_a"))
    journal = Journal(path, resume=True)
    file = journal._file
    journal._file = FullDisk(file, room)  # type: ignore[assignment]
    with pytest.raises(JournalError, match=rf"the journal {path} cannot be written \(.*No space left on device\)"):
        journal.append(entry("test_b"))
    assert path.read_bytes() == before
    journal._file = file
    journal.append(entry("test_b"))
    journal.close()
    assert read(path).done("test_b", 0, KEY) == entry("test_b")


FULL_FROM_THE_START = """
import resource, sys
from pathlib import Path
from tailgate.processes.journal.file import Journal, UnwritableError
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    Journal(Path(sys.argv[1]), resume=False)
except UnwritableError as error:
    print(error)
"""


def test_a_disk_full_from_the_start_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_FROM_THE_START, str(tmp_path / "j")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.startswith(f"--journal: {tmp_path / 'j'} cannot be written (")
    assert said.count("\n") == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.floats(0, 1)), max_size=8))
def test_a_journal_is_what_was_appended_last(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, float]]
) -> None:
    path = tmp_path_factory.mktemp("model") / "j"
    model = {}
    for name, nth, number in steps:
        model[name, nth] = entry(name, nth, number=number)
        written(path, model[name, nth])
    journal = Journal(path, resume=True)
    journal.close()
    assert {(name, nth): journal.done(name, nth, KEY) for name, nth in model} == model


def in_git(folder: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_the_state_of_the_code_with_git(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("1\n")
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    in_git(tmp_path, "init", "-q")
    in_git(tmp_path, "add", ".")
    in_git(tmp_path, "commit", "-q", "-m", "one")
    clean = code_of(tmp_path)
    assert clean is not None
    assert len(clean) == 40
    for unimportant in ("ignored.py", "run.json", "notes.md"):
        (tmp_path / unimportant).write_text("2\n")
    assert code_of(tmp_path) == clean
    seen = {clean}
    for name, text in {"code.py": "2\n", "new.py": "1\n"}.items():
        (tmp_path / name).write_text(text)
        changed = code_of(tmp_path)
        assert changed is not None
        assert changed.startswith(f"{clean} with changes ")
        assert changed not in seen
        seen.add(changed)
    in_git(tmp_path, "add", ".")
    in_git(tmp_path, "commit", "-q", "-m", "two")
    assert code_of(tmp_path) not in seen


def test_the_state_of_the_code_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparable, "_git", lambda *_: None)
    for folder in ("package", ".hidden", "__pycache__", "env"):
        (tmp_path / folder).mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "code.py").write_text("1\n")
    first = code_of(tmp_path)
    for unimportant in (".hidden/a.py", "__pycache__/a.py", "env/a.py", "data.txt"):
        (tmp_path / unimportant).write_text("2\n")
    assert code_of(tmp_path) == first
    (tmp_path / "package" / "a.py").write_text("1\n")
    second = code_of(tmp_path)
    (tmp_path / "package" / "a.py").write_text("2\n")
    assert len({first, second, code_of(tmp_path)}) == 3
    monkeypatch.setattr(comparable, "MOST_FILES", 1)
    assert code_of(tmp_path) is None, "too many to look at: equal to nothing"


def test_what_changes_no_number_is_not_compared(tmp_path: Path) -> None:
    def key(**changed: Any) -> dict[str, Any]:
        session = SimpleNamespace(options={"max_time": 1.0, "timer": "perf_counter"})
        hook = SimpleNamespace(pytest_tailgate_workload=lambda item: [{"model": {1: "a"}}, None])
        config: Any = SimpleNamespace(rootpath=tmp_path, hook=hook, _benchmarksession=session)
        item: Any = SimpleNamespace(path=tmp_path / "test_a.py")
        return Comparable(config, Settings(isolation="process", **changed), FACTS, [item]).key(item)

    (tmp_path / "test_a.py").write_text("")
    as_it_was = key()
    for changed in (
        {"csv": Path("rows.csv")}, {"journal": Path("j")}, {"resume": True}, {"progress": True},
        {"order": "random"}, {"seed": 1}, {"benchmark_timeout_s": 5.0},
    ):  # fmt: skip
        assert key(**changed) == as_it_was, changed
    for changed in ({"processes": 3}, {"meters": ("cpu",)}, {"start_method": "spawn"}):
        assert key(**changed)["options"] != as_it_was["options"], changed
    assert as_it_was["model"] == {"1": "a"}, "as JSON has it, so that it compares with what was read"
    (tmp_path / "test_a.py").write_text("changed")
    assert {name for name, value in key().items() if value != as_it_was[name]} == {"test file", "code"}
