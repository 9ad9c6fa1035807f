"""Study 3 across hardware, on made-up runs: what is compared with what, what is left out, which findings hold."""

import csv
import io
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_gpus import cpu_row, cpu_rows, gpu_row, gpu_rows, run, save

from studies.framework_comparison.predicates import HOLDS, NOT_MEASURED, REVERSES, SMALLER, UNDECIDED  # fmt: skip
from studies.gpu_precision.cells import Cell, Config, Device, Subject
from studies.gpu_precision.csv_files import CELLS_HEADER, RATIOS_HEADER, cells, ratios
from studies.gpu_precision.findings import FINDINGS
from studies.gpu_precision.ratios import (
    FASTER,
    OVER_FP32,
    OVER_GPU,
    OVER_PYTORCH,
    SAME,
    SLOWER,
    UNKNOWN,
    Comparison,
    every,
    ratio,
)
from studies.gpu_precision.reading import Study, study_of
from studies.gpu_precision.report import attachments, render
from studies.reduced_precision.verdict import Timing
from tailgate.commands import main as cli
from tailgate.errors import TailgateError

T4, L4 = "Synthetic T4", "Synthetic L4"
BASELINE = Path(__file__).parents[2] / "baselines" / "intel-xeon-processor-2cpu-eb69daf88a98" / "0001_xeon.json"
TIMES = st.lists(st.floats(min_value=1e-5, max_value=10), min_size=1, max_size=40)


def study(*runs: dict[str, Any]) -> Study:
    found = study_of(runs)
    assert found is not None
    return found


def verdicts(*runs: dict[str, Any]) -> dict[str, str]:
    found = study(*runs)
    return {finding.text: finding.judge(found).verdict for finding in FINDINGS}


