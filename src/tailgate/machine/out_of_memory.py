"""How an operating system, C++ and the frameworks say that memory ran out."""

import errno
import re
from pathlib import Path

VMSTAT = Path("/proc/vmstat")


OUT_OF_MEMORY = re.compile(
    r"std::bad_alloc|\bbad allocation\b|CUDA out of memory|DefaultCPUAllocator: |\bOutOfMemoryError\b"
    r"|[Cc]annot allocate memory|can't allocate memory|[Ff]ailed to allocate memory"
    r"|CUDA error: out of memory|CUDA failure 2: out of memory|CU(?:DNN|BLAS)_STATUS_ALLOC_FAILED"
    r"|Available memory of \d+ is smaller than requested bytes of"
    r"|Cuda Runtime \(out of memory\)|Error Code \d+: OutOfMemory\b|GPU memory \(\d+ bytes\) could not be allocated"
)
"""How C++ and the frameworks say that an allocation failed: C++ and torch, CUDA's libraries, ONNX Runtime, TensorRT."""


PLAIN_ERRORS = ("onnxruntime",)
"""Packages whose errors are plain exceptions (``onnxruntime``'s ``RuntimeException`` is no ``RuntimeError``)."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that an allocation failed: by its type, or in a framework's known words."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    spoken = isinstance(error, RuntimeError) or type(error).__module__.partition(".")[0] in PLAIN_ERRORS
    return spoken and OUT_OF_MEMORY.search(str(error)) is not None


def oom_kills() -> int | None:
    """Processes ended by the kernel's out-of-memory killer since boot; ``None`` where it does not count."""
    try:
        match = re.search(r"^oom_kill (\d+)$", VMSTAT.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(match.group(1)) if match else None
