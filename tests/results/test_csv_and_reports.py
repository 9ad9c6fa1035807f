"""The CSV of a run, and `tailgate report` and `tailgate compare` of saved runs: contents, files and refusals."""

import csv
import gc
import io
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign import OTHERS_OFF, run_one, written
from suite import ROOT

from tailgate.commands import main as cli
from tailgate.commands.formats import formats
from tailgate.commands.report import files
from tailgate.errors import TailgateError
from tailgate.results.rows import row
from tailgate.results.tidy_csv import HEADER, TidyCsv

PROJECT = """
import csv
import pytest

@pytest.mark.throughput(items=4)
def test_measured(benchmark):
    benchmark.extra_info.update(model="mlp", threads=2)
    benchmark(sum, [1])

def test_its_row_is_already_on_the_disk():
    with open("rows.csv", newline="") as stream:
        assert list(csv.DictReader(stream))[-1]["name"] == "test_project.py::test_measured"

def test_skipped(benchmark):
    pytest.skip("no GPU, sorry")

def test_failed(benchmark):
    benchmark(lambda: 1 / 0)

@pytest.fixture
def model():
    raise RuntimeError("no such model\\nsecond line")

def test_without_set_up(model, benchmark):
    benchmark(sum, [1])

def test_pedantic(benchmark):
    benchmark.pedantic(sum, args=([1],), rounds=3, iterations=2)
"""


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """A folder with the rows of two sessions, and the JSON of the second."""
    folder = written(tmp_path_factory.mktemp("csv"), PROJECT)
    for _ in range(2):
        done = run_one(folder, "--rounds=5", "--csv=rows.csv", "--benchmark-json=run.json")
        assert " 1 failed, 3 passed, 1 skipped, 1 error" in done.stdout
    return folder


@pytest.fixture(scope="module")
def rows(twice):
    with (twice / "rows.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_rows_of_a_second_run_are_appended_below_one_header(twice, rows):
    text = (twice / "rows.csv").read_text()
    assert text.startswith(",".join(HEADER) + "\n")
    assert text.count("timestamp_utc") == 1
    assert len(rows) == 10
    assert [found["name"] for found in rows[:5]] == [found["name"] for found in rows[5:]]


def test_a_row_holds_the_context_and_the_statistics_of_the_saved_run(twice, rows):
    saved = json.loads((twice / "run.json").read_text())
    by_name = {bench["fullname"]: bench for bench in saved["benchmarks"]}
    for found in rows[5:]:
        if found["status"] != "ok":
            continue
        stats = by_name[found["name"]]["stats"]
        for column, field in (("median_s", "median"), ("p99_s", "p99"), ("throughput_items_per_s", "throughput")):
            assert float(found[column]) == stats[field]
        assert (found["rounds"], found["iterations"]) == (str(stats["rounds"]), str(stats["iterations"]))
        assert found["p99_high_s"] == ""  # missing is empty, never zero
        assert found["fingerprint_id"] == saved["machine_info"]["fingerprint_id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", found["timestamp_utc"])
    assert (rows[5]["model"], rows[5]["threads"], rows[5]["items_per_call"]) == ("mlp", "2", "4")
    assert rows[5]["protocol"] == "quick"


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("test_skipped", "unsupported", "no GPU, sorry"),
        ("test_failed", "failed", "ZeroDivisionError: division by zero"),
        ("test_without_set_up", "failed", "RuntimeError: no such model"),
    ],
)
def test_what_was_not_measured_has_a_row_with_the_reason_and_no_numbers(rows, name, status, reason):
    found = rows[5:][["test_measured", "test_skipped", "test_failed", "test_without_set_up"].index(name)]
    assert (found["name"], found["status"], found["warnings"]) == (f"test_project.py::{name}", status, reason)
    assert {value for column, value in found.items() if column.endswith("_s")} == {""}


def test_what_was_not_measured_is_in_the_json_too(twice):
    saved = json.loads((twice / "run.json").read_text())
    assert [(entry["fullname"], entry["status"]) for entry in saved["unmeasured"]] == [
        ("test_project.py::test_skipped", "unsupported"),
        ("test_project.py::test_failed", "failed"),
        ("test_project.py::test_without_set_up", "failed"),
    ]


