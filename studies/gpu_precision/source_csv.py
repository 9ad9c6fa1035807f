"""Study 3's own file: study 1's 27 columns, ``std_latency_ms`` after the mean, ``gpu_peak_mem_mb`` last.

The 29 columns have no place for a runtime or a precision, so rows of two of them never share a file: the text is
``pytorch`` ``fp32``'s (study 1's), or where there is none the first other pair's; each other pair has its own file.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from studies.cpu_scaling.csv_lines import HEADER as STUDY_1
from studies.cpu_scaling.csv_lines import Measured, Pair, disturbed, lines_of
from studies.gpu_precision.reading import COMMAND, STUDY
from studies.values import MIB, csv_text, finite, no_row, per, scaled
from tailgate.results.saved_run import Run
from tailgate.text import file_part

NAME = "deep-gap-csv"
HEADER = (
    *STUDY_1[: STUDY_1.index("mean_ms") + 1], "std_latency_ms", *STUDY_1[STUDY_1.index("mean_ms") + 1 :],
    "gpu_peak_mem_mb",
)  # fmt: skip
FIRST = ("pytorch", "fp32")


def render(runs: Sequence[Run]) -> str:
    """The CSV of the first pair of runtime and precision."""
    return next(iter(_by_pair(runs).values()))


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """``-RUNTIME-PRECISION.csv`` of each other pair."""
    others = list(_by_pair(runs).items())[1:]
    return {f"-{file_part(runtime)}-{file_part(precision)}.csv": text.encode() for (runtime, precision), text in others}


def warnings(runs: Sequence[Run]) -> list[str]:
    """How many lines, of all pairs, are of disturbed rows."""
    return disturbed(measured for _, measured, _ in lines_of(runs) if measured[2].get("study") == STUDY)


def std_s(stats: Mapping[str, Any]) -> float | None:
    """Population standard deviation in seconds: from the rounds, or from the sample's and their number."""
    data, rounds = stats.get("data"), stats.get("rounds")
    if data:
        return float(statistics.pstdev(data))
    sample_s = finite(stats.get("stddev"))
    if sample_s is None or not isinstance(rounds, int) or rounds < 1:
        return None
    return sample_s * math.sqrt((rounds - 1) / rounds)


def _by_pair(runs: Sequence[Run]) -> dict[Pair, str]:
    lines: dict[Pair, list[dict[str, Any]]] = {}
    for pair, measured, line in lines_of(runs):
        if measured[2].get("study") == STUDY:
            lines.setdefault(pair, []).append({**line, **_own(measured)})
    if not lines:
        raise no_row(NAME, f"row of the study {STUDY}", COMMAND)
    order = sorted(lines, key=lambda pair: (pair != FIRST, pair))
    return {pair: csv_text(HEADER, lines[pair]) for pair in order}


def _own(measured: Measured) -> dict[str, Any]:
    _, stats, info = measured
    deviation_s, peak_bytes = std_s(stats), finite(info.get("gpu_memory_peak_bytes"))
    return {
        "std_latency_ms": scaled(deviation_s, 1e3),
        "gpu_peak_mem_mb": per(peak_bytes, MIB),  # MB as in mem_total_mb: 2**20 bytes
    }
