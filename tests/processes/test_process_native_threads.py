"""Whose threads a fork would lose: by the code on their stacks, in a made-up /proc and in real libraries."""

import os
import struct
import sys
from pathlib import Path

import pytest
from suite import printed

from tailgate.processes import native_threads
from tailgate.processes.native_threads import RUNNING, left_behind

PYTHON, LIBC, BLAS, POOL, STDCXX, ORT, NO_CODE, FORTRAN = (0x10000 + 0x1000 * index for index in range(8))
STACKS, STACK_BYTES = 0x20000, 0x1000
MAPS = f"""\
{PYTHON:x}-{PYTHON + 0x1000:x} r-xp 00000000 08:01 1 /usr/bin/python3.11
{LIBC:x}-{LIBC + 0x1000:x} r-xp 00000000 08:01 2 /usr/lib/libc.so.6
{BLAS:x}-{BLAS + 0x1000:x} r-xp 00000000 08:01 3 /site-packages/libscipy_openblas64_-32a4b2a6.so
{POOL:x}-{POOL + 0x1000:x} r-xp 00000000 08:01 4 /site-packages/with space/_pool.abi3.so
{STDCXX:x}-{STDCXX + 0x1000:x} r-xp 00000000 08:01 5 /usr/lib/libstdc++.so.6.0.30
{ORT:x}-{ORT + 0x1000:x} r-xp 00000000 08:01 6 /site-packages/onnxruntime_pybind11_state.cpython-311.so
{NO_CODE:x}-{NO_CODE + 0x1000:x} r--p 00000000 08:01 6 /site-packages/_pool.abi3.so
{FORTRAN:x}-{FORTRAN + 0x1000:x} r-xp 00000000 08:01 7 /site-packages/numpy.libs/libgfortran-040039e1-0352e75f.so.5.0.0
"""


class FakeProc:
    """``/proc/self`` with a thread for each stack; a stack is the words that lie on it, ``None`` a running thread."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.memory, self.maps, self.count = folder, bytearray(), MAPS, 0
        (folder / "fd").mkdir()
        (folder / "comm").write_text("python\n")
        self.thread(None, tid=os.getpid())

    def thread(self, stack: list[int] | None, name: str = "python", tid: int | None = None, told: bool = True) -> int:
        """Where its stack begins."""
        self.count += 1
        low = STACKS + 2 * STACK_BYTES * self.count
        task = self.folder / "task" / str(tid or 10**9 + self.count)
        task.mkdir(parents=True)
        (task / "comm").write_text(f"{name}\n")
        if told:
            (task / "syscall").write_text("running\n" if stack is None else f"202 0x1 0x80 0x0 {low:#x} 0x10\n")
        self.maps += f"{low:x}-{low + STACK_BYTES:x} rw-p 00000000 00:00 0 \n"
        self.memory.extend(bytes(low + STACK_BYTES - len(self.memory)))
        words = stack or []
        self.memory[low : low + 8 * len(words)] = struct.pack(f"{len(words)}Q", *words)
        (self.folder / "maps").write_text(self.maps)
        (self.folder / "mem").write_bytes(self.memory)
        return low


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProc:
    monkeypatch.setattr(native_threads, "SPIN_S", 0.0)
    return FakeProc(tmp_path)


@pytest.mark.parametrize(
    ("threads", "lost"),
    [
        ([], []),
        ([[LIBC, BLAS]], []),
        ([[LIBC, BLAS, FORTRAN]], []),  # OpenBLAS is written in it
        ([[LIBC, POOL]], ["_pool"]),
        ([[7, LIBC, BLAS, POOL], [STDCXX, POOL + 8]], ["_pool"]),
        ([[LIBC, PYTHON]], []),  # faulthandler's watchdog
        ([[LIBC, NO_CODE]], []),  # a library's data is none of its code
        ([[0, 7]], ["python"]),  # nothing is known of it: not safe
        ([[LIBC, ORT]], []),  # importing it starts one
        ([[LIBC, ORT], [LIBC, ORT]], ["onnxruntime_pybind11_state"]),
        ([None], [RUNNING]),
    ],
    ids=[
        "alone", "openblas", "fortran", "pool", "pools", "watchdog", "data", "unknown", "imported", "a session",
        "spins",
    ],
)  # fmt: skip
def test_a_thread_belongs_to_the_library_whose_code_is_on_its_stack(proc: FakeProc, threads, lost) -> None:
    for stack in threads:
        proc.thread(stack)
    assert left_behind(proc.folder) == lost


def test_pythons_own_threads_are_judged_elsewhere(proc: FakeProc) -> None:
    low = proc.thread([LIBC, PYTHON, POOL])
    assert left_behind(proc.folder) == ["_pool"]
    assert left_behind(proc.folder, [low + STACK_BYTES - 0x40]) == []
    assert left_behind(proc.folder, [low - 8, low + STACK_BYTES]) == ["_pool"]


def test_what_lies_beyond_a_threads_own_descriptor_is_anothers(proc: FakeProc) -> None:
    low = STACKS + 2 * STACK_BYTES * (proc.count + 1)
    descriptor = low + 2 * 8
    assert proc.thread([LIBC, BLAS, descriptor, 0, descriptor, POOL]) == low
    assert left_behind(proc.folder) == []


def test_jemallocs_thread_comes_back_by_itself(proc: FakeProc) -> None:
    proc.thread([LIBC, POOL], name="jemalloc_bg_thd")
    assert left_behind(proc.folder) == []


def test_a_kernel_that_hides_system_calls_leaves_the_names(proc: FakeProc) -> None:
    proc.thread([LIBC, POOL], told=False)
    assert left_behind(proc.folder) == [], "OpenBLAS's have the process's own name"
    proc.thread([LIBC, POOL], name="tf_XLAEigen", told=False)
    assert left_behind(proc.folder) == ["tf_XLAEigen"]
    (proc.folder / "maps").unlink()
    assert left_behind(proc.folder) == [], "told nothing at all"


PLAIN = (
    "import numpy; numpy.ones((400, 400)) @ numpy.ones((400, 400))",
    "import scipy.linalg, numpy; scipy.linalg.svd(numpy.ones((200, 200)))",
    "import torch",
    "import onnxruntime, onnx, matplotlib, PIL.Image, psutil, requests, pydantic, rich.live",
)
POOLS = {
    "libgomp": "import torch; torch.ones(400, 400) @ torch.ones(400, 400)",
    "libjax_common": "import jax.numpy; X = jax.numpy.ones(3)",
    "onnxruntime_pybind11_state": """
import onnxruntime, numpy as np
from onnx import TensorProto as T, helper
x, y = (helper.make_tensor_value_info(name, T.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "g", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 3
S = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
""",
}  # fmt: skip
LOST = "threads have been started that would be missing after a fork ({})"


def asked(code: str) -> str:
    ask = f"{code}\nfrom tailgate.processes.fork_safety import unsafe_still\nprint(unsafe_still())"
    return printed(ask).splitlines()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")
@pytest.mark.parametrize("code", PLAIN)
def test_plain_libraries_are_forked(code: str) -> None:
    assert asked(code) == "None"


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")
@pytest.mark.parametrize("library", POOLS)
def test_a_librarys_own_pool_is_not_forked(library: str) -> None:
    assert asked(POOLS[library]) == LOST.format(library)
