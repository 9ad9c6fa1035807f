"""Which files are found, what they are called, and that nothing goes missing."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.onnx_files import scan
from fixtures.onnx_files.scan import Found, found_in
from fixtures.results_folder import file_name
from tailgate.errors import TailgateError


def make(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def names(*places: Path | str) -> list[str]:
    return [one.name for one in found_in([str(place) for place in places], Path("/"))[0]]


def by_name(*places: Path) -> dict[str, Found]:
    return {one.name: one for one in found_in([str(place) for place in places], Path("/"))[0]}


def test_names_are_paths_below_the_folder_in_a_stable_order(tmp_path: Path) -> None:
    make(tmp_path, "b.onnx", "a/z.onnx", "a/b/c.onnx", "UPPER.ONNX", "notes.txt", "b.info", "b.onnx.data")
    assert names(tmp_path) == ["UPPER", "a/b/c", "a/z", "b"]
    assert next(one.relative for one in found_in([str(tmp_path)], tmp_path)[0]) == "UPPER.ONNX"


def test_a_relative_folder_is_relative_to_where_pytest_was_started(tmp_path: Path) -> None:
    make(tmp_path, "models/a.onnx")
    assert [one.name for one in found_in(["models"], tmp_path)[0]] == ["a"]


def test_one_file_may_be_named(tmp_path: Path) -> None:
    make(tmp_path, "sub/a.onnx", "sub/b.onnx")
    assert names(tmp_path / "sub/a.onnx") == ["a"]


def test_folders_that_link_in_circles_end(tmp_path: Path) -> None:
    make(tmp_path, "a/m.onnx")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    assert names(tmp_path) == ["a/m"]


def test_a_linked_folder_outside_is_entered(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "m.onnx")
    make(tmp_path / "here", "n.onnx")
    (tmp_path / "here" / "zoo").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "here") == ["n", "zoo/m"]


def test_each_real_file_once_and_the_second_is_said(tmp_path: Path) -> None:
    make(tmp_path, "a.onnx")
    (tmp_path / "b.onnx").symlink_to(tmp_path / "a.onnx")
    os.link(tmp_path / "a.onnx", tmp_path / "c.onnx")
    found, remarks = found_in([str(tmp_path), str(tmp_path)], tmp_path)
    assert [one.name for one in found] == ["a"]
    assert [remark.split(" ")[1] for remark in remarks] == ["b", "c"]


def test_what_cannot_be_opened_is_there_with_its_reason(tmp_path: Path) -> None:
    make(tmp_path, "good.onnx")
    (tmp_path / "broken.onnx").symlink_to("nowhere")
    (tmp_path / "circle.onnx").symlink_to("circle.onnx")
    os.mkfifo(tmp_path / "pipe.onnx")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.onnx"))
    found = by_name(tmp_path)
    assert found["good"].problem is None
    assert found["broken"].problem == "a broken link: it leads to nowhere, which does not exist"
    assert "it cannot be reached (Too many levels of symbolic links)" in (found["circle"].problem or "")
    assert found["pipe"].problem == found["socket"].problem == "not a regular file"


def test_a_folder_that_cannot_be_read_is_there_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.onnx", "closed/b.onnx")
    real = os.scandir

    def refusing(folder: Path) -> object:
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(scan.os, "scandir", refusing)
    found = by_name(tmp_path)
    assert found["closed/*"].problem == f"the folder {tmp_path}/closed cannot be read (Permission denied)"
    assert found["closed/*"].id == "closed/_"
    assert found["a"].problem is None


def test_a_folder_called_like_a_model_is_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "model.onnx/inside.onnx")
    assert names(tmp_path) == ["model.onnx/inside"]


def test_several_folders_are_told_apart(tmp_path: Path) -> None:
    make(tmp_path, "x/zoo/a.onnx", "y/zoo/a.onnx", "other/a.onnx", "single.onnx")
    places = [tmp_path / "x/zoo", tmp_path / "y/zoo", tmp_path / "other", tmp_path / "single.onnx"]
    assert names(*places) == ["zoo/a", "zoo~2/a", "other/a", "single"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("empty", r"no model in '.*empty' \(looked for files that end in \.onnx, in all folders below it\)"),
        ("emty", r"--onnx-dir: there is no folder '.*emty'; did you mean '.*empty'\?"),
        ("no.onnx", r"--onnx-dir: there is no file '.*no\.onnx'"),
        ("text.txt", r"--onnx-dir: '.*text\.txt' is neither a folder nor a file that ends in \.onnx"),
    ],
)
def test_a_place_without_models_is_one_line(tmp_path: Path, place: str, said: str) -> None:
    make(tmp_path, "text.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TailgateError, match=said):
        names(tmp_path / place)


ODD = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=5, unique=True))
def test_whatever_they_are_called_names_ids_and_result_files_are_unique(
    tmp_path_factory: pytest.TempPathFactory, stems: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    for stem in stems:
        (folder / f"{stem}.onnx").write_text(stem)
    found, remarks = found_in([str(folder)], folder)
    assert not remarks
    assert len(found) == len(stems)
    assert len({one.name for one in found}) == len({one.id for one in found}) == len(stems)
    assert all(scan.UNSAFE.search(one.id) is None for one in found)
    files = [file_name(one.name) for one in found]
    assert len(set(files)) == len(files)
    assert all(not set(file) & set("/\\\0 ") and not file.startswith(".") for file in files)


def test_a_name_that_is_no_text_is_shown_with_its_bytes(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.onnx")).write_text("x")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (found,) = by_name(tmp_path).values()
    assert found.name == "\\udcff"
    assert found.id == "_udcff"
    assert found.path.exists()


def test_a_folder_that_is_called_like_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").mkdir()
    (tmp_path / "b.onnx").mkdir()
    (tmp_path / "b.onnx/c.onnx").write_bytes(b"x")
    found, _ = found_in([str(tmp_path)], tmp_path)
    assert {one.name: one.problem for one in found} == {
        "a": "a folder, not a file, and without models in it", "b.onnx/c": None,
    }  # fmt: skip
