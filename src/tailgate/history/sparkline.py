"""A series as one line of text: eight heights, a bar where its level changed."""

import math
from collections.abc import Collection, Sequence

HEIGHTS = "▁▂▃▄▅▆▇█"
MISSING = "·"
CHANGE = "│"
WIDEST = 60
"""Characters; of a longer series the last ones are shown."""


def sparkline(values: Sequence[float | None], changes: Collection[int] = ()) -> str:
    """Draw the last values that fit.

    Args:
        values: above zero, the oldest first; ``None`` is a dot. Heights are logarithmic, from the least to the largest.
        changes: indices before which a bar is drawn.
    """
    first = max(0, len(values) - WIDEST)
    logs = [None if value is None or value <= 0 else math.log(value) for value in values[first:]]
    known = [log for log in logs if log is not None]
    low, span = (min(known), max(known) - min(known)) if known else (0.0, 0.0)
    drawn = []
    for index, log in enumerate(logs, first):
        if index in changes and index > first:
            drawn.append(CHANGE)
        height = 0 if log is None or span == 0 else round((log - low) / span * (len(HEIGHTS) - 1))
        drawn.append(MISSING if log is None else HEIGHTS[height])
    return ("…" if first else "") + "".join(drawn)
