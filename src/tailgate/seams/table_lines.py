"""A table's lines from its cells: the fullest layout that fits the width."""

import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tailgate.results.row_names import Naming

ALWAYS_WIDE = 100
"""Columns that a table may take on a terminal of any width, and in a file."""
GAP = 2
HANGING = "    "
Markup = Mapping[str, bool]
"""``write``'s: ``green``, ``red``, ``bold``, ``yellow``, ``invert``."""
Line = list[tuple[str, Markup]]
PLAIN: Markup = {}
YELLOW: Markup = {"yellow": True}


@dataclass(frozen=True)
class Cell:
    """A value and, behind it, how many times the best one it is: ``" (1.02)"``, or nothing."""

    text: str
    factor: str = ""
    markup: Markup = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """All values of a table, written in one way."""

    labels: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    @cached_property
    def widths(self) -> list[tuple[int, int]]:
        """Each column's width of label and value with the gap before them, and of the factor behind."""
        columns = list(zip(*self.rows, strict=True))
        return [
            (GAP + max(len(label), *(len(cell.text) for cell in cells)), max(len(cell.factor) for cell in cells))
            for label, cells in zip(self.labels, columns, strict=True)
        ]


def limit() -> int:
    """Columns that a table may take here: the terminal's, ``ALWAYS_WIDE`` where it has fewer or there is none."""
    return max(ALWAYS_WIDE, shutil.get_terminal_size(fallback=(80, 24)).columns)


def folded(text: str, width: int, hanging: str = "") -> list[str]:
    """Lines no longer than ``width``, broken at spaces where there are any."""
    return textwrap.wrap(text, width, subsequent_indent=hanging, break_on_hyphens=False) or [""]


def table_lines(
    title: str, name_label: str, namings: Sequence[Naming], grids: Iterable[Grid], failed: Sequence[bool], most: int
) -> tuple[list[Line], int]:
    """The lines, and the index of the grid that they show.

    ``namings`` and ``grids``: from the fullest to the shortest; a shorter grid is taken only where no naming makes the
    fuller one fit. Where none fits in ``most`` columns, names that are too long have a line of their own, and
    columns that do not fit stand below the others.
    """
    name_widths = [max(len(name_label), *(len(row) for row in naming.rows)) for naming in namings]
    for index, grid in enumerate(grids):
        columns_width = sum(map(sum, grid.widths))
        for naming, name_width in zip(namings, name_widths, strict=True):
            if name_width + columns_width <= most:
                return _lines(title, name_label, naming, [grid], failed, name_width, most), index
    naming = min(namings, key=lambda one: max(map(len, one.rows)))
    longest = max(len(name_label), *(len(row) for row in naming.rows))
    room = most - sum(map(sum, grid.widths))
    name_width = room if room >= len(name_label) else max(len(name_label), min(longest, most // 3))
    blocks = _blocks(grid, most - name_width)
    return _lines(title, name_label, naming, blocks, failed, name_width, most), index


def _blocks(grid: Grid, room: int) -> list[Grid]:
    """The grid cut into as few side-by-side parts of consecutive columns as fit in ``room``."""
    parts: list[list[int]] = [[]]
    used = 0
    for index, width in enumerate(map(sum, grid.widths)):
        if parts[-1] and used + width > room:
            parts.append([])
            used = 0
        parts[-1].append(index)
        used += width
    return [
        Grid([grid.labels[index] for index in part], [[row[index] for index in part] for row in grid.rows])
        for part in parts
    ]


def _lines(
    title: str,
    name_label: str,
    naming: Naming,
    grids: Sequence[Grid],
    failed: Sequence[bool],
    name_width: int,
    most: int,
) -> list[Line]:
    width = max(name_width + sum(map(sum, grid.widths)) for grid in grids)
    rule: Line = [("-" * width, YELLOW)]
    found = [[(text, YELLOW)] for text in _title(title, naming.shared, width, most)]
    for grid in grids:
        found += [[(text, PLAIN)] for text in _header(name_label, grid, name_width)]
        found += [rule, *_body(naming, grid, failed, name_width, most), rule]
    return found


def _title(title: str, shared: Sequence[str], width: int, most: int) -> Iterable[str]:
    together = f" {', '.join([title, *shared])} "
    if len(together) <= most:
        return [together.center(width, "-")]
    first, *rest = folded(title, most - 2)
    return [f" {first} ".center(width, "-"), *rest, *(line for text in shared for line in folded(text, most))]


def _header(name_label: str, grid: Grid, name_width: int) -> Iterable[str]:
    columns = (
        label.rjust(value) + " " * factor for label, (value, factor) in zip(grid.labels, grid.widths, strict=True)
    )
    yield (name_label.ljust(name_width) + "".join(columns)).rstrip()


def _body(naming: Naming, grid: Grid, failed: Sequence[bool], name_width: int, most: int) -> Iterable[Line]:
    headings, widths = dict(naming.headings), grid.widths
    for index, (name, cells) in enumerate(zip(naming.rows, grid.rows, strict=True)):
        if index in headings:
            yield from ([(text, PLAIN)] for text in folded(headings[index], most))
        markup: Markup = {"red": failed[index], "invert": failed[index]}
        alone = len(name) > name_width
        if alone:
            yield from ([(text, markup)] for text in folded(name, most))
        line: Line = [(("" if alone else name).ljust(name_width), markup)]
        for cell, (value, factor) in zip(cells, widths, strict=True):
            line.append((cell.text.rjust(value) + cell.factor.ljust(factor), cell.markup))
        text, last = line[-1]
        yield [*line[:-1], (text.rstrip(), last)]
