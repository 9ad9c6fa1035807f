"""The machine's roofs, for study 5: the most FLOP/s and bytes/s it was seen to do, at the thread counts of the cells.

Rows of the same run as the cells they judge; ``tailgate report --format roofline`` puts both together.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.study(name="training-roofline")


@pytest.mark.usefixtures("gemm_device", "gemm_threads", "gemm_precision")
def test_peak_gemm(benchmark: Any, gemm_peak: Any) -> None:
    """FLOP/s of matrix products in a precision."""
    benchmark(gemm_peak.run)
    gemm_peak.conclude(benchmark)


@pytest.mark.usefixtures("triad_device", "triad_threads", "triad_level")
def test_peak_triad(benchmark: Any, triad_peak: Any) -> None:
    """Bytes/s of STREAM's triad in a level of memory."""
    benchmark(triad_peak.run)
    triad_peak.conclude(benchmark)
