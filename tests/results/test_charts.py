"""What the pictures of a page are drawn from."""

import math

import pytest
from drawn_runs import cell, run
from histories import bench, saved_run
from hypothesis import given
from hypothesis import strategies as st

from tailgate.results.pages.charts import energy, latency, precision, threads, tradeoff
from tailgate.results.pages.charts.latency import MOST_POINTS, curve
from tailgate.results.pages.charts.series import measured
from tailgate.results.pages.charts.threads import rates
from tailgate.results.pages.sections import NotDrawn, Section
from tailgate.results.pictures import label
from tailgate.results.svg import svg


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=2_000))
def test_a_distribution_is_ascending_bounded_in_points_and_keeps_both_ends(samples: list[float]) -> None:
    seconds, heights = curve(samples)
    assert seconds == sorted(seconds)
    assert heights == sorted(set(heights))
    assert len(seconds) == len(heights) <= MOST_POINTS + 2
    assert (seconds[0], seconds[-1]) == (min(samples), max(samples))


def test_ninety_percent_stands_at_one_and_ninety_nine_at_two() -> None:
    seconds, heights = curve([float(number) for number in range(1, 100_001)])
    for height, share in ((1.0, 0.9), (2.0, 0.99), (3.0, 0.999)):
        nearest = min(range(len(heights)), key=lambda index: abs(heights[index] - height))
        assert seconds[nearest] / 1e5 == pytest.approx(1 - 10 ** -heights[nearest], abs=1e-5)
        assert 1 - 10 ** -heights[nearest] == pytest.approx(share, abs=0.01)


def test_the_rate_of_a_cell_that_was_measured_twice_is_the_median() -> None:
    rows = measured(run(cell(1, 1)))
    same = [row for row in rows if (row["precision"], row["batch_size"], row["load_arrivals"]) == ("fp32", 1, None)]
    for row in same:
        row["throughput_items_per_s"] = float(row["threads"])
    assert rates(same) == {1: 1.0, 2: 2.0, 4: 4.0}


def test_the_arrow_of_an_open_p99_and_both_marks_lie_in_the_picture() -> None:
    few = bench("t.py::few", 1e-3, 2e-3)
    few["stats"] |= {"p99_low": 1.9e-3, "p99_high": None}
    few["stats"]["data"] = [1e-3 + index * 5e-5 for index in range(20)]
    made = latency.section(saved_run(few))
    assert isinstance(made, Section)
    (axes,) = made.panels[0].figure.axes
    (arrow,) = axes.texts
    assert axes.get_xlim()[0] < arrow.xy[0] < axes.get_xlim()[1]
    assert axes.get_ylim()[1] > 2.0
    assert "99 %" in [one.get_text() for one in axes.get_yticklabels()]
    line = axes.lines[0]
    (mark,) = line.get_markevery()
    assert line.get_xdata()[mark] == pytest.approx(1.45)


def panels(section: Section | NotDrawn) -> list[str]:
    assert isinstance(section, Section), section
    return [panel.title for panel in section.panels]


def test_each_kind_has_a_panel_for_each_model() -> None:
    made = run(cell(1, model="mlp"), cell(2, model="mlp"), cell(2, 8, model="mlp"), cell(2, 8, "int8", model="mlp"))
    for kind in (threads, tradeoff, precision):
        assert sorted(panels(kind.section(made))) == ["mlp", "resnet18"]
    assert {"mlp", "resnet18"} <= set(panels(latency.section(made)))


def test_summaries_say_what_the_pictures_show() -> None:
    section = precision.section(run())
    assert isinstance(section, Section)
    assert "onnxruntime, int8, 4 threads, batch 1: 2.00 times as fast, error 0.02" in section.panels[0].summary


@pytest.mark.parametrize(
    ("name", "shown"),
    [("_x", " _x"), ("a" * 200, "a" * 59 + "…"), ("\ufffe\x1b[31m", "?\\x1b[31m"), ("$x^2$", "$x^2$")],
)
def test_a_label_is_short_is_xml_and_stays_in_the_legend(name: str, shown: str) -> None:
    assert label(name) == shown


@pytest.mark.parametrize(("known", "drawn"), [(0.1, 0.1), (0.0, 0.0), (None, None), (-1.0, None)])
def test_an_unknown_uncertainty_of_energy_is_no_bar_of_no_length(known: float | None, drawn: float | None) -> None:
    found = energy.uncertainty_rel({"energy_uncertainty_rel": known})
    assert math.isnan(found) if drawn is None else found == drawn


def test_energy_is_drawn_where_an_uncertainty_is_unknown() -> None:
    benches = [
        bench(f"t.py::test_{index}", 1e-3, energy_per_item_j=1.0, **known)
        for index, known in enumerate(({}, {"energy_uncertainty_rel": 0.1}))
    ]
    found = energy.section(saved_run(*benches))
    assert isinstance(found, Section)
    assert "nan" not in svg(found.panels[0].figure, "energy", "title", "summary")
