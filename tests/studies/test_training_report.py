"""``--format training``: the source's columns, the scenarios beside what was published; rows in no other format."""

import csv
import io
from typing import Any

import pytest
from suite import ROOT

from studies.cpu_scaling import gdev_ai_csv
from studies.cpu_scaling import report as scaling
from studies.reduced_precision import limits
from studies.reduced_precision.report import judged
from studies.training import report as training
from studies.training.published import ORDER, PUBLISHED
from studies.training.source_csv import HEADER
from tailgate.commands.formats import formats
from tailgate.errors import TailgateError


def bench(model: str, batch_size: int = 128, scenario: str = "A", **info: Any) -> dict[str, Any]:
    name = f"test_training[{model}-pytorch-fp32-t2-b{batch_size}]"
    return {
        "name": name,
        "fullname": f"benchmarks/test_training_roofline.py::{name}",
        "stats": {"median": 2.0, "mean": 2.0, "p99": 2.5, "rounds": 8, "min": 1.9, "max": 3.0, "stddev": 0.1},
        "extra_info": {
            "study": "training", "phase": "training", "model": model, "runtime": "pytorch", "precision": "fp32",
            "device": "cpu", "threads": 2, "batch_size": batch_size, "scenario": scenario, "image_size": 224,
            "classes": 1000, "data": "tiny-imagenet", "data_root": "/data/tiny", "workers": 2, "status": "ok",
            "warnings": [], "parameters": 11_689_512, "macs": 1_800_000_000, "training_flops_per_item": 10_800_000_000,
            "images_per_s": 100.0, "val_images_per_s": 300.0, "train_batches": 8, "train_wall_s": 10.24,
            "val_batches": 8, "val_wall_s": 3.0, "total_s": 13.24, "data_wait_share": 0.125, "acc1": 0.0165,
            "acc5": 0.0766, "loss_first": 7.0, "loss_last": 5.0, "train_cpu_utilization": 0.9,
            "memory_peak_bytes": 2**30, "rss_peak_bytes": 2**29, "achieved_flop_per_s": 1.5e12, **info,
        },
    }  # fmt: skip


def run(*benches: dict[str, Any], unmeasured: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    fingerprint = {"cpu_model": "A Fast One", "usable_cpus": 2, "memory_total_bytes": 16 * 2**30, "packages": {}}
    machine = {"fingerprint": fingerprint, "fingerprint_id": "0123456789ab", "machine_facts": {"os": "Linux"}}
    return {"machine_info": machine, "benchmarks": list(benches), "unmeasured": list(unmeasured)}


def four(rates: dict[str, float]) -> dict[str, Any]:
    return run(*(bench(model, images_per_s=rate) for model, rate in rates.items()))


def test_the_csv_has_the_sources_44_columns() -> None:
    attachment = training.attachments([run(bench("resnet18"))])[".csv"].decode()
    (line,) = csv.DictReader(io.StringIO(attachment))
    assert tuple(line) == HEADER
    assert len(HEADER) == len(set(HEADER)) == 44
    assert (HEADER[0], HEADER[13], HEADER[31], HEADER[-1]) == (
        "timestamp", "arch", "train_throughput_img_s", "achieved_tflops_val",
    )  # fmt: skip
    assert line["arch"] == "resnet18"
    assert line["dataset_root"] == "/data/tiny"
    assert float(line["ram_total_gb"]) == 16
    assert float(line["process_rss_gb"]) == 0.5
    assert float(line["cpu_util"]) == 90
    assert float(line["val_acc1"]) == pytest.approx(1.65)
    assert float(line["flops_g_per_image"]) == pytest.approx(3.6)
    assert float(line["train_achieved_gflops_s"]) == pytest.approx(1080)  # six times the MACs, end to end
    assert float(line["val_achieved_gflops_s"]) == pytest.approx(1080)  # twice the MACs
    assert float(line["achieved_tflops_train"]) == pytest.approx(1.08)
    assert (line["gpu_util"], line["arithmetic_intensity"], line["peak_gpu_mem_mb"]) == ("N/A",) * 3


def test_both_scenarios_stand_beside_what_was_published() -> None:
    text = training.render([run(bench("resnet18"), bench("squeezenet1_1", 64, "A+B"), bench("squeezenet1_1", 32, "B"))])
    assert "## `cpu, 2 threads, fp32, 224 px`" in text
    _, scenario_a, scenario_b = text.split("### ")
    assert "Scenario A" in scenario_a
    (resnet,) = [line for line in scenario_a.splitlines() if line.startswith("| `resnet18`")]
    cells = [cell.strip() for cell in resnet.split("|")[1:-1]]
    assert cells == [
        "`resnet18`", "128", "100.0", "8.878", "315.7", "12.5%", "2,000", "1,500", "90.0%", "1,024", "1.7%", "7.7%",
        "7.000 to 5.000", "ok",
    ]  # fmt: skip
    assert "346.6 (NaN)" in scenario_a
    assert [line.split("|")[2].strip() for line in scenario_b.splitlines() if line.startswith("| `sq")] == ["64", "32"]
    assert "What was wrong with the source" in text


def test_published_numbers_are_of_224_px_and_stand_beside_no_other() -> None:
    text = training.render([run(bench("resnet18", image_size=64, classes=200))])
    assert "8.878" not in text
    assert "315.7" not in text


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({name: 40.0 - place for place, name in enumerate(ORDER)}, "here it holds."),
        ({name: 40.0 + place for place, name in enumerate(ORDER)}, "does not hold: resnet50 > resnet18 > mobilenet_v2"),
        ({"resnet18": 1.0}, "not judged; no usable row of squeezenet1_1, mobilenet_v2, resnet50"),
    ],
)
def test_the_published_order_is_judged(rates: dict[str, float], said: str) -> None:
    assert said in training.render([four(rates)])


def test_the_published_numbers_have_the_published_order() -> None:
    assert tuple(sorted(PUBLISHED, key=lambda name: -PUBLISHED[name].cpu_images_per_s)) == ORDER


def test_a_contended_row_is_shown_and_judges_nothing() -> None:
    rows = [bench(name, images_per_s=1.0, status="contended") for name in ORDER]
    text = training.render([run(*rows)])
    assert "not judged" in text
    assert "contended |" in text


def test_what_diverged_is_named_and_no_row() -> None:
    name = "test_training[squeezenet1_1-pytorch-fp32-t2-b64]"
    gone = {
        "fullname": f"benchmarks/test_training_roofline.py::{name}", "status": "diverged",
        "reason": "diverged: the loss is nan at batch 31",
    }  # fmt: skip
    saved = run(bench("resnet18"), unmeasured=(gone, {"fullname": "a::test_other", "status": "oom", "reason": "x"}))
    text = training.render([saved])
    assert f"| `{name}` | diverged | `diverged: the loss is nan at batch 31` |" in text
    assert "test_other" not in text
    assert training.attachments([saved])[".csv"].decode().count("\n") == 2


def test_a_run_without_training_is_one_line() -> None:
    for make in (training.render, training.attachments):
        with pytest.raises(TailgateError, match=r"--format=training: no row of the study .*pytest benchmarks/"):
            make([run()])
    assert formats(ROOT)["training"].render.__wrapped__ is training.render


def test_rows_of_training_are_in_no_table_of_inference() -> None:
    saved = run(bench("resnet18", precision="bf16"), bench("resnet18"))
    for report in (gdev_ai_csv, scaling):
        with pytest.raises(TailgateError):
            report.render([saved])
    rows = [(one["fullname"], one["stats"], one["extra_info"]) for one in saved["benchmarks"]]
    assert judged(rows, limits.limits_from({})) == []
