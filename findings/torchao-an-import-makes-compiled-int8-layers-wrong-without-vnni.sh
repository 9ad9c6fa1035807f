#!/usr/bin/env bash
# Expected: importing a quantizer that a model does not use changes nothing of what torch.compile makes of that model.
# Happens: importing torchao's x86_inductor_quantizer registers passes with Inductor for the whole process. A model
#   that quantize_ made (int8 weights, activations by each row's own range) then compiles to onednn.qlinear_pointwise in
#   place of _int_mm. Without VNNI those kernels add two products of bytes in 16 bits, which saturate: the same compiled
#   model is 0.6 % off before the import, and tens of percent after it, without a warning.
# Seen: 2026-11-30, torch 2.15.0, torchao 0.18.0, Linux x86-64 (EPYC with AVX2 alone).
# Source: torchao's torchao/quantization/pt2e/quantizer/x86_inductor_quantizer.py (imports the lowering passes); oneDNN's
#   developer guide, "Nuances of int8 Computations" (saturation without VNNI).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -qw avx2 /proc/cpuinfo || { echo "not applicable: the processor has no AVX2"; exit 0; }
! grep -qwE "avx512_vnni|avx_vnni" /proc/cpuinfo || { echo "not applicable: the processor has VNNI"; exit 0; }
command -v g++ >/dev/null || { echo "not applicable: Inductor needs g++"; exit 0; }
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.15.0 torchao==0.18.0 numpy
cd "$work"
export TORCHINDUCTOR_CACHE_DIR="$work/inductor"
cat > seen.py <<'PY'
import copy
import logging
import re
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import torch
import torchao
from torch._inductor import config
from torch._inductor.utils import run_and_get_code
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

config.freezing = True
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 8)).eval()
x = torch.rand(4, 64)


def compiled():
    """Relative error against float32, and the kernels that multiply."""
    torch._dynamo.reset()
    quantised = copy.deepcopy(model)
    quantize_(quantised, Int8DynamicActivationInt8WeightConfig())
    with torch.inference_mode():
        found, code = run_and_get_code(torch.compile(quantised, fullgraph=True, dynamic=False), x)
        wanted = model(x)
    kernels = sorted(set(re.findall(r"(_int_mm|qlinear_pointwise)", "".join(code))))
    return float((found - wanted).norm() / wanted.norm()), kernels


print(f"torch {torch.__version__}, torchao {torchao.__version__}, VNNI: {torch.cpu._is_vnni_supported()}")
before, kernels_before = compiled()
import torchao.quantization.pt2e.quantizer.x86_inductor_quantizer
after, kernels_after = compiled()
print(f"before the import: error {before:.2%}, {kernels_before}; after it: {after:.2%}, {kernels_after}")
kept = (kernels_before, kernels_after) == (["_int_mm"], ["qlinear_pointwise"]) and after > 0.05
sys.exit(0 if kept and before < 0.02 else 1)
PY
"$work/venv/bin/python" seen.py
