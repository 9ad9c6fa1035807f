"""The counter of torch modules: its traps, training, what torchvision calls GFLOPS. The table is in test_models.py."""

import pytest
import torch
from test_models import TABLE
from torch.utils.flop_counter import FlopCounterMode

from fixtures import complexity
from fixtures.models import models


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
    assert complexity.macs_per_item(module, image) / 1e9 == pytest.approx(17.564, rel=1e-3)


def test_attention_by_hand() -> None:
    length, width = 197, 768
    layer = torch.nn.TransformerEncoderLayer(width, 12, dim_feedforward=width, batch_first=True).eval()
    projections, products, feed_forward = 4 * length * width**2, 2 * length**2 * width, 2 * length * width**2
    assert complexity.macs_per_item(layer, torch.zeros(1, length, width)) == projections + products + feed_forward


def test_training_is_three_times_forward_where_the_counter_can_be_asked() -> None:
    layer, image = torch.nn.Conv2d(8, 16, 3), torch.zeros(1, 8, 10, 10)
    assert complexity.training_flops(layer, image) == trained_flops(layer, image) == 3 * 2 * 16 * 64 * 8 * 9


def test_the_counter_overcounts_the_backward_of_grouped_convolutions() -> None:
    layer, image = torch.nn.Conv2d(32, 32, 3, groups=32), torch.zeros(1, 32, 10, 10)
    truth = complexity.training_flops(layer, image)
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
    assert complexity.counter_name().startswith("torch.utils.flop_counter 2.")
