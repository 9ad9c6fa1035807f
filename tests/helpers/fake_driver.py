"""NVIDIA's driver library that is not there, behind the real bindings: symbols of ``libnvidia-ml.so`` in Python.

``pynvml`` looks each call up by its C name and fills its own structures; so what it raises where a driver lacks a name,
or refuses one, is its own.
"""

import pynvml
import pytest

UUID = "GPU-aaaa1111-0000"
OK, NOT_FOUND, INSUFFICIENT_SIZE, FUNCTION_NOT_FOUND = 0, 6, 7, 13


def _set(**values):
    def call(_handle, *arguments):
        target = arguments[-1]._obj
        for name, value in values.items():
            setattr(target, name, value)
        return OK

    return call


def _text(text: str):
    def call(_handle, buffer, _length):
        buffer.value = text.encode()
        return OK

    return call


def _count(count):
    count._obj.value = 1
    return OK


def _by_index(_index, _found):
    return OK


def _by_uuid(uuid, _found):
    return OK if uuid.value == UUID.encode() else NOT_FOUND


def _mig(_handle, current, pending):
    current._obj.value = pending._obj.value = 0
    return OK


def _field_values(_handle, _count, values):
    values._obj[0].nvmlReturn, values._obj[0].value.uiVal = OK, 80_250
    return OK


def _processes(_handle, count, processes):
    if processes is None:
        count._obj.value = 1
        return INSUFFICIENT_SIZE
    processes[0].pid, processes[0].usedGpuMemory, count._obj.value = 4711, 2**20, 1
    return OK


SYMBOLS = {
    "nvmlInitWithFlags": lambda flags: OK,
    "nvmlShutdown": lambda: OK,
    "nvmlDeviceGetCount_v2": _count,
    "nvmlDeviceGetHandleByIndex_v2": _by_index,
    "nvmlDeviceGetHandleByUUID": _by_uuid,
    "nvmlDeviceGetUUID": _text(UUID),
    "nvmlDeviceGetName": _text("NVIDIA L4"),
    "nvmlDeviceGetMigMode": _mig,
    "nvmlDeviceGetFieldValues": _field_values,
    "nvmlDeviceGetPowerUsage": _set(value=71_500),
    "nvmlDeviceGetTotalEnergyConsumption": _set(value=5_000),
    "nvmlDeviceGetTemperatureV": _set(temperature=61),
    "nvmlDeviceGetTemperature": _set(value=61),
    "nvmlDeviceGetClockInfo": _set(value=1980),
    "nvmlDeviceGetUtilizationRates": _set(gpu=90, memory=40),
    "nvmlDeviceGetMemoryInfo": _set(used=3 * 2**30),
    "nvmlDeviceGetComputeRunningProcesses_v3": _processes,
    "nvmlDeviceGetComputeRunningProcesses_v2": _processes,
    "nvmlDeviceGetPerformanceState": _set(value=0),
    "nvmlDeviceGetCurrentClocksEventReasons": _set(value=0x4),
    "nvmlDeviceGetCurrentClocksThrottleReasons": _set(value=0x4),
}
"""C name -> what a healthy L4 answers."""


def use(patch: pytest.MonkeyPatch, without: tuple[str, ...] = (), **instead) -> None:
    """Let ``pynvml`` find this driver, without some names; ``instead``: other functions, or an error code."""

    def found(name: str):
        if name in without:
            raise pynvml.NVMLError(FUNCTION_NOT_FOUND)
        function = instead.get(name, SYMBOLS[name])
        return (lambda *_: function) if isinstance(function, int) else function

    patch.setattr(pynvml, "_LoadNvmlLibrary", lambda: None)
    patch.setattr(pynvml, "_nvmlGetFunctionPointer", found)
