"""``tailgate history NAME --html DIR``: the index, a page for each benchmark, and what is refused."""

import math
import re
from pathlib import Path

import histories as saved
import pytest
from drawn_runs import HOSTILE, Page

from tailgate.commands.main import main
from tailgate.history import histories
from tailgate.history.site import files

NAMES = ("test_it.py::test_steady", "test_it.py::test_stepped")


def write(folder: Path, names: tuple[str, ...] = NAMES, sessions: int = 20, place: int = 12) -> None:
    """Sessions of two benchmarks; the last one becomes 10 % slower."""
    runs = [
        saved.saved_run(
            *(saved.bench(name, median * math.exp(0.1 * (index >= place and name == names[-1]))) for name in names)
        )
        for index, median in enumerate(saved.scattered(sessions))
    ]
    saved.write(folder, "epyc", runs)


def test_the_index_shows_first_what_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder)
    assert main(["history", "epyc", "--html", "site"]) == 0
    assert capsys.readouterr().out == "Wrote 3 pages; begin with site/index.html\n"
    page = Page((folder / "site" / "index.html").read_text())
    assert [one["href"] for one in page.all("a")] == ["test_stepped.html", "test_steady.html"]
    assert page.texts["td"][1] == "worse"
    assert "a bar │ stands where the level changed" in page.texts["p"][0]
    assert re.fullmatch(r"\+1\d\.\d % at 0013_epyc\.json", page.texts["td"][4])


def test_a_site_replaces_itself_and_nothing_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder)
    assert [main(["history", "epyc", "--html", "site"]) for _ in range(2)] == [0, 0]
    (folder / "other").mkdir()
    (folder / "other" / "index.html").write_text("mine")
    assert main(["history", "epyc", "--html", "other"]) == 4
    assert "other/index.html is there, and Tailgate did not write it" in capsys.readouterr().err
    assert [one.read_text() for one in (folder / "other").iterdir()] == ["mine"]


def test_each_benchmark_has_its_picture_its_changes_and_its_sessions(folder: Path) -> None:
    write(folder)
    made = dict(files(histories(folder / "baselines", "epyc")))
    page = Page(made["test_stepped.html"].decode())
    assert len(page.all("svg")) == len(page.all("pre")) == 1
    assert "from 0013_epyc.json on" in page.texts["pre"][0]
    assert len(page.all("tr")) == 21
    assert not page.unbalanced
    assert "No level changed." in Page(made["test_steady.html"].decode()).texts["p"]


def test_names_are_text_and_no_paths(folder: Path) -> None:
    write(folder, (f"t.py::../{HOSTILE}", f"t.py::../{HOSTILE}{'x' * 9999}", "t.py::index"))
    made = dict(files(histories(folder / "baselines", "epyc")))
    assert len(made) == 4
    assert all(re.fullmatch(r"[\w.-]{1,100}\.html", name) for name in made)
    for text in made.values():
        page = Page(text.decode())
        assert len(page.all("script")) == 1
        assert {one["href"] for one in page.all("a")} <= {*made}


def test_a_folder_that_cannot_be_made_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, sessions=2)
    (folder / "taken").touch()
    assert main(["history", "epyc", "--html", "taken"]) == 4
    error = capsys.readouterr().err
    assert re.fullmatch(r"tailgate: error: --html: .* cannot be written \(.*\)\n", error)


def test_pages_of_names_that_differ_in_case_alone_do_not_replace_each_other(folder: Path) -> None:
    write(folder, ("t.py::test_a[x]", "t.py::test_a[X]", "t.py::_hidden", "t.py::INDEX"))
    made = [name for name, _ in files(histories(folder / "baselines", "epyc"))]
    assert made == ["test_a_x.html", "test_a_X-2.html", "hidden.html", "INDEX-2.html", "index.html"]
