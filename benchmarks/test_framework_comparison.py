"""Study 2: the same network in six frameworks, compared alike; and as published, to see what that did to the ranking.

By default each framework is imported into a process of its own, gets the same weights and the same batch, has proved
its answer and its threads, and is timed warm; import, load, compilation and first call are numbers of their own.
``--protocol=paper`` runs the source's own listings instead (docs/suite/study2.md): 1,000 runs, one process that holds
all five frameworks, batches of 1000 for three of them and 1000 single calls for the other two.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.study(
    name="framework-comparison",
    models=["mlp"],
    runtimes=["pytorch", "pytorch-compile", "tensorflow", "jax", "onnxruntime", "openvino"],
    precisions=["fp32"],
    threads="modern",
    batch_sizes=[1, 1000],
    preload=False,
)


@pytest.mark.protocols(never=["paper"], reason="which is compared alike; --protocol=paper is the study as published")
@pytest.mark.throughput(items="batch_size")
@pytest.mark.usefixtures("frameworks_loaded")
def test_framework_comparison(benchmark: Any, inference: Any, inputs: Any) -> None:
    """Latency, CPU use and memory of each framework, compared alike."""
    benchmark(inference.run, inputs)


@pytest.mark.protocols(only=["paper"], reason="the study as published, only with --protocol=paper")
def test_as_published(benchmark: Any, benchmark_model: Any, input_data: Any, runs: int) -> None:
    """The source's numbers the source's way; a timed round is one of its runs with the sampling that it timed, too."""
    benchmark.pedantic(benchmark_model, args=(input_data,), rounds=runs, iterations=1, warmup_rounds=0)
    benchmark.extra_info.update(benchmark_model.averages())
