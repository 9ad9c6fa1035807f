"""A whole Tiny-ImageNet in another layout is said to be that, not to be half-extracted."""

import shutil
from pathlib import Path

import pytest
from tiny_imagenet import tiny_imagenet

from fixtures.training.tiny_imagenet import DataError, found_in


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_imagenet(tmp_path_factory.mktemp("data") / "tiny", each=1)


@pytest.mark.parametrize("inner", ["", "images"])
@pytest.mark.parametrize("annotated", [True, False])
def test_validation_images_by_class(whole: Path, tmp_path: Path, inner: str, annotated: bool) -> None:
    root = tmp_path / "tiny"
    shutil.copytree(whole, root)
    names = (root / "wnids.txt").read_text().split()
    for number, name in enumerate(names):
        place = root / "val" / name / inner
        place.mkdir(parents=True)
        (root / f"val/images/val_{number}.JPEG").rename(place / f"val_{number}.JPEG")
    if not annotated:
        (root / "val/val_annotations.txt").unlink()
    with pytest.raises(DataError, match="the validation images were moved into ImageFolder's layout") as caught:
        found_in(root)
    assert "half-extracted" not in str(caught.value)


def test_training_images_without_their_folder(whole: Path, tmp_path: Path) -> None:
    root = tmp_path / "tiny"
    shutil.copytree(whole, root)
    for place in (root / "train").iterdir():
        for file in (place / "images").iterdir():
            file.rename(place / file.name)
        (place / "images").rmdir()
    with pytest.raises(DataError, match="the training images were moved into ImageFolder's layout"):
        found_in(root)


def test_what_a_macs_archive_leaves_is_no_image(whole: Path, tmp_path: Path) -> None:
    root = tmp_path / "tiny"
    shutil.copytree(whole, root)
    expected = found_in(root)
    for file in list(root.rglob("*.JPEG")):
        (file.parent / f"._{file.name}").write_bytes(bytes(4))
    assert found_in(root) == expected
