#!/usr/bin/env bash
# Expected: every error of NVIDIA's own bindings is an NVMLError, as the docstring of its classes has it ("NVMLError is
#   a parent class"), so `except NVMLError` is enough around a reading.
# Happens: the calls for running processes, where the driver's library has only the form before (_v2, before R510),
#   raise NVMLLibraryMismatchError, which is an Exception and no NVMLError and has no `value`; every other call that such a
#   library lacks raises NVMLError_FunctionNotFound. The _v2 call of the same bindings then answers.
# Seen: 2026-11-29, nvidia-ml-py 13.615.71. Source: pynvml.py, throwOnVersionMismatch.
# A library with three calls stands for an old driver; no GPU is needed. A C compiler is.
set -euo pipefail
command -v cc >/dev/null || { echo "not applicable: there is no C compiler"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet nvidia-ml-py==13.615.71
cat >"$work/old.c" <<'C'
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned *count, void *found) { *count = 0; return 0; }
const char *nvmlErrorString(int code) { return "an error"; }
C
cc -shared -fPIC -o "$work/libnvidia-ml.so.1" "$work/old.c"
cat >"$work/ask.py" <<'PY'
import ctypes
import importlib.metadata

import pynvml

print("nvidia-ml-py", importlib.metadata.version("nvidia-ml-py"))
pynvml.nvmlInit()
device = ctypes.c_void_p()
raised = {}
for call in ("ComputeRunningProcesses", "GraphicsRunningProcesses", "PowerUsage"):
    name = f"nvmlDeviceGet{call}"
    try:
        getattr(pynvml, name)(device)
    except Exception as error:
        raised[name] = type(error).__name__, isinstance(error, pynvml.NVMLError)
        print(f"{name}: {raised[name][0]}, an NVMLError: {raised[name][1]}")
older = pynvml.nvmlDeviceGetComputeRunningProcesses_v2(device)
print("nvmlDeviceGetComputeRunningProcesses_v2:", older)
assert raised["nvmlDeviceGetGraphicsRunningProcesses"] == ("NVMLLibraryMismatchError", False)
assert raised["nvmlDeviceGetPowerUsage"] == ("NVMLError_FunctionNotFound", True)
assert older == []
PY
LD_LIBRARY_PATH="$work" "$work/venv/bin/python" "$work/ask.py"
