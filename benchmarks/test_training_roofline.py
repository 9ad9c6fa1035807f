"""Study 5: training throughput on Tiny-ImageNet, and the roofline it is held against (Vasant 2025).

By default every model trains a few batches at the study's batch sizes on 64 px images; ``--protocol=paper`` is what
the source's script really ran: images enlarged to 224 px, 1,000 outputs, 50 batches, none of them warm-up.
"""

from typing import Any

import pytest

TRAINING = pytest.mark.study(
    name="training",
    models=["resnet18", "mobilenet_v2", "resnet50", "squeezenet1_1"],
    batch_size=128,
    batch_size_of={"squeezenet1_1": 64},
    sweep={"squeezenet1_1": [32, 64, 128, 256]},
    image_size=64,
    classes=200,
    batches=8,
    warmup=2,
    augment=False,
    paper={"image_size": 224, "classes": 1000, "batches": 50, "warmup": 0, "augment": True},
)


@TRAINING
def test_training(benchmark: Any, training: Any) -> None:
    """A training step is a round; the wait for its batch is measured beside it."""
    with training:
        benchmark.pedantic(
            training.step,
            setup=training.next_batch,
            teardown=training.check,
            rounds=training.rounds,
            warmup_rounds=training.warmup,
        )
        fields, reasons = training.finish()
    benchmark.extra_info.update(fields)
    benchmark.extra_info["warnings"] += reasons


@pytest.mark.study(name="training-scaling", models=["resnet18"], batch_size=32, batches=8, warmup=2, worlds=[1, 2])
def test_training_scaling(benchmark: Any, scaling_cell: Any, torchrun: Any) -> None:
    """Several workers through torchrun, against one alone; the round is the whole command, start-up included."""
    row = benchmark.pedantic(torchrun, args=(scaling_cell,), rounds=1)
    benchmark.extra_info.update(row)