def test_a_csv_of_other_columns_is_refused_before_anything_is_measured(pytester):
    pytester.makepyfile("def test_one(benchmark): benchmark(sum, [1])")
    theirs = pytester.path / "theirs.csv"
    theirs.write_text("a,b\n1,2\n")
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "--csv=theirs.csv")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in ran.errlines if line.startswith("ERROR")]
    assert "theirs.csv has other columns" in line
    assert "collected" not in ran.stdout.str()
    assert theirs.read_text() == "a,b\n1,2\n"


def refusal_of(file):
    try:
        TidyCsv(file)
    except Exception as error:
        return error.with_traceback(None)  # whose frames would keep a file open that was left open
    return None


@pytest.mark.parametrize("content", [b"a,b\n", b"\n", b"\x89PNG\r\n\x1a\n\xff", b"\xff\xfe\x00", b"a\x00b\n"])
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path, content):
    file = tmp_path / "theirs"
    file.write_bytes(content)
    refusal = refusal_of(file)
    gc.collect()
    assert isinstance(refusal, TailgateError)
    assert str(refusal).startswith(f"--csv: {file} ")
    assert file.read_bytes() == content


def test_a_csv_is_made_with_its_folders_and_its_header(tmp_path):
    TidyCsv(tmp_path / "a" / "b" / "rows.csv").close()
    assert (tmp_path / "a" / "b" / "rows.csv").read_text() == ",".join(HEADER) + "\n"


def test_a_row_after_one_that_was_cut_off_starts_on_its_own_line(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(",".join(HEADER) + "\n2026-01-01,abc,half a na")
    rows = TidyCsv(file)
    rows.append(row("test_next", None, {}))
    rows.close()
    with file.open(newline="") as stream:
        *_, last = csv.DictReader(stream)
    assert last["name"] == "test_next"


def test_a_row_names_what_is_known_and_leaves_the_rest_none():
    found = row("test_a", {"median": 0.5, "p99": None}, {"model": "mlp", "warnings": ["one", "two"], "other": 1})
    assert (found["name"], found["status"], found["model"], found["warnings"]) == ("test_a", "ok", "mlp", "one | two")
    assert (found["median_s"], found["p99_s"], found["min_s"], found["threads"]) == (0.5, None, None, None)
    assert "other" not in found
    assert set(found) <= set(HEADER)


FINGERPRINT = {
    "cpu_model": "Cray-1", "arch": "x86_64", "usable_cpus": 2, "cpu_quota": None, "memory_total_bytes": 2**33,
    "gpu_models": [], "driver_version": None, "thread_env": {},
    "packages": {"python": "3.11.7", "torch": "2.15.0", "torchvision": "0.29.0"},
}  # fmt: skip
FACTS = {
    "hostname": "cray", "os": "COS", "kernel": "1.17", "arch": "x86_64", "cpu_logical_cpus": 2, "cpu_sockets": 1,
    "cpu_cores_per_socket": 2, "cpu_threads_per_core": None, "mem_total_mb": 8192,
}  # fmt: skip


def cell(median_s, *, model="resnet18", runtime="pytorch", precision="fp32", threads=1, batch=1, image_size=224):
    """One benchmark as pytest-benchmark saves it, with raw rounds; Tailgate completes the rest."""
    data = [median_s * factor for factor in (0.9, 1.0, 1.0, 1.0, 1.3)]
    name = f"test_model[{model}-{runtime}-{precision}-t{threads}-b{batch}]"
    return {
        "name": name, "fullname": f"test_study.py::{name}", "group": None, "param": None, "params": None, "options": {},
        "extra_info": {
            "model": model, "runtime": runtime, "precision": precision, "threads": threads, "batch_size": batch,
            "items_per_call": batch, "image_size": image_size, "device": "cpu", "warmup_rounds": 20,
        },
        "stats": {
            "min": min(data), "max": max(data), "mean": statistics.fmean(data), "stddev": statistics.stdev(data),
            "median": statistics.median(data), "rounds": len(data), "iterations": 1, "iqr": 0.0, "q1": data[1],
            "q3": data[1], "outliers": "1;1", "ops": 1 / statistics.fmean(data), "total": sum(data), "data": data,
        },
    }  # fmt: skip


@pytest.fixture
def save(tmp_path):
    """Write a run with these cells; gives its path."""

    def write(name, *cells, machine_id="0123456789ab"):
        run = {
            "machine_info": {"fingerprint": FINGERPRINT, "fingerprint_id": machine_id, "machine_facts": FACTS},
            "datetime": "2026-01-02T03:04:05+00:00", "version": "5.3.1", "tailgate_schema_version": 1,
            "benchmarks": list(cells),
        }  # fmt: skip
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(run))
        return str(path)

    return write


