"""What holds a GPU's clocks down: the driver's bits in words, and which of them spoil a measurement.

The bits are ``nvmlClocksEventReason*`` of nvml.h (before R535: ``nvmlClocksThrottleReason*``, the same values); a test
compares them with the installed ``pynvml``.
"""

REASONS = {
    0x001: "gpu_idle",
    0x002: "applications_clocks_setting",
    0x004: "sw_power_cap",
    0x008: "hw_slowdown",
    0x010: "sync_boost",
    0x020: "sw_thermal_slowdown",
    0x040: "hw_thermal_slowdown",
    0x080: "hw_power_brake",
    0x100: "display_clock_setting",
    0x200: "board_limit",
    0x400: "reliability",
}
HARMFUL = ("hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake")
"""Heat, or a failing supply: the board does less than it is made for, and less than it will when this is mended.

Not the clocks that somebody has set, idleness, or the boost of a group: these are how the board is meant to run. And
not ``sw_power_cap``: a board at its power limit is where its maker wants it under load; its share is told apart."""
PASSING = "hw_slowdown"
"""By itself it may be "also reported during PState or clock change" (DCGM's field constants): one reading proves
nothing."""
CAP = "sw_power_cap"
REMEDIES = {
    "hw_slowdown": "look after its cooling and its power supply",
    "sw_thermal_slowdown": "let it cool, cool it better, or lock lower clocks (nvidia-smi --lock-gpu-clocks)",
    "hw_thermal_slowdown": "let it cool, cool it better, or lock lower clocks (nvidia-smi --lock-gpu-clocks)",
    "hw_power_brake": "the machine's power supply told the board to slow down: look after it",
}


def names(bits: int) -> tuple[str, ...]:
    """Names of the bits that are set, lowest first; a bit we do not know is ``unknown_0x800``."""
    found = []
    bit = 1
    while bit <= bits:
        if bits & bit:
            found.append(REASONS.get(bit, f"unknown_{bit:#x}"))
        bit <<= 1
    return tuple(found)
