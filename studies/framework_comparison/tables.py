"""The source's CSV, and a group's tables in Markdown: a missing number is empty, and its reason stands below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from studies import markdown_table
from studies.framework_comparison.entries import SIDES_S, Entry, Group, Value
from studies.framework_comparison.predicates import factor_text
from studies.markdown_table import words
from studies.values import MIB, csv_text, per
from tailgate.results.bars import bars

CSV_HEADER = (
    "Framework", "Latency (milliseconds)", "CPU Usage (%)", "Memory Usage (MB)",
    "Relative Latency", "Relative CPU Usage", "Relative Memory Usage",
)  # fmt: skip
"""The source's own."""
BASE = "pytorch"
Column = Callable[[Entry], float | None]


def latency_ms(entry: Entry) -> float | None:
    """What the group is compared by: the median, or as published the mean."""
    return _of(entry.latency_s, 1e-3)


def cpu_percent(entry: Entry) -> float | None:
    """100 is one CPU busy."""
    return _of(entry.cpu_percent, 1)


def memory_mb(entry: Entry) -> float | None:
    """In the source's MB, of 1024 x 1024 bytes."""
    return _of(entry.memory_bytes, MIB)


COLUMNS: tuple[Column, ...] = (latency_ms, cpu_percent, memory_mb)


def relative(entries: Iterable[Entry], column: Column, *, base: str | None = None) -> dict[str, float]:
    """Runtime -> its value over the least one, or over ``base``'s; a single value has no ratio."""
    values = {entry.runtime: value for entry in entries if (value := column(entry)) is not None}
    if len(values) < 2:
        return {}
    unit = values.get(base) if base else min(values.values(), default=None)
    return {name: value / unit for name, value in values.items()} if unit is not None and unit > 0 else {}


def as_csv(group: Group) -> bytes:
    """One line a framework, relative to the best."""
    shares = [relative(group.entries, column) for column in COLUMNS]
    lines = []
    for entry in group.entries:
        values = [*(column(entry) for column in COLUMNS), *(share.get(entry.runtime) for share in shares)]
        shown = (entry.name, *("" if value is None else f"{value:.6g}" for value in values))
        lines.append(dict(zip(CSV_HEADER, shown, strict=True)))
    return csv_text(CSV_HEADER, lines).encode()


def as_bars(group: Group) -> str:
    """Latency by framework, the shortest first; nothing where only one has any."""
    known = [(entry.name, value) for entry in group.entries if (value := latency_ms(entry)) is not None and value >= 0]
    shown = [(name, value, f"{value:.4g} ms") for name, value in sorted(known, key=lambda one: one[1])]
    return bars(shown) if len(shown) > 1 else ""


def as_markdown(group: Group) -> str:
    """Three tables: latency; CPU use and memory; what happens once. Below them reasons and warnings."""
    parts = [f"{words(bases(group))}\n", _latency(group), _resources(group)]
    if any(value is not None for entry in group.entries for value in entry.sides_s):
        parts.append(_once(group))
    return "\n".join([*parts, *_reasons(group)])


def bases(group: Group) -> str:
    """Whose value each relative column is of."""
    best = []
    for name, column in zip(("latency", "CPU use", "memory"), COLUMNS, strict=True):
        known = [(value, entry) for entry in group.entries if (value := column(entry)) is not None]
        if len(known) > 1:
            _, entry = min(known, key=lambda pair: pair[0])
            best.append(f"{name} of {entry.name}{'' if entry.status == 'ok' else f' ({entry.status})'}")
    base = next((entry for entry in group.entries if entry.runtime == BASE), None)
    if base is None or not base.measured:
        to_base = "PyTorch was not measured, so nothing is set against it"
    else:
        to_base = f"to {base.name}: its row here{'' if base.status == 'ok' else f' ({base.status})'}"
    return f"To the best: {', '.join(best) or 'nothing, with one value each'}; {to_base}."


def _latency(group: Group) -> str:
    best, base = relative(group.entries, latency_ms), relative(group.entries, latency_ms, base=BASE)
    headings = ("framework", "latency ms" if group.key.as_published else "median ms", "quartiles", "mean ms", "P99 ms",
                "to the best", "to PyTorch", "status")  # fmt: skip
    lines = [
        (
            entry.name, _number(latency_ms(entry)), _ends(entry.latency_s), _number(per(entry.mean_s, 1e-3)),
            _number(per(entry.p99_s, 1e-3)), _factor(best.get(entry.runtime)), _factor(base.get(entry.runtime)),
            _status(entry),
        )
        for entry in group.entries
    ]  # fmt: skip
    return table(headings, lines)


def _resources(group: Group) -> str:
    shares = [
        relative(group.entries, column, base=base) for column in (cpu_percent, memory_mb) for base in (None, BASE)
    ]
    published = group.key.as_published
    cpu, memory = ("psutil's CPU %", "resident MB") if published else ("CPU %", "peak MB")
    relatives = ("to the best", "to PyTorch")
    headings = ("framework", cpu, *relatives, memory, *relatives, "growth MB", "import MB")
    lines = []
    for entry in group.entries:
        cpu_best, cpu_base, memory_best, memory_base = (_factor(share.get(entry.runtime)) for share in shares)
        lines.append(
            (
                entry.name, _number(cpu_percent(entry)), cpu_best, cpu_base, _number(memory_mb(entry)), memory_best,
                memory_base, _number(per(entry.growth_bytes, MIB)), _number(per(entry.import_growth_bytes, MIB)),
            )
        )  # fmt: skip
    return table(headings, lines)


def _once(group: Group) -> str:
    headings = ("framework", *(name.removesuffix("_s").replace("_", " ") + " s" for name in SIDES_S))
    return table(headings, [(entry.name, *map(_number, entry.sides_s)) for entry in group.entries if entry.measured])


def _reasons(group: Group) -> list[str]:
    lines = [f"{entry.name} was not measured: {entry.reason}" for entry in group.entries if entry.reason]
    noted: dict[str, list[str]] = {}
    for entry in group.entries:
        for note in entry.notes:
            noted.setdefault(note, []).append(entry.name)
        for name, value in (("CPU use", entry.cpu_percent), ("memory", entry.memory_bytes)):
            if entry.measured and value is None:
                noted.setdefault(f"no {name} in the row", []).append(entry.name)
    everyone = sum(entry.measured for entry in group.entries)
    lines += [f"{', '.join(names) if len(names) < everyone else 'all'}: {note}" for note, names in noted.items()]
    return [*(f"- {words(line)}" for line in lines), ""] if lines else []


def table(headings: Sequence[str], lines: Iterable[Sequence[str]], *, text_columns: int = 1) -> str:
    """Nothing in a cell is markup."""
    shown = [[words(cell) for cell in line] for line in (headings, *lines)]
    return markdown_table.table(shown[0], shown[1:], text_columns=text_columns, padded=False)


def _of(value: Value | None, unit: float) -> float | None:
    return None if value is None else value.value / unit


def _number(value: float | None) -> str:
    """Four digits."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _factor(value: float | None) -> str:
    return "" if value is None else factor_text(value)


def _ends(value: Value | None) -> str:
    return "" if value is None else f"{_number(value.low * 1e3)} to {_number(value.high * 1e3)}"


def _status(entry: Entry) -> str:
    if not entry.measured:
        return "not measured"
    return f"{entry.status}, {entry.rows} rows" if entry.rows > 1 else str(entry.status)
