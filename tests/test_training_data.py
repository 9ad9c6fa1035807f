"""Training's data: a folder that is not all of Tiny-ImageNet is told in one line; which images make up a batch."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_imagenet import NAMES, tiny_imagenet

from fixtures.training.data import batch_numbers, synthetic
from fixtures.training.tiny_imagenet import DataError, decoded, found_in, identity

FIRST, LAST = NAMES[0], NAMES[-1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_imagenet(tmp_path_factory.mktemp("data") / "tiny-imagenet-200")


def lacking(*parts: str) -> Callable[[Path], None]:
    def remove(root: Path) -> None:
        path = root.joinpath(*parts)
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def empty(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def gone(root: Path) -> None:
    shutil.rmtree(root)


def nested(root: Path) -> None:
    inside = root / "tiny-imagenet-200"
    inside.mkdir()
    (root / "wnids.txt").rename(inside / "wnids.txt")


def short_list(root: Path) -> None:
    (root / "wnids.txt").write_text("\n".join(NAMES[:150]))


def stranger(root: Path) -> None:
    with (root / "val" / "val_annotations.txt").open("a") as file:
        file.write("val_0.JPEG\tn99999999\t0\t0\t1\t1\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (gone, "is no folder; unpack tiny-imagenet-200.zip"),
        (empty, "is empty; extract"),
        (nested, "has no wnids.txt; name .*tiny-imagenet-200/tiny-imagenet-200"),
        (lacking("wnids.txt"), "has no wnids.txt; extract"),
        (short_list, "wnids.txt names 150 classes, not 200"),
        (lacking("train", LAST), rf"train/{LAST}/images is missing: class {LAST} .200 of 200. has no images"),
        (lacking("train", FIRST, "images", f"{FIRST}_1.JPEG"), rf"{FIRST}/images has 1 images, most classes have 2"),
        (lacking("val"), "val_annotations.txt is missing: half-extracted"),
        (lacking("val", "images", "val_7.JPEG"), r"val_7.JPEG is missing: half-extracted"),
        (stranger, "val_annotations.txt, line 201: no file and class"),
    ],
)
def test_a_folder_that_is_not_whole_is_one_line(
    whole: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    copy = tmp_path / "tiny-imagenet-200"
    shutil.copytree(whole, copy, copy_function=lambda source, target: Path(target).hardlink_to(source))
    for name in ("wnids.txt", "val/val_annotations.txt"):  # a copy of its own: some are written to
        (copy / name).unlink()
        shutil.copyfile(whole / name, copy / name)
    spoil(copy)
    with pytest.raises(DataError, match=said) as caught:
        found_in(copy)
    assert "\n" not in str(caught.value)


def test_a_whole_folder_is_listed_with_its_labels(whole: Path) -> None:
    found = found_in(whole)
    assert (len(found.train), len(found.val)) == (400, 200)
    assert sorted({item.label for item in found.train}) == list(range(200))
    assert all(item.path.parent.parent.name == NAMES[item.label] for item in found.train)
    assert [item.label for item in found.val] == list(range(200))
    assert identity(found) == identity(found_in(whole))
    assert decoded(found.train[0].path).shape == (64, 64, 3)


def test_a_bad_image_is_named(whole: Path, tmp_path: Path) -> None:
    good = (whole / "val" / "images" / "val_0.JPEG").read_bytes()
    for name, content in {"cut.JPEG": good[: len(good) // 2], "none.JPEG": b"", "text.JPEG": b"no image" * 99}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} is corrupt") as caught:
            decoded(tmp_path / name)
        assert "\n" not in str(caught.value)
    Image.new("L", (32, 48)).save(tmp_path / "small.JPEG")
    with pytest.raises(DataError, match=r"small.JPEG has 32 x 48 px, not 64 x 64"):
        decoded(tmp_path / "small.JPEG")
    Image.new("L", (64, 64), 7).save(tmp_path / "grey.JPEG")
    assert (decoded(tmp_path / "grey.JPEG") == 7).all()


@settings(max_examples=40)
@given(
    count=st.integers(1, 300),
    batch_size=st.integers(1, 64),
    batches=st.none() | st.integers(1, 20),
    warmup=st.integers(0, 3),
)
def test_an_epoch_has_each_image_once_and_a_partial_batch_its_real_size(
    count: int, batch_size: int, batches: int | None, warmup: int
) -> None:
    numbers = batch_numbers(count, batch_size, batches, warmup)
    assert numbers == batch_numbers(count, batch_size, batches, warmup)
    counted = numbers[warmup:]
    flat = [number for batch in counted for number in batch]
    assert len(flat) == len(set(flat)) == min(count, batch_size * (batches or count))
    assert set(flat) <= set(range(count))
    assert all(len(batch) == batch_size for batch in counted[:-1])
    assert all(len(batch) == min(batch_size, count) for batch in numbers[:warmup])


def test_a_synthetic_image_is_the_same_wherever_it_is_made() -> None:
    pixels, label = synthetic(5)
    again, same = synthetic(5)
    other, _ = synthetic(6)
    assert (pixels.shape, pixels.dtype) == ((64, 64, 3), np.dtype(np.uint8))
    assert (pixels == again).all()
    assert label == same
    assert 0 <= label < 200
    assert (pixels != other).any()