def made(times_s: list[float], batch: int = 1, processes: tuple[float, ...] = ()) -> Cell:
    middle = sorted(times_s)[len(times_s) // 2]
    return Cell(
        Subject("m", "ab", 224), Device(True, "G"), Config("pytorch", "fp32"), batch, batch,
        Timing(middle, times_s, processes), None, {},
    )  # fmt: skip


@settings(max_examples=50)
@given(TIMES, TIMES, st.integers(1, 512), st.integers(1, 512))
def test_a_over_b_times_b_over_a_is_one(a: list[float], b: list[float], batch_a: int, batch_b: int) -> None:
    one, other = made(a, batch_a), made(b, batch_b)
    forth, back = ratio(one, other), ratio(other, one)
    assert forth.ratio * back.ratio == pytest.approx(1)
    assert forth.ratio == pytest.approx(one.throughput / other.throughput)
    if forth.low is None or forth.high is None:
        assert back.low is None
        return
    assert forth.low * (back.high or 0) == pytest.approx(1)
    assert forth.low <= forth.ratio <= forth.high
    assert {Comparison("", one, other).verdict, Comparison("", other, one).verdict} in ({FASTER, SLOWER}, {SAME})


@settings(max_examples=50)
@given(TIMES)
def test_the_interval_of_a_throughput_holds_it(times_s: list[float]) -> None:
    found = made(times_s)
    low, high = found.interval
    assert (low is None) == (high is None) == (len(times_s) < 6)
    assert low is None or high is None or low < found.throughput < high


def test_two_percent_are_no_speed_up() -> None:
    slow = gpu_row(L4, batch=8)
    fast = gpu_row(L4, precision="fp16", batch=8)
    fast["stats"] = {key: value * 0.98 if isinstance(value, float) else value for key, value in slow["stats"].items()}
    fast["stats"]["data"] = [time_s * 0.98 for time_s in slow["stats"]["data"]]
    text = render([run(slow, fast, gpu=L4)])
    assert "~1.02×" in text
    assert {one.verdict for one in every(study(run(slow, fast, gpu=L4)))} == {SAME}


def test_without_rounds_a_ratio_stands_in_brackets() -> None:
    rows = [gpu_row(L4, precision=precision, batch=8) for precision in ("fp32", "fp16")]
    for row in rows:
        del row["stats"]["data"]
    one, *others = every(study(run(*rows, gpu=L4)))
    assert {other.verdict for other in (one, *others)} == {UNKNOWN}
    assert f"({one.ratio.ratio:.2f}×)" in render([run(*rows, gpu=L4)])


def test_precision_alone_and_with_the_runtime_are_two_ratios() -> None:
    cells = [("pytorch", "fp32"), ("tensorrt", "fp32"), ("tensorrt", "int8")]
    rows = [gpu_row(L4, runtime=runtime, precision=precision, batch=8) for runtime, precision in cells]
    found = {
        (one.kind, one.cell.config.label): one.ratio.ratio for one in every(study(run(*rows, gpu=L4))) if one.at_peak
    }
    pytorch, tensorrt, int8 = (row["stats"]["throughput"] for row in rows)
    assert found == {
        (OVER_FP32, "tensorrt int8"): pytest.approx(int8 / tensorrt),
        (OVER_PYTORCH, "tensorrt fp32"): pytest.approx(tensorrt / pytorch),
        (OVER_PYTORCH, "tensorrt int8"): pytest.approx(int8 / pytorch),
    }


def test_only_the_same_weights_and_image_size_are_compared() -> None:
    saved = [run(gpu_row(L4), gpu=L4), run(gpu_row(T4, model_sha256="ff" * 32), gpu=T4), run(cpu_row(image_size=32))]
    assert list(every(study(*saved))) == []
    text = render(saved)
    assert "differ in weights or image size" in text
    assert "the GPUs share no model with the same weights, runtime and precision" in text
    assert verdicts(*saved)["L4 over T4"] == NOT_MEASURED


def test_seeded_random_weights_are_the_same_work_whatever_their_last_bits() -> None:
    work = {"parameters": 11_689_512, "macs": 1_814_073_344}
    saved = [run(gpu_row(L4, **work), gpu=L4), run(gpu_row(T4, model_sha256="ff" * 32, **work), gpu=T4)]
    assert [one for one in every(study(*saved)) if one.kind == OVER_GPU]
    assert "random, 11689512 parameters" in render(saved)
    other = [run(gpu_row(L4, **work), gpu=L4), run(gpu_row(T4, **work | {"macs": 1}), gpu=T4)]
    assert not [one for one in every(study(*other)) if one.kind == OVER_GPU]


def test_flushed_and_unflushed_caches_are_not_compared() -> None:
    saved = [run(gpu_row(L4, l2_flushed=True), gpu=L4), run(gpu_row(T4), gpu=T4)]
    assert not [one for one in every(study(*saved)) if one.kind == OVER_GPU]
    assert "pytorch fp32, L2 flushed" in render(saved)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "contended"}, "1 contended"),
        ({"status": "throttled"}, "1 throttled"),
        ({"throttled": True}, "1 throttled"),
        ({"status": "oom"}, "1 oom"),
        ({"tenants": 2}, "1 several tenants at once"),
        ({"model_sha256": None}, "1 weights not known"),
        ({"batch_size": None}, "1 no batch_size or image_size"),
    ],
)
def test_what_cannot_be_compared_is_left_out_and_counted(changes: dict[str, Any], why: str) -> None:
    odd = {**gpu_row(L4, batch=16), "extra_info": {**gpu_row(L4, batch=16)["extra_info"], **changes}}
    saved = run(gpu_row(L4, batch=8), odd, gpu=L4)
    assert [cell.batch for cell in study(saved).curves[0].cells] == [8]
    assert f"Rows left out of everything below: `{L4}`: {why}" in render([saved])
    with pytest.raises(TailgateError, match="every row had to be left out"):
        render([run(odd, gpu=L4)])


def test_a_file_given_twice_is_no_second_measurement() -> None:
    saved = run(gpu_row(L4), gpu=L4)
    (curve,) = study(saved, saved).curves
    assert curve.cells[0].rows == 1
    assert "1 the same row again" in render([saved, saved])


def test_the_same_gpu_in_two_files_is_one_device_with_both_processes() -> None:
    saved = [run(gpu_row(L4, seed=seed, scale=scale), gpu=L4) for seed, scale in ((0, 1.0), (1, 1.2))]
    (curve,) = study(*saved).curves
    medians_s = [one["benchmarks"][0]["stats"]["median"] for one in saved]
    assert curve.cells[0].timing.process_medians_s == medians_s
    assert curve.cells[0].timing.median_s == pytest.approx(math.sqrt(medians_s[0] * medians_s[1]))
    assert "## The same cell again" in render(saved)
    assert f"{max(medians_s) / min(medians_s) - 1:.1%}" in render(saved)


def test_a_gpu_without_a_name_is_the_machines_or_unknown() -> None:
    named = run(gpu_row(L4, gpu_name=None), gpu=L4)
    assert study(named).curves[0].device == Device(True, L4)
    assert study(run(gpu_row(L4, gpu_name=None))).curves[0].device == Device(True, "unknown GPU (cuda:0)")


