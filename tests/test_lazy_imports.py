"""Collecting the whole matrix imports no framework, and neither does asking every runtime what it supports."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FRAMEWORKS = ["torch", "torchvision", "onnx", "onnxruntime", "openvino", "jax", "tensorflow", "numpy", "scipy"]

SCRIPT = """
import json, sys
import pytest
code = pytest.main(["benchmarks", "--collect-only", "-q", "-p", "no:cacheprovider"])
names = json.loads(sys.argv[1])
print(json.dumps({"code": int(code), "imported": [name for name in names if name in sys.modules]}))
"""


def test_collecting_the_default_matrix_imports_no_framework() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(FRAMEWORKS)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"code": 0, "imported": []}, done.stdout[-2000:]
    assert "test_cpu_scaling[resnet50-onnxruntime-int8-t1-b4]" in done.stdout
