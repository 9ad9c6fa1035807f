"""One hardware event, counted by the kernel around a short loop: the proof that counters work.

``perf_event_open`` has no wrapper in the C library; the structure is the first published version of
``perf_event_attr`` (64 bytes), which every kernel understands.
"""

import ctypes
import os
import platform
import sys

EVENTS = {"cycles": 0, "instructions": 1, "branches": 4, "branch-misses": 5, "cache-references": 2, "cache-misses": 3}
"""``PERF_COUNT_HW_*`` by the names that ``perf list`` uses."""

_SYSCALLS = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}
_EXCLUDE_KERNEL_AND_HYPERVISOR = 1 << 5 | 1 << 6
_LOOPS = 10_000


class _Attributes(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("config", ctypes.c_uint64),
        ("sample_period", ctypes.c_uint64),
        ("sample_type", ctypes.c_uint64),
        ("read_format", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("wakeup_events", ctypes.c_uint32),
        ("bp_type", ctypes.c_uint32),
        ("config1", ctypes.c_uint64),
    ]


def count(event: int) -> int:
    """Events of this thread in user space during a short loop.

    Raises:
        OSError: the kernel refuses, and ``errno`` says why; or the system call's number is not known to us.
    """
    number = _SYSCALLS.get(platform.machine())
    if number is None or sys.platform != "linux":
        raise OSError(f"we do not know its number on {platform.machine()}")
    attributes = _Attributes(size=64, config=event, flags=_EXCLUDE_KERNEL_AND_HYPERVISOR)
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    this_thread, any_cpu, no_group, close_on_exec = 0, -1, -1, 8
    arguments = (ctypes.c_long(value) for value in (this_thread, any_cpu, no_group, close_on_exec))
    descriptor = syscall(ctypes.c_long(number), ctypes.byref(attributes), *arguments)
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    try:
        for _ in range(_LOOPS):
            pass
        return int.from_bytes(os.read(descriptor, 8), sys.byteorder)
    finally:
        os.close(descriptor)
