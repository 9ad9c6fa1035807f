"""Study 1 end to end, as a user runs it, on a small model: measured, saved, compared, reported."""

import csv
import functools
import io
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from suite import Outcome, saved
from suite import suite as whole_suite

from studies.cpu_scaling.gdev_ai_csv import HEADER
from tailgate.commands.main import main

pytestmark = pytest.mark.end_to_end

suite = functools.partial(whole_suite, within="benchmarks/test_cpu_scaling.py")
SMALL = ("--models=resnet18,mlp", "--image-size=32", "--threads=1,3", "--batch-sizes=1,2", "--precisions=fp32,int8")
QUICK = ("--rounds=20", "--warmup-rounds=3")


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("baselines")


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "rows.csv"


@pytest.fixture(scope="module")
def first(baselines: Path, rows_file: Path) -> Outcome:
    strict = {"TAILGATE_ACCURACY": "least_snr_db=200"}  # no int8 meets it, so that the end of the run says so
    # One model at two thread counts is enough.
    chosen = ("-k", "resnet18 or t1", "--benchmark-save=epyc", "--csv", str(rows_file))
    return suite(*SMALL, *QUICK, *chosen, baselines=baselines, **strict)


@pytest.fixture(scope="module")
def bench(first: Outcome, baselines: Path) -> dict[str, dict]:
    assert first.code == 0, first.text
    # Ids name the image size where it is not 224; the tests below do without.
    return {entry["param"].removesuffix("-32px"): entry for entry in saved(baselines, "0001_epyc")["benchmarks"]}


def test_the_table_has_the_suites_columns(first: Outcome) -> None:
    assert first.code == 0, first.text
    (header, *_) = first.lines(r"^Name \(time in")
    assert re.fullmatch(r"Name \(time in .s\) +Min +Median +P99 \[95 %.*\] +StdDev +Rounds +.*[iI]tems/s\)?", header)
    assert first.lines(r"fewer than 368 rounds")


def test_the_tables_and_their_legend_fit_100_columns_and_say_the_tests_name_once(first: Outcome) -> None:
    _, after = first.text.split("\n\n-", 1)
    tables, legend = after.split("\nLegend:\n")
    notes = itertools.takewhile(lambda line: line.startswith("  "), legend.splitlines())
    assert max(len(line) for line in (*tables.splitlines(), *notes)) <= 100
    assert tables.count("test_cpu_scaling[resnet18-*-b1-32px]") == 1
    assert tables.count("test_cpu_scaling[") == tables.count(" benchmark '") == 4
    assert re.search(r"^onnxruntime-fp32-t1 ", tables, re.MULTILINE)


def test_progress_says_which_how_many_and_time_left(first: Outcome) -> None:
    assert first.lines(r"^\[ 1/36\] test_cpu_scaling\[resnet18-pytorch-fp32-t1-b1-32px\] \.\.\. median .* left$")


def test_every_cell_is_measured_or_has_a_reason(first: Outcome, bench: dict[str, dict], baselines: Path) -> None:
    run = saved(baselines, "0001_epyc")
    cells = (2 + 1) * 2 * 3 * 2
    assert len(bench) + len(run["unmeasured"]) == cells
    reasons = {entry["reason"].split(":")[0] for entry in run["unmeasured"]}
    assert reasons == {"pytorch int8", "openvino fp32", "openvino int8"}
    assert all(entry["status"] == "unsupported" for entry in run["unmeasured"])
    assert first.lines(r"^Measured \d+ of \d+ selected benchmarks. Not measured, or failed:")


@pytest.mark.parametrize(
    "field",
    [
        "study", "model", "runtime", "runtime_version", "precision", "precision_compiled", "device", "threads",
        "batch_size", "items_per_call", "image_size", "weights", "phase", "protocol", "parameters", "macs",
        "flops_counter", "model_sha256", "output_error_rel", "top1_agreement", "load_s", "first_call_s",
        "warmup_rounds", "cpu_utilization", "rss_peak_bytes", "rss_growth_bytes", "status", "warnings", "model_bytes",
        "check_items",
    ],
)  # fmt: skip
def test_every_field_of_the_contract_is_there(bench: dict[str, dict], field: str) -> None:
    info = bench["resnet18-onnxruntime-fp32-t1-b2"]["extra_info"]
    assert info[field] is not None


