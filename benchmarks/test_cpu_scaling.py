"""Study 1: how latency and throughput of inference on a CPU scale with threads and batch (GDEV-AI).

The default grid is the corners of the study's, over three runtimes and two precisions, sized so that
``pytest benchmarks -k resnet50`` ends within minutes; ``--protocol=paper`` is the study as published:
PyTorch eager in FP32, five batch sizes, 20 + 100 calls a cell.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.study(
    name="cpu-scaling",
    models=["resnet50", "resnet18"],
    runtimes=["pytorch", "onnxruntime", "openvino"],
    precisions=["fp32", "int8"],
    threads="modern",
    batch_sizes=[1, 4],
    paper={"runtimes": ["pytorch"], "precisions": ["fp32"], "batch_sizes": [1, 2, 4, 8, 16]},
)


@pytest.mark.throughput(items="batch_size")
def test_cpu_scaling(benchmark: Any, inference: Any, inputs: Any) -> None:
    """Latency and throughput as threads and batch grow."""
    benchmark(inference.run, inputs)
