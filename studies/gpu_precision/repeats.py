"""The section on cells that were measured more than once: how much their medians differ."""

from __future__ import annotations

import statistics

from studies.gpu_precision.reading import Study
from studies.markdown_table import code, table


def repeatability(study: Study) -> list[str]:
    """By device, the largest over the smallest median of each cell that has several processes or files."""
    found: dict[str, list[tuple[float, str, int]]] = {}
    for curve in study.curves:
        for cell in curve.cells:
            medians_s = cell.timing.process_medians_s
            if len(medians_s) > 1:
                name = f"{cell.subject.model}, {cell.config.label}, b{cell.batch}"
                found.setdefault(curve.device.name, []).append(
                    (max(medians_s) / min(medians_s) - 1, name, len(medians_s))
                )
    if not found:
        return []
    lines = []
    for device, those in found.items():
        most, where, _ = max(those)
        typical = statistics.median(spread for spread, _, _ in those)
        counts = sorted({count for _, _, count in those})
        times = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        lines.append((code(device), str(len(those)), times, f"{typical:.1%}", f"{most:.1%}", where))
    header = ("device", "cells", "times each", "spread, median", "spread, largest", "largest in")
    return [
        "## The same cell again\n",
        table(header, lines, text_last=True),
        "Spread: largest over smallest median of the processes and files that measured a cell, minus one. A ratio of "
        "two cells that both have several medians is judged by these (Welch's t of their logarithms). Any other ratio "
        "is judged by the rounds, and by 2 % for the processes that were not measured.\n",
    ]
