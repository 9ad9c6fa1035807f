"""Many verdicts: a table for a terminal, and the same in Markdown for a job's summary.

Names may come from a file somebody else made, so nothing in them is markup here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from tailgate.results.verdict import SEVERITY, UNITS, Verdict, line, ordered
from tailgate.stats.decision import FAIL, IMPROVED, INCOMPARABLE, MISSING, NEW, PASS, UNDECIDED
from tailgate.text import markdown_text, percent, printable, probability

HEADINGS = (
    "verdict", "benchmark", "metric", "base", "head", "change", "99 % interval", "p", "limit", "detectable", "why",
)  # fmt: skip
STYLES = {FAIL: "bold red", MISSING: "bold red", INCOMPARABLE: "yellow", UNDECIDED: "yellow", IMPROVED: "green",
          PASS: "green", NEW: "cyan"}  # fmt: skip
TO_THE_RIGHT = frozenset({"base", "head", "change", "99 % interval", "p", "limit", "detectable"})
GAP = "  "


def cells(one: Verdict) -> tuple[str, ...]:
    """One row of the table, as text."""
    interval = ""
    if one.low_rel is not None and one.high_rel is not None:
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
    from rich.cells import cell_len

    found = ordered(verdicts)
    rows = [HEADINGS[:-1], *(cells(one)[:-1] for one in found)]
    sizes = [[cell_len(cell) for cell in row] for row in rows]
    widths = [max(column) for column in zip(*sizes, strict=True)]
    lines = []
    for row, taken in zip(rows, sizes, strict=True):
        columns = zip(HEADINGS[:-1], row, widths, taken, strict=True)
        padded = [
            " " * (width - size) + cell if heading in TO_THE_RIGHT else cell + " " * (width - size)
            for heading, cell, width, size in columns
        ]
        lines.append(GAP.join(padded).rstrip())
    if color:
        styles = ["bold", *(STYLES[one.verdict] for one in found)]
        lines = [_styled(text, style, lines[0] == text) for text, style in zip(lines, styles, strict=True)]
    return "\n".join([*lines, *reasons(verdicts)])


def _styled(text: str, style: str, whole: bool) -> str:
    """The line with its first word, or all of it, in a style."""
    from rich.color import ColorSystem
    from rich.style import Style

    first, space, rest = (text, "", "") if whole else text.partition(" ")
    return Style.parse(style).render(first, color_system=ColorSystem.STANDARD) + space + rest


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
    rows = [HEADINGS, ["---"] * len(HEADINGS), *(tuple(map(markdown_text, cells(one))) for one in ordered(verdicts))]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    failed = "".join(f"\n- {markdown_text(line(one))}" for one in ordered(verdicts) if one.failed)
    return f"**{summary(verdicts)}**\n\n{table}\n" + (f"{failed}\n" if failed else "")


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
