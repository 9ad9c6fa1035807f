"""Cells and tables that all sections share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from studies.gpu_precision.cells import Cell, Curve, Subject
from studies.gpu_precision.ratios import SAME, UNKNOWN, Comparison, Row
from studies.gpu_precision.reading import Study
from studies.markdown_table import code, number, table
from studies.reduced_precision.verdict import SpeedUp

MISSING = "-"
LEGEND = (
    "`~` before a ratio: its 95 % interval contains 1, so it is neither faster nor slower. Brackets around a ratio: "
    f"too few rounds for an interval. `{MISSING}`: not measured on both sides.\n"
)


def factor(value: float) -> str:
    """``0.98×``, ``12.3×``, ``140×``."""
    return f"{value:.0f}×" if value >= 99.95 else f"{value:.1f}×" if value >= 9.995 else f"{value:.2f}×"


def marked(one: Comparison | None) -> str:
    """A ratio that cannot be taken for a speed-up where it is none."""
    if one is None:
        return MISSING
    text, verdict = factor(one.ratio.ratio), one.verdict
    return f"~{text}" if verdict == SAME else f"({text})" if verdict == UNKNOWN else text


def with_interval(found: SpeedUp) -> str:
    """``1.90× (1.81 to 1.99)``."""
    if found.low is None or found.high is None:
        return f"{factor(found.ratio)} (no interval)"
    return f"{factor(found.ratio)} ({factor(found.low)[:-1]} to {factor(found.high)[:-1]})"


def at_peaks(one: Comparison | None, *, name_base: bool = False) -> str:
    """With the batch sizes of both peaks, and the base's configuration on request."""
    if one is None:
        return MISSING
    base = f"{one.base.config.label}, " if name_base else ""
    return f"{with_interval(one.ratio)}, b{one.cell.batch} over {base}b{one.base.batch}"


def batches(curves: Iterable[Curve]) -> list[int]:
    """Every batch size that was measured, ascending."""
    return sorted({cell.batch for curve in curves for cell in curve.cells})


def ratios_table(found: Sequence[Row], last: Sequence[tuple[str, Callable[[Row], str]]]) -> str:
    """One line per configuration, one column per batch size, then ``last``."""
    wide = sorted({batch for row in found for batch in row.by_batch})
    header = ("device", "runtime, precision", *(f"b{batch}" for batch in wide), *(name for name, _ in last))
    lines = [
        (
            code(row.curve.device.name), row.curve.config.label,
            *(marked(row.by_batch.get(batch)) for batch in wide), *(cell(row) for _, cell in last),
        )
        for row in found
    ]  # fmt: skip
    return table(header, lines, text_columns=2)


def by_batch(curves: Sequence[Curve], shown: Callable[[Cell], str | None]) -> str:
    """One line per configuration, one column per batch size; empty where no cell has a value."""
    wide = batches(curves)
    lines = []
    for curve in curves:
        cells = [None if batch not in curve.by_batch else shown(curve.by_batch[batch]) for batch in wide]
        if any(cell is not None for cell in cells):
            texts = [MISSING if cell is None else cell for cell in cells]
            lines.append((code(curve.device.name), curve.config.label, *texts))
    header = ("device", "runtime, precision", *(f"b{batch}" for batch in wide))
    return table(header, lines, text_columns=2) if lines else ""


def heading(subject: Subject) -> str:
    """Of the part of a section that is about one model."""
    return f"### {code(subject.label)}\n"


def by_subject(study: Study, part: Callable[[Subject, list[Curve]], str]) -> list[str]:
    """A heading and a table per model; a model whose part is empty is left out."""
    parts = [(one, part(one, [curve for curve in study.curves if curve.subject == one])) for one in study.subjects]
    return [text for subject, drawn in parts if drawn for text in (heading(subject), drawn)]


def milliseconds(value_s: float | None) -> str:
    """Three digits."""
    return MISSING if value_s is None else number(value_s * 1e3, 3)


def images(value: float | None) -> str:
    """Images per second, or per joule."""
    return number(value, 3 if value is not None and value < 100 else 4, MISSING)


def reasons(curves: Sequence[Curve], words: Sequence[str], otherwise: str) -> list[str]:
    """Why a value is missing: the rows' own warnings that speak of it, or ``otherwise``."""
    found = [
        text for curve in curves for cell in curve.cells for text in cell.warnings
        if any(word in text.lower() for word in words)
    ]  # fmt: skip
    return list(dict.fromkeys(found))[:5] or [otherwise]
