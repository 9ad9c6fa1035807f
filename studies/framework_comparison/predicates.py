"""A finding as a predicate over measurements: an extreme, a ratio, or that some are alike.

The rule, for two frameworks and one metric: one is *clearly* more than the other when its lower end is above the
other's upper end by more than ``MARGIN_REL``. The ends of a latency are the first and third quartile of its rounds
(so the middle halves do not overlap); CPU use and memory have one number per row, and only the margin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from studies.framework_comparison.entries import Entry, Value
from studies.framework_comparison.published import CPU_PERCENT, LATENCY_MS, MEMORY_MB, NAMES
from studies.values import MIB

HOLDS, REVERSES, SMALLER = "holds", "reverses", "no longer so large"
UNDECIDED, NOT_MEASURED = "undecided", "not measured"
VERDICTS = (HOLDS, SMALLER, REVERSES, UNDECIDED, NOT_MEASURED)

MARGIN_REL = {"latency": 0.02, "CPU use": 0.05, "memory": 0.05}
STILL_AS_LARGE = 1 / 1.5
"""A ratio holds from this share of the published one on; below, it is no longer so large."""
ALIKE_REL = 0.10
"""Values that the source called the same lay within a tenth of each other."""
PUBLISHED = {"latency": LATENCY_MS, "CPU use": CPU_PERCENT, "memory": MEMORY_MB}


@dataclass(frozen=True)
class Judged:
    """A finding against one group of measurements."""

    seen: str
    """What was measured, in the finding's own terms; empty where nothing was."""
    verdict: str
    reason: str | None = None
    """Why it is undecided or not measured."""


@dataclass(frozen=True)
class Finding:
    """One thing the source says of one metric."""

    text: str
    """Without its number."""
    published: str
    """Its number in the source."""
    judge: Callable[[Mapping[str, Entry]], Judged]
    """Against the frameworks of one group, by runtime; those that were not measured are absent."""


def extreme(metric: str, subject: str, *, most: bool) -> Finding:
    """A framework has the least, or the most, of all five.

    One rival that is clearly beyond the subject refutes it; it holds when all are clearly behind.
    """

    def judge(entries: Mapping[str, Entry]) -> Judged:
        values, absent = _values(entries, metric, NAMES)
        if subject in absent:
            return Judged("", NOT_MEASURED, absent[subject])
        own = values.pop(subject)
        if not values:
            return Judged(_with_value(subject, metric, own), NOT_MEASURED, next(iter(absent.values())))
        rival = (max if most else min)(values, key=lambda name: values[name].value)
        seen = f"{_with_value(subject, metric, own)}; {_with_value(rival, metric, values[rival])}"
        if any(_ahead(value, own, metric, most=most) for value in values.values()):
            return Judged(seen, REVERSES)
        if absent:
            return Judged(seen, NOT_MEASURED, next(iter(absent.values())))
        close = [NAMES[name] for name, value in values.items() if not _ahead(own, value, metric, most=most)]
        return Judged(seen, UNDECIDED, f"too close to {', '.join(close)}") if close else Judged(seen, HOLDS)

    if metric == "latency":
        text = f"{NAMES[subject]} is the {'slowest' if most else 'fastest'}"
    else:
        text = f"{NAMES[subject]} needs the {'most' if most else 'least'} {_noun(metric)}"
    return Finding(text, shown(metric, PUBLISHED[metric][subject]), judge)


def ratio(metric: str, subject: str, base: str) -> Finding:
    """A framework has so many times what another has.

    The ratio decides, where it is clear on which side of 1 it lies, or that it is below the published one.
    """
    published = PUBLISHED[metric][subject] / PUBLISHED[metric][base]

    def judge(entries: Mapping[str, Entry]) -> Judged:
        values, absent = _values(entries, metric, (subject, base))
        if absent:
            return Judged("", NOT_MEASURED, "; ".join(absent.values()))
        own, other = values[subject], values[base]
        if other.value <= 0:
            return Judged("", NOT_MEASURED, _too_little(metric, base))
        factor = own.value / other.value
        if _ahead(other, own, metric, most=True):
            return Judged(times(factor), REVERSES)
        if own.high < other.low * published * STILL_AS_LARGE:
            return Judged(times(factor), SMALLER)
        if not _ahead(own, other, metric, most=True):
            return Judged(times(factor), UNDECIDED, "too close to each other")
        return Judged(times(factor), HOLDS if factor >= published * STILL_AS_LARGE else SMALLER)

    return Finding(f"{NAMES[subject]} against {NAMES[base]}: {metric}", times(published), judge)


