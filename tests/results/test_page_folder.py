"""``tailgate report --out DIR``: the page, its pictures, its tables; and what is refused."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from drawn_runs import HOSTILE, run
from test_explanation import SLOWER

from tailgate.commands import main as cli
from tailgate.results.pages import charts, document, folder
from tailgate.results.pages.charts import threads, tradeoff
from tailgate.results.spreadsheet import harmless
from tailgate.results.tidy_csv import HEADER

PNG = b"\x89PNG\r\n"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of pictures are enough."""
    monkeypatch.setattr(charts, "KINDS", [threads, tradeoff])


@pytest.fixture
def saved(tmp_path: Path) -> str:
    (tmp_path / "run.json").write_text(json.dumps(run()))
    return str(tmp_path / "run.json")


def test_a_folder_has_the_page_each_picture_and_every_table(
    saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a" / "b"
    assert cli.main(["report", saved, "--out", str(out)]) == 0
    names = sorted(path.name for path in out.iterdir())
    assert sorted(re.findall(r"^Wrote .*/(.+)$", capsys.readouterr().out, re.MULTILINE)) == names
    pictures = [name for name in names if name.endswith(".png")]
    assert set(pictures) == {"threads-resnet18.png", "tradeoff-resnet18.png"}
    assert all((out / name).read_bytes().startswith(PNG) for name in pictures)
    assert set(names) - set(pictures) == {
        "index.html", "machine.csv", "operators.csv", "report.md", "results.csv", "verdicts.csv"
    }  # fmt: skip
    with (out / "results.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == len(run()["benchmarks"]) + 1
    assert (rows[-1]["status"], rows[-1]["warnings"], rows[-1]["median_s"]) == ("oom", "oom: 2 GB", "")
    assert "### Verdicts: 1 fail, 1 pass" in (out / "report.md").read_text()


def test_verdicts_are_numbers_with_their_units_and_empty_where_there_is_none() -> None:
    made = run()
    one, two = made["tailgate_gate"]["verdicts"]
    one |= {"base_s": 0.001, "head_s": 0.00105, "low_rel": 0.041, "high_rel": 0.059, "p": 0.00004}
    two |= {"metric": "throughput", "base_items_per_s": 100.0}
    first, second = csv.DictReader(io.StringIO(folder.files([made])["verdicts.csv"].decode()))
    assert (first["fullname"], first["verdict"]) == (one["fullname"], "fail")
    numbers = [float(first[name]) for name in ("base_s", "head_s", "change_rel", "low_rel", "high_rel", "p")]
    assert numbers == [0.001, 0.00105, 0.05, 0.041, 0.059, 0.00004]
    assert (first["base_items_per_s"], first["limit_rel"]) == ("", "")
    assert (second["base_s"], second["base_items_per_s"], second["p"]) == ("", "100.0", "")


def test_every_operator_is_in_a_table_of_numbers() -> None:
    made = {**run(), "tailgate_duet": {"benchmarks": [{"fullname": "t.py::test_a", "operators": SLOWER.as_json()}]}}
    rows = list(csv.DictReader(io.StringIO(folder.files([made])["operators.csv"].decode())))
    by_name = {row["head_names"]: row for row in rows}
    assert set(by_name) == {"Conv_12", "Conv_13", "Transpose_1"}
    assert by_name["Conv_12"]["exceeds_scatter"] == "True"
    assert float(by_name["Conv_12"]["contribution_rel"]) == pytest.approx(0.036, abs=1e-4)
    assert float(by_name["Conv_12"]["head_s"]) == pytest.approx(0.00636, rel=1e-3)
    assert (by_name["Transpose_1"]["change"], by_name["Transpose_1"]["base_s"]) == ("new", "")


def test_a_fact_that_is_not_known_is_an_empty_cell() -> None:
    made = run()
    made["machine_info"]["fingerprint"]["cpu_quota"] = None
    rows = csv.DictReader(io.StringIO(folder.files([made])["machine.csv"].decode()))
    assert {row["name"]: row["value"] for row in rows}["cpu_quota"] == ""


def test_pictures_of_several_runs_have_names_of_their_own() -> None:
    made = folder.files([run(), run()])
    assert {"run1-threads-resnet18.png", "run2-threads-resnet18.png"} <= made.keys()


def test_a_hostile_name_is_no_path_and_no_formula() -> None:
    hostile = run()
    for bench in hostile["benchmarks"]:
        bench["extra_info"]["model"] = f"../../{HOSTILE}"
        bench["fullname"] = f"=cmd(){bench['fullname']}"
    made = folder.files([hostile])
    assert not [name for name in made if "/" in name or "\n" in name or len(name) > 100]
    for row in csv.reader(io.StringIO(made["results.csv"].decode())):
        assert not [one for one in row if harmless(one) != one and not one.startswith("'")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out=DIR", "--format=markdown"], "--out writes a page, its pictures and its tables; leave --format away"),
        (["--out=DIR", "--output=x.html"], "leave --output away"),
    ],
)
def test_what_contradicts_it_is_one_line(
    saved: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", saved, *arguments]) == 4
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_one_line(
    saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    assert cli.main(["report", saved, f"--out={tmp_path / 'taken' / 'x'}"]) == 4
    said = capsys.readouterr()
    assert re.fullmatch(r"tailgate: error: --out: .*taken.* cannot be written \(Not a directory\)\n", said.err)


def test_a_disk_that_fills_keeps_what_was_there(
    saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = document.document(document.HERE / "page.html", "earlier", pages=[], any_name="NAME")
    (tmp_path / "index.html").write_text(earlier)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tailgate.commands.report.replace_bytes", full)
    assert cli.main(["report", saved, f"--out={tmp_path}"]) == 4
    assert "--out: " in (said := capsys.readouterr().err)
    assert said.endswith("cannot be written (No space left on device)\n")
    assert (tmp_path / "index.html").read_text() == earlier


@pytest.mark.parametrize("name", ["index.html", "results.csv"])
def test_a_file_that_tailgate_did_not_write_is_kept(
    saved: str, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / name).write_text("mine")
    assert cli.main(["report", saved, f"--out={tmp_path / 'site'}"]) == 4
    said = capsys.readouterr().err
    assert said.endswith(f"site/{name} is there, and Tailgate did not write it; name another folder\n")
    assert [one.name for one in (tmp_path / "site").iterdir()] == [name]
    assert (tmp_path / "site" / name).read_text() == "mine"


def test_its_own_folder_is_written_anew(saved: str, tmp_path: Path) -> None:
    assert [cli.main(["report", saved, f"--out={tmp_path / 'site'}"]) for _ in range(2)] == [0, 0]
