"""Study 4: what any ONNX file costs (ModelGauge): latency, memory, counters, against its parameters and FLOPs.

``--onnx-dir DIR`` profiles every ``.onnx`` below DIR; without it the suite's own 32 exports are measured. One thread,
so that FLOPs and latency can be set against each other; batch 1, as in the source.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.study(name="onnx-profiles", runtimes=["onnxruntime"], threads=[1], batch_sizes=[1])


def test_onnx_profiles(benchmark: Any, onnx_session: Any) -> None:
    """One call of one model on one runtime."""
    session, inputs = onnx_session
    benchmark(session.run, inputs)
