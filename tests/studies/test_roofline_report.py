"""The report on written runs: every row judged, disturbed peaks doubted, a picture in which each point is found."""

import json

import pytest

from studies.roofline import picture
from studies.roofline.report import attachments, render
from studies.roofline.rows import rooflines
from tailgate.commands.main import main
from tailgate.errors import TailgateError

MACHINE = {"fingerprint": {"cpu_model": "Example Xeon 2.1 GHz"}, "fingerprint_id": "0123456789ab"}
FLOPS = {"fp32": 100e9, "int8": 300e9}
LEVELS = {"l1": (200e9, 0, 64e3), "l2": (80e9, 64e3, 1.1e6), "l3": (50e9, 1.1e6, 33e6), "memory": (20e9, 33e6, None)}


def row(name, seconds, **info):
    stats = dict.fromkeys(("min", "max", "mean", "median"), seconds) | {"stddev": 0.0, "rounds": 10}
    extra = {"device": "cpu", "threads": 2, "status": "ok", "warnings": [], **info}
    return {"name": name, "fullname": f"benchmarks/test_x.py::{name}", "stats": stats, "extra_info": extra}


def peaks(status="ok", **info):
    return [
        *(row(f"gemm[{precision}]", 1e-3, phase="peak", precision=precision, peak_flop_per_s=value, status=status,
              gemm_kernel="torch.mm", gemm_size=1024, **info) for precision, value in FLOPS.items()),
        *(row(f"triad[{level}]", 1e-3, phase="peak", level=level, peak_bytes_per_s=value, inner_bytes=inner,
              held_bytes=held, array_bytes=4096, triad_kernel="c loop", status=status, **info)
          for level, (value, inner, held) in LEVELS.items()),
    ]  # fmt: skip


def cell(model, gflop_per_s, *, macs=1e9, precision="fp32", **info):
    moved = {"traffic_compulsory_bytes": 5e7, "traffic_layerwise_bytes": 2e8, "layerwise_set_bytes": 6e7}
    seconds = 2 * macs / gflop_per_s / 1e9
    names = {"model": model, "runtime": "pytorch", "precision": precision, "batch_size": 1, "phase": "inference"}
    return row(f"cell[{model}]", seconds, **{**names, **moved, "macs": macs, **info})


def run(*rows):
    return {"benchmarks": list(rows), "machine_info": MACHINE}


def points(*rows):
    return {point.label.split()[0]: point for one in rooflines([run(*rows)]).values() for point in one.points}


def test_a_row_lies_under_the_roof_of_the_arithmetic_that_ran():
    rows = [
        cell("narrow", 150, precision="fp32, weights int4", precision_compiled="fp32, weights int4"),
        cell("quantised", 150, precision="fp32, weights int4", precision_compiled="int8, weights int4"),
        cell("unquantised", 150, precision="int8", precision_compiled="fp32"),
        cell("other", 150, precision="int8", precision_compiled="tf32 in convolutions only"),
    ]
    words = {name: point.verdict.word for name, point in points(*peaks(), *rows).items()}
    assert words == {"narrow": "above the roof", "quantised": "under the roof", "unquantised": "above the roof",
                     "other": "under the roof"}  # fmt: skip


def test_every_row_is_judged_and_said():
    rows = [cell("under", 60), cell("above", 120), cell("slow", 3), cell("other", 9, precision="bf16")]
    found = points(*peaks(), *rows)
    words = {name: point.verdict.word for name, point in found.items()}
    assert words == {"under": "under the roof", "above": "above the roof", "slow": "under the roof",
                     "other": "not judged"}  # fmt: skip
    text = render([run(*peaks(), *rows)])
    assert "**2 under the roof, 1 above the roof, 1 not judged**" in text
    assert "- `above pytorch fp32 batch 1`: 1.20 times its roof (compute): a wrong count" in text
    assert "no peak of its precision, device and thread count" in text
    assert found["under"].verdict.bound == "compute"
    assert found["slow"].verdict.bound == "neither (overhead)"


