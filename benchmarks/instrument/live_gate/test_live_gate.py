"""How often does the duet call identical code slower, and how often does it see 3, 5 and 10 %? Live, the whole command.

Run by ``python benchmarks/instrument/live_gate/campaign.py``; docs/evidence/statistics.md has the figures last seen.
One call is the mlp with a batch of 128 on ONNX Runtime, one thread; the slower ones busy-wait for their share of a
usual call after it, the scaled ones for their share of that very call, so that P99 is as much slower as the median.
"""

import statistics
import time
from typing import Any

import pytest

pytestmark = pytest.mark.instrument
MODEL, IMAGE_SIZE, BATCH, WARM_CALLS = "mlp", 224, 128, 200


@pytest.fixture
def call() -> Any:
    """One inference, without arguments."""
    import onnxruntime

    from fixtures.models import models
    from fixtures.workloads.workload import Workload

    workload = Workload(models()[MODEL], IMAGE_SIZE, "random")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(workload.onnx_path("fp32")), options, providers=["CPUExecutionProvider"])
    feed = {"input": workload.check_inputs(BATCH)}
    return lambda: session.run(None, feed)


def test_live(benchmark: Any, call: Any, slower_rel: float, request: pytest.FixtureRequest) -> None:
    """One call, and where it is made slower a busy-wait of a fixed length after it."""
    if not slower_rel or request.config.getoption("--slower") == "off":
        benchmark(call)
        return
    wait_s = slower_rel * _call_s(call)

    def slower() -> None:
        call()
        end_s = time.perf_counter() + wait_s
        while time.perf_counter() < end_s:
            pass

    def scaled() -> None:
        start_s = time.perf_counter()
        call()
        end_s = start_s + (time.perf_counter() - start_s) * (1 + slower_rel)
        while time.perf_counter() < end_s:
            pass

    benchmark(scaled if "scaled" in request.node.name else slower)


def _call_s(call: Any) -> float:
    """The median of warm calls; the other side is idle or getting warm, too."""
    durations_s = []
    for _ in range(WARM_CALLS):
        start_s = time.perf_counter()
        call()
        durations_s.append(time.perf_counter() - start_s)
    return statistics.median(durations_s[WARM_CALLS // 2 :])
