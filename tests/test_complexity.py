"""The counter of torch modules: its traps, training, what torchvision calls GFLOPS. The table is in test_models.py."""

import pytest
import torch
import torchvision
from test_models import TABLE
from torch.utils.flop_counter import FlopCounterMode

from fixtures.models import models
from fixtures.workloads import torch_cost


def bare_macs(module: torch.nn.Module, item: torch.Tensor) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(item)
    return float(counter.get_total_flops() / 2)


def trained_flops(module: torch.nn.Module, item: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        module(item.requires_grad_()).sum().backward()
    return int(counter.get_total_flops())


def test_without_the_guard_fused_attention_is_invisible() -> None:
    module, image = models()["vit_b_16"].build(224).eval(), torch.zeros(1, 3, 224, 224)
    assert bare_macs(module, image) / 1e9 == pytest.approx(11.27, abs=0.005)
    assert torch_cost.macs_per_item(module, image) / 1e9 == pytest.approx(17.564, rel=1e-3)


def test_attention_by_hand() -> None:
    length, width = 197, 768
    layer = torch.nn.TransformerEncoderLayer(width, 12, dim_feedforward=width, batch_first=True).eval()
    projections, products, feed_forward = 4 * length * width**2, 2 * length**2 * width, 2 * length * width**2
    assert torch_cost.macs_per_item(layer, torch.zeros(1, length, width)) == projections + products + feed_forward


def test_training_is_three_times_forward_where_the_counter_can_be_asked() -> None:
    layer, image = torch.nn.Conv2d(8, 16, 3), torch.zeros(1, 8, 10, 10)
    assert torch_cost.training_flops(layer, image) == trained_flops(layer, image) == 3 * 2 * 16 * 64 * 8 * 9


def test_the_counter_overcounts_the_backward_of_grouped_convolutions() -> None:
    layer, image = torch.nn.Conv2d(32, 32, 3, groups=32), torch.zeros(1, 32, 10, 10)
    truth = torch_cost.training_flops(layer, image)
    assert truth == 3 * 2 * 32 * 64 * 9
    assert trained_flops(layer, image) > 5 * truth


@pytest.mark.parametrize("name", TABLE)
def test_torchvisions_documented_gflops_are_gmacs(name: str) -> None:
    from torchvision.models import get_model_weights

    meta = get_model_weights(name).DEFAULT.meta
    parameters, gmacs = TABLE[name]
    assert meta["num_params"] == parameters
    if name == "efficientnet_v2_s":  # documented at 384 px
        gmacs *= (384 / 224) ** 2
    assert meta["_ops"] == pytest.approx(gmacs, rel=0.002, abs=0.001)


def test_the_counter_is_named_with_its_version() -> None:
    assert torch_cost.counter_name().startswith("torch.utils.flop_counter 2.")


class Calls(torch.nn.Module):
    """A module of one line."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


WEIGHTS = torch.ones(3, 4)
BYTES = torch.ones(32, 32, dtype=torch.int8)


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (torch.nn.LSTM(8, 16, batch_first=True), (1, 5, 8), 5 * 4 * 16 * (8 + 16)),
        (torch.nn.LSTM(8, 16, 2, batch_first=True, bidirectional=True), (1, 5, 8), 10 * 4 * 16 * (24 + 48)),
        (torch.nn.GRU(8, 16, batch_first=True), (1, 5, 8), 5 * 3 * 16 * (8 + 16)),
        (torch.nn.RNN(8, 16, batch_first=True), (1, 5, 8), 5 * 16 * (8 + 16)),
        (torch.nn.LSTMCell(8, 16), (1, 8), 4 * 16 * (8 + 16)),
        (torch.nn.MultiheadAttention(16, 4, batch_first=True), (1, 5, 16), 4 * 5 * 16**2 + 2 * 5**2 * 16),
        (torch.nn.ConvTranspose2d(3, 4, 3), (1, 3, 8, 8), 64 * 3 * 4 * 9),
        (Calls(lambda x: torch.einsum("bij,bkj->bik", x, x)), (1, 3, 4), 36),
        (Calls(lambda x: torch.nn.functional.hardswish(x).sort().values.cumsum(1).tril()), (1, 4), 0),
    ],
    ids=["lstm", "lstm of two layers, both ways", "gru", "rnn", "cell", "attention", "transposed", "einsum", "none"],
)
def test_what_is_counted_is_counted_whole(layer, shape, macs) -> None:
    arguments = (torch.zeros(shape),) * (3 if isinstance(layer, torch.nn.MultiheadAttention) else 1)
    module = Calls(lambda x: layer(*([x] * len(arguments)))).eval()
    assert torch.backends.mkldnn.enabled, "oneDNN is on by default, and hides LSTMs"
    assert torch_cost.counted_macs(module, arguments[0]) == torch_cost.Macs(macs)
    assert torch.backends.mkldnn.enabled


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        (lambda x: torch._int_mm(BYTES, BYTES), "aten._int_mm"),
        (lambda x: torch.mv(WEIGHTS, x[0]), "aten.mv"),
        (lambda x: x[0] @ x[0], "aten.dot"),
        (torch.fft.rfft, "aten._fft_r2c"),
        (lambda x: torch.nn.functional.bilinear(x, x, torch.ones(3, 4, 4)), "aten._trilinear"),
        (lambda x: torch.nn.functional.affine_grid(WEIGHTS[None, :2, :3], (1, 1, 4, 4), False),
         "aten.affine_grid_generator"),
        (lambda x: torch.linalg.inv(torch.eye(4) + x), "aten.linalg_inv_ex"),
        (lambda x: torchvision.ops.deform_conv2d(
            torch.ones(1, 3, 8, 8), torch.zeros(1, 18, 6, 6), torch.ones(4, 3, 3, 3)), "torchvision.deform_conv2d"),
    ],
    ids=["int8", "vector", "dot", "fft", "bilinear", "grid", "inverse", "torchvision"],
)  # fmt: skip
def test_what_multiplies_and_has_no_formula_makes_no_number(function, operator) -> None:
    found = torch_cost.counted_macs(Calls(lambda x: function(x @ torch.ones(4, 4))), torch.zeros(1, 4))
    assert found.count is None
    assert found.reason == f"{torch_cost.counter_name()} has no formula for {operator}"
    assert torch_cost.training_flops(Calls(function), torch.zeros(1, 4)) is None


def test_what_refuses_to_be_watched_has_a_reason() -> None:
    def refuses(x):
        if torch.utils._python_dispatch._get_current_dispatch_mode() is not None:
            raise RuntimeError("no modes here")
        return x

    found = torch_cost.counted_macs(Calls(refuses), torch.zeros(1, 4))
    assert (found.count, found.reason) == (None, f"{torch_cost.counter_name()} cannot watch it: no modes here")