def test_the_row_describes_what_ran(bench: dict[str, dict]) -> None:
    info = bench["resnet18-pytorch-fp32-t1-b2"]["extra_info"]
    assert info["memory_format"] == "channels_last"
    assert info["precision_compiled"] == "fp32"
    assert info["output_error_rel"] < 1e-4
    assert info["top1_agreement"] == 1
    assert info["threads_observed"] == 1
    assert 0.1 < info["cpu_utilization"] < 1.2
    assert info["rss_growth_bytes"] <= info["rss_peak_bytes"]
    assert (info["warmup_rounds"], info["protocol"]) == (3, "quick")
    assert bench["mlp-pytorch-fp32-t1-b2"]["extra_info"]["memory_format"] == "contiguous"


def test_all_runtimes_ran_the_same_weights(bench: dict[str, dict]) -> None:
    hashes = {
        name: {e["extra_info"]["model_sha256"] for p, e in bench.items() if p.startswith(name)}
        for name in ("resnet18", "mlp")
    }
    assert all(len(found) == 1 for found in hashes.values())
    assert hashes["resnet18"] != hashes["mlp"]


def test_int8_files_are_smaller_and_the_run_ends_with_what_is_not_accurate_enough(
    first: Outcome, bench: dict[str, dict]
) -> None:
    cells = ("pytorch-fp32", "onnxruntime-fp32", "onnxruntime-int8")
    module, file, quantised = (bench[f"mlp-{cell}-t1-b1"]["extra_info"]["model_bytes"] for cell in cells)
    assert module == 4 * 36_737 < file < 5 * 36_737
    assert quantised < file / 2
    int8 = [entry for name, entry in bench.items() if "-int8-" in name]
    assert len(int8) > 1
    (line,) = first.lines(r"^not accurate enough: .* int8 on .* 200 dB at least")
    assert line.startswith(f"not accurate enough: {len(int8)} rows: ")


def test_raw_rounds_and_statistics_agree(bench: dict[str, dict]) -> None:
    for entry in bench.values():
        stats = entry["stats"]
        assert len(stats["data"]) == stats["rounds"] == 20
        assert stats["p99"] == np.percentile(stats["data"], 99)
        assert stats["throughput"] == pytest.approx(entry["extra_info"]["batch_size"] / np.median(stats["data"]))
        assert stats["p99_high"] is None


def test_oversubscribed_cells_are_measured_and_marked(first: Outcome, bench: dict[str, dict]) -> None:
    assert bench["resnet18-pytorch-fp32-t3-b1"]["extra_info"]["status"] == "oversubscribed"
    assert first.lines(r"^pytorch-fp32-t3 \(oversubscribed\) ")


def test_tidy_rows_are_appended_for_every_cell(bench: dict[str, dict], rows_file: Path, baselines: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(rows_file.read_text())))
    assert len(rows) == len(bench) + len(saved(baselines, "0001_epyc")["unmeasured"])
    measured = [row for row in rows if row["median_s"]]
    assert {row["status"] for row in rows if not row["median_s"]} == {"unsupported"}
    assert all(float(row["p99_s"]) >= float(row["median_s"]) for row in measured)


def test_the_next_run_compares_by_the_plain_word(bench: dict[str, dict], baselines: Path) -> None:
    outcome = suite(*SMALL, *QUICK, "-k", "mlp and fp32 and t1", "--benchmark-compare=epyc", baselines=baselines)
    assert outcome.code == 0, outcome.text
    assert outcome.lines(r" test_cpu_scaling\[mlp-\*-fp32-t1-b1\] ")
    assert outcome.lines(r"^onnxruntime \(0001_epyc\) ")
    assert outcome.lines(r"^onnxruntime \(NOW\) ")
    assert not outcome.lines("other machine")


