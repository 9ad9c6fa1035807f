"""A disk that is full costs no measurement: what was asked for is kept elsewhere, in one line, and is not green."""

import csv
import json
import os
import re
import resource
from pathlib import Path

import pytest
from isolated import Project

from tailgate.commands import main as cli
from tailgate.errors import TailgateError
from tailgate.files import replace_bytes
from tailgate.results.rows import row
from tailgate.results.tidy_csv import HEADER, TidyCsv

LARGEST_BYTES = 12_000
TESTS = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_it(benchmark, n):
    benchmark(sum, [n])
"""


def full(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Nothing more reaches the file at ``path``."""
    fsync = os.fsync

    def checked(descriptor: int) -> None:
        if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", checked)


def test_a_disk_that_is_full_before_the_header_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full(monkeypatch, tmp_path / "rows.csv")
    with pytest.raises(TailgateError, match=r"--csv: .*rows.csv cannot be written \(No space left on device\); name"):
        TidyCsv(tmp_path / "rows.csv")


def test_a_row_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rows.csv"
    rows = TidyCsv(file)
    rows.append(row("one", None, {}))
    before = file.read_bytes()
    full(monkeypatch, file)
    with pytest.raises(OSError, match="No space"):
        rows.append(row("two", None, {}))
    assert file.read_bytes() == before
    other = rows.elsewhere()
    other.append(row("two", None, {}))
    other.close()
    with other.path.open(newline="") as stream:
        (found,) = csv.DictReader(stream)
    assert (found["name"], tuple(found)) == ("two", HEADER)


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_BYTES, LARGEST_BYTES))


@pytest.mark.parametrize("way", [(), ("--isolation=process", "--journal=j")], ids=["here", "isolated"])
def test_all_is_measured_and_kept_elsewhere(tmp_path: Path, way: tuple[str, ...]) -> None:
    project = Project(tmp_path, test_a=TESTS)
    line = ",".join(HEADER) + "\n"
    padding = f"{'x' * (LARGEST_BYTES - len(line) - 300)}\n"
    (tmp_path / "rows.csv").write_text(line + padding)
    asked = ("--csv=rows.csv", "--report=page.html", "--benchmark-save=x", "--benchmark-save-data")
    ended = project.run(*asked, *way, before=limited, save=False)
    assert ended.code != 0
    assert "INTERNALERROR" not in ended.out
    assert "Traceback" not in ended.out
    assert (tmp_path / "rows.csv").read_text() == line + padding
    if way:  # its journal is full too, and was asked for
        assert ended.lines(r"the journal .*j cannot be written .*; measuring stops here, what was measured is kept")
        return
    assert ended.code == pytest.ExitCode.TESTS_FAILED
    (said,) = ended.lines(r"^--csv: ")
    place = re.search(r"it and those after it are in (\S+)$", said)
    assert place
    with Path(place[1]).open(newline="") as stream:
        assert [one["name"] for one in csv.DictReader(stream)] == [f"test_a.py::test_it[{n}]" for n in range(3)]
    assert ended.lines(r"could not be written \(.*\); (the run is kept in|nor could the temporary folder)")


def test_a_report_that_does_not_fit_leaves_the_earlier_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "r.md"
    file.write_text("earlier")
    run = tmp_path / "run.json"
    stats = dict.fromkeys(("min", "max", "mean", "stddev", "median", "rounds"), 1.0)
    run.write_text(json.dumps({"benchmarks": [{"name": "t", "fullname": "t", "stats": stats}]}))
    assert cli.main(["report", str(run), "--format=markdown", f"--output={file}"]) == 0
    earlier = file.read_text()
    monkeypatch.setattr("tailgate.commands.report.replace_bytes", raises)
    assert cli.main(["report", str(run), "--format=markdown", f"--output={file}"]) == 4
    assert capsys.readouterr().err.endswith("r.md cannot be written (No space left on device)\n")
    assert file.read_text() == earlier
    replace_bytes(file, b"new")
    assert file.read_bytes() == b"new"


def raises(*_: object) -> None:
    raise OSError(28, "No space left on device")
