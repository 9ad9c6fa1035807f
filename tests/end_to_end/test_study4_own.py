"""Study 4's own 32 models: made when used, measured when named, counted once."""

from pathlib import Path
from typing import Any

import pytest
from onnx_models import conv, save
from suite import suite

from fixtures.export_command.modelgauge import ENTRIES
from fixtures.onnx_cost import count
from fixtures.onnx_files import cost_fields, sources
from fixtures.onnx_files.cost_fields import FIELDS, complexity_fields
from fixtures.onnx_files.info import Info

SMALL = next(entry for entry in ENTRIES if entry.name == "mobilenet_v2_w0.2-32px")


class Entry:
    name = "tiny-32px"
    image_size = 32

    def __init__(self, file: Path) -> None:
        self._file = file

    def onnx_file(self) -> Path:
        return save(conv(), self._file)

    def info(self) -> dict[str, Any]:
        return {"parameters": 216, "macs": 5, "flops_counter": "test", "family": "cnn"}


def test_the_suites_own_models_are_exported_when_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ENTRIES", (Entry(tmp_path / "m.onnx"),))
    (source,) = sources.own_sources()
    assert (source.name, source.kind, source.problem, source.relative) == (
        "tiny-32px", "modelgauge", None, "tiny-32px.onnx",
    )  # fmt: skip
    assert not (tmp_path / "m.onnx").exists()
    assert source.file().path == tmp_path / "m.onnx"
    assert source.info() == Info({"parameters": 216, "macs": 5, "flops_counter": "test", "family": "cnn"})
    assert source.known()["macs"] == 5


def test_the_suites_own_models_wait_until_their_study_is_named():
    everything = suite("--collect-only", "-q", "--models=resnet50")
    assert not everything.lines(r"test_onnx_profiles\[")
    assert everything.lines("Left out: 32 x test_onnx_profiles, .*only with: pytest benchmarks/test_onnx_profiles.py")
    assert not suite("--collect-only", "-q", "-k", "resnet50").lines("test_onnx_profiles")
    named = suite("--collect-only", "-q", "--models=resnet50", within="benchmarks/test_onnx_profiles.py")
    assert len(named.lines(r"test_onnx_profiles\[resnet50-\d+px-onnxruntime-t1\]")) == 3


def refuse(*_: Any) -> Any:
    raise AssertionError("counted again")


def test_what_the_export_counted_is_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_fields, "complexity_of", refuse)
    known = {**dict.fromkeys(FIELDS, 7), "complexity_reason": None}
    found = cost_fields.complexity(Path("m.onnx"), {}, 1, known)
    assert complexity_fields(found, 1, known) == (dict.fromkeys(FIELDS, 7), [])
    with pytest.raises(AssertionError, match="counted again"):
        cost_fields.complexity(Path("m.onnx"), {}, 4, known)  # bytes are of a run, and this one has four items


def test_an_exports_facts_are_counted_once_and_then_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SMALL.info()
    monkeypatch.setattr(count, "count", refuse)
    assert SMALL.info() == first