def report(capsys, *arguments):
    """The text and the exit code of ``tailgate report``."""
    code = cli.main(["report", *map(str, arguments)])
    return capsys.readouterr(), code


def assert_one_line(error, *texts):
    assert error.count("\n") == 1
    assert error.startswith("tailgate")
    assert not [text for text in texts if text not in error]


def refused(reported, *texts):
    """That it is exit code 4, one line with these texts, and no output."""
    said, code = reported
    assert (code, said.out) == (4, "")
    assert_one_line(said.err, *texts)


def gdev_ai(capsys, *paths):
    (said, code) = report(capsys, *paths, "--format=gdev-ai")
    assert code == 0
    return said.out, list(csv.DictReader(io.StringIO(said.out)))


def test_study_1s_file_has_its_27_columns_in_its_order(capsys, save):
    text, _ = gdev_ai(capsys, save("a", cell(0.1)))
    header = (
        "timestamp_utc, device, sweep_id, repeat_id, model, batch_size, threads, iters, warmup_iters, median_ms, "
        "mean_ms, p99_latency_ms, throughput_ips, hostname, os, kernel, arch, cpu_model, cpu_sockets, "
        "cpu_cores_per_socket, cpu_threads_per_core, cpu_logical_cpus, mem_total_mb, python_version, torch_version, "
        "cuda_available, torchvision_version"
    )
    assert text.splitlines()[0].split(",") == header.split(", ")
    assert len(header.split(", ")) == 27


def test_study_1s_file_has_no_place_for_a_status_so_the_command_says_it(capsys, save):
    disturbed = cell(0.1, threads=2)
    disturbed["extra_info"]["status"] = "contended"
    said, code = report(capsys, save("a", cell(0.1), disturbed), "--format=gdev-ai")
    assert (code, said.out.count("resnet18"), said.err.count("\n")) == (0, 2, 1)
    assert said.err.startswith("Warning: 1 contended: ")
    assert report(capsys, save("b", cell(0.1)), "--format=gdev-ai")[0].err == ""


def test_study_1s_file_gives_latencies_in_ms_and_images_per_second(capsys, save):
    data_s = cell(0.1)["stats"]["data"]
    _, (found,) = gdev_ai(capsys, save("a", cell(0.1, threads=2, batch=4)))
    assert float(found["median_ms"]) == pytest.approx(100)
    assert float(found["mean_ms"]) == pytest.approx(statistics.fmean(data_s) * 1e3)
    assert float(found["p99_latency_ms"]) == pytest.approx(np.percentile(data_s, 99) * 1e3)
    assert float(found["throughput_ips"]) == pytest.approx(4 / 0.1)
    assert (found["model"], found["batch_size"], found["threads"]) == ("resnet18", "4", "2")
    assert (found["iters"], found["warmup_iters"], found["device"]) == ("5", "20", "cpu")


def test_study_1s_file_describes_the_machine_and_leaves_unknown_facts_empty(capsys, save):
    _, (found,) = gdev_ai(capsys, save("a", cell(0.1)))
    assert (found["hostname"], found["cpu_model"], found["mem_total_mb"]) == ("cray", "Cray-1", "8192")
    assert (found["python_version"], found["torch_version"], found["torchvision_version"]) == (
        "3.11.7", "2.15.0", "0.29.0",
    )  # fmt: skip
    assert found["cuda_available"] == "False"
    assert found["cpu_threads_per_core"] == ""
    assert found["timestamp_utc"] == "2026-01-02T03:04:05+00:00"


def test_sweeps_count_runs_and_repeats_count_rows_of_one_cell(capsys, save):
    first = save("a", cell(0.1), cell(0.2, batch=2), cell(0.1))
    _, found = gdev_ai(capsys, first, save("b", cell(0.1)))
    assert [(line["sweep_id"], line["repeat_id"], line["batch_size"]) for line in found] == [
        ("1", "1", "1"),
        ("1", "1", "2"),
        ("1", "2", "1"),
        ("2", "1", "1"),
    ]


def test_what_study_1_has_no_column_for_is_left_out(capsys, save):
    others = [cell(0.1, runtime="onnxruntime"), cell(0.1, precision="bf16"), cell(0.1, model="mlp", image_size=None)]
    _, found = gdev_ai(capsys, save("a", *others, cell(0.1, model="resnet50")))
    assert [line["model"] for line in found] == ["resnet50"]
    refused(report(capsys, save("b", *others), "--format=gdev-ai"), "pytorch fp32", "pytest benchmarks")


