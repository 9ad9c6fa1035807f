"""Where the level of a series of sessions changed, and by how much: penalised segmentation with a bounded loss.

Each change costs a penalty; each session costs its squared distance from its level, in units of the scatter between
sessions, but never more than a cap. The cap is what makes the answer robust: one session that was disturbed costs at
most the cap, and a stretch that returns to its old level is no change until it costs more than two penalties.

- The loss, and why it has to be bounded: Fearnhead and Rigaill, Changepoint Detection in the Presence of Outliers,
  J. of the American Statistical Association 114 (2019) 169-183.
- The recursion over levels, here on a grid of them: Maidstone, Hocking, Rigaill and Fearnhead, On optimal multiple
  changepoint algorithms for large data, Statistics and Computing 27 (2017) 519-533.
- The scatter: first from differences between neighbours, which a change of level hardly moves (Qn of Rousseeuw and
  Croux, J. of the American Statistical Association 88 (1993) 1273-1283), then from what the levels leave.

docs/evidence/change-points.md has false points, power and delay, and how penalty and cap were chosen.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LEAST_LENGTH = 10
"""Of every level but the last, when changes are looked for: a change is told from a level that is known, as in the
gate. Where it then lies is another question."""
LEAST_VALUES = LEAST_LENGTH + 1
PENALTY = 9.0
"""Of one change in a long series, in squared scatters."""
PENALTY_OF_FEW = 70.0
"""Over the number of values: what is added, because few values do not tell their scatter well."""
CAP = 13.0
"""The most that one value costs, in squared scatters: above one penalty, so that a single value may be a change at the
end; three that are far cost less than two penalties and the least length."""
LENIENT = 0.6
"""Times the penalty: which changes are taken out of the scatter before it is judged by."""
FREEDOM_OF_CANDIDATE = 3.0
"""Degrees of freedom that each of them costs: its level, and that its place was chosen."""
LEAST_SCATTER = 0.0025
"""Of logarithms of times. Sessions that repeat each other better than that do so by chance, or by rounding."""
CONFIDENCE = 0.99
"""Of a change's interval."""
PLACE_CONFIDENCE = 0.95
"""Of the range of places where it may have been."""
STEPS_PER_SCATTER = 8
"""Of the grid of levels."""


@dataclass(frozen=True)
class ChangePoint:
    """One change of level, in the unit of the values (logarithms: about a relative change)."""

    index: int
    """The first value of the new level."""
    earliest: int
    latest: int
    """It may also have been anywhere between (95 %, given that there is one change between its neighbours)."""
    change: float
    low: float
    high: float
    """Ends of its 99 % interval, given its place."""


@dataclass(frozen=True)
class Level:
    """A stretch of values, ``start`` included and ``end`` not."""

    start: int
    end: int
    center: float
    """The mean of its values without those at the cap."""
    kept: int
    """How many these are; at least 1."""


@dataclass(frozen=True)
class Segmentation:
    """Levels, and the changes between them."""

    levels: Sequence[Level]
    changes: Sequence[ChangePoint]
    far: Sequence[int]
    """Values so far from their level that it is found without them."""
    scatter: float
    """Standard deviation of the others around it."""


def penalty(count: int) -> float:
    """Of one change among ``count`` values, in squared scatters."""
    return PENALTY + PENALTY_OF_FEW / count


def segmented(values: Sequence[float], begins: Sequence[int] = ()) -> Segmentation | None:
    """The levels of values in their order; ``None``: too few to tell.

    Args:
        values: logarithms, the oldest first.
        begins: where a level begins for other reasons than the values; at no cost.

    Raises:
        ValueError: a value is not finite.
    """
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError(f"need finite values: {list(values)!r}")
    if len(series) < LEAST_VALUES:
        return None
    scatter = max(LEAST_SCATTER, _scatter_of_neighbours(series))
    candidates = _levels(series, scatter, begins, LENIENT)
    scatter = max(LEAST_SCATTER, _scatter_within(series, candidates, scatter, FREEDOM_OF_CANDIDATE))
    levels = _placed(series, _levels(series, scatter, begins), scatter, begins)
    far = [index for level in levels for index in range(level.start, level.end) if _far(series[index], level, scatter)]
    scatter = max(LEAST_SCATTER, _scatter_within(series, levels, scatter, 1))
    return Segmentation(levels, _changes(series, levels, scatter), far, scatter)


def _far(value: float, level: Level, scatter: float) -> bool:
    return (value - level.center) ** 2 > CAP * scatter**2


def _levels(series: Values, scatter: float, begins: Sequence[int], leniency: float = 1.0) -> list[Level]:
    starts = _starts(series / scatter, leniency * penalty(len(series)), begins)
    return [_level(series, start, end, scatter) for start, end in zip(starts, [*starts[1:], len(series)], strict=True)]


