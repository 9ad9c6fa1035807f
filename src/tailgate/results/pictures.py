"""What all pictures share: figures without a window or any global state, panels, axes, and the PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from tailgate.errors import TailgateError
from tailgate.text import printable

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's: colour-blind readers can distinguish them."""
PRECISION_COLORS = dict(zip(("fp32", "bf16", "int8", "fp16", "", "tf32"), COLORS, strict=False))
OTHER_COLOR = COLORS[-1]


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


def describe(axes: Any, title: Sequence[str], x_label: str, y_label: str) -> None:
    """Title, labels and a grid behind the data."""
    axes.set_title("\n".join(map(printable, title)), fontsize=10, loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


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
