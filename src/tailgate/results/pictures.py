"""What all pictures share: one look, figures without a window or any global state, panels, axes, and the PNG."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from tailgate.errors import TailgateError
from tailgate.text import printable

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's: colour-blind readers can distinguish them."""
PRECISION_COLORS = dict(zip(("fp32", "bf16", "int8", "fp16", "", "tf32"), COLORS, strict=False))
OTHER_COLOR = COLORS[-1]
INK, MUTED, GRID, PAPER = "#222222", "#555555", "#dddddd", "#ffffff"
"""Of text, of what is said beside it, of lines behind the data, of the background."""
DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Beside the colours, so that a picture can be read without them."""
PANEL_INCHES = (5.2, 3.4)
DOTS_PER_INCH = 130
STYLE = {
    "font.size": 9.0, "axes.titlesize": 10.0, "axes.labelsize": 9.0, "xtick.labelsize": 8.0, "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0, "legend.frameon": False, "legend.handlelength": 2.6, "figure.titlesize": 11.0,
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.7,
    "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "lines.linewidth": 1.5, "lines.markersize": 5.0, "figure.facecolor": PAPER, "axes.facecolor": PAPER,
    "text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "tailgate",
}  # fmt: skip
"""matplotlib's settings of every picture; a ``$`` in a name is no mathematics, and an SVG's text stays text."""
LONGEST_LABEL = 60
NO_CHARACTER = re.compile(r"[\ufffe\uffff]")
"""What Python writes and XML forbids."""


def installed() -> bool:
    """Whether matplotlib is there; it is not imported."""
    return importlib.util.find_spec("matplotlib") is not None


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Around drawing: one look, whatever the user's own settings; nothing outside changes.

    Without matplotlib nothing happens: :func:`figure` says that it is missing.
    """
    if not installed():
        yield
        return
    import matplotlib.style

    with matplotlib.style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in a script that the font lacks
        yield


def figure(width_inches: float, height_inches: float, *, layout: str | None = None) -> Any:
    """An empty figure of matplotlib; ``layout``: such as ``constrained``.

    Raises:
        TailgateError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TailgateError(
            "pictures need matplotlib, which is not installed; install it with: pip install 'matplotlib>=3.8'; "
            "or leave --output away"
        ) from error
    return Figure(figsize=(width_inches, height_inches), layout=layout)


def panels(
    count: int, columns: int, panel_inches: tuple[float, float], title_inches: float = 0.0
) -> tuple[Any, Sequence[Any]]:
    """A figure of ``count`` panels, ``columns`` per row."""
    rows = math.ceil(count / columns)
    drawn = figure(panel_inches[0] * columns, panel_inches[1] * rows + title_inches, layout="constrained")
    found = drawn.subplots(rows, columns, squeeze=False).flatten().tolist()
    for unused in found[count:]:
        unused.set_visible(False)
    return drawn, found[:count]


def one_panel(width_inches: float = PANEL_INCHES[0], height_inches: float = PANEL_INCHES[1]) -> tuple[Any, Any]:
    """A figure with one panel, and its axes."""
    drawn = figure(width_inches, height_inches, layout="constrained")
    return drawn, drawn.subplots()


def describe(axes: Any, title: Sequence[str], x_label: str, y_label: str) -> None:
    """Title, labels and a grid behind the data."""
    axes.set_title("\n".join(map(printable, title)), loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(visible=True, which="major", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def label(text: str) -> str:
    """A name as a picture can hold it: short, of characters that an SVG allows, and never left out of a legend."""
    shown = NO_CHARACTER.sub("?", printable(text))
    if len(shown) > LONGEST_LABEL:
        shown = f"{shown[: LONGEST_LABEL - 1]}…"
    return f" {shown}" if shown.startswith("_") else shown


def look(index: int) -> dict[str, Any]:
    """Colour, line and marker of a picture's ``index``-th series: 56 differ in at least one of them."""
    return {
        "color": COLORS[index % len(COLORS)],
        "linestyle": DASHES[index // len(COLORS) % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def legend(drawn: Any, columns: int = 2) -> None:
    """Below the axes, where it covers nothing."""
    handles, labels = drawn.axes[0].get_legend_handles_labels()
    if handles:
        drawn.legend(handles, labels, loc="outside lower left", ncols=min(columns, len(handles)))


def caption(drawn: Any, text: str) -> None:
    """Below all panels: what is to be seen."""
    drawn.supxlabel(text, x=0.01, ha="left", fontsize=8, color=MUTED)


def plain_ticks(axis: Any) -> None:
    """Plain numbers on a logarithmic axis; where it has few powers of ten, numbers between them too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    fine, few = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0), (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 500 * low else few if high > 6 * low else fine))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value < 1e6 else f"{value:.0e}"))
    axis.set_minor_formatter(NullFormatter())


def halo() -> dict[str, Any]:
    """Arguments of a text that stays readable on lines."""
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.5, foreground="white")]}


def png(drawn: Any, dots_per_inch: int) -> bytes:
    """The content of a PNG file."""
    stream = io.BytesIO()
    drawn.savefig(stream, format="png", dpi=dots_per_inch)
    return stream.getvalue()
