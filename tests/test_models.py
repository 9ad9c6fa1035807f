import numpy as np
import pytest
import torch

from fixtures.models import models
from fixtures.models._base import PretrainedUnavailableError
from fixtures.models.torchvision import NAMES
from fixtures.workloads import torch_cost
from fixtures.workloads.workload import Workload

TABLE = {  # docs/suite/onnx-cost.md: parameters and GMAC at 224 px, batch 1
    "resnet18": (11_689_512, 1.814),
    "resnet50": (25_557_032, 4.089),
    "resnet101": (44_549_160, 7.801),
    "wide_resnet50_2": (68_883_240, 11.398),
    "mobilenet_v2": (3_504_872, 0.3008),
    "mobilenet_v3_small": (2_542_856, 0.0565),
    "mobilenet_v3_large": (5_483_032, 0.2166),
    "squeezenet1_1": (1_235_496, 0.3492),
    "efficientnet_v2_s": (21_458_488, 2.850),
    "vit_b_16": (86_567_656, 17.564),
}


def test_the_names_are_torchvisions_own() -> None:
    import torchvision

    assert list(NAMES) == torchvision.models.list_models(module=torchvision.models)


@pytest.mark.parametrize("name", TABLE)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    parameters, gmacs = TABLE[name]
    module = models()[name].build(224).eval()
    assert torch_cost.parameters(module) == parameters
    assert torch_cost.macs_per_item(module, torch.zeros(1, 3, 224, 224)) / 1e9 == pytest.approx(gmacs, rel=1e-3)


def test_the_mlp_is_the_studys() -> None:
    module = models()["mlp"].build(224).eval()
    assert torch_cost.parameters(module) == 36_737
    assert (
        torch_cost.macs_per_item(module, torch.zeros(1, 200)) == 200 * 128 + 128 * 64 + 64 * 32 + 32 * 16 + 16 * 8 + 8
    )


def test_counting_leaves_the_attention_fast_path_as_it_was() -> None:
    before = torch.backends.mha.get_fastpath_enabled()
    torch_cost.macs_per_item(models()["vit_b_32"].build(32).eval(), torch.zeros(1, 3, 32, 32))
    assert torch.backends.mha.get_fastpath_enabled() is before


@pytest.mark.parametrize("name", ["mlp", "resnet18", "vit_b_16"])
def test_inputs_are_seeded_and_differ(name: str) -> None:
    spec = models()[name]
    first, again, other = (spec.inputs(4, seed, 64) for seed in (1, 1, 2))
    assert first.shape == (4, *spec.input_shape(64))
    assert first.dtype == np.float32
    assert first.flags.c_contiguous
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_image_inputs_have_unit_variance() -> None:
    images = models()["resnet18"].inputs(16, 3, 64)
    assert images.std() == pytest.approx(1, rel=0.01)


ONE_OF_EACH_FAMILY = [
    ("alexnet", 64), ("convnext_tiny", 32), ("densenet121", 32), ("efficientnet_b0", 32), ("googlenet", 32),
    ("inception_v3", 75), ("mnasnet0_5", 32), ("regnet_y_400mf", 32), ("resnext50_32x4d", 32),
    ("shufflenet_v2_x0_5", 32), ("swin_t", 32), ("swin_v2_t", 32), ("vgg11_bn", 32), ("vit_b_32", 32),
    ("mobilenet_v2_w0.2", 32), ("mobilevit_s", 32),
]  # fmt: skip


@pytest.mark.parametrize(("name", "size"), ONE_OF_EACH_FAMILY)
def test_every_family_can_be_built_and_tells_inputs_apart(name: str, size: int) -> None:
    workload = Workload(models()[name], size, "random")
    reference = workload.reference()
    assert reference.shape == (16, 1000)
    response = np.linalg.norm(reference - reference.mean(axis=0)) / np.linalg.norm(reference)
    assert response > 0.05, f"answers to different inputs differ by {response:.1%} only"
    rounding = workload.weights().facts["rounding_error_rel"]
    assert rounding["fp16"] < rounding["bf16"] < 0.5


def test_pretrained_without_network_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    import urllib.request

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError("<urlopen error [Errno -2] Name or service not known>")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(PretrainedUnavailableError) as caught:
        models()["resnet18"].pretrained()
    text = str(caught.value)
    assert "\n" not in text
    assert "resnet18" in text
    assert ".pth" in text
    assert "--weights=random" in text
    assert str(tmp_path) in text


def test_the_mlp_has_no_published_weights() -> None:
    with pytest.raises(PretrainedUnavailableError, match="no published weights"):
        models()["mlp"].pretrained()


@pytest.mark.parametrize("name", models())
def test_every_name_accepts_or_refuses_a_size_without_being_built(name: str) -> None:
    spec = models()[name]
    assert spec.refuses(224) is None
    if spec.uses_image_size:
        assert "px, not 16" in str(spec.refuses(16))