def test_speed_up_over_the_cpu_names_the_best_and_the_like() -> None:
    cpu = [cpu_row(runtime="pytorch", batch=4), cpu_row(runtime="openvino", precision="int8", batch=4)]
    text = render([run(gpu_row(L4, batch=4), gpu=L4), run(*cpu)])
    assert "Its fastest row: openvino int8, 2 threads, batch 4" in text
    gpu = gpu_row(L4, batch=4)["stats"]["throughput"]
    for base in cpu:
        assert f"{gpu / base['stats']['throughput']:.1f}× (" in text


def test_the_peak_that_smaller_batches_reach_too_is_said_to_be_flat() -> None:
    rows = []
    for batch in (8, 16, 32):
        row = gpu_row(L4, batch=8)
        factor = batch / 8 * (1.0 if batch != 16 else 1.005)
        row["stats"]["data"] = [time_s * factor for time_s in row["stats"]["data"]]
        row["stats"]["median"] *= factor
        row["extra_info"].update(batch_size=batch, items_per_call=batch)
        rows.append(row)
    (curve,) = study(run(*rows, gpu=L4)).curves
    assert (curve.peak.batch, curve.peak.overlapping) == (8, (8, 16, 32))
    assert "flat up to 32" in render([run(*rows, gpu=L4)])


def test_findings_on_both_gpus_and_a_cpu() -> None:
    saved = [run(*cpu_rows()), run(*gpu_rows(T4), gpu=T4), run(*gpu_rows(L4), gpu=L4)]
    found = verdicts(*saved)
    assert found["INT8 over CPU baselines (pytorch fp32, the source's CPU study)"] == HOLDS
    assert found["L4 over T4"] == HOLDS
    assert found["L4 is above T4 in every precision"] == HOLDS
    assert found["L4 peaks at batch 16 to 32"] == UNDECIDED
    assert found["FP16 is consistently above FP32"] == HOLDS
    assert found["reduced precision (FP16, INT8) needs less memory"] == HOLDS
    assert found["T4 remains competitive for large batches"] == NOT_MEASURED


def test_findings_that_reverse_shrink_or_cannot_be_decided() -> None:
    slow = [gpu_row(L4, runtime="tensorrt", precision="int8", batch=batch, scale=40) for batch in (1, 8)]
    fast = [gpu_row(L4, runtime="tensorrt", batch=batch) for batch in (1, 8)]
    found = verdicts(run(*slow, *fast, gpu=L4), run(*cpu_rows()))
    assert found["INT8 has the highest throughput"] == REVERSES
    assert found["INT8 over CPU baselines (pytorch fp32, the source's CPU study)"] == SMALLER
    same = gpu_row(L4, runtime="tensorrt", precision="fp16", batch=1)
    same["stats"] = fast[0]["stats"]
    assert verdicts(run(fast[0], same, gpu=L4))["FP16 is consistently above FP32"] == UNDECIDED


def test_an_l40_is_no_l4() -> None:
    assert verdicts(run(gpu_row("NVIDIA L40S"), gpu="NVIDIA L40S"))["L4 peaks at batch 16 to 32"] == NOT_MEASURED


def test_where_a_peak_counts_for_a_range_and_where_against_it() -> None:
    def judged(*batches_and_scales: tuple[int, float]) -> str:
        rows = [gpu_row(L4, batch=batch, scale=scale) for batch, scale in batches_and_scales]
        return verdicts(run(*rows, gpu=L4))["L4 peaks at batch 16 to 32"]

    assert judged((1, 1.0), (16, 0.8), (64, 1.0)) == HOLDS
    assert judged((1, 1.0), (16, 1.0), (64, 0.5)) == REVERSES
    assert judged((1, 1.0), (16, 1.0)) == UNDECIDED  # the largest measured
    assert judged((1, 1.0), (4, 0.5), (16, 1.0), (64, 1.0)) == REVERSES
    assert judged((1, 1.0)) == NOT_MEASURED


def test_a_gpu_alone_says_what_cannot_be_said() -> None:
    text = render([run(*gpu_rows(T4, ["resnet18"]), gpu=T4)])
    assert "Not shown: no row on a CPU in these files; add a file that has some." in text
    assert "this section needs rows of two GPUs, and these files have only `Synthetic T4`" in text
    assert "no L4 (here: Synthetic T4); the GPUs here peak at batch 128" in text


