"""``tailgate report --format load``: a table and a picture from runs that are whole, old, hostile or full of holes."""

from typing import Any

import pytest
from histories import bench, saved_run
from loads import RATES, loaded

from tailgate.errors import TailgateError
from tailgate.results.pages.load import PERCENTILES, attachments, curves, draw, render
from tailgate.results.pictures import figure

PNG = b"\x89PNG\r\n"


def test_a_curve_has_its_saturation_its_knee_and_its_limit() -> None:
    rows = [loaded(rate, load_limit="p99=50ms") for rate in reversed(RATES)]
    text = render([saved_run(*rows)])
    lines = text.splitlines()
    assert [line.split(" | ")[1] for line in lines if "| poisson" in line] == [str(rate) for rate in RATES]
    assert "- Saturation: a closed loop was served 100 requests/s." in lines
    assert "- Knee, where rate over mean response is largest: 50 requests/s." in lines
    assert any("undisturbed rate of these with P99 within 50" in line and "30 requests/s" in line for line in lines)
    assert attachments([saved_run(*rows)])[".png"].startswith(PNG)


@pytest.mark.parametrize(
    ("rounds", "lines"),
    [(367, ["median", "P95"]), (368, ["median", "P95", "P99"]), (10_000, list(PERCENTILES.values()))],
)
def test_a_percentile_that_is_only_the_slowest_response_is_not_drawn(rounds: int, lines: list[str]) -> None:
    rows = [loaded(rate) for rate in RATES]
    for row in rows:
        row["stats"].update(rounds=rounds, p99_low=0.01, p99_high=None)
    (curve,) = curves([saved_run(*rows)])
    axes = figure(4, 3).subplots()
    draw(axes, curve)
    labels = axes.get_legend_handles_labels()[1]
    assert [label for label in labels if label in PERCENTILES.values()] == lines
    assert len(axes.texts) == (len(RATES) if "P99" in lines else 0)  # an arrow for each interval that is open above


def test_a_disturbed_row_is_in_the_table_and_holds_no_limit() -> None:
    rows = [loaded(10, load_limit="p99=50ms", status="late")]
    text = render([saved_run(*rows)])
    assert "| late |" in text
    assert "- No undisturbed rate of these had P99 within 50" in text


def test_two_machines_have_a_curve_each() -> None:
    runs = [saved_run(*(loaded(rate) for rate in RATES)) for _ in range(2)]
    runs[1]["machine_info"]["fingerprint_id"] = "beef"
    first, second = curves(runs)
    assert [len(one.rows) for one in (first, second)] == [len(RATES)] * 2
    assert second.name == "test_it.py::test_f on machine beef"
    assert "## test_it.py::test_f under load" in render(runs[:1])


def test_a_run_without_load_is_one_line() -> None:
    with pytest.raises(
        TailgateError, match=r"^--format=load: no row of these runs is under load; measure one with: "
    ) as e:
        render([saved_run(bench("test_it.py::test_f", 1e-3))])
    assert len(str(e.value).splitlines()) == 1
    with pytest.raises(TailgateError, match="no row of these runs is under load"):
        attachments([saved_run()])


def test_two_runs_and_two_benchmarks_are_two_curves() -> None:
    first, second = saved_run(loaded(10), loaded(30, "test_it.py::test_g")), saved_run(loaded(50))
    found = curves([first, second])
    assert [curve.name for curve in found] == ["test_it.py::test_f", "test_it.py::test_g"]
    assert [len(curve.rows) for curve in found] == [2, 1]
    assert attachments([first, second])[".png"].startswith(PNG)


def test_parameters_stay_in_the_name_and_the_load_does_not() -> None:
    row = loaded(10)
    row["fullname"] = "test_it.py::test_f[resnet50-poisson:10]"
    assert [curve.name for curve in curves([saved_run(row)])] == ["test_it.py::test_f[resnet50]"]


HOSTILE = [
    "a|b",
    "<script>alert(1)</script>",
    "![x](http://y)",
    "`code`",
    "$x_1$",
    "$\\frac{1}$",
    "ä\u202e",
    "a\nb",
    "%s",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_breaks_neither_table_nor_picture(name: str) -> None:
    run = saved_run(*(loaded(rate, f"test_it.py::test_f[{name}]") for rate in RATES))
    text = render([run])
    (heading,) = [line for line in text.splitlines() if line.startswith("#")]
    assert "<script>" not in heading
    assert len({line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert attachments([run])[".png"].startswith(PNG)


HOLES = [
    "load_capacity_per_s", "load_rate_served_per_s", "load_utilization", "load_service_median_s",
    "load_response_mean_s", "load_response_mean_theory_s", "load_queue_max", "load_lateness_p99_s", "status",
]  # fmt: skip


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "null"])
@pytest.mark.parametrize("field", HOLES)
def test_a_field_that_is_missing_is_a_question_mark(field: str, gone: bool) -> None:
    rows = [loaded(rate) for rate in RATES]
    for row in rows[:2]:
        if gone:
            del row["extra_info"][field]
        else:
            row["extra_info"][field] = None
    run = saved_run(*rows)
    assert "| None" not in render([run])
    assert attachments([run])[".png"].startswith(PNG)


@pytest.mark.parametrize("statistic", ["median", "p95", "p99", "p99_low", "p99_high"])
def test_a_statistic_that_is_missing_is_a_question_mark(statistic: str) -> None:
    rows = [loaded(rate, load_limit="p99=50ms", status="late") for rate in RATES]
    rows[0]["stats"][statistic] = None
    run = saved_run(*rows)
    assert "?" in render([run])
    assert attachments([run])[".png"].startswith(PNG)


@pytest.mark.parametrize("limit", [None, "", "p99", "p99=fastms", "p9=1ms", "=ms", 7, "p99=nanms"])
def test_a_limit_that_says_nothing_is_no_line(limit: Any) -> None:
    run = saved_run(loaded(10, load_limit=limit))
    assert "undisturbed rate" not in render([run])
    assert attachments([run])[".png"].startswith(PNG)


def test_a_peak_is_a_line() -> None:
    ends = {"load_peak_low_per_s": 60.0, "load_peak_high_per_s": None, "load_probes": [{}, {}]}
    row = loaded(60, load_arrivals="peak:p99=50ms", load_limit="p99=50ms", load_peak_per_s=63.2, **ends)
    assert "peak 63.2 requests/s [60, ?] within p99=50ms; 2 probes" in render([saved_run(row)])
