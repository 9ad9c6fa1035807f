"""Training, really done with torch: rows that add up, runs that diverge, data and loader processes that fail."""

import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fixtures.training.data import Images
from fixtures.training.session import Plan, Session
from fixtures.training.tiny_imagenet import Folder, Item
from fixtures.training.trainer import unsupported
from fixtures.training.validation import validated
from tailgate.errors import NotMeasuredError

PLAN = Plan(
    model="squeezenet1_1", precision="fp32", device="cpu", threads=1, batch_size=4, image_size=64, classes=200,
    batches=3, warmup=1, workers=1, learning_rate=0.01,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Ten images each, all the same but for their label."""
    file = tmp_path_factory.mktemp("data") / "image.JPEG"
    Image.effect_noise((64, 64), 50).convert("RGB").save(file)
    items = tuple(Item(file, label) for label in range(10))
    return Folder(file.parent, items, items)


@pytest.fixture
def opened() -> Iterator[Any]:
    sessions: list[Session] = []

    def open_session(plan: Plan) -> Session:
        sessions.append(Session(plan))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def trained(session: Session) -> tuple[dict[str, Any], list[str]]:
    with session:
        for _ in range(session.warmup + session.rounds):
            (images, labels), _ = session.next_batch()
            session.step(images, labels)
            session.check(images, labels)
        return session.finish()


def test_a_row_adds_up_on_synthetic_images(opened: Any) -> None:
    session = opened(PLAN)
    known = session.described()
    fields, reasons = trained(session)
    assert known["training_flops_per_item"] == 6 * known["macs"]
    assert known["classes"] == 200
    assert known["parameters"] == 722_496 + 200 * 513  # torchvision's 1,235,496 less 1,000 outputs of 513, plus 200
    assert (fields["images"], fields["train_batches"], fields["partial_batches"]) == (12, 3, 0)
    assert fields["images_per_s"] * fields["train_wall_s"] == pytest.approx(12, rel=1e-12)
    assert fields["total_s"] == fields["train_wall_s"] + fields["val_wall_s"]
    assert fields["val_images"] == 12
    assert fields["precision_compiled"] == "fp32"
    # Guessing costs ln(200); the first batches are near it.
    assert fields["loss_first"] == pytest.approx(math.log(200), rel=0.3)
    assert 0 < fields["train_cpu_utilization"] <= 1.5
    assert fields["memory_peak_bytes"] > 50e6
    assert fields["achieved_flop_per_s"] >= known["training_flops_per_item"] * fields["images_per_s"]
    assert (fields["acc1"], fields["acc5"], fields["epoch_s"]) == (None, None, None)
    assert [reason.partition(":")[0] for reason in reasons] == ["epoch_s", "acc1, acc5"]
    assert "3 of an epoch's 25000 batches" in reasons[0]


def test_an_epoch_of_real_images_ends_with_a_partial_batch_and_an_accuracy(opened: Any, folder: Folder) -> None:
    fields, reasons = trained(opened(replace(PLAN, folder=folder, batches="epoch", precision="bf16")))
    assert (fields["images"], fields["train_batches"], fields["partial_batches"]) == (10, 3, 1)
    assert fields["epoch_s"] == fields["train_wall_s"]
    # All images are the same, so all get the same answer, and each of ten labels is asked for once.
    assert fields["acc1"] in (0, 1 / 10)
    assert fields["acc1"] <= fields["acc5"] <= 5 / 10
    assert fields["val_images"] == 10
    assert fields["precision_compiled"] == "bf16"
    assert not reasons


class Oracle:
    """Puts the right class first for even labels, and fourth for odd ones."""

    def placed(self, images: Any, labels: Any) -> tuple[Any, Any, None]:
        self._labels = labels
        return images, labels, None

    def answers(self, images: Any) -> Any:
        import torch

        scores = torch.zeros(len(images), 200)
        for row, label in enumerate(self._labels):
            scores[row, [150, 151, 152]] = 2.0
            scores[row, label] = 3.0 if label % 2 == 0 else 1.0
        return scores


def test_accuracy_is_a_share_of_the_images_and_none_is_claimed_of_synthetic_ones() -> None:
    import torch

    def batches() -> Iterator[Any]:
        return iter([(torch.zeros(4, 1), torch.arange(4)), (torch.zeros(2, 1), torch.tensor([4, 6]))])

    fields, reasons = validated(Oracle(), batches(), 2, "tiny-imagenet")
    assert (fields["val_images"], fields["acc1"], fields["acc5"]) == (6, 4 / 6, 1.0)
    assert fields["val_images_per_s"] * fields["val_wall_s"] == pytest.approx(6)
    assert not reasons
    fields, reasons = validated(Oracle(), batches(), 2, "synthetic")
    assert (fields["acc1"], fields["acc5"]) == (None, None)
    assert reasons == ["acc1, acc5: the labels of synthetic images mean nothing"]


def test_the_same_seed_trains_the_same(opened: Any) -> None:
    first, _ = trained(opened(replace(PLAN, workers=0, batches=2)))
    again, _ = trained(opened(replace(PLAN, workers=0, batches=2)))
    assert first["losses"] == again["losses"]


def test_a_run_that_diverges_is_ended_at_once(opened: Any) -> None:
    session = opened(replace(PLAN, learning_rate=1e6, workers=0, warmup=0, batches=8))
    with pytest.raises(
        NotMeasuredError, match=r"diverged: the (loss is (nan|inf) at|weights .* after) batch"
    ) as caught:
        trained(session)
    assert caught.value.status == "diverged"
    assert len(session.loop.records) < 8


def test_a_hopeless_run_that_stays_finite_is_a_row_that_says_so(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.training.session.TOO_HIGH", 0.1)  # else mobilenet_v2 with --learning-rate=1e6
    _, reasons = trained(opened(replace(PLAN, workers=0, batches=1, warmup=0)))
    assert any("nothing was learnt; a smaller --learning-rate" in reason for reason in reasons)


def test_a_batch_larger_than_the_data_is_one_line(folder: Folder) -> None:
    with pytest.raises(NotMeasuredError, match="a batch of 201 is larger than the data: 10 images in"):
        replace(PLAN, folder=folder, batch_size=201)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_image_is_named_by_whoever_opens_it(
    opened: Any, folder: Folder, tmp_path: Path, workers: int
) -> None:
    bad = tmp_path / "bad.JPEG"
    bad.write_bytes(folder.train[0].path.read_bytes()[:200])
    spoilt = Folder(folder.root, tuple(replace(item, path=bad) for item in folder.train), folder.val)
    with pytest.raises(NotMeasuredError, match=r".*bad.JPEG is corrupt \(.*\); extract") as caught:
        trained(opened(replace(PLAN, folder=spoilt, workers=workers)))
    assert "\n" not in str(caught.value)


def test_a_loader_worker_that_is_killed_is_a_crash(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = os.getpid()

    def die(self: Images, number: int) -> Any:
        assert os.getpid() != parent
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Images, "__getitem__", die)
    with pytest.raises(NotMeasuredError, match=r"loader worker \d+ .*; fewer or none: --loader-workers=0") as caught:
        trained(opened(PLAN))
    assert caught.value.status == "crashed"


def test_a_loader_worker_that_raises_is_one_line(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Images, number: int) -> Any:
        raise ValueError("no such pixel")

    monkeypatch.setattr(Images, "__getitem__", fail)
    with pytest.raises(NotMeasuredError, match="a loader worker raised ValueError: no such pixel"):
        trained(opened(PLAN))


def test_what_cannot_be_trained_says_why() -> None:
    assert unsupported("cpu", "fp32") is unsupported("cpu", "bf16") is unsupported("cuda:0", "tf32") is None
    assert "on a CPU use bf16" in str(unsupported("cpu", "fp16"))
    assert "int8" in str(unsupported("cuda:0", "int8"))
    assert "tf32" in str(unsupported("cpu", "tf32"))
