#!/usr/bin/env bash
# Expected: a heap profiler's peak of an ONNX Runtime session is about what the model needs.
# Happens: the CPU arena, on by default, asks the system for ever larger chunks, in which much lies free: memray's
#   peak of a model with large activations is at least 1.5 times that of the same session with
#   enable_cpu_mem_arena = False. Answers are equal. (Weights are outside of it: of a model of weights both are equal.)
# Seen: 2026-11-29, onnxruntime 1.31.1, memray 1.20.0, onnx 1.23.2, Linux x86-64.
# Source: onnxruntime.ai, "Memory consumption" (arena_extend_strategy kNextPowerOfTwo).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet onnxruntime==1.31.1 onnx==1.23.2 memray==1.20.0 numpy
cat >"$work/peak.py" <<'PY'
import sys

import memray
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

folder, arena = sys.argv[1:]
rng = np.random.default_rng(0)
nodes, weights, last = [], [], "x"
for layer, (size, before) in enumerate([(32, 3), (32, 32), (64, 32), (64, 64), (16, 64)]):
    weights.append(onnx.numpy_helper.from_array(rng.normal(0, 0.1, (size, before, 3, 3)).astype("f"), f"w{layer}"))
    nodes.append(helper.make_node("Conv", [last, f"w{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1]))
    nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"y{layer}"]))
    last = f"y{layer}"
value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", c, "h", "w"]) for n, c in (("x", 3), (last, 16))]
graph = helper.make_graph(nodes, "g", value[:1], value[1:], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
feed = rng.normal(0, 1, (2, 3, 256, 256)).astype("f")
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.enable_cpu_mem_arena = arena == "on"
with memray.Tracker(f"{folder}/{arena}.bin", file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS):
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    for _ in range(3):
        (answer,) = session.run(None, {"x": feed})
peak = memray.FileReader(f"{folder}/{arena}.bin").metadata.peak_memory
versions = f"onnxruntime {ort.__version__}, memray {memray.__version__}"
print(f"arena {arena}: {versions}, peak {peak / 1e6:.1f} MB, sum of the answer {answer.sum():.1f}")
with open(f"{folder}/{arena}.txt", "w") as file:
    file.write(str(peak))
PY
for arena in on off; do "$work/venv/bin/python" "$work/peak.py" "$work" "$arena"; done
python3 -c "
import sys
on, off = (int(open(f'$work/{arena}.txt').read()) for arena in ('on', 'off'))
print(f'ratio {on / off:.2f}')
sys.exit(0 if on / off >= 1.5 else 1)"
