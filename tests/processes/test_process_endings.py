"""How processes end: what an exit status, an output and an exception mean, and what counts as measured."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tailgate.machine import out_of_memory
from tailgate.processes import endings
from tailgate.processes.attempt import Attempt, tail
from tailgate.processes.endings import Ending, of_exit, signal_name, where, without_pytest

FAULT = """\
Fatal Python error: Segmentation fault

Thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 320 in wait

Current thread 0x00007e (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "/project/test_a.py", line 15 in test_sigsegv
  File "/venv/_pytest/python.py", line 157 in pytest_pyfunc_call
  File "/venv/pluggy/_callers.py", line 121 in _multicall
  File "/venv/bin/pytest", line 8 in <module>

Extension modules: numpy
"""


@pytest.mark.parametrize(
    ("status", "oom_kills", "output", "peak_bytes", "expected", "reason"),
    [
        (0, 0, "", None, "crashed", "crashed: the process ended itself with exit code 0 in its test"),
        (3, 0, FAULT, 2**20, "crashed", "crashed: the process ended itself with exit code 3 in its test"),
        (-signal.SIGSEGV, 0, FAULT, 2**20, "crashed", "crashed: SIGSEGV in string_at (__init__.py:519)"),
        (-signal.SIGSEGV, 0, "", None, "crashed", "crashed: SIGSEGV"),
        (-signal.SIGSEGV, 1, FAULT, None, "crashed", "crashed: SIGSEGV in string_at (__init__.py:519)"),
        (-signal.SIGSEGV, 0, "Cannot allocate memory", None, "crashed", "crashed: SIGSEGV"),
        (-signal.SIGTERM, 0, "", None, "crashed", "crashed: SIGTERM"),
        (-60, 0, "", None, "crashed", "crashed: signal 60"),
        (
            -signal.SIGABRT, 0, "terminate called after throwing an instance of 'std::bad_alloc'", None,
            "oom", "oom: an allocation failed and the process ended with SIGABRT",
        ),
        (-signal.SIGABRT, 0, "assertion failed", None, "crashed", "crashed: SIGABRT"),
        (
            -signal.SIGKILL, 1, "", 9312 * 2**20,
            "oom", "oom: the kernel's out-of-memory killer ended the process at 9312 MiB",
        ),
        (-signal.SIGKILL, 2, "", None, "oom", "oom: the kernel's out-of-memory killer ended the process"),
        (
            -signal.SIGKILL, 0, "", 31 * 2**20,
            "crashed", "crashed: SIGKILL from outside at 31 MiB (a person, a service, or the out-of-memory killer of "
            "an outer container, which cannot be seen from here)",
        ),
    ],
)  # fmt: skip
def test_an_exit_status_is_told_by_name(
    status: int, oom_kills: int, output: str, peak_bytes: int | None, expected: str, reason: str
) -> None:
    ending = of_exit(status, oom_kills=oom_kills, output=output, peak_rss_bytes=peak_bytes)
    assert (ending.status, ending.reason) == (expected, reason)


@pytest.mark.parametrize("number", [*range(1, 32), 34, 63, 64, 99])
def test_every_signal_has_a_name_of_one_word_or_a_number(number: int) -> None:
    name = signal_name(number)
    assert name in (f"signal {number}", getattr(signal.Signals._value2member_map_.get(number), "name", None))


def test_the_place_of_a_fault_is_the_current_threads_innermost_frame() -> None:
    assert where(FAULT) == " in string_at (__init__.py:519)"
    assert where(FAULT + FAULT.replace("519", "7")) == " in string_at (__init__.py:7)"
    assert where("") == where("nothing of the kind") == ""


def test_a_fault_is_shown_without_pytests_own_frames() -> None:
    shown = without_pytest(FAULT)
    assert "line 15 in test_sigsegv" in shown
    assert "line 320 in wait" in shown
    assert not [text for text in ("_pytest", "pluggy", "bin/pytest") if text in shown]
    assert shown.endswith("Extension modules: numpy\n")
    assert without_pytest("plain output\n") == "plain output\n"


class OutOfMemoryError(RuntimeError):
    """As torch's."""


class RuntimeException(Exception):
    """As ONNX Runtime's: no ``RuntimeError``."""

    __module__ = "onnxruntime.capi.onnxruntime_pybind11_state"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("[defaultAllocator.cpp::allocate::19] Error Code 1: Cuda Runtime (out of memory)"), True),
        (RuntimeError("[executionContext.cpp::470] Error Code 2: OutOfMemory (no further information)"), True),
        (RuntimeError("Requested amount of GPU memory (17920000000 bytes) could not be allocated."), True),
        (RuntimeException("AllocateRawInternal Failed to allocate memory for requested buffer of size 8"), True),
        (RuntimeException("Available memory of 0 is smaller than requested bytes of 97517568"), True),
        (RuntimeException("[ONNXRuntimeError] : 6 : Non-zero status code returned while running Conv node"), False),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (OSError(12, "Cannot allocate memory"), True),
        (OSError(28, "No space left on device"), False),
        (ValueError("limit: out of memory budget"), False),
        (AssertionError("MemoryError"), False),
        (RuntimeError("no memory of that"), False),
    ],
    ids=repr,
)
def test_an_exception_that_speaks_of_memory_is_judged_by_its_type_and_known_words(
    error: BaseException, expected: bool
) -> None:
    assert out_of_memory.is_out_of_memory(error) is expected


