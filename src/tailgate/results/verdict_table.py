"""Many verdicts: a table for a terminal, and the same in Markdown for a job's summary.

Names may come from a file somebody else made, so nothing in them is markup here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from tailgate.results.verdict import SEVERITY, UNITS, Verdict, line, ordered
from tailgate.stats.decision import FAIL, IMPROVED, INCOMPARABLE, MISSING, NEW, PASS, UNDECIDED
from tailgate.text import aligned, markdown_table_lines, markdown_text, percent, printable, probability

HEADINGS = (
    "verdict", "benchmark", "metric", "base", "head", "change", "99 % interval", "p", "limit", "detectable", "why",
)  # fmt: skip
STYLES = {FAIL: "bold red", MISSING: "bold red", INCOMPARABLE: "yellow", UNDECIDED: "yellow", IMPROVED: "green",
          PASS: "green", NEW: "cyan"}  # fmt: skip
TEXTS = 3
"""So many of the first columns are text, the others are numbers."""


def cells(one: Verdict) -> tuple[str, ...]:
    """One row of the table, as text."""
    interval = ""
    if one.low_rel is not None and one.high_rel is not None and one.confidence is not None:
        interval = f"{percent(one.low_rel, unit=False)}, {percent(one.high_rel, unit=False)}"
        if round(one.confidence, 2) != 0.99:
            interval += f" ({one.confidence * 100:.0f} %)"
    return (
        one.verdict,
        printable(short_name(one.fullname)),
        "" if one.verdict == MISSING else printable(one.metric),
        quantity(one.base, one.metric),
        quantity(one.head, one.metric),
        "" if one.change_rel is None else percent(one.change_rel),
        interval,
        "" if one.p is None else probability(one.p).removeprefix("= "),
        "" if one.limit_rel is None else f"{one.limit_rel * 100:g} %",
        "" if one.detectable_rel is None else f"{one.detectable_rel * 100:.1f} %",
        printable(one.reason or ""),
    )


def short_name(fullname: str) -> str:
    """Without file and class; a parameter may have anything in it, ``::`` too."""
    base, bracket, parameters = fullname.partition("[")
    return (base.rpartition("::")[2] + bracket + parameters) or fullname


def terminal_table(verdicts: Sequence[Verdict], *, color: bool) -> str:
    """A table as wide as it needs to be, as pytest-benchmark's own; below it each reason once."""
    found = ordered(verdicts)
    heading, *rows = aligned([HEADINGS[:-1], *(cells(one)[:-1] for one in found)], left=TEXTS)
    if color:
        heading = _styled(heading, "bold")
        painted = {verdict: _styled(verdict, style) for verdict, style in STYLES.items()}
        rows = [painted[one.verdict] + row[len(one.verdict) :] for one, row in zip(found, rows, strict=True)]
    return "\n".join([heading, *rows, *reasons(verdicts)])


def _styled(text: str, style: str) -> str:
    from rich.color import ColorSystem
    from rich.style import Style

    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


def reasons(verdicts: Sequence[Verdict]) -> list[str]:
    """Why there is no better verdict: each reason once, with the first benchmark that has it."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for one in ordered(verdicts):
        if one.reason:
            found.setdefault((one.verdict, printable(one.reason)), []).append(one)
    return [
        f"{verdict}: {cells(those[0])[1]}{f' and {len(those) - 1} more' if len(those) > 1 else ''}: {reason}"
        for (verdict, reason), those in found.items()
    ]


def markdown_table(verdicts: Sequence[Verdict]) -> str:
    """GitHub's dialect; the lines of what failed in full below it."""
    failed = failure_lines(verdicts)
    below = "\n".join(["", *failed, ""]) if failed else ""
    return "\n".join([f"**{summary(verdicts)}**", "", *markdown_rows(verdicts), below])


def markdown_rows(verdicts: Iterable[Verdict]) -> list[str]:
    """The table's lines, its two heading lines first."""
    return markdown_table_lines(HEADINGS, map(cells, ordered(verdicts)))


def failure_lines(verdicts: Iterable[Verdict]) -> list[str]:
    """Each failure with all its numbers, as items of a list."""
    return [f"- {markdown_text(line(one))}" for one in ordered(verdicts) if one.failed]


def summary(verdicts: Iterable[Verdict]) -> str:
    """``2 fail, 1 undecided, 17 pass``; the gravest first."""
    counts = Counter(one.verdict for one in verdicts)
    return ", ".join(f"{counts[name]} {name}" for name in SEVERITY if counts[name]) or "nothing was compared"


def quantity(value: float | None, metric: str) -> str:
    """With four significant digits and its unit."""
    if value is None:
        return ""
    if UNITS.get(metric) == "items_per_s":
        return f"{value:,.4g} /s" if value < 1e4 else f"{value:,.0f} /s"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= factor:
            return f"{value / factor:.4g} {unit}"
    return f"{value / 1e-9:.4g} ns"
