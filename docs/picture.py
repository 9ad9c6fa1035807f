"""Draws ``docs/latency.png``, the README's picture, from the saved run in ``baselines/``.

``python docs/picture.py`` draws it anew. It needs matplotlib: run it where the benchmarks run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tailgate.results import pictures  # noqa: E402 (its folder has to be on the path first)
from tailgate.results.rows import Row, rows_of  # noqa: E402
from tailgate.results.saved_run import load_run  # noqa: E402

RUN = ROOT / "baselines" / "intel-xeon-processor-2cpu-eb69daf88a98" / "0001_xeon.json"
PICTURE = ROOT / "docs" / "latency.png"
MODELS = ("resnet50", "resnet18")
THREADS = (1, 2)


def picture() -> bytes:
    """A panel per model; a line from the median to the P99 per runtime, precision and thread count, at batch 1."""
    rows = [row for row in rows_of(load_run(RUN)) if row["batch_size"] == 1]
    slowest_first = sorted(rows, key=lambda row: -row["median_s"])
    names = list(dict.fromkeys(_name(row) for row in slowest_first))
    with pictures.style():
        return _drawn(rows, names)


def _drawn(rows: list[Row], names: list[str]) -> bytes:
    drawn = pictures.figure(9.0, 3.6, layout="constrained")
    for axes, model in zip(drawn.subplots(1, len(MODELS), sharey=True), MODELS, strict=True):
        _panel(axes, [row for row in rows if row["model"] == model], names)
        axes.set_title(model)
    drawn.axes[0].invert_yaxis()
    drawn.axes[1].legend(loc="lower right")
    drawn.supxlabel("milliseconds per call, batch 1 (dot: median; bar: P99)", fontsize=9)
    return pictures.png(drawn, 100)


def _name(row: Row) -> str:
    return f"{row['runtime']} {row['precision']}"


def _panel(axes: Any, rows: list[Row], names: list[str]) -> None:
    for threads, color in zip(THREADS, pictures.COLORS, strict=False):
        shown = [row for row in rows if row["threads"] == threads]
        places = [names.index(_name(row)) + (threads - 1.5) * 0.34 for row in shown]
        medians_ms, p99s_ms = ([row[key] * 1e3 for row in shown] for key in ("median_s", "p99_s"))
        axes.hlines(places, medians_ms, p99s_ms, color=color, linewidth=2)
        axes.plot(p99s_ms, places, "|", color=color, markersize=9, markeredgewidth=2)
        axes.plot(medians_ms, places, "o", color=color, label=f"{threads} thread{'s' * (threads > 1)}")
        for place, median_ms in zip(places, medians_ms, strict=True):
            axes.annotate(
                f"{median_ms:.3g}", (median_ms, place), (-7, 0), textcoords="offset points", ha="right", va="center"
            )
    axes.set_xscale("log")
    axes.set_xlim(1.3, 150)
    axes.set_xticks((2, 5, 10, 20, 50, 100), ("2", "5", "10", "20", "50", "100"))
    axes.minorticks_off()
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False, axis="y")


if __name__ == "__main__":
    PICTURE.write_bytes(picture())
