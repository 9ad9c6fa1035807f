#!/usr/bin/env bash
# Expected: ONNX Runtime's default optimisation, which fuses Add and LayerNormalization into SkipLayerNormalization,
#   makes the two faster on a CPU, or leaves them as fast.
# Happens: from 1.30.0 on the fused operator takes about five times as long as the two together. In 1.27 to 1.29 it was
#   LayerNormalization alone that took five times as long; up to 1.26 neither did.
# Seen: 2026-11-30, onnxruntime 1.20.1, 1.21.1, 1.22.1, 1.24.4 and 1.26.0 to 1.32.0, fp32, 128 rows of 256, one thread,
#   an Intel Xeon. Source: no issue found; a duet of 1.20.1 against 1.31.1 named the operator.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/norm.py" <<'PY'
import sys
import time

import numpy as np
import onnxruntime as ort
from onnx import helper, numpy_helper

LEVELS = {"fused": ort.GraphOptimizationLevel.ORT_ENABLE_ALL, "as written": ort.GraphOptimizationLevel.ORT_DISABLE_ALL}
weights = {"scale": np.ones(256, np.float32), "bias": np.zeros(256, np.float32)}
x, skip, y = (helper.make_tensor_value_info(name, 1, (1, 128, 256)) for name in ("x", "skip", "y"))
nodes = [
    helper.make_node("Add", ["x", "skip"], ["sum"]),
    helper.make_node("LayerNormalization", ["sum", "scale", "bias"], ["y"]),
]
listed = [numpy_helper.from_array(array, name) for name, array in weights.items()]
graph = helper.make_graph(nodes, "block", [x, skip], [y], listed)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
chance = np.random.default_rng(0)
feeds = {name: chance.normal(size=(1, 128, 256)).astype(np.float32) for name in ("x", "skip")}
found_us = {}
for name, level in LEVELS.items():
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.graph_optimization_level = 1, level
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    times = []
    for _ in range(2000):
        start = time.perf_counter()
        session.run(None, feeds)
        times.append(time.perf_counter() - start)
    found_us[name] = float(np.percentile(times, 10)) * 1e6
ratio = found_us["fused"] / found_us["as written"]
print("onnxruntime", ort.__version__, {name: f"{us:.0f} us" for name, us in found_us.items()}, f"ratio {ratio:.2f}")
assert (ratio > 2) if sys.argv[1] == "slower" else (ratio < 1.3)
PY
for version in 1.26.0 1.30.0 1.32.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/python" -m pip install --quiet "onnxruntime==$version" onnx==1.23.2 numpy==2.4.6
    "$work/$version/bin/python" "$work/norm.py" "$([ "$version" = 1.26.0 ] && echo faster || echo slower)"
done
