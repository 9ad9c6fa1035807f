"""Runs that older pytest-benchmark saved, on machines of every kind: told apart, and read without a hole."""

import csv
import itertools
import json
import re
import sys
from pathlib import Path

import pytest
from histories import bench, saved_run, scattered
from suite import ROOT

from tailgate.commands.formats import formats
from tailgate.commands.main import main
from tailgate.gates.saved.baselines import shown
from tailgate.gates.saved.sessions import differences, read, remark
from tailgate.results.columns import STOCK
from tailgate.results.processor import differences as between
from tailgate.results.processor import processor_of
from tailgate.results.rows import rows_of
from tailgate.results.saved_run import NEEDED, load_run
from tailgate.session.extent import partial

# pytest-benchmark's command loads every installed plug-in into this process, and some warn of that.
pytestmark = pytest.mark.filterwarnings("ignore")
X, Y = "tests/test_a.py::test_x", "tests/test_a.py::test_y"
XEON = "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz"
ARM = {"arch": "ARM_8", "bits": 64, "count": 4, "arch_string_raw": "aarch64", "flags": ["asimd", "fp"]}
KNOWN = {  # each is another machine than every other
    "xeon": [
        {"brand": XEON, "vendor_id": "GenuineIntel", "hz_advertised": "2.4000 GHz", "arch": "X86_64"},
        {"brand_raw": XEON, "vendor_id_raw": "GenuineIntel", "hz_actual": [1, 0], "flags": ["sse"]},
        {"brand_raw": f"  {XEON.replace(' ', '  ')}", "count": 28},
        {"brand_raw": "unknown", "brand": XEON},
    ],
    "another": [{"brand_raw": "AMD EPYC 7763"}, {"brand": "AMD EPYC 7763", "flags": ["avx2"]}],
    "apple": [{"brand_raw": "Apple M1", "arch": "ARM_8", "count": 8}],
    "arm": [ARM, {**ARM, "flags": ["fp", "asimd"]}, {**ARM, "brand": "Unknown", "hz_actual_friendly": "1 GHz"}],
    "arm of other features": [{**ARM, "flags": ["asimd", "fp", "sve"]}],
    "arm of other size": [{**ARM, "count": 64}],
    "arm 32": [{**ARM, "bits": 32}],
    "board": [{"hardware_raw": "BCM2835", "arch": "ARM_7"}, {"hardware": "BCM2835", "arch": "ARM_7"}],
}
UNKNOWN = [
    None,
    {},
    "x86",
    {"brand": "unknown", "vendor_id": "unknown", "hardware": "unknown"},
    {"brand_raw": "unknown"},
    {"brand_raw": None, "count": "unknown", "flags": []},
    {"arch": "X86_64", "bits": 64},
]


def session(tmp_path, cpu, name="run.json"):
    run = {**saved_run(bench(X, 1e-3)), "machine_info": {"cpu": cpu} if cpu is not None else {}}
    (tmp_path / name).write_text(json.dumps(run))
    return read(tmp_path / name)


def test_machines_without_a_fingerprint_are_told_apart(tmp_path):
    every = [(name, session(tmp_path, cpu)) for name, cpus in KNOWN.items() for cpu in cpus]
    for (one, ours), (other, theirs) in itertools.product(every, repeat=2):
        assert (not differences(ours, theirs)) == (one == other), (one, other, differences(ours, theirs))


@pytest.mark.parametrize("cpu", UNKNOWN, ids=str)
def test_a_machine_that_nobody_knows_equals_none(cpu, tmp_path):
    nobody = session(tmp_path, cpu)
    for other in [*UNKNOWN, *(one for cpus in KNOWN.values() for one in cpus)]:
        (said,) = differences(nobody, session(tmp_path, other))
        assert "known" in said
    assert "with nothing" in remark([nobody])


@pytest.mark.parametrize(
    ("cpu", "text"),
    [
        (KNOWN["xeon"][0], "by processor name only"),
        (ARM, "by the processor's arch, bits, count, flags only (its name is not known)"),
    ],
)
def test_by_what_machines_are_compared_is_said(cpu, text, tmp_path):
    assert remark([session(tmp_path, cpu)]).endswith(text)


def test_what_differs_is_said():
    arm = processor_of(ARM)
    assert between(arm, {**arm, "count": 64}) == ["cpu count 64 there, 4 here"]
    assert between(arm, {**arm, "flags": ("fp", "sve")}) == ["cpu flags: sve only there, asimd only here"]
    assert between(arm, {"brand": "Apple M1"}) == ["the processor's name is known only there"]


def written(tmp_path, name, info=None, **without):
    """Two files of two benchmarks: in the first, these fields are not there."""
    rows = [bench(one, median_s, **info or {}) for one, median_s in ((X, 1e-3), (Y, 2e-3))]
    for row in rows:
        for place, names in without.items():
            for one in names:
                (row if place == "bench" else row["stats"]).pop(one, None)
    old, new = tmp_path / f"{name}.json", tmp_path / "new.json"
    old.write_text(json.dumps({**saved_run(*rows), "machine_info": {"cpu": ARM}}))
    new.write_text(json.dumps({**saved_run(bench(X, 1e-3), bench(Y, 2e-3)), "machine_info": {"cpu": ARM}}))
    return old, new


def tailgate(capsys, monkeypatch, *arguments):
    monkeypatch.chdir(Path(arguments[1]).parent)  # pytest-benchmark imports the conftest.py that it finds
    monkeypatch.setattr(sys, "argv", ["tailgate", *map(str, arguments)])
    code = main()
    out, err = capsys.readouterr()
    return code, out + err


