"""Names the suite's fixture plug-ins; holds no logic."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.cells.left_out",
    "fixtures.cells.keyword",
    "fixtures.cells.protocol_marks",
    "fixtures.cells.gpu",
    "fixtures.cells.matrix",
    "fixtures.cells.plugin",
    "fixtures.inference.out_of_memory",
    "fixtures.inference.fixture",
    "fixtures.inference.operators",
    "fixtures.framework_comparison.fixture",
    "fixtures.roofline.peaks",
    "fixtures.onnx_files.cells",
    "fixtures.onnx_files.fixture",
    "fixtures.onnx_files.results",
    "fixtures.training.options",
    "fixtures.training.cells",
    "fixtures.training.scaling",
    "fixtures.inference.precision_verdicts",
]
