"""The few calls we make of NVML: nothing else here knows ``pynvml``.

``pynvml`` is nvidia-ml-py, NVIDIA's own ctypes bindings; it is imported when boards are opened, and each call releases
the interpreter's lock. What the calls mean: NVIDIA, "NVML API Reference Guide", docs.nvidia.com/deploy/nvml-api.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tailgate.nvml.board import Boards, Identity, NvmlError, UnsupportedError

DRIVER = Path("/proc/driver/nvidia/version")
"""There while NVIDIA's kernel module is loaded (Linux)."""
CONTROL = Path("/dev/nvidiactl")
"""There where the driver can be talked to; a sandboxed kernel (gVisor) has this, and not the other."""
INSTALL = "pip install nvidia-ml-py"
NAMES = (
    "NVMLError", "NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_NO_PERMISSION", "NVML_ERROR_INVALID_ARGUMENT",
    "NVML_ERROR_FUNCTION_NOT_FOUND", "NVML_ERROR_NOT_FOUND", "NVML_ERROR_UNINITIALIZED", "NVML_ERROR_DRIVER_NOT_LOADED",
    "NVML_ERROR_LIBRARY_NOT_FOUND", "NVML_ERROR_GPU_IS_LOST", "NVML_ERROR_RESET_REQUIRED", "NVML_SUCCESS",
    "NVML_FI_DEV_POWER_INSTANT",
    "NVML_TEMPERATURE_GPU", "NVML_CLOCK_SM", "NVML_CLOCK_MEM", "nvmlInit", "nvmlShutdown", "nvmlDeviceGetCount",
    "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetUUID", "nvmlDeviceGetName",
    "nvmlDeviceGetMigMode", "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetPowerUsage", "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetPerformanceState",
)  # fmt: skip
"""All that is used of ``pynvml``, but for the calls that have two names; a test looks for each in the real one."""
INSTANT_WINDOW_S = 0.1
"""How often the reading is renewed, taken for every board: "approximately every 100 ms on NVIDIA GPUs", ML.ENERGY,
"Thermally Stable Profiling for Accurate GPU Energy Measurement"."""
AVERAGE_WINDOW_S = 1.0
"""nvmlDeviceGetPowerUsage's, "on Ampere (except GA100) or newer"; on older boards it is instantaneous, which we cannot
count on."""


class NvmlBoard:
    """A real one; :class:`Board` says what each method gives."""

    def __init__(self, library: Any, identity: Identity, handle: Any, own: Any) -> None:
        """From ``pynvml`` and its handles.

        ``handle`` is the board's; ``own`` is the MIG instance's, or the board's, or ``None``: which instance is ours is
        not known.
        """
        self.identity = identity
        self._nvml, self._handle, self._own = library, handle, own
        self._instant: bool | None = None
        self._old: set[str] = set()

    def power_w(self) -> float:
        """Instantaneous where the driver has that, else as nvmlDeviceGetPowerUsage averages it."""
        self._whole("power")
        if self._instant is not False:
            try:
                watts = self._instant_power_w()
            except UnsupportedError:
                self._instant = False
            else:
                self._instant = True
                return watts
        return float(self._ask("nvmlDeviceGetPowerUsage", self._handle)) / 1e3

    def power_window_s(self) -> float:
        """Of the kind of reading that was had."""
        return INSTANT_WINDOW_S if self._instant else AVERAGE_WINDOW_S

    def _instant_power_w(self) -> float:
        (found,) = self._ask("nvmlDeviceGetFieldValues", self._handle, [self._nvml.NVML_FI_DEV_POWER_INSTANT])
        if found.nvmlReturn != self._nvml.NVML_SUCCESS:
            raise _ours(self._nvml, self._nvml.NVMLError(found.nvmlReturn))
        return float(found.value.uiVal) / 1e3

    def energy_j(self) -> float:
        """Millijoules, in NVML."""
        self._whole("energy")
        return float(self._ask("nvmlDeviceGetTotalEnergyConsumption", self._handle)) / 1e3

    def temperature_c(self) -> float:
        """Whole degrees."""
        sensor = self._nvml.NVML_TEMPERATURE_GPU
        return float(self._either("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature", self._handle, sensor))

    def sm_clock_hz(self) -> float:
        """Whole megahertz, in NVML."""
        return float(self._ask("nvmlDeviceGetClockInfo", self._handle, self._nvml.NVML_CLOCK_SM)) * 1e6

    def memory_clock_hz(self) -> float:
        """Whole megahertz, in NVML."""
        return float(self._ask("nvmlDeviceGetClockInfo", self._handle, self._nvml.NVML_CLOCK_MEM)) * 1e6

    def utilization(self) -> tuple[float, float]:
        """Whole percents, in NVML."""
        self._whole("utilisation")
        found = self._ask("nvmlDeviceGetUtilizationRates", self._handle)
        return found.gpu / 100, found.memory / 100

    def memory_used_bytes(self) -> int:
        """By the first form of the call, which every driver has; it counts what is reserved as used."""
        if self._own is None:
            raise UnsupportedError("which of the board's MIG instances is ours is not known")
        return int(self._ask("nvmlDeviceGetMemoryInfo", self._own).used)

    def process_memory_bytes(self, pid: int) -> int:
        """From the list of processes that compute there."""
        for one in self._ask("nvmlDeviceGetComputeRunningProcesses", self._own or self._handle):
            if one.pid == pid and one.usedGpuMemory is not None:
                return int(one.usedGpuMemory)
        raise UnsupportedError("the driver does not list this process (in a container it knows others' numbers)")

    def pstate(self) -> int:
        """32: the driver does not know."""
        return int(self._ask("nvmlDeviceGetPerformanceState", self._handle))

    def slowdowns(self) -> int:
        """By the call's name since R535, or the one before."""
        names = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
        return int(self._either(*names, self._handle))

    def _either(self, name: str, old: str, *arguments: Any) -> Any:
        """A call that was given another name: an old driver, or an old ``pynvml``, has not the new one."""
        if name not in self._old and hasattr(self._nvml, name):
            try:
                return self._ask(name, *arguments)
            except UnsupportedError:
                self._old.add(name)
        if not hasattr(self._nvml, old):
            raise UnsupportedError("unknown to this driver")
        return self._ask(old, *arguments)

    def _whole(self, what: str) -> None:
        if self.identity.mig:
            raise UnsupportedError(f"the board is partitioned (MIG), and its {what} is that of all instances")

    def _ask(self, name: str, *arguments: Any) -> Any:
        return _call(self._nvml, name, *arguments)


