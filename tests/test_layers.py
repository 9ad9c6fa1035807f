"""What import-linter (.importlinter; ``tox -e lint``) cannot see: imports at the top of a file, private names."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FRAMEWORKS = {"torch", "torchvision", "onnx", "onnxruntime", "openvino", "jax", "tensorflow", "onnxscript"}


def imported(file: Path, *, top_level_only: bool) -> set[str]:
    """First parts of the names of imported modules."""
    tree = ast.parse(file.read_text())
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_only_seams_and_the_fixture_reach_into_pytest_benchmark() -> None:
    instrument = ROOT / "src" / "tailgate"
    reaching = {
        str(file.relative_to(instrument))
        for file in instrument.rglob("*.py")
        if "pytest_benchmark" in imported(file, top_level_only=False)
    }
    assert reaching == {
        "measure/fixture.py", "seams/benchmark_names.py", "seams/commit.py", "seams/storage.py", "seams/table.py",
    }  # fmt: skip


def test_no_framework_is_imported_at_the_top_of_a_module() -> None:
    early = {
        str(file.relative_to(ROOT)): found
        for folder in ("fixtures", "studies")
        for file in (ROOT / folder).rglob("*.py")
        if (found := imported(file, top_level_only=True) & FRAMEWORKS)
    }
    assert early == {}