def test_the_scaling_report_names_its_base_and_compares_nothing_with_itself(capsys, save):
    said, code = report(capsys, save("a", cell(0.06, threads=2), cell(0.08, threads=4)), "--format=scaling")
    lines = said.out.splitlines()
    assert code == 0
    assert "| 1 | 2 | 16.67 | – | – | is the base |" in lines
    assert "| 1 | 4 | 12.50 | 0.75 | 38% | 2 threads |" in lines
    assert "| 2 | 1 | 60.00 | 16.67 | – | – | – |" in lines
    said, _ = report(capsys, save("b", cell(0.1), cell(0.05, threads=4)), "--format=scaling")
    assert "oversubscription not measured" in said.out


def test_names_in_the_scaling_report_are_no_markup(capsys, save):
    said, _ = report(capsys, save("a", cell(0.1, model="<script>\x1b[2J\n# a|b")), "--format=scaling")
    (heading,) = [line for line in said.out.splitlines() if line.startswith("## ")]
    assert not set("<|\x1b") & set(heading)


def test_the_scaling_report_derives_study_1s_findings(capsys, save):
    path = save(
        "a", cell(0.100), cell(0.060, threads=2), cell(0.080, threads=4),
        cell(0.190, batch=2), cell(0.110, threads=2, batch=2), cell(0.400, batch=4),
    )  # fmt: skip
    said, code = report(capsys, path, "--format=scaling")
    assert code == 0
    lines = said.out.splitlines()
    assert "Cray-1, 2 usable CPUs; 1 run." in lines
    assert "## resnet18 · pytorch · fp32 · 224 px" in lines
    assert "| 1 | 2 | 16.67 | 1.67 | 83% | 1 thread |" in lines  # batch, threads, items/s, speed-up, efficiency
    assert "| 1 | 4 | 12.50 | 1.25 | 31% | 1 thread |" in lines  # the oversubscribed count stands beside the others
    assert "| 1 | 2 | 190.00 | 10.53 | 1.90 | 1.05 | batch 1 |" in lines  # threads, batch, ms, items/s, factors
    sides = "4 threads against 2, the best within 2 CPUs"
    assert f"- batch 1: oversubscription costs 25% of throughput ({sides})" in lines
    assert "- batch 2: oversubscription not measured (add --threads=2 and more than that)" in lines
    assert "- 1 thread: saturated from batch 2 (no larger batch size gains 5%)" in lines
    assert "- 4 threads: saturation over batch size not known (one measured)" in lines
    assert "- batch 1: not saturated at the largest thread count measured (2)" in lines  # of those within the CPUs


def test_the_scaling_report_takes_the_median_of_cells_measured_several_times(capsys, save):
    paths = [save(name, cell(median_s)) for name, median_s in (("a", 0.1), ("b", 0.2), ("c", 0.5))]
    said, _ = report(capsys, *paths, "--format=scaling")
    assert "3 runs" in said.out
    assert "| 1 | 1 | 200.00 | 5.00 | – | – | – |" in said.out.splitlines()


def test_the_scaling_report_refuses_runs_of_different_machines(capsys, save):
    paths = [save("a", cell(0.1)), save("b", cell(0.1), machine_id="ba9876543210")]
    refused(report(capsys, *paths, "--format=scaling"), "0123456789ab, ba9876543210", "report each on its own")


def test_the_scaling_report_needs_threads_and_batch_sizes(capsys, save):
    refused(
        report(capsys, save("a", cell(0.1, threads=None)), "--format=scaling"),
        "no row with model, threads and batch_size",
    )


def test_a_report_without_a_format_names_them(capsys, save):
    refused(report(capsys, save("a", cell(0.1))), "--format: name one", "html, load, markdown", "scaling")


def test_all_formats_are_known():
    ours = [
        "accuracy", "bencher", "deep-gap", "deep-gap-csv", "framework-comparison", "gdev-ai",
        "github-action-benchmark", "html", "load", "markdown", "modelgauge", "openmetrics", "otava-csv", "roofline",
        "scaling", "training", "trtexec",
    ]  # fmt: skip
    assert list(formats(ROOT)) == ours


def test_an_unknown_format_names_the_nearest(capsys, save):
    refused(
        report(capsys, save("a", cell(0.1)), "--format=scalling"),
        "'scalling'",
        "did you mean 'scaling'?",
        f"allowed: {', '.join(formats(ROOT))}",
    )


