"""The wall between instrument and suite, and the one-way direction of imports inside the instrument."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRAMEWORKS = {"torch", "torchvision", "onnx", "onnxruntime", "openvino", "jax", "tensorflow", "onnxscript", "torchao"}
INSTRUMENT = sorted((ROOT / "src" / "tailgate").rglob("*.py"))
SUITE = sorted((ROOT / "fixtures").rglob("*.py"))
LAYERS = {  # room -> rooms it may import from; DESIGN.md
    "analysis": {"analysis"},
    "merging": {"analysis", "columns"},
    "meters": {"analysis", "doctor", "meters", "nvml"},  # what a tool needs, the doctor knows
    "nvml": set(),
    "device_rounds": {"analysis", "clocks", "columns"},
    "environment": {"analysis", "cpus", "variables"},
    "cpus": set(),
    "variables": set(),
    "history": {"analysis", "columns", "errors", "schema"},
    "protocol": {"analysis"},
    "clocks": set(),
    "columns": {"analysis"},
    "doctor": {"cpus", "environment", "errors", "nvml", "variables"},
    "errors": set(),
    "git": set(),
    "values": {"errors"},
    "endings": set(),
    "trust": {"cpus", "errors"},
    "reports": {"analysis", "history", "columns", "errors", "rows", "reports", "gate"},
}


FREE = {  # rooms above those: they may use them all
    "__init__", "entry", "plugin", "cli", "run", "order", "measure", "settings", "seams", "places", "comparison",
    "yielding", "comparable", "findings", "gate", "duet", "hindrance", "hookspecs", "items", "journal", "processes",
    "narrator", "noted", "plain", "saving", "storage", "table", "rows", "progress", "schema", "commands", "baselines",
    "speedups", "text", "live_report", "profiling", "tenants", "watch", "warmup",
}  # fmt: skip


def imported(file: Path, *, top_level_only: bool) -> set[str]:
    tree = ast.parse(file.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", INSTRUMENT, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_instrument_knows_neither_suite_nor_frameworks(file: Path) -> None:
    roots = {name.split(".")[0] for name in imported(file, top_level_only=False)}
    assert not roots & ({"fixtures", "benchmarks"} | FRAMEWORKS)


@pytest.mark.parametrize("file", INSTRUMENT, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_inside_the_instrument_run_one_way(file: Path) -> None:
    room = file.relative_to(ROOT / "src" / "tailgate").parts[0].removesuffix(".py")
    if room not in LAYERS:
        assert room in FREE, f"{room}: give it a place in LAYERS"
        return
    used = {name.split(".")[1] for name in imported(file, top_level_only=False) if name.startswith("tailgate.")}
    assert used - {room} <= LAYERS[room]


@pytest.mark.parametrize("file", INSTRUMENT, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_the_named_modules_reach_into_pytest_benchmark(file: Path) -> None:
    reaches = any(name.startswith("pytest_benchmark") for name in imported(file, top_level_only=False))
    assert reaches == (file.stem in {"seams", "measure", "storage", "table"})


@pytest.mark.parametrize("file", SUITE, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_framework_is_imported_at_the_top_of_a_module(file: Path) -> None:
    roots = {name.split(".")[0] for name in imported(file, top_level_only=True)}
    assert not roots & FRAMEWORKS
