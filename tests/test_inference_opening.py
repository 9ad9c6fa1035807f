"""What opening a cell asks of its runtime."""

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.inference import fixture
from fixtures.precisions import Agreement


class Runtime:
    """Remembers what it was asked to make."""

    name = "fake"
    framework = "sys"

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []

    def start(self, threads: int) -> None:
        """Nothing to import."""

    def artifact(self, workload: Any, precision: str, batch: int = 1) -> None:
        self.made.append((precision, batch))

    def load(self, *cell: Any) -> Any:
        described = {"precision_compiled": "fp32", "threads_set": 1}
        return SimpleNamespace(compile_s=0.0, describe=lambda: described, close=lambda: None)


def test_an_artefact_is_made_once_and_for_the_cells_own_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixture, "profiling_meter", lambda node: None)
    monkeypatch.setattr(fixture, "mark_meters", lambda node: None)
    monkeypatch.setattr(fixture, "check", lambda *cell: (0.1, Agreement(0.0, None, 1.0)))
    for verified in ("_verify_precision", "_verify_threads"):
        monkeypatch.setattr(fixture, verified, lambda *cell: None)
    runtime: Any = Runtime()
    info: dict[str, Any] = {"warnings": [], "parameters": 10}
    workload: Any = SimpleNamespace(check_inputs=lambda count: None)
    node: Any = None
    fixture._open(node, runtime, workload, "fp32", "cpu", 1, 1000, info)
    assert runtime.made == [("fp32", 1000)]
    assert info["model_bytes"] == 40