def test_a_real_run_of_a_cpu_alone() -> None:
    saved = json.loads(BASELINE.read_text())
    with pytest.raises(TailgateError, match="no row of the study gpu-precision"):
        render([saved])
    for bench in saved["benchmarks"]:
        bench["extra_info"]["study"] = "gpu-precision"  # as --devices cpu would
    text = render([saved])
    assert text.count("Not shown: no row on a GPU in these files") == 4
    assert "## Precision over fp32" in text
    assert "`Intel(R) Xeon(R) Processor, 2 CPUs`" in text
    assert cells(study(saved)).count(b"\n") == 1 + len(saved["benchmarks"])


def test_missing_power_is_a_dash_with_the_rows_own_reason() -> None:
    gone = {"power_mean_w": None, "energy_per_item_j": None, "images_per_joule": None}
    saved = run(gpu_row(L4, **gone, warnings=["nvml: the driver is gone"]), gpu=L4)
    text = render([saved])
    assert "`-` in 1 line(s): `nvml: the driver is gone`." in text
    assert "measure with --meters nvml" in render([run(gpu_row(L4, **gone), gpu=L4)])


def test_memory_is_torchs_allocator_or_the_whole_board() -> None:
    rows = [gpu_row(L4, runtime=runtime, batch=8) for runtime in ("pytorch", "tensorrt")]
    part = render([run(*rows, gpu=L4)]).split("## Device memory")[1].split("\n## ")[0]
    own, board = (rows[place]["extra_info"][name] / 2**20 for place, name in enumerate(
        ("gpu_memory_peak_bytes", "gpu_memory_used_peak_bytes"),
    ))  # fmt: skip
    assert f" {own:.1f} |" in part
    assert f" {board:.1f}† |" in part
    known = gpu_row(L4, runtime="tensorrt", batch=8, gpu_memory_process_peak_bytes=2**30)
    assert " 1,024† |" in render([run(known, gpu=L4)])
    assert verdicts(run(*rows, gpu=L4))["reduced precision (FP16, INT8) needs less memory"] == NOT_MEASURED


def test_launch_bound_cells_are_bold() -> None:
    text = render([run(gpu_row(L4, precision="fp16"), gpu_row(L4, batch=32), gpu=L4)])
    part = text[text.index("## Host time beyond") :]
    assert "**" in part.split("\n## ")[0]


def test_names_from_a_file_are_no_markup() -> None:
    text = render([run(gpu_row("a|b`\x1b[2J", model_sha256="|" * 64), gpu=L4)])
    assert "\x1b" not in text
    assert "`a\\|b'" in text


def test_the_csv_files_have_every_cell_and_every_ratio() -> None:
    saved = [run(*cpu_rows(["resnet18"])), run(*gpu_rows(L4, ["resnet18"]), gpu=L4)]
    found = study(*saved)
    measured, compared = (list(csv.DictReader(io.StringIO(one(found).decode()))) for one in (cells, ratios))
    assert tuple(measured[0]) == CELLS_HEADER
    assert tuple(compared[0]) == RATIOS_HEADER
    assert len(measured) == len(saved[0]["benchmarks"]) + len(saved[1]["benchmarks"])
    assert len(compared) == len(list(every(found)))
    cell_of_it = ("tensorrt", "int8", "8")
    one = next(line for line in measured if (line["runtime"], line["precision"], line["batch_size"]) == cell_of_it)
    row = gpu_row(L4, "resnet18", "tensorrt", "int8", 8)
    assert float(one["throughput_items_per_s"]) == pytest.approx(row["stats"]["throughput"])
    assert float(one["images_per_joule"]) == pytest.approx(row["extra_info"]["images_per_joule"])
    assert 1 - float(one["host_only_share"]) == pytest.approx(
        row["extra_info"]["gpu_time_median_s"] / row["stats"]["median"]
    )


def test_the_command_writes_text_pictures_and_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.json", run(gpu_row(L4), gpu_row(L4, batch=8), gpu=L4))
    assert cli.main(["report", path, "--format=deep-gap", f"--output={tmp_path / 'study3.md'}"]) == 0
    names = {"a.json", "study3.md", "study3.csv", "study3-ratios.csv", "study3-tradeoff.png", "study3-batch.png",
             "study3-energy.png"}  # fmt: skip
    assert {file.name for file in tmp_path.iterdir()} == names
    assert (tmp_path / "study3-batch.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()


def test_pictures_without_matplotlib_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TailgateError, match="install it with: pip install 'matplotlib"):
        attachments([run(gpu_row(L4), gpu=L4)])


def test_runs_of_other_studies_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.json", run(cpu_row()))
    assert cli.main(["report", path, "--format=deep-gap"]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no row of the study gpu-precision" in said
