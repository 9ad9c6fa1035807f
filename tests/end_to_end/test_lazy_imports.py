"""Collecting the whole matrix imports no framework, and neither does asking every runtime what it supports."""

import json

from suite import printed

FRAMEWORKS = [
    "torch", "torchvision", "onnx", "onnxruntime", "openvino", "jax", "jaxlib", "torchax", "tensorflow", "tf_keras",
    "onnx2tf", "torchao", "numpy", "scipy",
]  # fmt: skip

SCRIPT = """
import json, sys
import pytest
names, *arguments = json.loads(sys.argv[1])
code = pytest.main(["benchmarks", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments])
print(json.dumps({"code": int(code), "imported": [name for name in names if name in sys.modules]}))
"""


def collected(*arguments: str) -> str:
    said = printed(SCRIPT, json.dumps([FRAMEWORKS, *arguments]))
    found = json.loads(said.splitlines()[-1])
    assert found == {"code": 0, "imported": []}, said[-2000:]
    return said


def test_collecting_the_default_matrix_imports_no_framework() -> None:
    assert "test_cpu_scaling[resnet50-onnxruntime-int8-t1-b4]" in collected()


def test_neither_does_naming_every_runtime_and_precision() -> None:
    said = collected("--runtimes=jax,tensorflow,pytorch-compile", "--precisions=fp32,bf16,fp16,int8", "--models=mlp")
    assert "test_cpu_scaling[mlp-jax-fp32-t1-b1]" in said
    assert "test_cpu_scaling[mlp-tensorflow-fp32-t1-b4]" in said