def alike(metric: str, subjects: Sequence[str]) -> Finding:
    """Some frameworks need the same; the largest over the smallest decides."""

    def judge(entries: Mapping[str, Entry]) -> Judged:
        values, absent = _values(entries, metric, subjects)
        if len(values) < 2:
            return Judged("", NOT_MEASURED, "; ".join(absent.values()))
        least, most = (pick(values, key=lambda name: values[name].value) for pick in (min, max))
        if values[least].value <= 0:
            return Judged("", NOT_MEASURED, _too_little(metric, least))
        seen = times(values[most].value / values[least].value)
        seen += f" ({NAMES[most]} over {NAMES[least]})" if most != least else ""
        if values[most].low > values[least].high * (1 + ALIKE_REL):
            return Judged(seen, REVERSES)
        if absent:
            return Judged(seen, NOT_MEASURED, next(iter(absent.values())))
        if values[most].high <= values[least].low * (1 + ALIKE_REL):
            return Judged(seen, HOLDS)
        return Judged(seen, UNDECIDED, f"about {ALIKE_REL:.0%} apart")

    names = [NAMES[name] for name in subjects]
    who = "All five" if len(names) == len(NAMES) else f"{', '.join(names[:-1])} and {names[-1]}"
    published = [PUBLISHED[metric][name] for name in subjects]
    return Finding(
        f"{who} need about the same {_noun(metric)}", f"within {max(published) / min(published) - 1:.1%}", judge
    )


def value_of(entry: Entry, metric: str) -> Value | None:
    """In the units of the published figures: ms, %, MB of 1024 x 1024 bytes."""
    if metric == "CPU use":
        return entry.cpu_percent
    value, unit = (entry.latency_s, 1e-3) if metric == "latency" else (entry.memory_bytes, MIB)
    return None if value is None else Value(value.value / unit, value.low / unit, value.high / unit)


def _values(entries: Mapping[str, Entry], metric: str, names: Iterable[str]) -> tuple[dict[str, Value], dict[str, str]]:
    """What may be judged, and why the rest may not: the times of a contended row are not the framework's own."""
    values, absent = {}, {}
    for name in names:
        entry = entries.get(name)
        value = None if entry is None else value_of(entry, metric)
        if entry is None:
            absent[name] = f"{NAMES[name]}: not measured"
        elif value is None:
            absent[name] = f"{NAMES[name]}: no {metric}"
        elif entry.disturbed and metric != "memory":
            absent[name] = f"{NAMES[name]}: {entry.status}"
        else:
            values[name] = value
    return values, absent


def _ahead(one: Value, other: Value, metric: str, *, most: bool) -> bool:
    """Whether ``one`` clearly has more (``most``) or less than ``other``."""
    upper, lower = (one, other) if most else (other, one)
    return upper.low > lower.high * (1 + MARGIN_REL[metric])


def shown(metric: str, value: float) -> str:
    """With its unit."""
    if metric == "latency":
        return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"
    return f"{value:.0f} %" if metric == "CPU use" else f"{value:.0f} MB"


def times(factor: float) -> str:
    """A ratio, with more digits where it is near 1 or below."""
    return f"{factor_text(factor)}×"


def factor_text(factor: float) -> str:
    """The same without its sign."""
    if factor >= 10:
        return f"{factor:.0f}" if factor >= 100 else f"{factor:.1f}"
    return f"{factor:.2f}" if factor >= 0.1 else f"{factor:.2g}"


def _with_value(name: str, metric: str, value: Value) -> str:
    return f"{NAMES[name]} {shown(metric, value.value)}"


def _noun(metric: str) -> str:
    return "CPU time" if metric == "CPU use" else metric


def _too_little(metric: str, name: str) -> str:
    return f"{NAMES[name]} has {shown(metric, 0)}, too little to divide by"
