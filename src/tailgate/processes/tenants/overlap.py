"""How long all tenants were at work, and what they did in that time. Pure functions; times in seconds, of one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """When one tenant was timed and called, by the machine's monotonic clock, which all processes share."""

    load_start_s: float
    """It began to call, untimed."""
    start_s: float
    """Its timed rounds began."""
    end_s: float
    """They ended, and it went on calling."""
    load_end_s: float
    """It called no more."""


def start_skew_s(spans: Sequence[Span]) -> float:
    """Seconds from the first start of timed rounds to the last."""
    return max(span.start_s for span in spans) - min(span.start_s for span in spans)


def overlap(spans: Sequence[Span]) -> float:
    """The share of its timed rounds for which all others were calling, too; of the tenant where it is least.

    1 where every timed round was under full load.
    """
    load_start_s = max(span.load_start_s for span in spans)
    load_end_s = min(span.load_end_s for span in spans)
    return min(_covered(span, load_start_s, load_end_s) for span in spans)


def common_interval(spans: Sequence[Span]) -> tuple[float, float] | None:
    """The time from the last start of timed rounds to the first end; ``None``: they have no common moment."""
    start_s, end_s = max(span.start_s for span in spans), min(span.end_s for span in spans)
    return (start_s, end_s) if end_s > start_s else None


def rounds_within(durations_s: Sequence[float], span: Span, interval: tuple[float, float]) -> float:
    """How many of a tenant's rounds were done in the interval; one across its edge counts by the part inside.

    What lies between two rounds (the loop itself, an untimed set-up) is spread over them evenly by their lengths: the
    durations fill the span.
    """
    start_s, end_s = interval
    total_s = sum(durations_s)
    if total_s <= 0 or span.end_s <= span.start_s:
        return len(durations_s) * _covered(span, start_s, end_s)
    stretch = (span.end_s - span.start_s) / total_s
    done, at_s = 0.0, span.start_s
    for duration_s in durations_s:
        length_s = duration_s * stretch
        inside_s = min(at_s + length_s, end_s) - max(at_s, start_s)
        if length_s > 0:
            done += min(1.0, max(0.0, inside_s) / length_s)
        elif start_s <= at_s <= end_s:
            done += 1.0
        at_s += length_s
    return done


def _covered(span: Span, start_s: float, end_s: float) -> float:
    length_s = span.end_s - span.start_s
    if length_s <= 0:
        return 1.0 if start_s <= span.start_s <= end_s else 0.0
    return min(1.0, max(0.0, min(span.end_s, end_s) - max(span.start_s, start_s)) / length_s)
