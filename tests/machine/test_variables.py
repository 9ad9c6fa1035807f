"""Which environment variables make two runs two machines, and that nobody's name is kept with them."""

import configparser
import fnmatch
import os
from pathlib import Path

import pytest

from tailgate.machine.fingerprint import difference, fingerprint
from tailgate.machine.variables import FIRST_NAMES, NAMES, PREFIXES, counts, recorded

CHANGE_NUMBERS = [
    "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA", "DNNL_PRIMITIVE_CACHE_CAPACITY",
    "NPY_DISABLE_CPU_FEATURES", "XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "ATEN_CPU_CAPABILITY", "LD_PRELOAD",
    "PYTHONMALLOC", "OMP_STACKSIZE", "OMP_THREAD_LIMIT", "KMP_LIBRARY", "GOMP_STACKSIZE", "MKL_CBWR",
    "OPENBLAS_THREAD_TIMEOUT", "BLIS_JC_NT", "MALLOC_CONF", "MALLOC_PERTURB_", "TCMALLOC_SAMPLE_PARAMETER",
    "GLIBC_TUNABLES", "PYTHON_GIL", "NVIDIA_TF32_OVERRIDE", "TF_XLA_FLAGS",
]  # fmt: skip
DO_NOT = [
    "EDITOR", "HOME", "TF_CPP_MIN_LOG_LEVEL", "ONEDNN_VERBOSE", "DNNL_VERBOSE", "MKL_VERBOSE",
    "MKL_VERBOSE_OUTPUT_FILE", "MKL_LICENSE_FILE", "ONEDNN_JIT_PROFILE", "DNNL_JIT_DUMP_PATH",
    "OMP_DISPLAY_ENV", "OMP_DISPLAY_AFFINITY",
    "OMP_AFFINITY_FORMAT",
    "OMP_TOOL_LIBRARIES", "GOMP_DEBUG", "KMP_SETTINGS", "KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK", "OPENBLAS_HOME",
    "OPENBLAS_INCLUDE_DIR", "MALLOC_TRACE", "PYTHONPATH", "PYTHONHASHSEED", "OMPI_MCA_btl", "TORCH_HOME", "MKLROOT",
]  # fmt: skip


@pytest.mark.parametrize("name", [*CHANGE_NUMBERS, *sorted(FIRST_NAMES)])
def test_what_changes_arithmetic_threads_or_memory_is_recorded(name):
    assert recorded({name: "1", "SHELL": "/bin/sh"}) == {name: "1"}


@pytest.mark.parametrize("name", DO_NOT)
def test_what_only_tells_or_only_locates_is_not(name):
    assert not counts(name)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("/home/alice/lib/libjemalloc.so.2", "libjemalloc.so.2"),
        ("/Users/alice/lib/x.dylib:/usr/lib/libtcmalloc.so", "x.dylib:/usr/lib/libtcmalloc.so"),
        (
            "--xla_dump_to=/home/alice --xla_cpu_enable_fast_math=true",
            "--xla_dump_to=~ --xla_cpu_enable_fast_math=true",
        ),
        ("--xla_dump_to=../alice/dump", "--xla_dump_to=dump"),
        ("~/alice/x.so ./alice/y.so", "x.so y.so"),
        ("/usr/../home/alice/x.so", "x.so"),
        ("C:\\Users\\alice\\x.dll", "C:x.dll"),
        ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"),
        ("{0:4},{4:4}", "{0:4},{4:4}"),
        ("granularity=fine,compact,1,0", "granularity=fine,compact,1,0"),
        ("AVX512F AVX512_SKX", "AVX512F AVX512_SKX"),
        ("", ""),
    ],
)
def test_no_folder_that_may_name_a_person_is_kept(value, kept):
    assert recorded({"LD_PRELOAD": value}) == {"LD_PRELOAD": kept}
    assert "alice" not in kept


def test_a_variable_that_older_files_did_not_record_is_not_said_to_have_been_unset(monkeypatch):
    for name in recorded(os.environ):
        monkeypatch.delenv(name)
    older = {**fingerprint(), "thread_env": {}}
    assert difference(fingerprint(), older) == [], "nothing is set: files of before stay comparable"
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    assert difference(fingerprint(), older) == [
        "thread_env.ONEDNN_DEFAULT_FPMATH_MODE not set or not recorded there, 'BF16' here"
    ]
    monkeypatch.delenv("ONEDNN_DEFAULT_FPMATH_MODE")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert difference(fingerprint(), older) == ["thread_env.OMP_NUM_THREADS None there, '1' here"]


def test_a_file_of_before_with_a_whole_path_is_of_the_same_machine(monkeypatch):
    monkeypatch.setenv("MALLOC_CONF", "/home/alice/x")
    older = {**fingerprint(), "thread_env": {**fingerprint()["thread_env"], "MALLOC_CONF": "/home/alice/x"}}
    assert difference(fingerprint(), older) == []


def test_tox_passes_what_the_fingerprint_records():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(Path(__file__).parents[2] / "tox.ini")
    passed = [line for line in tox["shared"]["pass_env"].split("\n") if line and not line.startswith("#")]
    kept_out = [name for name in [*NAMES, *(f"{prefix}X" for prefix in PREFIXES)]
                if not any(fnmatch.fnmatchcase(name, pattern) for pattern in passed)]  # fmt: skip
    assert kept_out == []
