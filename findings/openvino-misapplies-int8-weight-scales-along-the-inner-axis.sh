#!/usr/bin/env bash
# Expected: MatMul(x, DequantizeLinear(w, scale, axis)) is x @ (w * scale), whichever of the weight's axes the scales
#   run along: ONNX allows both.
# Happens: with one scale a column (the outer axis) OpenVINO's CPU plug-in is within rounding of ONNX's reference; with
#   one scale a row (the inner axis, along which the product sums) it is off by 20 % and more, without a word. Its
#   executed graph then has a FullyConnected with int8 weights and scales of shape [1, K]. Dynamic quantisation is off
#   (DYNAMIC_QUANTIZATION_GROUP_SIZE = 0) and the hint is f32, so this is no rounding.
# Seen: 2026-11-29, openvino 2026.4.1, onnx 1.23.2, Linux x86-64 (AVX512-VNNI).
# Source: none found; onnx.ai, Operators.md, DequantizeLinear ("axis").
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet openvino==2026.4.1 onnx==1.23.2 numpy
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

K, N = 64, 48
rng = np.random.default_rng(0)
x = rng.standard_normal((4, K)).astype(np.float32)
w = rng.integers(-127, 128, (K, N)).astype(np.int8)
print(f"openvino {ov.__version__}, onnx {onnx.__version__}")
errors = {}
for axis, name in ((1, "a scale a column"), (0, "a scale a row")):
    scale = (np.exp(rng.uniform(-0.7, 0.7, w.shape[axis])) / 127).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("DequantizeLinear", ["w", "s"], ["W"], axis=axis), helper.make_node("MatMul", ["x", "W"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, K])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, N])],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(scale, "s")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    (wanted,) = ReferenceEvaluator(model).run(None, {"x": x})
    by_hand = x @ (w * (scale if axis == 1 else scale[:, None]))
    assert np.allclose(wanted, by_hand, rtol=1e-4, atol=1e-5)
    core = ov.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", settings)
    answer = compiled(x)[0]
    errors[name] = float(np.linalg.norm(answer - wanted) / np.linalg.norm(wanted))
    print(f"{name}: relative error against ONNX's reference {errors[name]:.1e}")
sys.exit(0 if errors["a scale a column"] < 1e-4 and errors["a scale a row"] > 0.1 else 1)
PY
