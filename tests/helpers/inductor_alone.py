"""Run by ``test_cuda_compiled``: Inductor makes no CUDA graph of what runs on a CPU, so the session is refused."""

import pytest
import torch
from cuda_calls import CpuCalls

from fixtures.models import models
from fixtures.runtimes import UnsupportedError
from fixtures.runtimes._cuda.compiled import GraphedCudaInference, load_compiled
from fixtures.runtimes._cuda.tf32 import read_tf32


class OneLayer:
    """So that it compiles little."""

    spec, image_size = models()["mlp"], 64

    def module(self) -> torch.nn.Module:
        return torch.nn.Linear(*self.spec.input_shape(64), 2).eval()


if __name__ == "__main__":
    before, calls = (read_tf32(), torch.is_inference_mode_enabled()), CpuCalls()
    with pytest.raises(UnsupportedError, match="torch skipped CUDA graphs"):
        load_compiled(GraphedCudaInference, OneLayer(), "fp32", calls, 1, 2)
    assert (read_tf32(), torch.is_inference_mode_enabled()) == before
    assert calls.log.count("record start") == 4
    assert calls.log[-1] == "empty cache"
    print("refused")
