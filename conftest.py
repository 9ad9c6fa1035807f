"""Names the suite's fixture plug-ins; holds no logic."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.cells.protocol_marks",
    "fixtures.cells.matrix",
    "fixtures.cells.gpu",
    "fixtures.inference.out_of_memory",
    "fixtures.inference.fixture",
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
