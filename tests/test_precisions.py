"""The check must reject a wrong input, a wrong layer, swapped items and the wrong precision, on a real network."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures.models import models
from fixtures.precisions import Agreement, WrongAnswerError, agreement, expected_band, verdict
from fixtures.workloads.rounding import emulated
from fixtures.workloads.workload import CHECK_ITEMS, Workload

ROUNDING = {"bf16": 6e-2, "fp16": 7e-3, "int8": 2e-1}


def found(error_rel: float) -> Agreement:
    return Agreement(error_rel, None, None)


@pytest.mark.parametrize(
    ("precision", "error_rel", "kept"),
    [
        ("fp32", 5e-6, True),
        ("fp32", 0.0, True),
        ("bf16", 6e-2, True),
        ("bf16", 1e-1, True),
        ("fp16", 9e-3, True),
        ("int8", 2.3e-1, True),
        ("fp32", 6e-2, False),  # bf16 under the label fp32
        ("fp16", 6e-2, False),  # bf16 under the label fp16
        ("bf16", 7e-3, False),  # fp16 under the label bf16
        ("bf16", 5e-6, False),  # nothing was converted
        ("int8", 5e-6, False),
        ("int8", 0.0, False),
    ],
)
def test_a_label_is_kept_only_by_its_own_error(precision: str, error_rel: float, kept: bool) -> None:
    ok, reason = verdict(precision, found(error_rel), ROUNDING)
    assert ok is kept
    assert (reason is None) is kept


def test_the_reason_names_what_ran_instead() -> None:
    assert "ran as bf16, not fp32" in str(verdict("fp32", found(6e-2), ROUNDING)[1])


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8"])
@pytest.mark.parametrize("error_rel", [1.4, float("inf"), float("nan")])
def test_a_wrong_answer_is_no_precision(precision: str, error_rel: float) -> None:
    with pytest.raises(WrongAnswerError, match="the answer is wrong"):
        verdict(precision, found(error_rel), ROUNDING)


@given(st.floats(1e-3, 0.3))
def test_bf16_and_fp16_never_pass_for_each_other(error_rel: float) -> None:
    rounding = {"bf16": error_rel, "fp16": error_rel / 8, "int8": 0.3}
    fp16, bf16 = expected_band("fp16", rounding), expected_band("bf16", rounding)
    assert fp16[1] <= bf16[0] * (1 + 1e-12)


def test_agreement_is_relative_to_what_depends_on_the_input() -> None:
    random = np.random.default_rng(0)
    response = random.standard_normal((16, 10))
    reference = 1000 + response
    assert agreement(reference[::-1].copy(), reference).error_rel > 1  # though only 0.1 % apart
    assert agreement(reference, reference) == Agreement(0.0, None, 1.0)


def test_agreement_refuses_other_shapes_and_constant_references() -> None:
    with pytest.raises(ValueError, match="shape"):
        agreement(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="do not depend on the input"):
        agreement(np.ones((4, 3)), np.ones((4, 3)))


def test_one_output_has_no_top1() -> None:
    reference = np.arange(4.0).reshape(4, 1)
    assert agreement(reference + 0.1, reference).top1_agreement is None


NETWORKS = ["mlp", "resnet18", "mobilenet_v2", "squeezenet1_1"]


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Workload:
    return Workload(models()[request.param], 64, "random")


def answers(module: torch.nn.Module, items: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return module(torch.from_numpy(items)).float().numpy()


def test_the_right_answer_is_fp32(network: Workload) -> None:
    outputs = answers(network.module(), network.check_inputs())
    rounding = network.weights().facts["rounding_error_rel"]
    assert verdict("fp32", agreement(outputs, network.reference()), rounding) == (True, None)


def test_two_inputs_have_very_different_answers(network: Workload) -> None:
    reference = network.reference()
    response = reference - reference.mean(axis=0)
    assert np.linalg.norm(response) / np.linalg.norm(reference) > 0.1


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8"])
def test_swapped_items_and_other_inputs_are_rejected_at_every_precision(network: Workload, precision: str) -> None:
    rounding = network.weights().facts["rounding_error_rel"]
    reference = network.reference()
    other = answers(network.module(), network.calibration_inputs())
    for wrong in (np.roll(reference, 1, axis=0), reference[::-1].copy(), other):
        with pytest.raises(WrongAnswerError):
            verdict(precision, agreement(wrong, reference), rounding)


def test_two_swapped_items_among_sixteen_are_rejected_in_fp32(network: Workload) -> None:
    swapped = network.reference().copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    kept = True
    try:
        kept, _ = verdict(
            "fp32", agreement(swapped, network.reference()), network.weights().facts["rounding_error_rel"]
        )
    except WrongAnswerError:
        kept = False
    assert not kept


def test_one_wrong_layer_is_rejected_in_fp32(network: Workload) -> None:
    module = network.module()
    layer = next(layer for layer in module.modules() if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d))
    layer.weight.data = layer.weight.data.roll(1, 0)
    kept = True
    try:
        outputs = answers(module, network.check_inputs())
        kept, _ = verdict(
            "fp32", agreement(outputs, network.reference()), network.weights().facts["rounding_error_rel"]
        )
    except WrongAnswerError:
        kept = False
    assert not kept


def test_real_bf16_arithmetic_is_in_its_band(network: Workload) -> None:
    module = network.module().bfloat16()
    with torch.no_grad():
        outputs = module(torch.from_numpy(network.check_inputs()).bfloat16()).float().numpy()
    rounding = network.weights().facts["rounding_error_rel"]
    assert verdict("bf16", agreement(outputs, network.reference()), rounding) == (True, None)


def test_emulation_leaves_the_module_as_it_was(network: Workload) -> None:
    module = network.module()
    items = torch.from_numpy(network.check_inputs())
    before = answers(module, network.check_inputs())
    emulated(module, items, "bf16")
    emulated(module, items, "int8")
    assert np.array_equal(answers(module, network.check_inputs()), before)
    assert len(network.check_inputs()) == CHECK_ITEMS