def test_the_studys_own_file(bench: dict[str, dict], baselines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = baselines.glob("*/0001_epyc.json")
    assert main(["report", "--format", "gdev-ai", str(file)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == 4  # resnet18, PyTorch, FP32: two thread counts, two batches
    entry = bench["resnet18-pytorch-fp32-t1-b2"]["stats"]
    row = next(row for row in rows if (row["threads"], row["batch_size"]) == ("1", "2"))
    assert float(row["median_ms"]) == pytest.approx(entry["median"] * 1e3)
    assert float(row["throughput_ips"]) == pytest.approx(2 / entry["median"])
    assert (row["iters"], row["warmup_iters"], row["device"]) == ("20", "3", "cpu")
    assert row["torch_version"].startswith("2.")
    assert row["cpu_model"]


def test_the_findings(bench: dict[str, dict], baselines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = baselines.glob("*/0001_epyc.json")
    assert main(["report", "--format", "scaling", str(file)]) == 0
    text = capsys.readouterr().out
    assert "## resnet18 · pytorch · fp32" in text
    # 1 and 3 threads: neither is a machine's count of CPUs, so nothing is said of going beyond it.
    assert "oversubscription not measured (add --threads=" in text
    assert "| batch | threads | items/s | speed-up | parallel efficiency | against |" in text


def test_nothing_measured_is_not_green(tmp_path: Path) -> None:
    outcome = suite("--runtimes=onnxruntime", "--precisions=bf16", "--models=mlp", "--threads=1", baselines=tmp_path)
    assert outcome.code == 5
    assert outcome.lines("^Nothing was measured: all 2 selected benchmarks were skipped")
    assert outcome.lines("2 x onnxruntime bf16: ONNX Runtime's CPU provider has no bf16")


def test_pretrained_without_published_weights_fails_with_one_line(tmp_path: Path) -> None:
    outcome = suite("--models=mlp", "--weights=pretrained", "-k", "pytorch-fp32-t1-b1", baselines=tmp_path)
    assert outcome.code == 1
    assert outcome.lines("^--weights=pretrained: mlp has no published weights; use --weights=random")
    assert "Traceback" not in outcome.text


def test_a_broken_cache_entry_is_rebuilt_with_a_warning(tmp_path: Path) -> None:
    arguments = ("--models=mlp", "-k", "pytorch-fp32-t1-b1", "--rounds=5")
    cache = str(tmp_path / "cache")
    assert suite(*arguments, TAILGATE_CACHE=cache).code == 0
    (weights,) = (tmp_path / "cache").glob("mlp*/weights.pt")
    weights.write_bytes(weights.read_bytes()[:1000])
    again = suite(*arguments, TAILGATE_CACHE=cache)
    assert again.code == 0
    assert again.lines("CacheWarning: cached .* is broken .weights.pt has 1000 bytes, not .*making it anew")


def test_random_order_is_seeded_and_recorded(tmp_path: Path) -> None:
    def order(seed: int) -> list[str]:
        text = suite("--models=mlp", "--collect-only", "-q", "--order=random", f"--seed={seed}").text
        return [line for line in text.splitlines() if "::" in line]

    one, again, other = order(1), order(1), order(2)
    assert one == again
    assert one != other
    assert sorted(one) == sorted(other)
    outcome = suite(
        "--models=mlp", "-k", "pytorch-fp32-t1", "--rounds=5", "--order=random", "--seed=7", "--benchmark-save=o",
        baselines=tmp_path,
    )  # fmt: skip
    assert outcome.code == 0, outcome.text
    run = saved(tmp_path, "0001_o")["tailgate_run"]
    assert (run["protocol"], run["order"], run["seed"], run["isolation"]) == ("quick", "random", 7, "process")
