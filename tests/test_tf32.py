"""TF32's band: below it is fp32, and it ends before bf16 is expected; where emulated networks lie."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures.models import models
from fixtures.precisions import Agreement, WrongAnswerError, agreement, expected_band, verdict
from fixtures.workloads.rounding import emulated
from fixtures.workloads.rounding_tf32 import chop_to_tf32, emulated_tf32, round_to_tf32
from fixtures.workloads.workload import Workload, make_weights

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**126), max_value=2.0**126)
NORMAL = FINITE.filter(lambda value: abs(value) >= 2.0**-100)


def found(error_rel: float) -> Agreement:
    return Agreement(error_rel, None, None)


@given(NORMAL)
def test_rounding_is_to_the_nearest_of_ten_bits_and_chopping_towards_zero(value: float) -> None:
    tensor = torch.tensor([value])
    rounded, chopped = round_to_tf32(tensor).item(), chop_to_tf32(tensor).item()
    mantissa, exponent = np.frexp(np.float64(value))
    step = np.ldexp(1.0, int(exponent) - 11)  # frexp's mantissa begins at a half
    assert rounded == np.round(np.float64(value) / step) * step  # numpy rounds halves to the even one, too
    assert chopped == np.trunc(np.float64(value) / step) * step
    assert abs(mantissa) >= 0.5


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_what_has_ten_bits_stays(values: list[float]) -> None:
    once = round_to_tf32(torch.tensor(values))
    assert torch.equal(round_to_tf32(once), once)
    assert torch.equal(chop_to_tf32(once), once)


@given(st.lists(st.floats(1e-7, 0.5), min_size=4, max_size=4))
def test_the_bands_of_fp32_and_tf32_never_meet_whatever_the_model(errors_rel: list[float]) -> None:
    rounding = dict(zip(("bf16", "fp16", "int8", "tf32"), errors_rel, strict=True))
    fp32, tf32 = expected_band("fp32", rounding), expected_band("tf32", rounding)
    assert fp32[1] < tf32[0] < tf32[1]
    assert verdict("fp32", found(tf32[0]), rounding)[0] is False
    assert verdict("tf32", found(fp32[1]), rounding)[0] is False


@given(st.floats(1e-5, 1e-2), st.floats(9, 30))
def test_tf32_s_band_ends_before_bf16_is_expected(tf32_rel: float, times: float) -> None:
    rounding = {"bf16": tf32_rel * times, "fp16": tf32_rel * times / 8, "int8": 0.3, "tf32": tf32_rel}
    assert expected_band("tf32", rounding)[1] < rounding["bf16"]


def test_a_resnet50_whose_kernels_chop_is_tf32() -> None:
    """As emulated at 224 px: 6.9e-3 rounded, 2.8e-2 chopped, where bf16's band has begun."""
    rounding = {"bf16": 6.0e-2, "fp16": 7.1e-3, "int8": 2.0e-1, "tf32": 6.4e-3}
    assert verdict("tf32", found(2.8e-2), rounding) == (True, None)
    assert verdict("tf32", found(6.0e-2), rounding)[0] is False


ROUNDING = {"bf16": 3.6e-2, "fp16": 4.5e-3, "int8": 1.4e-1, "tf32": 3.4e-3}


def test_fp32_that_ran_in_tf32_is_refused_with_what_it_may_have_been() -> None:
    kept, reason = verdict("fp32", found(3.4e-3), ROUNDING)
    assert not kept
    assert "this ran as fp16 or tf32, not fp32" in str(reason)


def test_tf32_that_ran_in_fp32_or_bf16_is_refused() -> None:
    assert "this ran as fp32, not tf32" in str(verdict("tf32", found(3e-6), ROUNDING)[1])
    assert "this ran as bf16, not tf32" in str(verdict("tf32", found(3.6e-2), ROUNDING)[1])
    assert "this is not tf32" in str(verdict("tf32", found(5e-4), ROUNDING)[1])
    with pytest.raises(WrongAnswerError):
        verdict("tf32", found(1.4), ROUNDING)


def test_without_a_figure_of_tf32_the_other_bands_are_as_they_were() -> None:
    older = {name: value for name, value in ROUNDING.items() if name != "tf32"}
    assert expected_band("fp32", older) == (0.0, 1e-4)
    assert expected_band("fp16", older) == expected_band("fp16", ROUNDING)
    assert "ran as fp16, not fp32" in str(verdict("fp32", found(4.5e-3), older)[1])


def test_only_what_is_multiplied_is_rounded() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 8)
    items = torch.randn(5, 64)
    with torch.no_grad():
        wanted = torch.nn.functional.linear(round_to_tf32(items), round_to_tf32(layer.weight), layer.bias)
        kept = torch.nn.functional.relu(items) + torch.nn.functional.softmax(items, dim=1)
    assert torch.equal(emulated(layer, items, "tf32"), wanted)
    activations = torch.nn.Sequential(torch.nn.Identity())
    activations.forward = lambda values: torch.relu(values) + torch.softmax(values, dim=1)  # type: ignore[method-assign]
    assert torch.equal(emulated(activations, items, "tf32"), kept)


def test_attention_multiplies_in_tf32_too() -> None:
    torch.manual_seed(0)
    attention = torch.nn.MultiheadAttention(16, 2, batch_first=True).eval()

    class Network(torch.nn.Module):
        def forward(self, items: torch.Tensor) -> torch.Tensor:
            return attention(items, items, items)[0]

    class Bare(torch.nn.Module):
        def forward(self, items: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.scaled_dot_product_attention(items, items, items)

    for network, items in ((Network(), torch.randn(2, 6, 16)), (Bare(), torch.randn(2, 2, 6, 8))):
        with torch.no_grad():
            exact = network(items)
        error_rel = ((emulated(network, items, "tf32") - exact).norm() / exact.norm()).item()
        assert 2e-5 < error_rel < 2e-3


@pytest.fixture(scope="module", params=["mlp", "resnet18"])
def network(request: pytest.FixtureRequest) -> Workload:
    return Workload(models()[request.param], 64, "random")


def test_a_real_network_in_tf32_is_told_from_fp32_and_bf16(network: Workload) -> None:
    rounding = network.weights().facts["rounding_error_rel"]
    module, items = network.module(), torch.from_numpy(network.check_inputs())
    with torch.no_grad():
        exact = agreement(module(items).numpy(), network.reference())
    in_tf32 = agreement(emulated(module, items, "tf32").numpy(), network.reference())
    chopped = agreement(emulated_tf32(module, items, chop_to_tf32).numpy(), network.reference())
    assert in_tf32.error_rel == pytest.approx(rounding["tf32"], rel=0.05)
    assert verdict("tf32", in_tf32, rounding) == (True, None)
    assert verdict("tf32", chopped, rounding) == (True, None), "a library may chop where we round"
    for wrong in ("fp32", "bf16"):
        assert verdict(wrong, in_tf32, rounding)[0] is False
    assert "ran as fp32, not tf32" in str(verdict("tf32", exact, rounding)[1])
    # The same mantissa: an error alone does not tell them apart, and the docs say so.
    assert verdict("fp16", in_tf32, rounding) == (True, None)


def test_weights_made_while_inference_mode_is_on_have_the_same_errors(tmp_path: Path) -> None:
    workload = Workload(models()["mlp"], 64, "random")
    with torch.inference_mode():
        facts = make_weights(workload, tmp_path)
    assert facts["rounding_error_rel"]["tf32"] == pytest.approx(workload.weights().facts["rounding_error_rel"]["tf32"])
