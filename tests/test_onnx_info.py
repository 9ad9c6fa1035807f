"""NAME.info: merged into the row; whatever is wrong with it is a warning, and the model is measured."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.config_file.input_spec import AskedInput
from fixtures.onnx_files.info import Info, info_beside, info_from


def read(folder: Path, content: str | bytes) -> Info:
    (folder / "m.info").write_bytes(content.encode() if isinstance(content, str) else content)
    return info_beside(folder / "m.onnx")


def test_no_file_is_nothing(tmp_path: Path) -> None:
    assert info_beside(tmp_path / "m.onnx") == Info()


def test_scalars_are_fields_of_their_own_and_the_rest_stays_together(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps({"accuracy": 0.71, "version": "2", "ok": True, "none": None, "top k": 5,
                                       "tags": ["a"], "by": {"who": "me"}}))  # fmt: skip
    assert found.row() == {
        "info_accuracy": 0.71, "info_version": "2", "info_ok": True, "info_none": None, "info_top_k": 5,
        "info": {"tags": ["a"], "by": {"who": "me"}},
    }  # fmt: skip
    assert not found.warnings


def test_it_may_say_what_the_inputs_are(tmp_path: Path) -> None:
    found = read(tmp_path, '{"inputs": {"x": {"shape": [1, 5], "high": 9}, "y": [2]}, "dims": {"seq": 4}, "flops": 1}')
    assert found.asked.inputs == {"x": AskedInput((1, 5), high=9), "y": AskedInput((2,))}
    assert found.asked.dims == {"seq": 4}
    assert found.row() == {"info_flops": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "m.info: not JSON: Expecting value (line 1, column 1)"),
        ('{"a": 1,\n "b": }', "m.info: not JSON: Expecting value (line 2, column 7)"),
        ("[1, 2]", "m.info: a JSON list, not an object ({...})"),
        ('"text"', "m.info: a JSON text, not an object"),
        ("null", "m.info: a JSON null, not an object"),
        ('{"a": NaN}', "m.info: not JSON: NaN is no number"),
        ('{"a": -Infinity}', "m.info: not JSON: -Infinity is no number"),
        ('{"a": 1, "a": 2}', "m.info: the key 'a' is there twice"),
        (b"\xff\xfe{}", "m.info: not UTF-8 text (byte 0)"),
        ("[" * 100_000, "m.info: nested too deeply"),
        ('{"a": ' * 40 + "1" + "}" * 40, "m.info: nested more than 32 deep"),
        (" " * (1 << 20) + "{}", "m.info: 1,048,578 bytes, more than the 1,048,576 that are read"),
        ('{"a": 1e999}', "m.info: 'a' is not a finite number; it is null here"),
        ('{"n": ' + "9" * 5000 + "}", "m.info: Exceeds the limit"),
        ('{"n": ' + "9" * 400 + "}", "m.info: 'n' is not a finite number; it is null here"),
        *((f'{{"a": {"[" * deep}{"]" * deep}}}', "m.info: nested") for deep in (33, 300, 480, 490, 900, 990)),
    ],
    ids=range(21),
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, content: str | bytes, said: str) -> None:
    found = read(tmp_path, content)
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(said)
    assert "\n" not in found.warnings[0]


def test_a_folder_or_a_dangling_link_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "m.info").mkdir()
    (tmp_path / "n.info").symlink_to("nowhere")
    assert info_beside(tmp_path / "m.onnx").warnings == ("m.info: not a regular file",)
    assert info_beside(tmp_path / "n.onnx").warnings == ("n.info: not a regular file",)


def test_wrong_inputs_cost_the_inputs_only(tmp_path: Path) -> None:
    found = read(tmp_path, '{"accuracy": 1, "inputs": {"x": {"shape": "large"}}}')
    assert found.row() == {"info_accuracy": 1}
    assert found.asked.inputs == {}
    assert found.warnings == (
        "m.info: inputs.x.shape: 'large' is not a list of sizes, such as [1, 3, 224, 224]; "
        "the model's inputs are as without it",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["inputs", "dims", "high", "a", "a b", "a_b", "info"]), JSON) | JSON)
def test_whatever_it_says_the_row_can_be_saved(values: Any) -> None:
    found = info_from("m.info", values)
    assert json.loads(json.dumps(found.row(), allow_nan=False)) == found.row()
    assert all("\n" not in warning for warning in found.warnings)
