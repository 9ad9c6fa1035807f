"""int8 of ``pytorch-compile``: torchao's programs on real networks, what multiplies read back, and what must refuse."""

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fixtures.artifacts import Artifact, artifact
from fixtures.inference.fixture import check
from fixtures.inference.model_size import model_bytes
from fixtures.models import models
from fixtures.precisions import agreement, expected_band, verdict
from fixtures.runtimes import UnsupportedError, _compiled_int8, pytorch_compile, runtimes
from fixtures.runtimes._compiled_int8 import FLOAT, INT8, Products, int8_reason, products_are_exact
from fixtures.runtimes._quantise_torch import DYNAMIC, int8_products, only_linear, quantise
from fixtures.workloads.rounding import emulated
from fixtures.workloads.workload import Workload

X86 = platform.machine().lower() in ("x86_64", "amd64")
needs_torchao = pytest.mark.skipif(int8_reason() is not None, reason=str(int8_reason()))
COMPILE = runtimes()["pytorch-compile"]


@needs_torchao
def test_a_convolution_network_is_int8_by_its_kernels_its_answers_and_its_size() -> None:
    """resnet18: a ReLU that is called twice in a block, residual sums, a linear layer."""
    network = Workload(models()["resnet18"], 64, "random")
    facts = network.weights().facts
    COMPILE.start(1)
    made = COMPILE.artifact(network, "int8", 2)
    with COMPILE.load(network, "int8", "cpu", 1, 2) as session:
        _, found = check(session, network, 2)
        described = session.describe()
        prepared = session.prepare(network.check_inputs(2))
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as watched:
            session.run(prepared)
        assert session.compile_s is not None
    ran = {one.key: one.count for one in watched.key_averages()}
    assert sum(count for name, count in ran.items() if name.startswith("onednn::q")) == 21
    assert not {name for name in ran if "convolution" in name or name in ("aten::mm", "aten::addmm")}
    assert (described["precision_compiled"], described["int8_layers"], described["float_products"]) == ("int8", 21, 0)
    assert described["int8_macs_share"] == pytest.approx(1.0)
    assert described["quantizer"].startswith("torchao 0.")
    assert described["memory_format"] == "channels_last"
    assert verdict("int8", found, facts["rounding_error_rel"]) == (True, None)
    assert 1.0 < model_bytes(made, "int8", facts["parameters"]) / facts["parameters"] < 1.05


class Tiny:
    """Two linear layers, so that compiling takes little time."""

    spec = SimpleNamespace(convolutional=False, uses_image_size=False, name="tiny", input_shape=lambda _size: (64,))
    image_size, weights_kind, label = 224, "random", "tiny"
    macs = 64 * 32 + 32 * 8

    def module(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8)).eval()

    def calibration_inputs(self) -> np.ndarray:
        return np.random.default_rng(1).random((16, 64), dtype=np.float32)

    def weights(self) -> SimpleNamespace:
        return SimpleNamespace(facts={"macs": self.macs, "model_sha256": "tiny"})


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    """Quantised in this process and into a cache of its own."""
    made = Tiny()
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path))
    monkeypatch.setattr("fixtures.runtimes._quantise_torch.models", lambda: {"tiny": made.spec})
    monkeypatch.setattr("fixtures.runtimes._quantise_torch.Workload", lambda *_: made)
    monkeypatch.setattr(
        _compiled_int8, "convert_in_child", lambda _, request, folder: quantise({**request, "folder": str(folder)})
    )
    return made


@needs_torchao
@pytest.mark.skipif(not products_are_exact(4), reason="torch._int_mm overflows here (a CPU without VNNI)")
def test_linear_layers_are_int8_by_each_items_own_range(tiny: Tiny) -> None:
    COMPILE.start(1)
    made = COMPILE.artifact(tiny, "int8", 4)
    assert made.facts["activations"] == DYNAMIC
    assert (made.facts["int8_layers"], made.facts["int8_macs_share"]) == (2, 1.0)
    items = np.random.default_rng(2).random((4, 64), dtype=np.float32)
    with COMPILE.load(tiny, "int8", "cpu", 1, 4) as session:
        session.run(session.prepare(items))
        found = session.outputs_numpy().copy()
        assert (session.describe()["precision_compiled"], session.describe()["float_products"]) == ("int8", 0)
    module = tiny.module()
    with torch.no_grad():
        reference = module(torch.from_numpy(items)).numpy()
        rounding = {"int8": agreement(emulated(module, torch.from_numpy(items), "int8").numpy(), reference).error_rel}
    least, most = expected_band("int8", rounding)
    assert least <= agreement(found, reference).error_rel <= most


