"""What all pictures share: a figure without a window or any global state, and its PNG."""

from __future__ import annotations

import io
from typing import Any

from tailgate.errors import TailgateError

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's: told apart by colour-blind readers, too."""


def figure(width_inches: float, height_inches: float, *, layout: str | None = None) -> Any:
    """An empty one of matplotlib's; ``layout``: such as ``constrained``.

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


def png(drawn: Any, dots_per_inch: int) -> bytes:
    """The content of a PNG file."""
    stream = io.BytesIO()
    drawn.savefig(stream, format="png", dpi=dots_per_inch)
    return stream.getvalue()


def halo() -> dict[str, Any]:
    """Arguments of a text that stays readable on lines."""
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.5, foreground="white")]}