def _starts(scaled: Values, cost_of_change: float, begins: Sequence[int]) -> list[int]:
    """Where the cheapest levels begin: for each level of the grid, the cheapest way to have come to it."""
    import numpy as np

    scaled = scaled - scaled[0]
    steps = np.arange(-STEPS_PER_SCATTER, STEPS_PER_SCATTER + 1)
    grid = np.unique(np.round(scaled * STEPS_PER_SCATTER)[:, None] + steps) / STEPS_PER_SCATTER
    costs, starts = np.zeros(len(grid)), np.zeros(len(grid), dtype=np.intp)
    unchanged: deque[tuple[Values, NDArray[np.intp]]] = deque()
    """Costs and starts after each of the last values, and what it costs to stay there since."""
    before = np.zeros(len(scaled), dtype=np.intp)
    """Of a level that begins with this value: where the one before it begins."""
    for index, value in enumerate(scaled):
        if index in begins:
            before[index] = starts[costs.argmin()]
            costs[:], starts[:] = costs.min(), index
            unchanged.clear()
        elif len(unchanged) == LEAST_LENGTH:
            long_costs, long_starts = unchanged.popleft()
            before[index] = long_starts[long_costs.argmin()]
            changed = long_costs.min() + cost_of_change
            starts[costs > changed] = index
            np.minimum(costs, changed, out=costs)
        loss = np.minimum((value - grid) ** 2, CAP)
        costs += loss
        for older_costs, _ in unchanged:
            np.add(older_costs, loss, out=older_costs)
        unchanged.append((costs.copy(), starts.copy()))
    found = [int(starts[costs.argmin()])]
    while found[0] > 0:
        found.insert(0, int(before[found[0]]))
    return found


def _level(series: Values, start: int, end: int, scatter: float) -> Level:
    """The mean of what is within the cap of it, from the median on."""
    import numpy as np

    within = series[start:end]
    center, kept = float(np.median(within)), np.zeros(len(within), dtype=np.bool_)
    for _ in range(20):
        inside = (within - center) ** 2 <= CAP * scatter**2
        if not inside.any() or (inside == kept).all():
            break
        kept, center = inside, float(within[inside].mean())
    return Level(start, end, center, max(1, int(kept.sum())))


def _scatter_of_neighbours(series: Values) -> float:
    """Qn of the differences between neighbours, over the square root of two."""
    import numpy as np

    steps = np.diff(series)
    count = len(steps)
    half = count // 2 + 1
    pairs = np.sort(np.abs(steps[:, None] - steps)[np.triu_indices(count, 1)])
    return float(2.2219 * pairs[half * (half - 1) // 2 - 1] / math.sqrt(2))


def _scatter_within(series: Values, levels: Sequence[Level], scatter: float, freedom_of_change: float) -> float:
    """The standard deviation around the levels; what is at the cap is left out."""
    squares = [
        (value - level.center) ** 2
        for level in levels
        for value in series[level.start : level.end]
        if not _far(value, level, scatter)
    ]
    freedom = len(squares) - 1 - freedom_of_change * (len(levels) - 1)
    return math.sqrt(sum(squares) / freedom) if freedom >= 2 else scatter


def _changes(series: Values, levels: Sequence[Level], scatter: float) -> list[ChangePoint]:
    from scipy.special import stdtrit

    freedom = max(1, sum(level.kept for level in levels) - len(levels))
    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * scatter
    found = []
    for before, after in itertools.pairwise(levels):
        change = after.center - before.center
        half = reach * math.sqrt(1 / before.kept + 1 / after.kept)
        earliest, latest = _places(series, before, after, scatter)
        found.append(ChangePoint(after.start, earliest, latest, change, change - half, change + half))
    return found


def _placed(series: Values, levels: list[Level], scatter: float, begins: Sequence[int]) -> list[Level]:
    """Each change where it is the likeliest, whatever length that leaves."""
    found = list(levels)
    for number in range(1, len(found)):
        before, after = found[number - 1 : number + 1]
        if after.start not in begins:
            place = before.start + 1 + int(_misfit(series, before, after, scatter).argmin())
            found[number - 1] = _level(series, before.start, place, scatter)
            found[number] = _level(series, place, after.end, scatter)
    return found


def _places(series: Values, before: Level, after: Level, scatter: float) -> tuple[int, int]:
    """The smallest set of places that has 95 % of the likelihood, from its first to its last place."""
    import numpy as np

    misfit = _misfit(series, before, after, scatter)
    weights = np.exp(-(misfit - misfit.min()) / 2)
    order = np.argsort(-weights, kind="stable")
    enough = int(np.searchsorted(np.cumsum(weights[order]), PLACE_CONFIDENCE * weights.sum())) + 1
    places = order[:enough] + before.start + 1
    return min(int(places.min()), after.start), max(int(places.max()), after.start)


def _misfit(series: Values, before: Level, after: Level, scatter: float) -> Values:
    """Of two levels, what it costs that the second begins with their second, third ... value; up to a constant."""
    import numpy as np

    within = series[before.start : after.end] / scatter
    costs = [np.minimum((within - level.center / scatter) ** 2, CAP) for level in (before, after)]
    return np.asarray(np.cumsum(costs[0] - costs[1])[:-1])
