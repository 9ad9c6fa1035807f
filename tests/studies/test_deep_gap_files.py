"""Study 3's 29 columns, and rows in trtexec's words; on made-up runs."""

import csv
import io
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_gpus import cpu_row, gpu_row, run, save

from studies.cpu_scaling import gdev_ai_csv
from studies.gpu_precision import report as deep_gap
from studies.gpu_precision import source_csv, trtexec
from tailgate.commands import main as cli
from tailgate.errors import TailgateError

L4 = "Synthetic L4"
SAMPLES = st.lists(st.floats(min_value=1e-6, max_value=10), min_size=1, max_size=300)


def test_study_3s_file_has_the_29_columns_in_the_sources_order() -> None:
    header = source_csv.HEADER
    assert len(header) == 29
    assert header[10:12] == ("mean_ms", "std_latency_ms")
    assert header[-1] == "gpu_peak_mem_mb"
    assert tuple(name for name in header if name not in ("std_latency_ms", "gpu_peak_mem_mb")) == gdev_ai_csv.HEADER


def test_study_3s_file_gives_population_deviation_and_allocators_peak() -> None:
    row = gpu_row(L4, batch=8)
    (line,) = csv.DictReader(io.StringIO(source_csv.render([run(row, gpu=L4)])))
    assert float(line["std_latency_ms"]) == pytest.approx(statistics.pstdev(row["stats"]["data"]) * 1e3)
    assert float(line["gpu_peak_mem_mb"]) == pytest.approx(row["extra_info"]["gpu_memory_peak_bytes"] / 2**20)
    assert (line["device"], line["cuda_available"], line["batch_size"]) == ("cuda:0", "True", "8")
    absent = gpu_row(L4, batch=8, gpu_memory_peak_bytes=None)
    (line,) = csv.DictReader(io.StringIO(source_csv.render([run(absent, gpu=L4)])))
    assert line["gpu_peak_mem_mb"] == ""


@settings(max_examples=50)
@given(st.lists(st.floats(min_value=1e-6, max_value=10), min_size=2, max_size=50))
def test_the_deviation_is_the_same_with_and_without_raw_rounds(data: list[float]) -> None:
    saved = {"stddev": statistics.stdev(data), "rounds": len(data)}
    assert source_csv.std_s(saved) == pytest.approx(source_csv.std_s({**saved, "data": data}), abs=1e-12)


def test_runtimes_and_precisions_never_share_a_file() -> None:
    cells = [("tensorrt", "int8"), ("pytorch", "tf32"), ("pytorch", "fp32"), ("pytorch", "fp16")]
    saved = run(*(gpu_row(L4, runtime=runtime, precision=precision) for runtime, precision in cells), gpu=L4)
    files = source_csv.attachments([saved])
    assert list(files) == ["-pytorch-fp16.csv", "-pytorch-tf32.csv", "-tensorrt-int8.csv"]
    texts = [source_csv.render([saved]), *(content.decode() for content in files.values())]
    medians_ms = [float(next(csv.DictReader(io.StringIO(text)))["median_ms"]) for text in texts]
    wanted = [("pytorch", "fp32"), ("pytorch", "fp16"), ("pytorch", "tf32"), ("tensorrt", "int8")]
    times_ms = [gpu_row(L4, runtime=one, precision=other)["stats"]["median"] * 1e3 for one, other in wanted]
    assert medians_ms == pytest.approx(times_ms)
    assert all(text.count("\n") == 2 for text in texts)


def test_study_1s_rows_are_not_study_3s() -> None:
    with pytest.raises(TailgateError, match="no row of the study gpu-precision"):
        source_csv.render([run(cpu_row())])


@pytest.mark.parametrize(
    ("count", "indices"), [(1, (0, 0, 0)), (7, (6, 6, 6)), (60, (53, 56, 59)), (100, (89, 94, 99)), (101, (90, 95, 99))]
)
def test_the_percentile_is_the_sample_that_trtexecs_float_arithmetic_picks(
    count: int, indices: tuple[int, ...]
) -> None:
    """The indices were printed by its expression compiled with g++ 12 -O2 on x86-64."""
    assert tuple(trtexec.percentile(list(range(count)), percent) for percent in trtexec.PERCENTILES) == indices


