"""Import, load and compile, each on its own; what is not known is None, with the reason."""

import sys
import types
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.inference import startup
from fixtures.models import models
from fixtures.runtimes import runtimes
from fixtures.workloads.workload import Workload


class Imports:
    framework = "a_framework_of_this_test"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.started_with: list[int] = []

    def start(self, threads: int) -> None:
        self.started_with.append(threads)
        self.monkeypatch.setitem(sys.modules, self.framework, types.ModuleType(self.framework))


def test_an_import_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Imports(monkeypatch)
    first, second = startup.begin(runtime, 3), startup.begin(runtime, 3)
    assert runtime.started_with == [3, 3]
    assert first["import_s"] > 0
    assert first["rss_import_bytes"] is not None
    assert first["startup_missing"] == []
    assert (second["import_s"], second["rss_import_bytes"]) == (None, None)
    assert all("--start-method=spawn" in reason for reason in second["startup_missing"])


@given(st.floats(0, 100), st.floats(0, 1))
def test_load_and_compile_add_up_to_what_it_took(spent_s: float, share: float) -> None:
    session = SimpleNamespace(compile_s=spent_s * share, not_compiled="never said")
    found = startup.loaded(session, spent_s, ["import_s: why"])
    assert found["load_s"] + found["compile_s"] == pytest.approx(spent_s)
    assert found["load_s"] >= 0
    assert found["startup_missing"] == ["import_s: why"]


def test_what_compiles_nothing_says_so() -> None:
    found = startup.loaded(SimpleNamespace(compile_s=None, not_compiled="nothing is compiled"), 2.0, [])
    assert found == {"load_s": 2.0, "compile_s": None, "startup_missing": ["compile_s: nothing is compiled"]}


@pytest.mark.parametrize(
    ("runtime", "compiles"),
    [("pytorch", False), ("onnxruntime", False), ("openvino", True)],
)
def test_which_of_the_runtimes_compile(runtime: str, compiles: bool) -> None:
    workload, chosen = Workload(models()["mlp"], 224, "random"), runtimes()[runtime]
    chosen.start(1)
    chosen.artifact(workload, "fp32", 2)
    with chosen.load(workload, "fp32", "cpu", 1, 2) as session:
        assert (session.compile_s is not None) == compiles
        assert session.compile_s is None or session.compile_s > 0


@pytest.mark.parametrize("runtime", list(runtimes().values()), ids=lambda runtime: runtime.name)
def test_every_runtime_names_the_module_it_imports(runtime: object) -> None:
    assert runtime.framework in {name.replace("-", "_") for name in runtime.requires}