def test_the_kernels_count_of_its_killings_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_memory, "VMSTAT", tmp_path / "vmstat")
    assert out_of_memory.oom_kills() is None
    (tmp_path / "vmstat").write_text("pgfault 12\noom_kill 3\ndrop_pagecache 0\n")
    assert out_of_memory.oom_kills() == 3
    (tmp_path / "vmstat").write_text("pgfault 12\n")
    assert out_of_memory.oom_kills() is None


def test_the_end_of_an_output_is_kept_and_says_what_is_not(tmp_path: Path) -> None:
    with (tmp_path / "output").open("w+b") as output:
        output.write("0123456789é".encode())
        output.flush()
        assert tail(output.fileno()) == "0123456789é"
        assert tail(output.fileno(), 3) == "(the first 9 bytes are left out)\n9é"
        assert tail(output.fileno(), 1) == "(the first 11 bytes are left out)\n\N{REPLACEMENT CHARACTER}"
        assert output.tell() == 12, "where the process goes on writing"


ROW: dict[str, Any] = {"extra_info": {}, "data": [1.0]}


@pytest.mark.parametrize(
    ("reports", "rows", "measured"),
    [
        ([], [], False),
        ([], [ROW], True),
        (["passed", "passed", "passed"], [ROW], True),
        (["passed", "passed", "passed"], [], False),
        (["passed", "failed", "passed"], [ROW], False),
        (["passed", "passed", "failed"], [ROW], False),
        (["skipped"], [], False),
    ],
)
def test_measured_is_what_has_a_row_and_passed(reports: list[str], rows: list[Any], measured: bool) -> None:
    made = Attempt(reports=[{"outcome": outcome} for outcome in reports], rows=rows)
    assert made.measured is measured
    made.ending = Ending("crashed", "crashed: SIGABRT")  # in its teardown
    assert not made.measured
    assert not Attempt(rows=[ROW], final_message={"internal_error": "Traceback"}).measured


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({}, None),
        ({"status": "ok"}, None),
        ({"status": "contended", "warnings": ["short", "contended: by others"]}, "contended: by others"),
        ({"status": "contended"}, "contended"),
        ({"status": "throttled", "warnings": ["throttled: hot"]}, None),
    ],
)
def test_a_contended_attempt_says_why(info: dict[str, Any], reason: str | None) -> None:
    assert Attempt(rows=[{"extra_info": info, "data": [1.0]}]).contended == reason


def test_one_port_for_several_processes_has_a_hint() -> None:
    hint = endings.at_once_hint("OSError: [Errno 98] Address already in use")
    assert hint == "; several processes of this benchmark are alive at once: let each take a free port (bind port 0)"
    assert endings.at_once_hint("OSError: [Errno 2] No such file or directory") == ""
