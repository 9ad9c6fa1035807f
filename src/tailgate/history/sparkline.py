"""A series as one line of text: eight heights, a bar where its level changed."""

import math
from collections.abc import Collection, Sequence

HEIGHTS = "▁▂▃▄▅▆▇█"
MISSING = "·"
CHANGE = "│"
WIDEST = 60
"""Characters; of a longer series the last ones are shown."""
LEAST_SPAN = math.log(1.08)
"""From the lowest height to the highest: a height is 1 % or more, so the scatter of a quiet machine looks flat."""


def sparkline(values: Sequence[float | None], changes: Collection[int] = ()) -> str:
    """Draw the last values that fit.

    Args:
        values: above zero, the oldest first; ``None`` is a dot. Heights are logarithmic, from the least to the
            largest, which are :data:`LEAST_SPAN` apart or more.
        changes: indices before which a bar is drawn.
    """
    first = max(0, len(values) - WIDEST)
    logs = [None if value is None or value <= 0 else math.log(value) for value in values[first:]]
    known = [log for log in logs if log is not None]
    least, most = (min(known), max(known)) if known else (0.0, 0.0)
    span = max(most - least, LEAST_SPAN)
    low = least - (span - (most - least)) * 3 / 7  # a series without scatter lies at the fourth height
    drawn = []
    for index, log in enumerate(logs, first):
        if index in changes and index > first:
            drawn.append(CHANGE)
        drawn.append(MISSING if log is None else HEIGHTS[round((log - low) / span * (len(HEIGHTS) - 1))])
    return ("…" if first else "") + "".join(drawn)
