"""Study 3: what precision, batch and runtime do on a GPU: latency, throughput, energy (DEEP-GAP).

``pytest benchmarks/test_gpu_precision.py -m gpu``. By default each model, runtime and precision at a batch for latency
and one for throughput; ``--protocol=paper`` is the study as published: batches 1 to 512 of PyTorch and
TensorRT, 20 + 100 calls a cell. ``--devices cpu`` measures the same cells on all usable CPUs, to be compared with.
"""

from typing import Any

import pytest

from tailgate.machine.cpus import usable_cpus

pytestmark = pytest.mark.study(
    name="gpu-precision",
    models=["resnet18", "resnet50", "resnet101"],
    runtimes=["pytorch", "pytorch-compile", "pytorch-cudagraphs", "onnxruntime", "tensorrt"],
    precisions=["fp32", "tf32", "bf16", "fp16", "int8"],
    devices=["cuda:0"],
    threads=[usable_cpus()],
    batch_sizes=[1, 32],
    paper={
        "runtimes": ["pytorch", "tensorrt"],
        "precisions": ["fp32", "tf32", "fp16", "int8"],
        "batch_sizes": [1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512],
    },
)


@pytest.mark.throughput(items="batch_size")
def test_gpu_precision(benchmark: Any, inference: Any, inputs: Any) -> None:
    """Latency and throughput as precision and batch change."""
    benchmark(inference.run, inputs)
