"""Names the suite's fixture plug-ins; holds no logic."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.matrix",
    "fixtures.inference",
    "fixtures.onnx_files.cells",
    "fixtures.onnx_files.profile",
    "fixtures.onnx_files.results",
]
