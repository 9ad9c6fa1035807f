"""Compiled sessions on a GPU, and those with CUDA graphs: through the seam, on a CPU, where torch makes no graph."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from cuda_calls import CpuCalls

from fixtures.inference.fixture import check
from fixtures.models import models
from fixtures.runtimes._cuda.compiled import CompiledCudaInference, GraphedCudaInference, load_compiled
from fixtures.runtimes._cuda.session import load_on_cuda
from fixtures.workloads.workload import Workload


def workload() -> Workload:
    return Workload(models()["mlp"], 64, "random")


def test_a_compiled_session_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.compile

    def eager_backend(module: torch.nn.Module, *, mode: str | None, **options: object) -> object:
        assert mode is None
        return real(module, backend="eager", **options)

    monkeypatch.setattr(torch, "compile", eager_backend)
    calls = CpuCalls()
    session = load_compiled(CompiledCudaInference, workload(), "fp32", "cuda:0", 1, 2, lambda _device: calls)
    with session:
        _, found = check(session, workload(), 2)
        described = session.describe()
    assert session.compile_s is not None
    assert found.error_rel < 1e-5
    assert described["compiler"] == "inductor, fullgraph"
    assert described["precision_compiled"] == "fp32"


def test_a_session_that_torch_gives_no_graph_is_refused_and_leaves_nothing_behind() -> None:
    """Inductor itself, in a process of its own: imported beside what other tests load, it ended one with SIGSEGV."""
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests.parent / "src"), str(tests.parent), str(tests)])
    done = subprocess.run(
        [sys.executable, tests / "inductor_alone.py"],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr


def test_a_graph_s_input_stays_where_it_is() -> None:
    batch = workload().check_inputs(2)
    session = load_on_cuda(GraphedCudaInference, workload(), "fp32", "cuda:0", 1, lambda _device: CpuCalls())
    with session:
        first = session.prepare(batch)
        address = first.data_ptr()
        second = session.prepare(batch[::-1].copy())
        assert second.data_ptr() == address
        assert np.array_equal(second.numpy(), batch[::-1])
        session.run(second)
        assert session.describe()["cuda_graph"] is True
