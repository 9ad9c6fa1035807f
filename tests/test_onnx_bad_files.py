"""Every file that cannot be measured has a reason, found out before a runtime sees it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_models import conv, external, matmul, model, one_node, save

from fixtures.onnx_files.checks import checked_model
from fixtures.onnx_files.external import ExternalDataError, external_files
from fixtures.onnx_files.facts import facts_of
from fixtures.onnx_files.file_bytes import unreadable
from fixtures.onnx_files.scan import Found
from fixtures.onnx_files.sessions import open_session
from fixtures.runtimes import UnsupportedError

WHOLE = conv().SerializeToString()


def reason(file: Path) -> str:
    with pytest.raises(UnsupportedError) as caught:
        checked_model(Found("x", "x", file, "x.onnx"))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"this is not a model\n" * 20, "not an ONNX file"),
        (b"<!DOCTYPE html><html></html>", "not an ONNX file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not an ONNX file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", "a Git LFS pointer .*git lfs pull"),
        (b"PK\x03\x04" + bytes(50), "a zip archive"),
        (bytes(1000), "not an ONNX file"),
        (WHOLE[: len(WHOLE) // 2], r"truncated: field 7 of the ModelProto needs \d.* bytes, .* are there"),
        (WHOLE[:-1], "truncated"),
        (WHOLE[:1], "truncated: it ends within field 1"),
        (WHOLE + b"\xff", "not an ONNX file, or a damaged one"),
        (b"\x08\x08", "not an ONNX model: it has no graph"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value[:6]),
)
def test_files_that_are_no_model(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(content)
    assert re.match(said, reason(file))


def test_more_than_2_gib_in_one_file_is_not_even_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.onnx"
    file.write_bytes(WHOLE)
    os.truncate(file, 2**31 + 5)  # a sparse file
    assert reason(file) == (
        "2,147,483,653 bytes in one file: protobuf cannot hold more than 2 GiB; save the model with its weights as "
        "external data"
    )


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.integers(0, len(WHOLE)).map(lambda end: WHOLE[:end] + WHOLE[end + 1 :]))
def test_whatever_the_bytes_are_there_is_a_reason_or_a_model(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("bytes") / "m.onnx"
    file.write_bytes(content)
    said = "a model"
    try:
        assert checked_model(Found("x", "x", file, "x.onnx")).graph.node
    except UnsupportedError as error:
        said = str(error)
    assert len(said.splitlines()) == 1


def sequence_input() -> onnx.ModelProto:
    made = one_node("SequenceLength")
    made.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [2]))
    return made


def optional_input() -> onnx.ModelProto:
    made = one_node("OptionalHasElement")
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [2]))
    made.graph.input[0].CopyFrom(helper.make_value_info("x", kind))
    return made


def sparse_input() -> onnx.ModelProto:
    made = one_node("Relu")
    kind = helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [2])
    made.graph.input[0].CopyFrom(helper.make_value_info("x", kind))
    return made


def without_type() -> onnx.ModelProto:
    made = one_node("Relu")
    made.graph.input[0].ClearField("type")
    return made


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: one_node("StringNormalizer", TensorProto.STRING), "input 'x' holds strings"),
        (sequence_input, "input 'x' is a sequence: only dense tensors can be made up"),
        (optional_input, "input 'x' is an optional: only dense tensors"),
        (sparse_input, "input 'x' is a sparse tensor: only dense tensors"),
        (without_type, "input 'x' has no type"),
        (lambda: one_node("Relu", TensorProto.COMPLEX64), "input 'x' holds complex64 elements"),
        (lambda: one_node("Relu", 999), "input 'x' has element type 999, which onnx .* does not know"),
        (lambda: model([], [("x", 1, [1])], [("x", 1, [1])]), "its graph has no nodes"),
        (lambda: model([helper.make_node("Relu", ["x"], ["y"])], [("x", 1, [1])], []), "its graph has no outputs"),
    ],
)  # fmt: skip
def test_models_that_cannot_be_fed(tmp_path: Path, make: Callable[[], onnx.ModelProto], said: str) -> None:
    assert said.split(".*", maxsplit=1)[0] in reason(save(make(), tmp_path / "m.onnx"))


@pytest.mark.parametrize("opset", [0, 999])
def test_an_opset_nobody_knows_names_both_numbers(tmp_path: Path, opset: int) -> None:
    made = one_node("Relu")
    made.opset_import[0].version = opset
    known = onnx.defs.onnx_opset_version()
    assert reason(save(made, tmp_path / "m.onnx")) == (
        f"opset {opset}: onnx {onnx.__version__} knows opsets 1 to {known}"
    )


def test_no_opset_at_all(tmp_path: Path) -> None:
    made = one_node("Relu")
    del made.opset_import[:]
    assert "opset_import is empty" in reason(save(made, tmp_path / "m.onnx"))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_an_operator_the_runtime_lacks_is_its_own_words_on_one_line(tmp_path: Path, runtime: str) -> None:
    made = one_node("NoSuchOperator", domain="com.nobody")
    made.opset_import.append(helper.make_opsetid("com.nobody", 1))
    file = save(made, tmp_path / "m.onnx")
    with pytest.raises(UnsupportedError, match=r"does not load it: .*NoSuchOperator") as caught:
        open_session(runtime, file, facts_of(made), {"x": (2, 3)}, {}, 1)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def refused(file: Path) -> str:
    made = checked_model(Found("x", "x", file, "x.onnx"))
    with pytest.raises(ExternalDataError) as caught:
        external_files(made, file)
    return str(caught.value)


def test_external_data_in_the_models_folder_is_found(tmp_path: Path) -> None:
    file = external(tmp_path, "data/weights.bin", offset=16)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/weights.bin").write_bytes(bytes(272))
    assert external_files(checked_model(Found("x", "x", file, "x")), file) == [tmp_path / "data/weights.bin"]


@pytest.mark.parametrize("location", ["/etc/passwd", "../weights.bin", "a/../../weights.bin", "", "a\0b"])
def test_external_data_outside_is_refused_with_the_path(tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(256))
    (tmp_path / "model/a").mkdir(parents=True)
    text = refused(external(tmp_path / "model", location))
    assert repr(location) in text
    assert "only" in text or "names no file" in text


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(256))
    file = external(tmp_path / "model", "sub/weights.bin")
    (tmp_path / "model/sub").symlink_to(tmp_path)
    assert refused(file) == (
        f"external data 'sub/weights.bin' is a link out of the model's folder, to {tmp_path}/weights.bin: "
        "only files within it are read"
    )


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real.bin").write_bytes(bytes(256))
    (tmp_path / "weights.bin").symlink_to("real.bin")
    file = external(tmp_path)
    assert external_files(checked_model(Found("x", "x", file, "x")), file) == [tmp_path / "real.bin"]


def test_external_data_that_is_not_there_or_too_short(tmp_path: Path) -> None:
    file = external(tmp_path, length=None, offset=100)
    assert refused(file) == "external data 'weights.bin' is not there (No such file or directory)"
    (tmp_path / "weights.bin").write_bytes(bytes(300))
    assert refused(file) == (
        "external data 'weights.bin' is too short: tensor 'w' needs 256 bytes from byte 100, the file has 300"
    )
    (tmp_path / "weights.bin").unlink()
    (tmp_path / "weights.bin").mkdir()
    assert refused(file) == "external data 'weights.bin' is not a regular file"


def test_an_offset_that_is_no_number(tmp_path: Path) -> None:
    file = external(tmp_path)
    made = onnx.load(file, load_external_data=False)
    made.graph.initializer[0].external_data.add(key="offset", value="-5")
    save(made, file)
    assert refused(file) == "external data of tensor 'w': offset '-5' is not a number of bytes"


def test_a_whole_model_is_not_refused(tmp_path: Path) -> None:
    for number, made in enumerate((conv(), matmul())):
        file = save(made, tmp_path / f"{number}.onnx")
        assert unreadable(file) is None
        assert checked_model(Found("x", "x", file, "x.onnx")).graph.node


def cached(folder: Path, blob: str = "blobs/ab") -> Path:
    """A Hugging Face cache: links into ``blobs``."""
    repository = folder / "models--acme--tiny"
    place = repository / "snapshots/0123/onnx"
    place.mkdir(parents=True)
    (repository / "blobs").mkdir()
    made = external(folder / "made", "model.onnx_data")
    (repository / "blobs/cd").write_bytes(made.read_bytes())
    (repository / "blobs/ab").write_bytes(bytes(256))
    (folder / "models--other/blobs").mkdir(parents=True)
    (folder / "models--other/blobs/ab").write_bytes(bytes(256))
    (place / "model.onnx").symlink_to("../../../blobs/cd")
    (place / "model.onnx_data").symlink_to(f"../../../{blob}")
    return place / "model.onnx"


def test_a_hugging_face_cache_is_read_where_its_files_lie(tmp_path: Path) -> None:
    file = cached(tmp_path)
    assert (
        external_files(checked_model(Found("x", "x", file, "x")), file)[0] == tmp_path / "models--acme--tiny/blobs/ab"
    )


@pytest.mark.parametrize("blob", ["../models--other/blobs/ab", "refs"])
def test_a_cache_does_not_lead_to_another_models_files(tmp_path: Path, blob: str) -> None:
    (tmp_path / "models--acme--tiny").mkdir()
    (tmp_path / "models--acme--tiny/refs").write_bytes(bytes(256))
    assert "only files within it are read" in refused(cached(tmp_path, blob))


@pytest.mark.parametrize("key", ["offset", "length"])
@pytest.mark.parametrize("number", ["9" * 5000, "1e9", "-1", "9" * 20])
def test_absurd_places_in_external_data(tmp_path: Path, key: str, number: str) -> None:
    file = external(tmp_path, length=None)
    (tmp_path / "weights.bin").write_bytes(bytes(256))
    made = onnx.load(file, load_external_data=False)
    made.graph.initializer[0].external_data.add(key=key, value=number)
    text = refused(save(made, file))
    assert "is not a number of bytes" in text or "is too short" in text
    assert len(text) < 300


def odd_tensor() -> onnx.ModelProto:
    made = matmul()
    made.graph.initializer[0].data_type = 999
    return made


def negative_tensor() -> onnx.ModelProto:
    made = matmul()
    made.graph.initializer[0].dims[0] = -8
    return made


def odd_output() -> onnx.ModelProto:
    made = one_node("Relu")
    made.graph.output[0].type.tensor_type.elem_type = 999
    return made


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (odd_tensor, "tensor 'w' has element type 999, which onnx"),
        (negative_tensor, "tensor 'w' has a negative dimension: [-8, 8]"),
        (odd_output, "output 'y' has element type 999, which onnx"),
    ],
)
def test_odd_constants_and_outputs(tmp_path: Path, make: Callable[[], onnx.ModelProto], said: str) -> None:
    assert said in reason(save(make(), tmp_path / "m.onnx"))


def test_names_that_are_no_utf_8_are_refused_and_remarks_emptied(tmp_path: Path) -> None:
    whole = model([helper.make_node("Relu", ["xqqx"], ["y"])], [("xqqx", 1, [2])], [("y", 1, [2])]).SerializeToString()
    (tmp_path / "m.onnx").write_bytes(whole.replace(b"xqqx", b"\xff\xfeqx"))
    assert reason(tmp_path / "m.onnx").startswith("damaged: a ")
    (tmp_path / "m.onnx").write_bytes(whole.replace(b"tests", b"\xff\xfe\xfdts"))
    assert facts_of(checked_model(Found("x", "x", tmp_path / "m.onnx", "x"))).producer is None


def test_a_link_that_was_copied_as_text(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("../../../blobs/88f828273ea4599960a59aa010d534f81045589470fd1c3fbccfa98b6fc28ef6")
    assert reason(tmp_path / "m.onnx") == "a link that was copied as text; what it leads to is not here"