@settings(max_examples=50)
@given(SAMPLES, st.integers(0, 100))
def test_a_percentile_is_a_sample_and_grows(samples: list[float], percent: int) -> None:
    ordered = sorted(samples)
    assert trtexec.percentile(ordered, percent) in ordered
    assert trtexec.percentile(ordered, percent) <= trtexec.percentile(ordered, 100) == ordered[-1]


def lines(row: dict[str, object]) -> dict[str, str]:
    text = trtexec.render([run(row, gpu=L4)])
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(("#", "*")))


def test_a_row_in_trtexecs_words() -> None:
    row = gpu_row(L4, batch=8)
    times_s, compute_s = row["stats"]["data"], row["extra_info"]["gpu_times_s"]
    said = lines(row)
    assert list(said) == [
        "Throughput", "Latency", "Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency",
        "Total Host Walltime", "Total GPU Compute Time",
    ]  # fmt: skip
    assert said["Throughput"] == f"{len(times_s) / sum(times_s):g} qps"
    assert said["GPU Compute Time"] == (
        f"min = {min(compute_s) * 1e3:g} ms, max = {max(compute_s) * 1e3:g} ms, "
        f"mean = {statistics.fmean(compute_s) * 1e3:g} ms, median = {statistics.median(compute_s) * 1e3:g} ms, "
        + ", ".join(
            f"percentile({percent}%) = {trtexec.percentile(sorted(compute_s), percent) * 1e3:g} ms"
            for percent in (90, 95, 99)
        )
    )
    assert said["H2D Latency"] == "median = 0.425 ms, percentile(99%) = 0.44 ms"
    assert said["Total Host Walltime"] == f"{sum(times_s):g} s"
    assert said["Total GPU Compute Time"] == f"{sum(compute_s):g} s"
    assert said["Enqueue Time"].startswith("n/a (")


def test_what_was_not_measured_is_said_to_be_so() -> None:
    gone = {
        name: None for name in gpu_row(L4)["extra_info"] if name.startswith(("h2d", "d2h", "inclusive", "gpu_time"))
    }
    said = lines(gpu_row(L4, **gone))
    assert said["Latency"] == said["H2D Latency"] == said["D2H Latency"] == "n/a (no transfers measured)"
    assert said["GPU Compute Time"] == "n/a (no device clock in this row)"
    some = {"gpu_times_s": [0.001, None], "gpu_time_median_s": None}
    assert lines(gpu_row(L4, **some))["Total GPU Compute Time"] == "n/a (no device time of each round)"
    kept = {"gpu_times_s": None, "gpu_time_median_s": 0.002, "gpu_time_p99_s": 0.003}
    assert lines(gpu_row(L4, **kept))["GPU Compute Time"] == "median = 2 ms, percentile(99%) = 3 ms"


def test_trtexecs_warnings() -> None:
    text = trtexec.render([run(gpu_row(L4, h2d_median_s=9.0, gpu_times_s=[1e-3, 1.1e-3]), gpu=L4)])
    assert "* Throughput may be bound by host-to-device transfers for the inputs" in text
    assert "device-to-host" not in text
    assert "* GPU compute time is unstable, with coefficient of variance = 4.7619%." in text


def test_too_short_for_study_4_is_said() -> None:
    assert "# less than study 4 required of trtexec" in trtexec.render([run(gpu_row(L4), gpu=L4)])
    long = gpu_row(L4, warmup_rounds=2000)
    long["stats"].update(data=[0.06] * 100, median=0.06, mean=0.06, rounds=100)
    assert "less than study 4" not in trtexec.render([run(long, gpu=L4)])


def test_a_cpus_rows_are_none_for_trtexec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.json", run(cpu_row()))
    assert cli.main(["report", path, "--format=trtexec"]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no row measured on a GPU" in said


@pytest.mark.parametrize("odd", ["x", {}, True, -1, ["x", None]])
def test_odd_values_in_a_file_are_missing_ones_or_one_line(odd: object) -> None:
    for name in gpu_row(L4)["extra_info"]:
        row = gpu_row(L4)
        row["extra_info"][name] = odd
        saved = run(row, gpu_row(L4, batch=8), gpu=L4)
        for report in (deep_gap.render, source_csv.render, trtexec.render):
            assert report([saved])
