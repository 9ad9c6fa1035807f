"""Bytes by both models, counted by hand on small networks; and the triad where there is no compiler."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.models import models
from fixtures.roofline import triad
from fixtures.workloads.traffic import ELEMENT_BYTES, FIELDS, PHASES, Elements, count, intensity, traffic
from fixtures.workloads.traffic import counted as traffic_of

torch = pytest.importorskip("torch")
numbers = st.integers(1, 10**9)
elements = st.builds(Elements, *[numbers] * 7)


def counted(module, *shape):
    return count(module.eval().to("meta"), torch.empty((1, *shape), device="meta"))


def test_a_linear_layer_and_its_relu_by_hand():
    found = counted(torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU()), 3)
    assert found == Elements(
        parameters=20, input_item=3, output_item=5, read_fixed=20, read_item=3 + 5, write_item=5 + 5, largest_item=10
    )
    assert traffic(found, 4, "fp32") == {
        "traffic_compulsory_bytes": 4 * (20 + 4 * 8),
        "traffic_layerwise_bytes": 4 * (20 + 4 * 18),
        "layerwise_set_bytes": 4 * (20 + 4 * 10),
    }
    assert traffic(found, 4, "fp32", "training") == {
        "traffic_compulsory_bytes": 4 * (4 * 20 + 4 * 3),
        "traffic_layerwise_bytes": 4 * (3 * (20 + 4 * 8) + 2 * 4 * 10 + 5 * 20),
        "layerwise_set_bytes": 4 * (3 * 20 + 4 * 8),
    }


def test_views_move_nothing_and_a_residual_is_read_twice():
    class Residual(torch.nn.Module):
        def forward(self, items):
            return (items.flatten(1).reshape(items.shape) + items.transpose(1, 2)).flatten(1)

    found = counted(Residual(), 4, 4)
    assert (found.read_item, found.write_item, found.read_fixed) == (32, 16, 0)


def test_int8_has_smaller_weights_and_fp32_ends():
    found = Elements(1000, 10, 5, 1000, 50, 50, 20)
    assert traffic(found, 1, "int8")["traffic_compulsory_bytes"] == 1000 + 4 * 15
    assert traffic(found, 1, "bf16")["traffic_compulsory_bytes"] == 2 * 1015


@given(elements, st.integers(1, 512), st.sampled_from(sorted(ELEMENT_BYTES)), st.sampled_from(PHASES))
def test_layerwise_is_never_less_than_compulsory_and_both_grow_with_the_batch(found, batch, precision, phase):
    small, large = (traffic(found, size, precision, phase) for size in (batch, batch + 1))
    assert small["traffic_layerwise_bytes"] >= small["traffic_compulsory_bytes"] > 0
    assert all(large[name] >= small[name] for name in small)


def workload(traffic):
    """The mlp's FLOPs, without making its weights."""
    return SimpleNamespace(weights=lambda: SimpleNamespace(facts={"macs": 36_488, "traffic": traffic}))


def test_the_fields_of_a_row():
    mlp = workload(traffic_of(models()["mlp"].build(0).eval(), torch.zeros(1, 200)))
    found = intensity(mlp, 1000, "fp32")
    assert tuple(found) == FIELDS
    assert found["flops_per_call"] == 2 * 36_488 * 1000
    assert found["traffic_compulsory_bytes"] == 4 * (36_737 + 1000 * 201)
    assert found["intensity_compulsory_flop_per_byte"] > found["intensity_layerwise_flop_per_byte"] > 0
    trained = intensity(mlp, 1000, "fp32", "training")
    assert trained["flops_per_call"] == 3 * found["flops_per_call"]


def test_a_model_that_cannot_be_watched_has_none_and_the_reason():
    class Odd(torch.nn.Module):
        def forward(self, items):
            return items[items > items.sum().item()]  # a shape that depends on numbers, which meta does not have

    found = intensity(workload(traffic_of(Odd(), torch.zeros(1, 4))), 1, "fp32")
    assert found.pop("traffic_missing").startswith("traffic: ")
    assert found == dict.fromkeys(FIELDS)


def test_without_a_compiler_a_small_level_has_no_peak_and_a_large_one_has_torchs(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    triad._compiled.cache_clear()
    small = triad.Plan("l1", 5440, None, 0, 32768)
    with pytest.raises(
        triad.NoTriadError, match=r"without the C loop \(no C compiler found\) a pass over l1 is only .*gcc"
    ):
        triad.cpu_triad(small, torch.get_num_threads())
    large = triad.cpu_triad(triad.Plan("memory", 8 << 20, None, 1 << 20, None), torch.get_num_threads())
    assert (large.kernel, large.passes, large.moved_words) == ("torch.add", 1, 4)
    large.call()
    assert (large.bytes_moved, large.bytes_named) == (32 << 20, 24 << 20)
