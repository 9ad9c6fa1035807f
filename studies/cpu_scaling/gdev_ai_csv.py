"""Study 1's own file: ``benchmark_results_final.csv`` of GDEV-AI, its 27 columns in its order.

``sweep_id`` counts the runs handed over, ``repeat_id`` the rows of the same cell within one.
"""

from __future__ import annotations

from collections.abc import Sequence

from studies.cpu_scaling.csv_lines import HEADER, disturbed, lines_of, text_of
from tailgate import TailgateError
from tailgate.results.saved_run import Run

__all__ = ["HEADER", "NAME", "render", "warnings"]
NAME = "gdev-ai"

RUNTIME, PRECISION = "pytorch", "fp32"
"""The study knows no other, and its columns have no place to say so: other rows are left out."""


def render(runs: Sequence[Run]) -> str:
    """The CSV text, one line per measured cell of the study.

    Raises:
        TailgateError: no run holds a cell the format can express.
    """
    lines = [line for pair, _, line in lines_of(runs) if pair == (RUNTIME, PRECISION)]
    if not lines:
        raise TailgateError(
            f"--format={NAME}: no {RUNTIME} {PRECISION} row of an image model in these runs; "
            f"measure some with: pytest benchmarks -k '{RUNTIME} and {PRECISION}' --benchmark-save=NAME"
        )
    return text_of(HEADER, lines)


def warnings(runs: Sequence[Run]) -> list[str]:
    """Which lines are of disturbed rows."""
    return disturbed(measured for pair, measured, _ in lines_of(runs) if pair == (RUNTIME, PRECISION))
