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
from studies.cpu_scaling.csv_lines import Measured, Pair, disturbed, lines_of, text_of
from studies.gpu_precision.reading import STUDY, number
from tailgate import TailgateError
from tailgate.results.saved_run import Run

NAME = "deep-gap-csv"
HEADER = (
    *STUDY_1[: STUDY_1.index("mean_ms") + 1], "std_latency_ms", *STUDY_1[STUDY_1.index("mean_ms") + 1 :],
    "gpu_peak_mem_mb",
)  # fmt: skip
FIRST = ("pytorch", "fp32")
BYTES_PER_MB = 2**20
"""As in ``mem_total_mb``, and as the source's torch.cuda.max_memory_allocated() / 1024 ** 2 is usually written."""


def render(runs: Sequence[Run]) -> str:
    """The CSV of the first pair of runtime and precision.

    Raises:
        TailgateError: no row of the study.
    """
    return next(iter(_by_pair(runs).values()))


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """``-RUNTIME-PRECISION.csv`` of each other pair.

    Raises:
        TailgateError: as :func:`render`.
    """
    others = list(_by_pair(runs).items())[1:]
    return {f"-{_safe(runtime)}-{_safe(precision)}.csv": text.encode() for (runtime, precision), text in others}


def warnings(runs: Sequence[Run]) -> list[str]:
    """Which lines, of all pairs, are of disturbed rows."""
    return disturbed(measured for _, measured, _ in lines_of(runs) if measured[2].get("study") == STUDY)


def std_s(stats: Mapping[str, Any]) -> float | None:
    """Population standard deviation in seconds: from the rounds, or from the sample's and their number."""
    data, rounds = stats.get("data"), stats.get("rounds")
    if data:
        return float(statistics.pstdev(data))
    sample_s = number(stats.get("stddev"))
    if sample_s is None or not isinstance(rounds, int) or rounds < 1:
        return None
    return sample_s * math.sqrt((rounds - 1) / rounds)


def _by_pair(runs: Sequence[Run]) -> dict[Pair, str]:
    lines: dict[Pair, list[dict[str, Any]]] = {}
    for pair, measured, line in lines_of(runs):
        if measured[2].get("study") == STUDY:
            lines.setdefault(pair, []).append({**line, **_own(measured)})
    if not lines:
        raise TailgateError(
            f"--format={NAME}: no row of the study {STUDY} in these runs; measure some with: "
            "pytest benchmarks/test_gpu_precision.py -m gpu --benchmark-save=NAME"
        )
    order = sorted(lines, key=lambda pair: (pair != FIRST, pair))
    return {pair: text_of(HEADER, lines[pair]) for pair in order}


def _own(measured: Measured) -> dict[str, Any]:
    _, stats, info = measured
    deviation_s, peak_bytes = std_s(stats), number(info.get("gpu_memory_peak_bytes"))
    return {
        "std_latency_ms": None if deviation_s is None else deviation_s * 1e3,
        "gpu_peak_mem_mb": None if peak_bytes is None else peak_bytes / BYTES_PER_MB,
    }


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
