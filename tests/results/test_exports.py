"""Files for other tools, each as its reader reads it: names, gaps, rows that no such file can hold as they are."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from histories import bench, saved_run
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_readers import gitlabs, openmetrics_families, samples
from prometheus_client.parser import text_string_to_metric_families as prometheus_families
from suite import ROOT

from tailgate.commands.formats import Format, ours
from tailgate.commands.main import main
from tailgate.errors import TailgateError
from tailgate.results.pages.bencher import LONGEST_BYTES
from tailgate.results.pages.exported import Measured, Value, export, scaled
from tailgate.results.rows import UNTRUSTED
from tailgate.results.spreadsheet import original
from tailgate.text import printable

BENCHER, ACTION, METRICS, OTAVA = (
    ours()[name] for name in ("bencher", "github-action-benchmark", "openmetrics", "otava-csv")
)
OF_ONE_RUN = ("bencher", "github-action-benchmark", "openmetrics")
EVERY = (*OF_ONE_RUN, "otava-csv")
NAMES = [
    "t.py::test_a[x,y]", 't.py::test_a["q"]', "t.py::test_a['q]", "=cmd()", "a\nb\r\x1b[31m", "back\\slash\\", "`|`",
    "# a comment", "{label}", "\u202eleft", "ünïcödé 日本", " ", "", "x" * 10_000, "é" * 1000,
]  # fmt: skip


def row(name: str = "t.py::test_a", median_s: float = 2e-3, **info: Any) -> dict[str, Any]:
    """One with quartiles and P99's interval apart from their values."""
    found = bench(name, median_s, median_s * 2, **info)
    found["stats"] |= {"q1": median_s * 0.9, "q3": median_s * 1.2, "p99_low": median_s * 1.8, "p99_high": None}
    return found


def said(chosen: Format, *runs: Any) -> list[str]:
    assert chosen.warnings is not None
    return list(chosen.warnings(list(runs)))


def test_bencher_has_its_own_units_and_both_ends() -> None:
    assert json.loads(BENCHER.render([saved_run(row())])) == {
        "t.py::test_a": {
            "latency": {"value": 2e6, "lower_value": 1.8e6, "upper_value": 2.4e6},
            "p99-latency-ns": {"value": 4e6, "lower_value": 3.6e6},
            "throughput": {"value": 500.0},
        }
    }


def test_the_action_s_file_has_latencies_and_the_one_beside_it_throughput() -> None:
    run = saved_run(row())
    median, p99 = json.loads(ACTION.render([run]))
    machine = run["machine_info"]["fingerprint_id"]
    assert median == {
        "name": "t.py::test_a median", "unit": "ms", "value": 2.0, "range": "1.8 to 2.4 ms",
        "extra": f"rounds: 400\nmachine: {machine}\nin brackets: quartiles of the rounds",
    }  # fmt: skip
    assert (p99["name"], p99["value"], p99["range"]) == ("t.py::test_a P99", 4.0, "3.6 to ? ms")
    assert p99["extra"].endswith("in brackets: 95 % interval of P99, as if rounds were independent")
    blocks = row()
    blocks["stats"] |= {"p99_blocks_low": 3e-3, "p99_blocks_high": 5e-3}
    assert json.loads(ACTION.render([saved_run(blocks)]))[1]["extra"].endswith("95 % interval of P99 by blocks")
    assert ACTION.attachments is not None
    (entry,) = json.loads(ACTION.attachments([run])["-throughput.json"])
    assert (entry["name"], entry["unit"], entry["value"]) == ("t.py::test_a throughput", "items/s", 500.0)


@pytest.mark.parametrize("families", [openmetrics_families, prometheus_families])
def test_openmetrics_is_read_by_both_of_prometheus_readers(families: Any) -> None:
    found = samples(METRICS.render([saved_run(row(), row("b", status="contended"))]), families)
    assert found["tailgate_latency_median_seconds"] == {"t.py::test_a": 2e-3, "b": 2e-3}
    assert found["tailgate_latency_p99_low_seconds"]["b"] == pytest.approx(3.6e-3)
    assert "tailgate_latency_p99_high_seconds" not in found
    assert found["tailgate_throughput_items_per_second"]["b"] == 500


def test_a_disturbed_row_of_openmetrics_is_another_series() -> None:
    text = METRICS.render([saved_run(row(status="contended"))])
    (family, *_) = openmetrics_families(text)
    assert family.samples[0].labels["status"] == "contended"
    assert any("status=contended}" in name for name in gitlabs(text))


