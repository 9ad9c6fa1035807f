#!/usr/bin/env bash
# Expected: a file whose weights alone are quantised (DequantizeLinear, MatMul) computes in float32, as it is written.
# Happens: by default ONNX Runtime's CPU provider makes MatMulNBits at accuracy level 4 of it, which quantises the
#   activations: the answer is 1e-3 to 2e-2 off, and right at level 0 (session.qdq_matmulnbits_accuracy_level). Of two
#   such layers with a Relu between them the first stays in float32 and is dequantised in every call. A MatMulNBits of
#   level 4 quantises with graph optimisations off as well, unless weights are not repacked (session.disable_prepacking).
# Seen: 2026-11-29, onnxruntime 1.31.1, onnx 1.23.2, Linux x86-64 (AVX512-VNNI).
# Source: ONNX Runtime's onnxruntime_session_options_config_keys.h (kOrtSessionOptionsQDQMatMulNBitsAccuracyLevel);
#   ContribOperators.md, MatMulNBits, "accuracy_level".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -qw avx2 /proc/cpuinfo || { echo "not applicable: the processor has no AVX2"; exit 0; }
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet onnxruntime==1.31.1 onnx==1.23.2 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
x = rng.standard_normal((4, 64)).astype(np.float32)
w = rng.integers(-127, 128, (64, 64)).astype(np.int8)
scale = (np.exp(rng.uniform(-0.7, 0.7, 64)) / 1000).astype(np.float32)
constants = [numpy_helper.from_array(w, "w"), numpy_helper.from_array(scale, "s")]
weights = helper.make_node("DequantizeLinear", ["w", "s"], ["W"], axis=1)
print(f"onnxruntime {ort.__version__}, onnx {onnx.__version__}")


def model(nodes, inits):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 64]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], inits)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def run(content, optimised=True, **entries):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for key, value in entries.items():
        options.add_session_config_entry(f"session.{key}", value)
    options.optimized_model_filepath = "optimised.onnx"
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0], [node.op_type for node in onnx.load("optimised.onnx").graph.node]


def error(one, other):
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


one = model([weights, helper.make_node("MatMul", ["x", "W"], ["y"])], constants)
wanted = x @ (w * scale)
by_default, became = run(one)
at_level_0, _ = run(one, qdq_matmulnbits_accuracy_level="0")
print(f"DequantizeLinear, MatMul became {became}: error {error(by_default, wanted):.1e}, at level 0 {error(at_level_0, wanted):.1e}")
kept = became == ["MatMulNBits"] and error(by_default, wanted) > 1e-3 and error(at_level_0, wanted) < 1e-5

second = helper.make_node("DequantizeLinear", ["w2", "s2"], ["W2"], axis=1)
_, layers = run(model([weights, helper.make_node("MatMul", ["x", "W"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
                       second, helper.make_node("MatMul", ["b", "W2"], ["y"])],
                      [*constants, numpy_helper.from_array(w[::-1].copy(), "w2"), numpy_helper.from_array(scale, "s2")]))
print(f"with a Relu between two: {layers}")
kept = kept and layers == ["DequantizeLinear", "MatMul", "Relu", "MatMulNBits"]

packed = [numpy_helper.from_array(rng.integers(0, 256, (64, 2, 16)).astype(np.uint8), "w"),
          numpy_helper.from_array((rng.random(128) / 64).astype(np.float32), "s")]
level_4 = model([helper.make_node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=64, N=64, bits=4,
                                  block_size=32, accuracy_level=4)], packed)
exact, _ = run(level_4, optimised=False, disable_prepacking="1")
unoptimised, _ = run(level_4, optimised=False)
print(f"MatMulNBits of level 4, no optimisations: error {error(unoptimised, exact):.1e} against weights not repacked")
kept = kept and error(unoptimised, exact) > 1e-3
sys.exit(0 if kept else 1)
PY