def test_a_disturbed_peak_accuses_nobody():
    found = points(*peaks(status="contended"), cell("above", 120))
    assert found["above"].verdict.word == "undecided"
    assert "measure the peaks again" in found["above"].verdict.because


def test_of_several_rows_of_a_peak_the_largest_stands():
    low = row("gemm[fp32]", 1e-3, phase="peak", precision="fp32", peak_flop_per_s=1e9, status="contended")
    for rows in ([low, *peaks()], [*peaks(), low]):
        assert points(*rows, cell("fast", 99))["fast"].verdict.word == "under the roof"


def test_peaks_judge_only_their_own_thread_count_and_machine():
    text = render([run(*peaks(), cell("elsewhere", 60, threads=1))])
    assert "## `cpu, 1 thread`" in text
    assert "**1 not judged**" in text
    other = {"benchmarks": [cell("away", 60)], "machine_info": {"fingerprint": {"cpu_model": "Y"}}}
    assert "**1 not judged**" in render([run(*peaks()), other])


def test_training_rows_bring_their_own_flops():
    info = {"phase": "training", "achieved_flop_per_s": 50e9, "flops_per_call": 6e9}
    found = points(*peaks(), cell("trained", 1, **info))["trained"]
    assert found.achieved_flop_per_s == 50e9
    assert found.call.transfers_per_kept_byte == 2
    assert points(*peaks(), cell("plain", 20, phase="training"))["plain"].achieved_flop_per_s == pytest.approx(60e9)


def test_bytes_of_an_onnx_file_and_counted_misses():
    info = {"weight_bytes": 4e7, "io_bytes": 1e7, "activation_bytes": 2e7, "perf_cache_misses_per_inference": 1e6}
    found = points(*peaks(), cell("file", 10, traffic_compulsory_bytes=None, **info))["file"]
    assert (found.compulsory, found.layerwise) == (pytest.approx(2e9 / 5e7), pytest.approx(2e9 / 9e7))
    assert found.counted == pytest.approx(2e9 / 64e6)


def test_a_row_without_traffic_is_held_against_the_peak_alone_and_one_without_flops_left_out():
    rows = [cell("bare", 120, traffic_compulsory_bytes=None), row("hash", 1e-6, phase=None)]
    found = points(*peaks(), *rows)
    assert set(found) == {"bare"}
    assert (found["bare"].verdict.word, found["bare"].compulsory) == ("above the roof", None)
    assert picture.figure(rooflines([run(*peaks(), *rows)])) is not None


def test_without_a_peak_the_next_command_is_said(tmp_path, capsys):
    with pytest.raises(TailgateError, match="measure some with: pytest benchmarks"):
        render([run(cell("alone", 1))])
    file = tmp_path / "run.json"
    file.write_text(json.dumps(run(*peaks(), cell("under", 60))))
    assert main(["report", "--format=roofline", str(file)]) == 0
    assert "| `under pytorch fp32 batch 1` |" in capsys.readouterr().out


def test_the_picture_has_every_roof_and_point(monkeypatch):
    monkeypatch.setattr("tailgate.results.pictures.DOTS_PER_INCH", 20)
    runs = [run(*peaks(), cell("under", 60), cell("trained", 30, phase="training"))]
    (axes,) = picture.figure(rooflines(runs)).get_axes()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    said = [text.get_text() for text in axes.texts]
    for text in ("l1 200 GB/s", "memory 20 GB/s", "fp32 100 GFLOP/s", "int8 300 GFLOP/s", "1", "2"):
        assert text in said
    assert any(text.startswith("under pytorch fp32 batch 1, 60%") for text in said)
    roofs = [line for line in axes.get_lines() if line.get_color() == picture.pictures.MUTED]
    for line, bandwidth in zip(roofs, (200, 80, 50, 20), strict=True):
        (x, end), (y, top) = line.get_data()
        assert y == pytest.approx(bandwidth * x)
        assert (end, top) == (pytest.approx(300 / bandwidth), 300)
    assert attachments(runs)[".png"].startswith(b"\x89PNG\r\n\x1a\n")