def test_a_history_for_otava_is_in_order_of_time_without_gaps() -> None:
    late = saved_run(row("a", 3e-3), row("b", status="throttled"), datetime="2026-11-22T10:00:00")
    late["commit_info"] = {"id": "c" * 40, "dirty": True, "branch": "main"}
    early = saved_run(row("a"), row("b"), datetime="2026-11-21T10:00:00+02:00", commit_info={"id": "d" * 40})
    rows = list(csv.DictReader(io.StringIO(OTAVA.render([late, early]))))
    assert [(one["time"], one["branch"], one["median_s"]) for one in rows] == [
        ("2026-11-21T08:00:00+00:00", "a", "0.002"),
        ("2026-11-21T08:00:00+00:00", "b", "0.002"),
        ("2026-11-22T10:00:00+00:00", "a", "0.003"),
    ]
    assert [one["commit"][-7:] for one in rows] == ["ddddddd", "ddddddd", "c-dirty"]
    assert said(OTAVA, late, early) == ["2026-11-22T10:00:00: 1 benchmark left out, disturbed: b (throttled)"]


def test_otava_s_series_are_of_one_machine_each() -> None:
    here, there = saved_run(row()), saved_run(row(), datetime="2026-11-21T10:00:00+00:00")
    there["machine_info"] = {}
    names = [one["branch"] for one in csv.DictReader(io.StringIO(OTAVA.render([here, there])))]
    assert names == [
        f"t.py::test_a on machine {here['machine_info']['fingerprint_id']}",
        "t.py::test_a on machine (unknown)",
    ]
    assert said(OTAVA, here, there) == ["the runs are of 2 machines: each benchmark is a series for each of them"]


def test_otava_gets_no_row_twice_and_none_without_a_time() -> None:
    run, untimed = saved_run(row()), saved_run(row("b"), datetime="yesterday")
    assert OTAVA.render([run, run, untimed]) == OTAVA.render([run])
    assert said(OTAVA, run, run, untimed) == [
        "1 row left out, no time",
        "1 row left out, also in another file",
    ]


@pytest.mark.parametrize("status", sorted(UNTRUSTED))
@pytest.mark.parametrize("name", ["bencher", "github-action-benchmark", "otava-csv"])
def test_a_disturbed_row_is_left_out_and_told(name: str, status: str) -> None:
    run = saved_run(row("clean"), row("bad", status=status))
    assert "bad" not in ours()[name].render([run])
    (line,) = said(ours()[name], run)
    assert line.endswith(f"1 benchmark left out, disturbed: bad ({status})")
    with pytest.raises(TailgateError, match=r"the file would be empty: .*bad .*; measure again"):
        ours()[name].render([saved_run(row("bad", status=status))])


@pytest.mark.parametrize("name", EVERY)
def test_rows_of_one_name_and_what_was_not_measured_are_told(name: str) -> None:
    gone = [{"fullname": f"gone{index}", "status": "oom", "reason": "x"} for index in range(7)]
    run = saved_run(row("one"), row("two"), row("two"), unmeasured=[*gone, None])
    text = ours()[name].render([run])
    assert ("one" in text, "two" in text, "gone" in text) == (True, False, False)
    lines = [line.removeprefix("2026-11-20T10:00:00: ") for line in said(ours()[name], run)]
    assert lines == [
        "1 benchmark left out, several rows of one name: two",
        "7 benchmarks left out, not measured: gone0 (oom), gone1 (oom), gone2 (oom), gone3 (oom), gone4 (oom) "
        "and 2 more",
    ]


@pytest.mark.parametrize("name", OF_ONE_RUN)
def test_a_file_that_has_no_place_for_times_holds_one_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(saved_run(row())))
    assert main(["report", str(file), str(file), f"--format={name}"]) == 4
    assert capsys.readouterr().err == (
        f"tailgate: error: --format={name}: a file holds one run, not 2; write one file for each\n"
    )


def test_the_command_writes_both_files_and_says_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(saved_run(row("clean"), row("bad", status="late"))))
    assert main(["report", str(file), "--format=github-action-benchmark", f"--output={tmp_path}/out.json"]) == 0
    assert json.loads((tmp_path / "out.json").read_text())[0]["name"] == "clean median"
    assert json.loads((tmp_path / "out-throughput.json").read_text())[0]["name"] == "clean throughput"
    assert capsys.readouterr().err == "Warning: 1 benchmark left out, disturbed: bad (late)\n"


@pytest.mark.parametrize(
    ("run", "output"), [("run.json", "run.json"), ("run.json", "link.json"), ("out-throughput.json", "out.json")]
)
def test_a_run_that_is_read_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: str, output: str
) -> None:
    file = tmp_path / run
    file.write_text(json.dumps(saved_run(row())))
    (tmp_path / "link.json").symlink_to(file)
    text = file.read_text()
    command = ["report", str(file), "--format=github-action-benchmark", f"--output={tmp_path / output}"]
    assert main(command) == 4
    assert capsys.readouterr().err.endswith("is one of the runs to read; name another file\n")
    assert file.read_text() == text


