"""Environment variables that change how numeric libraries compute, share work out or take memory.

They are part of the fingerprint. Libraries read them by families (oneDNN each of its own as ``ONEDNN_`` and as
``DNNL_``), so whole prefixes count; of a family that is mostly about logs and folders (``TF_``, ``TORCH_``, ``CUDA_``)
only those named. ``PYTHONHASHSEED`` is none of them: tox draws another one for every run.
"""

import posixpath
import re
from collections.abc import Mapping

PREFIXES = (
    "OMP_", "GOMP_", "KMP_", "MKL_", "ONEDNN_", "DNNL_", "OPENBLAS_", "BLIS_", "NPY_",
    "MALLOC_", "MIMALLOC_", "TCMALLOC_",
)  # fmt: skip
NAMES = frozenset({
    "ATEN_CPU_CAPABILITY", "TORCH_MKLDNN_MATMUL_MIN_DIM", "TORCH_MKLDNN_MATMUL_MIN_SIZE", "TORCH_LINEAR_FLATTEN_3D",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "FBGEMM_ENABLE_INSTRUCTIONS", "FBGEMM_ENABLE_AVX512_256", "FBGEMM_NO_ASMJIT",
    "TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_XLA_FLAGS", "TF_DETERMINISTIC_OPS",
    "XLA_FLAGS", "PJRT_NPROC", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DISABLE_JIT",
    "NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG", "CUDA_LAUNCH_BLOCKING", "CUDA_DEVICE_MAX_CONNECTIONS",
    "GOTO_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_DISABLE_JIT", "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS", "LD_PRELOAD", "GLIBC_TUNABLES",
    "PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHONDEVMODE", "PYTHONOPTIMIZE", "PYTHON_GIL", "PYTHON_JIT",
    "PYTHON_CPU_COUNT",
})  # fmt: skip
FIRST_NAMES = frozenset({
    "OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "OMP_WAIT_POLICY", "OMP_DYNAMIC", "OMP_SCHEDULE",
    "GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT", "KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_HW_SUBSET",
    "MKL_NUM_THREADS", "MKL_DYNAMIC", "MKL_ENABLE_INSTRUCTIONS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE",
    "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY", "LD_PRELOAD", "MALLOC_ARENA_MAX",
})  # fmt: skip
"""All that the first files with a fingerprint recorded: of any other they do not say whether it was set."""
TELLS = re.compile(
    r"(_|^)(DIR|PATH|FILE|FILENAME|HOME|ROOT|VERBOSE|VERBOSITY|DEBUG|DISPLAY\w*|TRACE|LOG\w*|PROFILE\w*|STATS|PRINT\w*"
    r"|WARNINGS|SETTINGS|VERSION|AFFINITY_FORMAT|TOOL\w*|LIBRARIES|INCLUDE\w*|INIT_AT_FORK|DUPLICATE_LIB_OK"
    r"|SHOW_\w+|LICENSE\w*|KEY|TOKEN|SECRET|PASSWORD|USER\w*)(_DIR|_PATH|_FILE|_NAME)?$"
)
"""Ends of names that only say what is told, where something lies or whose it is; the first two of KMP are set by
libraries at import."""
A_PATH = re.compile(r"[^\s:;,=\"']*[/\\][^\s:;,=\"']*")
SYSTEM_FOLDERS = ("/usr/", "/lib/", "/lib64/", "/opt/", "/nix/")
"""Where systems install to; in the folders of any other path may be the name of a person or a project."""
OF_PERSONS = re.compile(r"^/(home|Users)/[^/]+$")


def recorded(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are set, by name. Of a path outside the system's folders only the last part is kept."""
    return {name: without_folders(environ[name]) for name in sorted(environ) if counts(name)}


def counts(name: str) -> bool:
    """Whether a variable of this name is part of the fingerprint."""
    return name in NAMES or (name.startswith(PREFIXES) and not TELLS.search(name))


def without_folders(value: str) -> str:
    """``/home/me/lib/x.so`` is ``x.so``, ``/home/me`` is ``~``; ``/usr/lib/x.so`` stays."""
    return A_PATH.sub(_shortened, value)


def _shortened(found: re.Match[str]) -> str:
    path = posixpath.normpath(found.group().replace("\\", "/"))
    if path.startswith(SYSTEM_FOLDERS):
        return found.group()
    return "~" if OF_PERSONS.match(path) else posixpath.basename(path)