@needs_torchao
def test_layers_that_inductor_leaves_in_fp32_are_not_called_int8(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where torchao's passes no longer match what torch writes: the graph computes the same in floats."""
    made = COMPILE.artifact(tiny, "int8", 4)
    session = SimpleNamespace(closed=False)

    class Floats:
        def __init__(self, *_: object) -> None:
            session.label = Products(int8=1, float=1).label(made)

        def describe(self) -> dict[str, str]:
            return {"precision_compiled": session.label}

        def close(self) -> None:
            session.closed = True

    monkeypatch.setattr(pytorch_compile, "Int8Inference", Floats)
    with pytest.raises(UnsupportedError, match="Inductor compiled 1 of 2 layers in int8, the others in fp32"):
        COMPILE.load(tiny, "int8", "cpu", 1, 4)
    assert session.closed


@needs_torchao
def test_a_network_that_is_mostly_not_quantised_is_refused(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny, "macs", 10 * Tiny.macs, raising=False)
    with pytest.raises(UnsupportedError, match="quantises 10% of its multiply-accumulates"):
        COMPILE.artifact(tiny, "int8", 4)


@pytest.mark.skipif(not X86, reason="the variable is of oneDNN on x86")
def test_integer_products_that_overflow_are_found() -> None:
    """Without VNNI oneDNN adds two products of bytes in 16 bits: mlp was 190 % off, static 8-bit ranges 5 % more."""
    code = "from fixtures.runtimes._compiled_int8 import products_are_exact as f; print(f(1), f(16))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "False" in done.stdout


def test_overflowing_products_make_the_cell_unsupported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_compiled_int8, "products_are_exact", lambda _rows: False)
    made = Artifact(tmp_path, {"activations": DYNAMIC}, {})
    with pytest.raises(UnsupportedError, match=r"overflows here: .* ONEDNN_MAX_CPU_ISA"):
        _compiled_int8.opened(made, Tiny(), 1)


CODE = """
def call(self, args):
    # Topologically Sorted Source Nodes: [conv2d], Original ATen: [aten.mm(a, b)]
    buf1 = torch.ops.onednn.qconv_pointwise.tensor(buf0, x_scale)
    assert_tensor_metadata(buf1, 'torch.ops.onednn.qconv_pointwise.tensor(')
    torch.ops.onednn.qconv2d_pointwise.binary_tensor(buf3, x_scale_1)
    buf2 = torch.ops.quantized.max_pool2d.default(buf1)
    extern_kernels._int_mm(buf2, _frozen_param24, out=buf3)
    extern_kernels.addmm(arg, buf3, arg2, alpha=1, beta=1, out=buf4)
    buf5 = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default(buf10, buf11, buf12)
    buf6 = torch.ops.mkldnn._convolution_pointwise.default(buf0)
    torch.ops.mkldnn._convolution_pointwise_.binary(buf0)
    buf7 = torch.ops.mkl._mkl_linear.default(buf0)
    buf8 = torch.ops.mkldnn._linear_pointwise.default(buf0)
    cpp_fused_0(buf0)
"""


def test_what_multiplies_is_counted_in_the_code_that_was_written() -> None:
    products = Products()
    products.count(CODE)
    assert (products.int8, products.float) == (3, 6)


@pytest.mark.parametrize("name", ["onednn.qlinear_pointwise.binary_tensor", "onednn.qconv_pointwise.tensor", "_int_mm"])
def test_integer_products_are_no_float_products(name: str) -> None:
    assert INT8.match(name)
    assert not FLOAT.match(name)


def test_a_program_is_counted_by_what_comes_out_of_dequantisations() -> None:
    class Half(nn.Module):
        def forward(self, items: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
            return torch._int_mm(items, weight).float() @ torch.ones(8, 2)

    program = torch.export.export(Half(), (torch.ones(4, 16, dtype=torch.int8), torch.ones(16, 8, dtype=torch.int8)))
    assert int8_products(program.graph) == (1, 4 * 16 * 8)


def test_quantize_is_for_networks_whose_products_it_all_reaches() -> None:
    assert only_linear(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    assert not only_linear(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Linear(2, 2)))
    assert not only_linear(nn.Sequential(nn.MultiheadAttention(4, 2)))


def test_without_torchao_or_off_x86_the_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert int8_reason() == "int8 needs torchao; install with: pip install torchao"
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert int8_reason() == "int8 is torchao's for Inductor on x86-64, and this CPU is aarch64"


def test_the_size_of_a_quantised_program_is_that_of_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path))

    def make(folder: Path) -> dict[str, int]:
        (folder / "program.pt2").write_bytes(b"x" * 500)
        return {"model_bytes": 104}

    assert model_bytes(artifact("one", {}, make), "int8", 100) == 104