PLAIN = {"min": 1e-3, "max": 3e-3, "mean": 2e-3, "stddev": 0.0, "median": 2e-3, "rounds": 5}


@pytest.mark.parametrize("name", EVERY)
def test_a_run_of_plain_pytest_benchmark_has_what_it_has(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = {"benchmarks": [{"name": "a", "fullname": "a", "stats": PLAIN}], "datetime": "2026-11-20T10:00:00.5"}
    file = tmp_path / "run.json"
    file.write_text(json.dumps(run))
    assert main(["report", str(file), f"--format={name}"]) == 0
    output = capsys.readouterr()
    assert ("P99" in output.out, "p99-" in output.out, "p99_seconds" in output.out) == (False, False, False)
    if name == "otava-csv":
        assert output.out.splitlines()[1] == "2026-11-20T10:00:00+00:00,a,,,,0.002,,500.0"
        assert output.err == "Warning: p99_s is empty in 1 row: Otava refuses it among a test's metrics\n"


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(NAMES), st.text(max_size=30)), min_size=1, max_size=4, unique_by=printable))
def test_every_reader_gets_the_same_names(names: list[str]) -> None:
    run = saved_run(*map(row, names))
    shown = [printable(name) or "(no name)" for name in names]

    keys = list(json.loads(BENCHER.render([run])))
    assert all(0 < len(key.encode()) <= LONGEST_BYTES for key in keys)
    assert [key for key in keys if "~" not in key] == [one for one in shown if one in keys and "~" not in one]
    assert len(keys) == len(names)

    entries = [entry["name"].removesuffix(" median") for entry in json.loads(ACTION.render([run]))[::2]]
    assert [entry.replace("\\x60", "`").replace("\\x7c", "|") for entry in entries] == [
        one.replace("\\x60", "`").replace("\\x7c", "|") for one in shown
    ]
    assert not set("`|\n") & set("".join(entries))

    text = METRICS.render([run])
    found = samples(text)["tailgate_latency_median_seconds"]
    assert list(found) == [one.replace("#", "\\x23") for one in shown]
    assert samples(text, prometheus_families) == samples(text)
    assert len(gitlabs(text)) == 3 * len(names) + len(names)

    rows = list(csv.DictReader(io.StringIO(OTAVA.render([run]))))
    assert sorted(original(one["branch"]) for one in rows) == sorted(shown)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("whole", [True, False])
def test_times_of_a_duet_are_left_out_and_told(name: str, whole: bool) -> None:
    run = saved_run(row("a", protocol=None if whole else "duet"), row("b")) | ({"tailgate_duet": {}} if whole else {})
    chosen = ours()[name]
    told = "left out, times of a duet are only good for comparing: "
    (line,) = said(chosen, run)
    assert line.endswith(f"2 benchmarks {told}a, b" if whole else f"1 benchmark {told}a")
    if whole:
        with pytest.raises(TailgateError, match=f"2 benchmarks {told}a, b"):
            chosen.render([run])
    else:
        assert "b" in chosen.render([run])


def test_no_end_lies_on_the_wrong_side() -> None:
    wrong = row()
    wrong["stats"] |= {"q1": 5.0, "q3": 1e-9, "p99_blocks_low": 3.9e-3, "p99_blocks_high": 5e-3}
    (one,) = export(saved_run(wrong)).rows
    assert one == Measured("t.py::test_a", "ok", one.metrics, 400, "2026-11-20T10:00:00+00:00")
    assert one.metrics["median"] == Value(2e-3, ends="quartiles of the rounds")
    assert one.metrics["p99"] == Value(4e-3, 3.9e-3, 5e-3, "95 % interval of P99 by blocks")


def test_a_number_in_another_unit_has_no_noise() -> None:
    assert scaled(1.23e-6, 1e9) == 1230.0
    assert scaled(None, 1e9) is None


def test_the_documented_configuration_of_otava_names_the_columns() -> None:
    page = (ROOT / "docs" / "reference" / "reports.md").read_text()
    block = re.search(r"```yaml\n(tests:.*?)```", page, re.DOTALL)
    assert block is not None
    (test,) = yaml.safe_load(block[1])["tests"].values()
    header = OTAVA.render([saved_run(row())]).splitlines()[0].split(",")
    columns = [test["time_column"], *test["attributes"], *(one["column"] for one in test["metrics"].values())]
    assert set(columns) <= set(header)
    assert {name: one["direction"] for name, one in test["metrics"].items()} == {
        "median": -1,
        "p99": -1,
        "throughput": 1,
    }