class NvmlBoards:
    """The real ones."""

    def __init__(self, library: Any) -> None:
        self._nvml = library

    def listed(self) -> list[Identity]:
        """Every board that this process may see."""
        count = _call(self._nvml, "nvmlDeviceGetCount")
        return [self._identity(_call(self._nvml, "nvmlDeviceGetHandleByIndex", index)) for index in range(count)]

    def board(self, identity: Identity) -> NvmlBoard:
        """By its UUID; an instance, too."""
        handle = _call(self._nvml, "nvmlDeviceGetHandleByUUID", identity.uuid)
        if identity.uuid.startswith("MIG-"):
            board = _call(self._nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", handle)
            return NvmlBoard(self._nvml, identity, board, handle)
        return NvmlBoard(self._nvml, identity, handle, None if identity.mig else handle)

    def close(self) -> None:
        """NVML counts who has opened it."""
        try:
            _call(self._nvml, "nvmlShutdown")
        except (NvmlError, UnsupportedError):
            return  # the driver has gone before us: there is nothing left to close

    def _identity(self, handle: Any) -> Identity:
        try:
            mig = bool(_call(self._nvml, "nvmlDeviceGetMigMode", handle)[0])
        except UnsupportedError:
            mig = False
        uuid, name = (_call(self._nvml, name, handle) for name in ("nvmlDeviceGetUUID", "nvmlDeviceGetName"))
        return Identity(_text(uuid), _text(name), mig)


def there_may_be_boards() -> bool:
    """Whether a driver is there; nothing is imported or opened for that."""
    return DRIVER.exists() or CONTROL.exists()


def open_boards() -> Boards:
    """NVML of this machine.

    Raises:
        NvmlError: no package, no library, or no driver; one line, with the command that helps where there is one.
    """
    try:
        import pynvml
    except ImportError:
        raise NvmlError(f"the package nvidia-ml-py is not installed: {INSTALL}") from None
    missing = [name for name in NAMES if not hasattr(pynvml, name)]
    if missing:
        raise NvmlError(f"the installed pynvml lacks {', '.join(missing)}: {INSTALL} --upgrade")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NvmlError(f"NVML cannot be used here ({error}): is NVIDIA's driver installed and loaded?") from None
    return NvmlBoards(pynvml)


def _call(library: Any, name: str, *arguments: Any) -> Any:
    try:
        return getattr(library, name)(*arguments)
    except library.NVMLError as error:
        raise _ours(library, error) from None


def _ours(library: Any, error: Any) -> Exception:
    """NVML's error as one of our two kinds: a value that is not told, or a board that is gone.

    Gone is what NVML calls so; any other error is of the call that gave it. A driver that is passed through to a
    container or a virtual machine may answer some calls with ``Unknown Error`` and all others as it should.
    """
    gone = {
        library.NVML_ERROR_UNINITIALIZED,
        library.NVML_ERROR_DRIVER_NOT_LOADED,
        library.NVML_ERROR_LIBRARY_NOT_FOUND,
        library.NVML_ERROR_GPU_IS_LOST,
        library.NVML_ERROR_RESET_REQUIRED,
    }
    untold = {
        library.NVML_ERROR_NOT_SUPPORTED: "not supported",
        library.NVML_ERROR_NO_PERMISSION: "no permission",
        library.NVML_ERROR_INVALID_ARGUMENT: "unknown to this driver",
        library.NVML_ERROR_FUNCTION_NOT_FOUND: "unknown to this driver",
        library.NVML_ERROR_NOT_FOUND: "not found",
    }
    code = getattr(error, "value", None)
    if code is None or code in gone:
        return NvmlError(f"NVML: {error}")
    return UnsupportedError(untold.get(code, f"NVML: {error}"))


def _text(found: Any) -> str:
    """Releases before 11.510 gave bytes."""
    return found.decode() if isinstance(found, bytes) else str(found)