@pytest.mark.parametrize("arguments", [[], ["report"], ["report", "x", "--fromat=y"]])
def test_wrong_use_of_the_command_is_exit_code_4_and_one_line(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 4
    assert_one_line(capsys.readouterr().err, "--help")


def test_an_unknown_command_names_the_nearest(capsys):
    assert cli.main(["reprot"]) == 4
    assert_one_line(capsys.readouterr().err, "did you mean 'report'?")


def test_a_missing_file_is_exit_code_4_and_one_line(capsys, tmp_path):
    refused(report(capsys, tmp_path / "missing.json", "--format=scaling"), "missing.json", "cannot be read")


def test_a_truncated_file_is_exit_code_4_and_one_line(capsys, save):
    path = Path(save("a", cell(0.1)))
    path.write_text(path.read_text()[:-9])
    refused(report(capsys, path, "--format=scaling"), str(path), "truncated")


def test_output_is_written_to_a_file_with_its_folders(capsys, save, tmp_path):
    target = tmp_path / "a" / "b" / "report.md"
    said, code = report(capsys, save("a", cell(0.1)), "--format=scaling", "--output", target)
    assert (code, said.out) == (0, f"Wrote {target}\n")
    assert target.read_text().startswith("# Scaling")


@pytest.mark.parametrize("below", ["", "below.md"])
def test_output_that_cannot_be_written_is_exit_code_4_and_one_line(capsys, save, tmp_path, below):
    (tmp_path / "taken").mkdir() if not below else (tmp_path / "taken").touch()
    refused(
        report(capsys, save("a", cell(0.1)), "--format=scaling", "--output", tmp_path / "taken" / below),
        "--output",
        "taken",
        "cannot be written",
    )


def compare(folder, *arguments):
    script = Path(sys.executable).with_name("tailgate")
    return subprocess.run([script, "compare", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_saved_runs_are_compared_with_our_columns_and_another_machine_is_named(save, tmp_path):
    save("a", cell(0.3), cell(0.1, threads=2))
    save("b", cell(0.2), machine_id="ba9876543210")
    done = compare(tmp_path, "a.json", "b.json", "--columns=p99,throughput", "--sort=p99", "--csv=out.csv")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert done.stdout.startswith("These runs are from different machines (0123456789ab, ba9876543210): ")
    table, _, speedups = done.stdout.partition("speed-up of the median")
    lines = table.splitlines()
    (header,) = [line for line in lines if line.startswith("Name")]
    assert re.search(r"P99 \[95 % interval\] +Throughput \(items/s\)", header)
    assert re.search(r"3 tests, test_model\[.*-\*-b1\] ", table)
    rows = [re.match(r"t(\d) \((\w+)\) ", line) for line in lines]
    assert [row.groups() for row in rows if row] == [("2", "a"), ("1", "b"), ("1", "a")]
    assert "1.50x incomparable" in speedups
    with (tmp_path / "out.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [float(line["throughput"]) for line in found] == pytest.approx([10, 5, 1 / 0.3])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["missing.json"], "missing.json"),
        (["a.json", "--sort=p98"], "did you mean 'p9"),
        (["a.json", "--columns=p98"], "p98"),
    ],
    ids=["missing", "unknown-sort-column", "unknown-column"],
)
def test_a_comparison_that_cannot_be_made_is_exit_code_4(capsys, monkeypatch, save, tmp_path, arguments, text):
    save("a", cell(0.1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pytest_benchmark.cli.TableResults", None)  # set by the command, and put back after it
    assert cli.main(["compare", *arguments]) == 4
    assert text in capsys.readouterr().err


def test_comparing_nothing_is_not_green(tmp_path):
    done = compare(tmp_path, "nothing-saved-under-this-name")
    assert done.returncode == 4
    assert "nothing-saved-under-this-name" in done.stderr


def test_attachments_lie_beside_the_text_under_its_name():
    written = files(Path("out/a.md"), "text", {".csv": b"1", "-smir.png": b"2"})
    assert written == {Path("out/a.md"): b"text", Path("out/a.csv"): b"1", Path("out/a-smir.png"): b"2"}


def test_where_the_output_names_an_attachment_the_text_goes_to_markdown():
    assert files(Path("a.csv"), "text", {".csv": b"1"}) == {Path("a.md"): b"text", Path("a.csv"): b"1"}
