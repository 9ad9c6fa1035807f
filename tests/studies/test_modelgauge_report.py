import csv
import io
import json
import math

import pytest
from profiles import MODELS, infos, run

from studies.onnx_profiles import pictures
from studies.onnx_profiles.csv_file import render as table_of
from studies.onnx_profiles.report import attachments, render
from studies.onnx_profiles.rows import profiles
from tailgate.commands import main as cli
from tailgate.errors import TailgateError

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """What is in a picture does not depend on its dots."""
    monkeypatch.setattr("tailgate.results.pictures.DOTS_PER_INCH", 20)


def row_of(text, *starts):
    """The cells of the first table row that begins so."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    return next(row for row in rows if tuple(row[: len(starts)]) == starts)


def measured(*runs):
    ((_, found),) = profiles(runs).by_setting.items()
    return found


def test_every_pair_stands_beside_the_published_figures():
    text = render([run()])
    latency = row_of(text, "FLOPs and latency", "mean, ms", "32")
    assert float(latency[3]) > 0.9
    assert latency[-4:] == ["0.990", "0.698", "0.878", "0.388"]
    assert row_of(text, "parameters and memory", "heap, MB", "32")[-4:] == ["0.999", "0.938", "0.998", "0.999"]
    for how in ("whole process, millions", "per inference, millions"):
        assert row_of(text, "FLOPs and cache misses", how, "32")[-4:] == ["0.984", "–", "–", "–"]
        assert row_of(text, "parameters and cache misses", how, "32")[-4:] == ["0.816", "–", "–", "–"]
    assert "11 of 11 published pairs can both be true" in text
    assert "left out" not in text


def test_a_disturbed_row_is_left_out_of_what_is_about_time_only():
    saved = run()
    infos(saved)["resnet50-224px"]["status"] = "contended"
    infos(saved)["mobilenet_v2-32px"]["macs"] = None
    text = render([saved])
    assert row_of(text, "FLOPs and latency", "mean, ms")[2] == "30"
    assert row_of(text, "parameters and memory", "heap, MB")[2] == "32"
    assert "- FLOPs and latency (mean, ms): left out: 1 no MACs, 1 contended." in text
    assert "1 of them disturbed" in text
    assert row_of(text, "`resnet50-224px`")[-1] == "contended"
    assert row_of(text, "`mobilenet_v2-32px`")[3:5] == ["–", "–"]


def test_fits_by_size_find_the_slope_that_was_put_in():
    saved = run()
    for bench in saved["benchmarks"]:
        bench["stats"]["mean"] = 0.002 + 2 * bench["extra_info"]["macs"] * 25e-12  # 2 ms, and 25 ms a GFLOP
    text = render([saved])
    for size in ("32 px", "128 px", "224 px"):
        row = next(line for line in text.splitlines() if line.startswith(f"| {size}"))
        models, slope, _, intercept, _, r2 = [cell.strip() for cell in row.split("|")[2:-1]]
        assert int(models) == (11 if size == "224 px" else 10)
        assert (float(slope), float(intercept), float(r2)) == pytest.approx((25, 2, 1), rel=1e-3)
    assert "1 point; 3 at least" in text  # 256 px


def test_the_model_off_the_line_is_named_with_r_without_it():
    saved = run()
    infos(saved)["vit_b_16-224px"]["heap_peak_bytes"] = 150_000_000
    row = row_of(render([saved]), "parameters and memory", "heap, MB", "`vit_b_16-224px`")
    assert float(row[3]) < 0.97
    assert float(row[4]) > 0.999
    assert row[-1] == "31"


def test_the_rate_is_the_sources_and_that_of_the_inferences_alone():
    one = next(one for one in measured(run()) if one.model == "mobilenet_v2-32px")
    mean_ms = one.mean_s * 1e3
    per_inference = one.measured["perf_dTLB_load_misses_per_inference"]
    assert one.smir_process() == pytest.approx((2_500_000 + 100 * per_inference) / mean_ms / 1e6)
    assert one.smir_inference() == pytest.approx(100 * per_inference / mean_ms / 1e6)
    assert "32 of 32 models have it" in render([run()])


def test_without_counters_the_reason_is_told_and_no_picture_drawn():
    saved = run(counters=False)
    text = render([saved])
    assert "Not computed: `perf: no permission; allow it with: sudo sysctl kernel.perf_event_paranoid=1`" in text
    assert "(32 of 32 models say so)" in text
    assert "cache misses" not in text
    assert pictures.smir(profiles([saved]).by_setting) is None
    for info in infos(saved).values():
        info["warnings"] = []
    assert "count with: --meters cpu,rss,perf" in render([saved])


@pytest.mark.parametrize(
    ("heap", "massif", "named"), [(32, 32, "heap"), (0, 32, "massif"), (3, 32, "massif"), (0, 0, "rss growth")]
)
def test_memory_is_one_meters_and_says_whose(heap, massif, named):
    saved = run(heap=False)
    for index, info in enumerate(infos(saved).values()):
        info.update({"heap_peak_bytes": 5_000_000 + index} if index < heap else {})
        info.update({"massif_peak_bytes": 6_000_000 + index} if index < massif else {})
        if not (heap or massif):
            continue
        info["rss_growth_bytes"] = None
    text = render([saved])
    assert f"Memory: {named}." in text
    assert row_of(text, "parameters and memory", f"{named}, MB")[2] == "32"


def test_the_image_size_is_said_or_the_inputs_last_dimension():
    saved = run()
    found = infos(saved)
    found["resnet50-32px"] |= {"image_size": 96}
    found["resnet50-128px"] |= {"inputs": [{"name": "ids", "shape": [1, 77]}, {"name": "x", "shape": [1, 3, 64, 80]}]}
    found["vit_b_16-224px"] |= {"inputs": [{"name": "ids", "shape": [1, "sequence"]}]}
    found["mobilevit_s-256px"] |= {"inputs": "none"}
    sizes = {one.model: one.image_size_px for one in measured(saved)}
    assert [sizes[name] for name in ("resnet50-32px", "resnet50-128px", "vit_b_16-224px", "mobilevit_s-256px")] == [
        96, 80, None, None,
    ]  # fmt: skip
    assert "| no image |" in render([saved]).replace("  ", " ").replace("  ", " ")


def test_of_a_model_measured_twice_the_latest_usable_row_stands_with_all_meters():
    first, second, third = run(heap=True), run(heap=False, counters=False, seed=1), run(heap=False, seed=2)
    for info in infos(third).values():
        info["status"] = "contended"
    found = measured(first, second, third)
    assert len(found) == 32
    means = {bench["extra_info"]["model"]: bench["stats"]["mean"] for bench in second["benchmarks"]}
    assert {one.model: one.mean_s for one in found} == means
    assert all(one.usable and "heap_peak_bytes" in one.measured for one in found)
    assert "Rows that repeat a model and setting: 64." in render([first, second, third])


def test_what_was_not_measured_is_listed_with_its_reason():
    saved = run()
    saved["unmeasured"] = [
        {"fullname": "b/test_onnx_profiles.py::test_onnx_profiles[a|b]", "status": "unsupported", "reason": "no `Foo`"},
        {"fullname": "b/test_cpu_scaling.py::test_cpu_scaling[x]", "status": "crashed", "reason": "other study"},
        "nonsense",
    ]
    text = render([saved])
    assert "| `test_onnx_profiles[a\\|b]` | unsupported | `no 'Foo'` |" in text
    assert "other study" not in text
    assert list(csv.DictReader(io.StringIO(table_of(profiles([saved])))))[-1]["warnings"] == "no `Foo`"


def test_csv_has_every_model_with_units_in_the_names():
    lines = list(csv.DictReader(io.StringIO(table_of(profiles([run()])))))
    assert len(lines) == len(MODELS) == 32
    resnet = next(line for line in lines if line["model"] == "resnet50-224px")
    assert (resnet["parameters"], resnet["macs_per_item"], resnet["image_size_px"]) == ("25557000", "4089000000", "224")
    assert float(resnet["achieved_flop_per_s"]) == pytest.approx(2 * 4.089e9 / float(resnet["latency_median_s"]))
    assert resnet["massif_peak_bytes"] == ""
    assert float(resnet["smir_per_100_inferences"]) > 0


def test_a_model_without_a_batch_is_beside_those_with_one_item():
    saved = run()
    infos(saved)["resnet50-224px"] |= {"batch_size": None, "items_per_call": None}
    assert len(measured(saved)) == 32


def test_odd_values_in_a_file_cost_their_cell_not_the_report():
    saved = run()
    odd = infos(saved)["resnet50-224px"]
    odd |= {"macs": "many", "parameters": -3, "heap_peak_bytes": math.nan, "threads": True, "warnings": "text"}
    odd |= {"model": "<b>|`x`\x1b[31m", "batch_size": [1], "image_size": math.inf, "inputs": [None, {"shape": "4"}]}
    text = render([saved])
    assert "`<b>\\|'x'\\x1b[31m`" in text
    assert "\x1b" not in text
    assert pictures.latency(profiles([saved]).by_setting).startswith(PNG)


def test_two_models_have_no_correlation_and_say_so():
    saved = run()
    saved["benchmarks"] = saved["benchmarks"][:2]
    text = render([saved])
    assert "- FLOPs and latency (mean, ms): no r, because 2 points; 3 at least." in text
    assert "most influential" not in text
    assert pictures.memory(profiles([saved]).by_setting).startswith(PNG)


def test_a_run_of_another_study_is_an_error_with_the_command():
    saved = run()
    for info in infos(saved).values():
        info["study"] = "cpu-scaling"
    for make in (render, attachments):
        with pytest.raises(TailgateError, match="no row of the study onnx-profiles in these runs; measure some with"):
            make([saved])


def test_the_command_writes_text_pictures_and_table(tmp_path, capsys):
    saved = run()
    for bench in saved["benchmarks"]:
        bench["stats"]["data"] = [bench["stats"]["mean"]] * 100
    (tmp_path / "run.json").write_text(json.dumps(saved))
    command = ["report", "--format", "modelgauge", str(tmp_path / "run.json")]
    assert cli.main([*command, "--output", str(tmp_path / "profiles.md")]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "run.json", "profiles.md", "profiles.csv", "profiles-latency.png", "profiles-memory.png", "profiles-smir.png",
    }  # fmt: skip
    assert (tmp_path / "profiles-smir.png").read_bytes().startswith(PNG)
    assert "Wrote" in capsys.readouterr().out


def test_parts_are_by_runtime_and_threads():
    text = render([run(), run(threads=2), run(runtime="openvino")])
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## `onnxruntime 1.28.0, fp32, 1 thread`",
        "## `onnxruntime 1.28.0, fp32, 2 threads`",
        "## `openvino 1.28.0, fp32, 1 thread`",
    ]


@pytest.mark.parametrize(
    ("shape", "width"),
    [([1, 3, 224, 256], 256), ([1, 224, 256, 3], 256), ([8, 12, 64, 64], None), ([1, 3, "height", "width"], None)],
)
def test_only_an_input_in_the_shape_of_images_has_pixels(shape, width):
    saved = run()
    infos(saved)["resnet50-32px"]["inputs"] = [{"name": "mask", "shape": shape, "dtype": "float32"}]
    (found,) = profiles([saved]).by_setting.values()
    assert {one.model: one.image_size_px for one in found}["resnet50-32px"] == width
