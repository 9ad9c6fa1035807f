"""The few calls we make of NVML: nothing else here knows ``pynvml``.

``pynvml`` is nvidia-ml-py, NVIDIA's own ctypes bindings; it is imported when boards are opened, and each call releases
the interpreter's lock. What the calls mean: NVIDIA, "NVML API Reference Guide", docs.nvidia.com/deploy/nvml-api.
"""

from pathlib import Path
from typing import Any

from tailgate.machine.nvml import calls
from tailgate.machine.nvml.board import BY_INDEX, UNKNOWN, Identity, NvmlError, UnsupportedError

DRIVER = Path("/proc/driver/nvidia/version")
"""There while NVIDIA's kernel module is loaded (Linux)."""
CONTROL = Path("/dev/nvidiactl")
"""There where the driver can be talked to; a sandboxed kernel (gVisor) has this, and not the other."""
NEEDED = ("NVMLError", "nvmlInit", "nvmlShutdown", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex")
"""Without these there is no board; whatever else a ``pynvml`` or a driver lacks costs its own reading."""
OLDER = {
    "nvmlDeviceGetTemperatureV": ("nvmlDeviceGetTemperature",),
    "nvmlDeviceGetCurrentClocksEventReasons": ("nvmlDeviceGetCurrentClocksThrottleReasons",),
    "nvmlDeviceGetComputeRunningProcesses": ("nvmlDeviceGetComputeRunningProcesses_v2",),
}
"""Call -> what it was called before, newest first. The last one is _v3 in the driver (R510); ``pynvml`` raises an error
of its own, which is no ``NVMLError``, where the driver lacks it."""
NAMES = (
    *NEEDED, *OLDER, *(name for older in OLDER.values() for name in older), "NVML_FI_DEV_POWER_INSTANT",
    "NVML_TEMPERATURE_GPU", "NVML_CLOCK_SM", "NVML_CLOCK_MEM",
    "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetUUID", "nvmlDeviceGetName",
    "nvmlDeviceGetMigMode", "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetPowerUsage", "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetPerformanceState",
)  # fmt: skip
"""All that is used of ``pynvml``; a test looks for each in the real one."""
INSTANT_WINDOW_S = 0.1
"""How often the reading is renewed, taken for every board: "approximately every 100 ms on NVIDIA GPUs", ML.ENERGY,
"Thermally Stable Profiling for Accurate GPU Energy Measurement"."""
AVERAGE_WINDOW_S = 1.0
"""nvmlDeviceGetPowerUsage's, "on Ampere (except GA100) or newer"; on older boards it is instantaneous, which we cannot
count on."""


class NvmlBoard:
    """One board's readings.

    Each method raises UnsupportedError where the board never reports the value, UnreadError where it did not report it
    now, and NvmlError where it, or its driver, is gone.
    """

    def __init__(self, library: Any, identity: Identity, handle: Any, own: Any) -> None:
        """Take ``pynvml`` and its handles.

        ``handle`` is the board's; ``own`` is the MIG instance's, or the board's, or ``None``: which instance is ours is
        not known.
        """
        self.identity = identity
        self._nvml, self._handle, self._own = library, handle, own
        self._instant: bool | None = None
        self._names: dict[str, str] = {}

    def power_w(self) -> float:
        """The board's draw in watts, memory included: instantaneous where the driver has that, else averaged."""
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
        """Over how many seconds the reading of :meth:`power_w` looks back."""
        return INSTANT_WINDOW_S if self._instant else AVERAGE_WINDOW_S

    def _instant_power_w(self) -> float:
        (found,) = self._ask("nvmlDeviceGetFieldValues", self._handle, [self._number("NVML_FI_DEV_POWER_INSTANT")])
        if found.nvmlReturn:
            raise calls.translated(self._nvml.NVMLError(found.nvmlReturn))
        return float(found.value.uiVal) / 1e3

    def energy_j(self) -> float:
        """Joules since the driver was loaded, counted by the board (in millijoules)."""
        self._whole("energy")
        return float(self._ask("nvmlDeviceGetTotalEnergyConsumption", self._handle)) / 1e3

    def temperature_c(self) -> float:
        """The temperature of the GPU's die, in whole degrees Celsius."""
        return float(self._ask("nvmlDeviceGetTemperatureV", self._handle, self._number("NVML_TEMPERATURE_GPU")))

    def sm_clock_hz(self) -> float:
        """The clock of the streaming multiprocessors now, in hertz (whole megahertz in NVML)."""
        return float(self._ask("nvmlDeviceGetClockInfo", self._handle, self._number("NVML_CLOCK_SM"))) * 1e6

    def memory_clock_hz(self) -> float:
        """The clock of the memory now, in hertz (whole megahertz in NVML)."""
        return float(self._ask("nvmlDeviceGetClockInfo", self._handle, self._number("NVML_CLOCK_MEM"))) * 1e6

    def utilization(self) -> tuple[float, float]:
        """Shares of the last sample period (1/6 to 1 s) in which a kernel ran, and in which memory was used."""
        self._whole("utilisation")
        found = self._ask("nvmlDeviceGetUtilizationRates", self._handle)
        return found.gpu / 100, found.memory / 100

    def memory_used_bytes(self) -> int:
        """Bytes used on the board (on the instance, under MIG) by all processes and the driver."""
        if self._own is None:
            raise UnsupportedError("which of the board's MIG instances is ours is not known")
        return int(self._ask("nvmlDeviceGetMemoryInfo", self._own).used)

    def process_memory_bytes(self, pid: int) -> int:
        """Bytes used by one process, from the driver's list of computing processes."""
        for one in self._ask("nvmlDeviceGetComputeRunningProcesses", self._own or self._handle):
            if one.pid == pid and one.usedGpuMemory is not None:
                return int(one.usedGpuMemory)
        raise UnsupportedError("the driver does not list this process (in a container it knows others' numbers)")

    def pstate(self) -> int:
        """The performance state: 0 is the fastest, 15 the slowest; 32: the driver does not know."""
        return int(self._ask("nvmlDeviceGetPerformanceState", self._handle))

    def slowdowns(self) -> int:
        """The driver's bits for what holds the clocks down now (:mod:`tailgate.machine.nvml.slowdowns`)."""
        return int(self._ask("nvmlDeviceGetCurrentClocksEventReasons", self._handle))

    def _whole(self, what: str) -> None:
        if self.identity.mig:
            raise UnsupportedError(f"the board is partitioned (MIG), and its {what} is that of all instances")

    def _ask(self, name: str, *arguments: Any) -> Any:
        """Call the newest name that answers, and that one from then on."""
        problems = []
        for known in (self._names[name],) if name in self._names else (name, *OLDER.get(name, ())):
            try:
                found = calls.call(self._nvml, known, *arguments)
            except UnsupportedError as error:
                problems.append(error)
            else:
                self._names[name] = known
                return found
        raise problems[0]

    def _number(self, name: str) -> int:
        return int(calls.attribute(self._nvml, name))


class NvmlBoards:
    """An open NVML."""

    def __init__(self, library: Any) -> None:
        self._nvml = library

    def listed(self) -> list[Identity]:
        """Every board that this process may see, by the PCI bus; one that cannot be opened keeps its place."""
        return [self._identified(index)[0] for index in range(calls.call(self._nvml, "nvmlDeviceGetCount"))]

    def board(self, identity: Identity) -> NvmlBoard:
        """Open a board, or a MIG instance, by its UUID."""
        if identity.uuid.startswith("MIG-"):
            handle = calls.call(self._nvml, "nvmlDeviceGetHandleByUUID", identity.uuid)
            board = calls.call(self._nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", handle)
            return NvmlBoard(self._nvml, identity, board, handle)
        handle = self._handle(identity.uuid)
        return NvmlBoard(self._nvml, identity, handle, None if identity.mig else handle)

    def close(self) -> None:
        """NVML counts who has opened it."""
        try:
            calls.call(self._nvml, "nvmlShutdown")
        except (NvmlError, UnsupportedError):
            return  # the driver has gone before us: there is nothing left to close

    def _handle(self, uuid: str) -> Any:
        """A handle from NVML itself, or from the one of all boards with this UUID."""
        try:
            return calls.call(self._nvml, "nvmlDeviceGetHandleByUUID", uuid)
        except UnsupportedError:
            for index in range(calls.call(self._nvml, "nvmlDeviceGetCount")):
                identity, handle = self._identified(index)
                if identity.uuid == uuid and not identity.problem:
                    return handle
            raise

    def _identified(self, index: int) -> tuple[Identity, Any]:
        try:
            handle = calls.call(self._nvml, "nvmlDeviceGetHandleByIndex", index)
        except (NvmlError, UnsupportedError) as error:
            return Identity(f"{BY_INDEX}{index}", UNKNOWN, problem=str(error)), None
        mig = self._or(None, "nvmlDeviceGetMigMode", handle)
        uuid = calls.text(self._or(f"{BY_INDEX}{index}", "nvmlDeviceGetUUID", handle))
        return Identity(uuid, calls.text(self._or(UNKNOWN, "nvmlDeviceGetName", handle)), bool(mig and mig[0])), handle

    def _or(self, otherwise: Any, name: str, handle: Any) -> Any:
        try:
            return calls.call(self._nvml, name, handle)
        except (NvmlError, UnsupportedError):
            return otherwise


def there_may_be_boards() -> bool:
    """Whether a driver is there; nothing is imported or opened for that."""
    return DRIVER.exists() or CONTROL.exists()


def open_boards() -> NvmlBoards:
    """NVML of this machine.

    Raises:
        NvmlError: no package, no library, or no driver; one line, with the command that helps where there is one.
    """
    try:
        import pynvml
    except ImportError:
        raise NvmlError(f"the package nvidia-ml-py is not installed: {calls.INSTALL}") from None
    missing = [name for name in NEEDED if not hasattr(pynvml, name)]
    if missing:
        raise NvmlError(f"the installed pynvml lacks {', '.join(missing)}: {calls.INSTALL} --upgrade")
    try:
        calls.call(pynvml, "nvmlInit")
    except (NvmlError, UnsupportedError) as error:
        said = str(error).removeprefix("NVML: ")
        raise NvmlError(f"NVML cannot be used here ({said}): is NVIDIA's driver installed and loaded?") from None
    return NvmlBoards(pynvml)
