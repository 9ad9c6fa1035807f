"""Names the suite's fixture plug-ins; holds no logic."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.protocols",
    "fixtures.matrix",
    "fixtures.gpu_cells",
    "fixtures.out_of_memory",
    "fixtures.inference",
    "fixtures.framework_comparison",
    "fixtures.roofline.peaks",
    "fixtures.onnx_files.cells",
    "fixtures.onnx_files.profile",
    "fixtures.onnx_files.results",
    "fixtures.training.options",
    "fixtures.training.cells",
    "fixtures.training.scaling",
    "fixtures.verdicts",
]
