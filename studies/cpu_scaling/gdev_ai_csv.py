"""Study 1's own file: ``benchmark_results_final.csv`` of GDEV-AI, its 27 columns in its order.

``sweep_id`` is the number of the run, ``repeat_id`` that of the row among the rows of the same cell in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from studies.cpu_scaling.csv_lines import HEADER, disturbed, lines_of
from studies.values import csv_text, no_row
from tailgate.results.saved_run import Run

__all__ = ["HEADER", "NAME", "render", "warnings"]
NAME = "gdev-ai"

RUNTIME, PRECISION = "pytorch", "fp32"
"""What the study measured. No column can name another, so other rows are left out."""


def render(runs: Sequence[Run]) -> str:
    """The CSV text, one line per measured row of the study."""
    lines = [line for pair, _, line in lines_of(runs) if pair == (RUNTIME, PRECISION)]
    if not lines:
        command = f"benchmarks -k '{RUNTIME} and {PRECISION}'"
        raise no_row(NAME, f"{RUNTIME} {PRECISION} row of an image model", command)
    return csv_text(HEADER, lines)


def warnings(runs: Sequence[Run]) -> list[str]:
    """How many lines are of disturbed rows."""
    return disturbed(measured for pair, measured, _ in lines_of(runs) if pair == (RUNTIME, PRECISION))
