"""The wall between instrument and suite, and the one-way direction of imports inside the instrument."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FRAMEWORKS = {"torch", "torchvision", "onnx", "onnxruntime", "openvino", "jax", "tensorflow", "onnxscript", "torchao"}
INSTRUMENT = sorted((ROOT / "src" / "tailgate").rglob("*.py"))
SUITE = sorted((ROOT / "fixtures").rglob("*.py"))
LAYERS = {  # room -> rooms it may import from; DESIGN.md
    "analysis": {"analysis"},
    "merging": {"analysis", "columns", "number"},
    "meters": {"analysis", "doctor", "meters", "nvml"},  # what a tool needs, the doctor knows
    "nvml": set(),
    "device_rounds": {"analysis", "clocks", "columns"},
    "environment": {"analysis", "cpus", "variables"},
    "cpus": set(),
    "history": {"analysis", "columns", "errors", "number", "reading", "schema"},
    "number": set(),
    "reading": {"errors", "number"},
    "protocol": {"analysis"},
    "clocks": set(),
    "columns": {"analysis", "number"},
    "doctor": {"cpus", "environment", "errors", "nvml", "text", "variables"},
    "variables": set(),
    "text": set(),
    "errors": set(),
    "git": set(),
    "values": {"errors"},
    "endings": set(),
    "trust": {"cpus", "errors"},
    "reports": {"analysis", "history", "columns", "errors", "number", "rows", "reports", "gate", "text"},
}


FREE = {  # rooms above those: they may use them all
    "__init__", "entry", "plugin", "cli", "run", "order", "measure", "settings", "seams", "places", "comparison",
    "yielding", "comparable", "findings", "gate", "duet", "hindrance", "hookspecs", "items", "journal", "processes",
    "narrator", "noted", "plain", "saving", "storage", "table", "rows", "progress", "schema", "commands", "baselines",
    "speedups", "between", "grouping", "live_report", "extent", "extent_watch", "selection", "processor", "profiling",
    "tenants", "watch", "warmup",
}  # fmt: skip


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def imported(file: Path, *, top_level_only: bool) -> set[str]:
    tree = parsed(file)
    nodes = tree.body if top_level_only else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def wrong(files: list[Path], what: Callable[[Path], object]) -> dict[str, object]:
    """What is wrong with each; one test over all files is as strict as a test for each, and a hundred times as fast."""
    assert files
    return {str(file.relative_to(ROOT)): found for file in files if (found := what(file))}


def roots(file: Path, *, top_level_only: bool) -> set[str]:
    return {name.split(".")[0] for name in imported(file, top_level_only=top_level_only)}


def test_the_instrument_knows_neither_suite_nor_frameworks() -> None:
    foreign = {"fixtures", "benchmarks"} | FRAMEWORKS
    assert wrong(INSTRUMENT, lambda file: roots(file, top_level_only=False) & foreign) == {}


def _upwards(file: Path) -> object:
    room = file.relative_to(ROOT / "src" / "tailgate").parts[0].removesuffix(".py")
    if room not in LAYERS:
        return None if room in FREE else f"{room}: give it a place in LAYERS"
    used = {name.split(".")[1] for name in imported(file, top_level_only=False) if name.startswith("tailgate.")}
    return used - {room} - LAYERS[room]


def test_imports_inside_the_instrument_run_one_way() -> None:
    assert wrong(INSTRUMENT, _upwards) == {}


def test_only_the_named_modules_reach_into_pytest_benchmark() -> None:
    def misplaced(file: Path) -> bool:
        reaches = any(name.startswith("pytest_benchmark") for name in imported(file, top_level_only=False))
        return reaches != (file.stem in {"seams", "measure", "storage", "table"})

    assert wrong(INSTRUMENT, misplaced) == {}


def test_no_framework_is_imported_at_the_top_of_a_module() -> None:
    assert wrong(SUITE, lambda file: roots(file, top_level_only=True) & FRAMEWORKS) == {}
