"""Do two quantities move together, how surely, and along which line; and can a published r and p both be true?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_POINTS = 3
"""Two points always lie on a line."""
NEARLY_CONSTANT_REL = 1e-12
"""A spread below this share of the largest value is rounding."""


@dataclass(frozen=True)
class Correlation:
    """Of n pairs. Every number is ``None`` where ``reason`` says why there is none."""

    n: int
    pearson_r: float | None = None
    pearson_p: float | None = None
    """Two-sided: how often n pairs of independent normal values are at least so far from r = 0."""
    low_r: float | None = None
    high_r: float | None = None
    """95 % interval of r; ``None`` with three pairs, of which Fisher's z has none."""
    spearman_rho: float | None = None
    spearman_p: float | None = None
    """Two-sided, from Student's t: an approximation with few pairs or many ties."""
    reason: str | None = None


@dataclass(frozen=True)
class Fit:
    """y = intercept + slope x by least squares. Every number is ``None`` where ``reason`` says why."""

    n: int
    slope: float | None = None
    slope_se: float | None = None
    intercept: float | None = None
    intercept_se: float | None = None
    r2: float | None = None
    """Share of y's variance that the line explains."""
    reason: str | None = None

    def at(self, x: float) -> float:
        """The line's y.

        Raises:
            ValueError: there is no line.
        """
        if self.slope is None or self.intercept is None:
            raise ValueError(f"no line: {self.reason}")
        return self.intercept + self.slope * x


def unusable(x: Sequence[float], y: Sequence[float]) -> str | None:
    """Why these pairs have neither correlation nor line; ``None``: they have both."""
    if len(x) != len(y):
        return f"{len(x)} x values and {len(y)} y values"
    if not all(math.isfinite(value) for value in (*x, *y)):
        return "a value is not finite"
    if len(x) < LEAST_POINTS:
        return f"{len(x)} point{'s' if len(x) != 1 else ''}; {LEAST_POINTS} at least"
    for name, values in (("x", x), ("y", y)):
        if max(values) - min(values) <= NEARLY_CONSTANT_REL * max(map(abs, values)):
            return f"all {name} values are the same"
    return None


def correlation(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Correlation:
    """Pearson's r and Spearman's rho, each with its p.

    r's p is exact for normal values (``scipy.stats.pearsonr``); its interval is from Fisher's z:
    tanh(atanh r +- 1.96 / sqrt(n - 3)) (Fisher, Metron 1, 1921).
    """
    reason = unusable(x, y)
    if reason:
        return Correlation(len(x), reason=reason)
    from scipy.stats import pearsonr, spearmanr

    scaled = [_scaled(values) for values in (x, y)]
    pearson = pearsonr(*scaled)
    low, high = (None, None) if len(x) == LEAST_POINTS else pearson.confidence_interval(confidence)
    spearman = spearmanr(x, y)
    return Correlation(
        len(x), float(pearson.statistic), float(pearson.pvalue), None if low is None else float(low),
        None if high is None else float(high), float(spearman.statistic), float(spearman.pvalue),
    )  # fmt: skip


def linear_fit(x: Sequence[float], y: Sequence[float]) -> Fit:
    """Least squares with standard errors, which assume the same scatter about the line everywhere."""
    reason = unusable(x, y)
    if reason:
        return Fit(len(x), reason=reason)
    from scipy.stats import linregress

    found = linregress(x, y)
    return Fit(
        len(x), float(found.slope), float(found.stderr), float(found.intercept), float(found.intercept_stderr),
        float(found.rvalue) ** 2,
    )  # fmt: skip


@dataclass(frozen=True)
class Influence:
    """The one point without which r changes the most."""

    index: int
    without: Correlation


def most_influential(x: Sequence[float], y: Sequence[float]) -> Influence | None:
    """Leave one out; ``None`` where there is no r, or none without any one point."""
    if unusable(x, y):
        return None
    whole = statistics.correlation(_scaled(x), _scaled(y))
    changes: dict[int, float] = {}
    for index in range(len(x)):
        others = [*x[:index], *x[index + 1 :]], [*y[:index], *y[index + 1 :]]
        if unusable(*others) is None:
            changes[index] = abs(statistics.correlation(*map(_scaled, others)) - whole)
    if not changes:
        return None
    chosen = max(changes, key=lambda index: changes[index])
    return Influence(chosen, correlation([*x[:chosen], *x[chosen + 1 :]], [*y[:chosen], *y[chosen + 1 :]]))


def pearson_p(r: float, n: int) -> float:
    """The two-sided p of an r of n pairs: Student's t of r sqrt((n - 2) / (1 - r^2)), n - 2 degrees of freedom.

    Raises:
        ValueError: r outside -1..1, or fewer than three pairs.
    """
    if not -1 <= r <= 1 or n < LEAST_POINTS:
        raise ValueError(f"no p for {r=}, {n=}")
    if abs(r) == 1:
        return 0.0
    from scipy.special import stdtr

    return 2 * float(stdtr(n - 2, -abs(r) * math.sqrt((n - 2) / ((1 - r) * (1 + r)))))


def p_bounds(r: float, n: int, r_step: float = 0.001) -> tuple[float, float]:
    """The least and the most p of any r that is written as this one, to the nearest ``r_step``."""
    least, most = max(0.0, abs(r) - r_step / 2), min(1.0, abs(r) + r_step / 2)
    return pearson_p(most, n), pearson_p(least, n)


def can_both_be_true(r: float, p: float, n: int, r_step: float = 0.001, p_digits: int = 2) -> bool:
    """Whether an r and a p, both rounded as published, can be of the same n pairs."""
    low, high = p_bounds(r, n, r_step)
    half_step = 0.5 * 10.0 ** (math.floor(math.log10(p)) - p_digits + 1) if p > 0 else 0.0
    return low - half_step <= p <= high + half_step


def _scaled(values: Sequence[float]) -> list[float]:
    """Largest magnitude 1: squares neither overflow nor vanish, and r is the same."""
    largest = max(map(abs, values))
    return [value / largest for value in values]
