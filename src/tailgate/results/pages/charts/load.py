"""Response times against the offered rate, as ``--format load`` draws them."""

from __future__ import annotations

from tailgate.errors import TailgateError
from tailgate.number import number
from tailgate.results.columns import under_load
from tailgate.results.pages.charts.series import MOST_PANELS
from tailgate.results.pages.load import Curve, curves, draw
from tailgate.results.pages.sections import NotDrawn, Panel, Section
from tailgate.results.pictures import legend, one_panel
from tailgate.results.saved_run import Run
from tailgate.text import counted, milliseconds

ORDER, TITLE = 50, "Under load"
CAPTION = (
    "How to read it: each line is a percentile of the response times, over the rate at which requests were offered. "
    "Near the saturation the queue grows, and the lines rise. The shade is P99's 95 % interval; a cross: not valid."
)

NO_LOAD = "no row is under load; measure one with --load=poisson:50%,70%,90%"


def section(run: Run) -> Section | NotDrawn:
    """A panel for each benchmark."""
    try:
        found = curves([run])
    except TailgateError:
        loaded = any(under_load(bench.get("extra_info") or {}) for bench in run["benchmarks"])
        reason = "no row has the rate at which requests were offered" if loaded else NO_LOAD
        return NotDrawn(TITLE, reason, asked=loaded)
    left_out = f"{MOST_PANELS} of {counted(len(found), 'benchmarks')} are drawn." if len(found) > MOST_PANELS else ""
    return Section("load", TITLE, CAPTION, [_panel(one) for one in found[:MOST_PANELS]], left_out)


def _panel(curve: Curve) -> Panel:
    figure, axes = one_panel()
    draw(axes, curve)
    legend(figure, columns=3)
    said = [
        f"at {row['extra_info']['load_rate_offered_per_s']:.4g}/s P99 {milliseconds(row['stats']['p99'])}"
        for row in curve.rows
        if number(row["stats"].get("p99")) is not None
    ]
    return Panel(curve.title, f"{'; '.join(said) or 'No P99 is known'}.", figure)