ALL_COLUMNS = "--columns=min,max,mean,stddev,median,iqr,outliers,ops,rounds,iterations,p99,throughput"
READERS = ([], [ALL_COLUMNS], ["--sort=ops"], ["--sort=iqr"], ["--group-by=param"], ["--fail-on-regression"])
OLD = [name for name in (*STOCK, "throughput", "p99") if name not in NEEDED]


@pytest.mark.parametrize("field", OLD)
def test_a_file_without_a_statistic_is_read_by_compare(field, tmp_path, capsys, monkeypatch):
    old, new = written(tmp_path, "old", stats=[field], bench=["param", "params", "options", "group"])
    for more in READERS:
        code, said = tailgate(capsys, monkeypatch, "compare", old, new, *more)
        assert code == 0, said
    assert load_run(old)["benchmarks"][0]["stats"][field] is None or field in ("ops", "iqr", "throughput")
    code, said = tailgate(capsys, monkeypatch, "compare", old, new, "--between=median,ops")
    assert code == 0, said


def test_what_is_not_there_is_a_dash_with_its_reason_and_an_empty_cell(tmp_path, capsys, monkeypatch):
    old, new = written(tmp_path, "old", stats=["iterations", "outliers"], info={"device": "cuda:0"})
    table = tmp_path / "table.csv"
    code, said = tailgate(
        capsys, monkeypatch, "compare", old, new, "--columns=median,iterations,outliers", f"--csv={table}"
    )
    assert code == 0
    assert "-  not known: the saved run holds neither the value nor raw rounds." in said
    with table.open() as stream:
        assert sorted(row["iterations"] for row in csv.DictReader(stream)) == ["", "", "1", "1"]
    (first, _) = rows_of(load_run(old))
    assert first["iterations"] is None
    assert first["warnings"] == "not in the saved run, nor the rounds to find it from: iterations"
    assert "calls a round: not in the saved run, taken as one" in formats(ROOT)["trtexec"].render([load_run(old)])


@pytest.mark.parametrize("column", ["iqr", "ops"])
def test_between_says_which_value_it_lacks(column, tmp_path, capsys, monkeypatch):
    old, new = written(tmp_path, "old", stats=["iqr", "q1", "ops"])
    run = json.loads(old.read_text())
    run["benchmarks"][0]["stats"]["mean"] = 0
    old.write_text(json.dumps(run))
    code, said = tailgate(capsys, monkeypatch, "compare", old, new, f"--between={column}")
    assert code == 4
    assert said.strip().splitlines()[-1].startswith(f"tailgate: error: compare --between: {X} of ")
    assert f"has no {column}; leave the column or the file out" in said


@pytest.mark.parametrize("name", formats(ROOT))
def test_every_report_reads_an_old_file(name, tmp_path, capsys, monkeypatch):
    old, _ = written(tmp_path, "old", stats=OLD, bench=["param", "params", "options", "group", "extra_info"])
    code, said = tailgate(capsys, monkeypatch, "report", old, "--format", name, "--output", tmp_path / "out.md")
    assert code in (0, 4), said
    assert code == 0 or len(said.splitlines()) == 1


def test_an_old_file_is_history_and_a_baseline(tmp_path):
    home = tmp_path / "Linux-CPython-3.7-64bit"
    home.mkdir()
    for number, median_s in enumerate(scattered(3), 1):
        old, _ = written(tmp_path, "old", stats=OLD)
        run = json.loads(old.read_text())
        run["benchmarks"][0]["stats"]["median"] = median_s
        (home / f"{number:04}_x.json").write_text(json.dumps(run))
    assert re.search(r"test_x +3 +998\.9 µs +0\.2 %", shown(tmp_path, "x"))


@pytest.fixture
def doubled(tmp_path):
    """Files of one machine; in the second one name is there twice."""
    runs = [[bench(X, 1e-3), bench(Y, 1e-3)], [bench(X, 1e-3), bench(X, 9e-3), bench(Y, 1e-3)]]
    files = [tmp_path / f"000{number}_x.json" for number in (1, 2)]
    for file, rows in zip(files, runs, strict=True):
        file.write_text(json.dumps({**saved_run(*rows), "machine_info": {"cpu": ARM}}))
    return files


def test_two_rows_of_one_name_are_nobody_s(doubled, capsys, monkeypatch):
    one, two = doubled
    assert read(two).several == {X: 2}
    assert list(read(two).samples) == [Y]
    code, said = tailgate(capsys, monkeypatch, "compare", one, two, "--fail-on-regression")
    assert code == 0
    assert "incomparable: test_x: 2 rows of one name in 0002_x.json" in said
    assert "incomparable: 2 rows" in said
    assert "missing" not in said
    code, said = tailgate(capsys, monkeypatch, "compare", two, one, "--fail-on-regression")
    assert code == 0
    assert "incomparable: test_x: 2 rows of one name in 0002_x.json" in said
    assert "0002_x.json: 2 rows are called tests/test_a.py::test_x: not used" in said
    assert partial(load_run(two)) == [f"The run compared with has 2 rows called {X}: the last of them is shown."]


def test_a_name_that_is_there_twice_is_there(doubled, tmp_path, capsys, monkeypatch):
    gone = tmp_path / "0003_x.json"
    gone.write_text(json.dumps({**saved_run(bench(Y, 1e-3)), "machine_info": {"cpu": ARM}}))
    code, said = tailgate(capsys, monkeypatch, "compare", doubled[1], gone, "--fail-on-regression")
    assert code == 1
    assert f"{X} missing: in 0002_x.json, and not in 0003_x.json" in said
