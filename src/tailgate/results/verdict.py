"""One judgement of one metric of one benchmark, with every number behind it, and the line that says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tailgate.number import is_number
from tailgate.stats.decision import FAIL, HIGHER_IS_BETTER, IMPROVED, INCOMPARABLE, MISSING, NEW, PASS, UNDECIDED
from tailgate.text import counted, percent, printable, probability

SEVERITY = (FAIL, MISSING, INCOMPARABLE, UNDECIDED, IMPROVED, PASS, NEW)
"""The first of them that one of its metrics got is a benchmark's verdict."""
FAILING = frozenset({FAIL, MISSING})
COMPARED = frozenset({FAIL, UNDECIDED, IMPROVED, PASS})
UNITS = {"throughput": "items_per_s"}
"""Of a metric's values; seconds where not named."""


CONFIDENCE = 0.99
"""Of an interval that is told, where nothing keeps it from so much."""


@dataclass(frozen=True)
class Verdict:
    """Changes are relative and of the metric itself: +0.03 is 3 % more seconds, or 3 % more items a second."""

    fullname: str
    metric: str
    verdict: str
    reason: str | None = None
    """One line: why there is no better verdict, or which objective was missed."""
    base: float | None = None
    head: float | None = None
    """In the metric's unit: seconds, or items per second."""
    change_rel: float | None = None
    low_rel: float | None = None
    high_rel: float | None = None
    confidence: float | None = CONFIDENCE
    """Of that interval; ``None``: there is none."""
    p: float | None = None
    """One-sided, against the direction in which it changed."""
    limit_rel: float | None = None
    detectable_rel: float | None = None
    """The smallest change for the worse that this comparison could have told from none."""
    replicates: int | None = None
    unit: str = "pairs"
    """What was compared: pairs of fresh processes, or saved sessions."""
    worse: int | None = None
    """Pairs in which head was the worse side."""
    confirmed: bool | None = None
    """Whether fresh measurements failed too; ``None``: it was not asked, because nothing failed."""
    notes: tuple[str, ...] = ()
    """Worth knowing of the circumstances: steal, contention."""
    reproduce: str | None = None
    """The command that measures it again."""

    @property
    def failed(self) -> bool:
        """Whether this alone makes the test fail."""
        return self.verdict in FAILING

    def as_json(self) -> dict[str, Any]:
        """For the saved run: plain values, every one with its unit in its name."""
        found = asdict(self)
        unit = UNITS.get(self.metric, "s")
        found[f"base_{unit}"], found[f"head_{unit}"] = found.pop("base"), found.pop("head")
        return {**found, "notes": list(self.notes)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Verdict:
        """Back from :meth:`as_json`.

        Raises:
            KeyError, TypeError: it is not from there.
        """
        found = lenient_from_json(saved)
        if not found.as_json().items() <= saved.items():
            raise TypeError(f"{saved['fullname']!r}: not a verdict of ours")
        return found


def lenient_from_json(saved: Mapping[str, Any]) -> Verdict:
    """Read what :meth:`Verdict.as_json` wrote; a value of another kind is left out."""
    metric, verdict, notes = str(saved.get("metric")), saved.get("verdict"), saved.get("notes")
    unit = UNITS.get(metric, "s")
    named = {**saved, "base": saved.get(f"base_{unit}"), "head": saved.get(f"head_{unit}")}
    kinds: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(("reason", "unit", "reproduce"), lambda value: isinstance(value, str)),
        **dict.fromkeys(("base", "head", "change_rel", "low_rel", "high_rel", "p"), is_number),
        "confidence": lambda value: value is None or is_number(value),
        **dict.fromkeys(("limit_rel", "detectable_rel"), is_number),
        **dict.fromkeys(("replicates", "worse"), lambda value: isinstance(value, int) and is_number(value)),
        "confirmed": lambda value: isinstance(value, bool),
    }
    found: dict[str, Any] = {name: named[name] for name, fits in kinds.items() if name in named and fits(named[name])}
    return Verdict(
        str(saved.get("fullname")),
        metric,
        verdict if verdict in SEVERITY else UNDECIDED,
        notes=tuple(map(str, notes)) if isinstance(notes, list) else (),
        **found,
    )


def overall(verdicts: Iterable[Verdict]) -> str | None:
    """A benchmark's verdict: the gravest of its metrics'; ``None`` where there is none."""
    found = {one.verdict for one in verdicts}
    return next((name for name in SEVERITY if name in found), None)


def ordered(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The gravest first, else as they come."""
    return sorted(verdicts, key=lambda one: SEVERITY.index(one.verdict))


def compared(verdicts: Iterable[Verdict]) -> bool:
    """Whether at least one of them is about a comparison; a gate without any is never green.

    An undecided objective, or one without a history, has compared nothing.
    """
    return any(one.verdict in COMPARED and (one.verdict != UNDECIDED or one.replicates) for one in verdicts)


def line(one: Verdict, *, name: str | None = None) -> str:
    """The verdict and all its numbers in one line; ``name`` replaces the full name."""
    metric = "" if one.verdict == MISSING else f" {one.metric}"
    words = [printable(f"{name or one.fullname}{metric}")]
    if one.change_rel is None:
        return f"{words[0]} {one.verdict}: {printable(one.reason or 'no reason given')}"
    words[0] += f" {percent(one.change_rel)}"
    if one.low_rel is not None and one.high_rel is not None and one.confidence is not None:
        low, high = percent(one.low_rel, unit=False), percent(one.high_rel, unit=False)
        words[0] += f" [{one.confidence * 100:.0f} % CI {low}, {high}]"
    if one.p is not None:
        words.append(f"p {probability(one.p)}")
    words.append(_replicates(one))
    text = ", ".join(word for word in words if word)
    details = []
    if one.limit_rel is not None:
        details.append(f"limit {one.limit_rel * 100:g} %")
    if one.detectable_rel is not None:
        details.append(f"detectable here {one.detectable_rel:.1%}".replace("%", " %"))
    if one.confirmed is not None:
        details.append("confirmed" if one.confirmed else "not confirmed by fresh measurements")
    details += [*one.notes, *([one.reason] if one.reason else [])]
    if one.reproduce:
        details.append(f"reproduce: {one.reproduce}")
    return printable("; ".join([text, *details]))


def _replicates(one: Verdict) -> str:
    if one.replicates is None:
        return ""
    if one.worse is None:
        return counted(one.replicates, one.unit)
    word = "lower" if one.metric in HIGHER_IS_BETTER else "slower"
    return f"{one.worse} of {counted(one.replicates, one.unit)} {word}"
