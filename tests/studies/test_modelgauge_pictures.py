import dataclasses
import sys

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from profiles import infos, run

from studies.onnx_profiles import pictures
from studies.onnx_profiles.pairs import evaluate, pairs
from studies.onnx_profiles.report import attachments, render
from studies.onnx_profiles.rows import profiles
from tailgate.errors import TailgateError
from tailgate.results.pictures import COLORS, panels

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """What is in a picture does not depend on its dots."""
    monkeypatch.setattr("tailgate.results.pictures.DOTS_PER_INCH", 20)


def measured(*runs):
    ((_, found),) = profiles(runs).by_setting.items()
    return found


def test_each_runtime_and_thread_count_is_a_row_of_panels(monkeypatch):
    monkeypatch.setattr("tailgate.results.pictures.png", lambda figure, _dots: figure)
    figure = pictures.latency(profiles([run(), run(threads=2)]).by_setting)
    assert [place.get_title(loc="left").splitlines()[0] for place in figure.get_axes()] == [
        f"FLOPs and latency, {how} · onnxruntime 1.28.0, fp32, {threads}"
        for threads in ("1 thread", "2 threads")
        for how in ("semi-logarithmic as in the source", "the same, both axes logarithmic")
    ]


def test_a_linear_fit_is_drawn_as_the_curve_it_is_on_a_logarithmic_axis():
    found = measured(run())
    pair = pairs(found)[0]
    figure, (place, log_place) = panels(2, 2, pictures.PANEL_INCHES)
    pictures._draw(place, evaluate(pair, found), "ms/GFLOP", None, "linear")
    pictures._draw(log_place, evaluate(pair, found), "ms/GFLOP", None, "log")
    assert (place.get_xscale(), place.get_yscale(), log_place.get_yscale()) == ("log", "linear", "log")
    dashed = [line for line in place.get_lines() if line.get_linestyle() == "--"]
    assert len(dashed) == 3  # one model at 256 px makes no line
    for line in dashed:
        x, y = line.get_xdata(), line.get_ydata()
        slopes = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(0, len(x) - 1, 20)]
        assert slopes == pytest.approx([slopes[0]] * len(slopes))  # straight in x ...
        middle = (y[0] + y[-1]) / 2
        assert y[len(y) // 2] < middle  # ... and so not in log x
    assert figure is not None


def test_more_sizes_than_colours_share_one_without_a_fit():
    saved = run()
    for index, info in enumerate(infos(saved).values()):
        info["image_size"] = 32 + index % 11
    series = pictures._series(measured(saved))
    assert len(series) == len(COLORS)
    assert series[-1][0] == "other sizes"
    assert sum(len(used) for _, used in series) == 32
    assert pictures.latency(profiles([saved]).by_setting).startswith(PNG)


@pytest.mark.parametrize("falling", [False, True], ids=["rising", "falling"])
def test_the_legend_hides_no_point(falling):
    """The corner that is free where memory rises with the parameters is the fullest one where it falls."""
    found = measured(run())
    if falling:
        heights = sorted((one.mean_s for one in found), reverse=True)
        ranked = sorted(found, key=lambda one: one.macs or 0)
        found = [dataclasses.replace(one, mean_s=height) for one, height in zip(ranked, heights, strict=True)]
    figure, (place,) = panels(1, 1, pictures.PANEL_INCHES)
    pictures._draw(place, evaluate(pairs(found)[0], found), "ms/GFLOP", None, "linear")
    FigureCanvasAgg(figure).draw()
    box = place.get_legend().get_window_extent()
    points = [place.transData.transform(point) for bars in place.containers for point in bars[0].get_xydata()]
    assert len(points) == len(found)
    assert [tuple(point) for point in points if box.contains(*point)] == []


def test_error_bars_are_one_standard_deviation():
    saved = run()
    found = measured(saved)
    _, (place,) = panels(1, 1, pictures.PANEL_INCHES)
    pictures._draw(place, evaluate(pairs(found)[0], found), "", lambda one: one.stddev_s * 1e3, "linear")
    largest = max(found, key=lambda one: one.mean_s)
    segments = [segment for bars in place.containers for part in bars[2] for segment in part.get_segments()]
    highest = max(end for segment in segments for _, end in segment)
    assert highest == pytest.approx((largest.mean_s + largest.stddev_s) * 1e3)


def test_without_matplotlib_pictures_are_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "# Profiles" in render([run()])
    with pytest.raises(TailgateError, match="install it with: pip install 'matplotlib"):
        attachments([run()])
