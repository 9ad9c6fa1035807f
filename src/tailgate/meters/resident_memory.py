"""Resident memory: the peak while a benchmark ran, and its growth since before the set-up.

The peak is the kernel's own high-water mark (``VmHWM``), reset before the set-up through
``/proc/self/clear_refs``; where it cannot be reset, the peak is the process's and is withheld. What was freed
before is given back to the kernel first: an allocator that keeps it would let the benchmark have it without growing.
"""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def _status_bytes(field: str) -> int:
    match = re.search(rf"^{field}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    if match is None:
        raise OSError(f"{STATUS} has no {field}")
    return int(match.group(1)) * 1024


def _give_back() -> None:
    """What glibc keeps of freed memory (malloc_trim(3)); other C libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@dataclass
class _Reading:
    rss_before_bytes: int | None

    def stop(self) -> dict[str, Any]:
        if self.rss_before_bytes is None:
            return {"rss_peak_bytes": None, "rss_growth_bytes": None}
        peak_bytes = _status_bytes("VmHWM")
        return {"rss_peak_bytes": peak_bytes, "rss_growth_bytes": peak_bytes - self.rss_before_bytes}


class ResidentMemory:
    """Set-up included, because loading a model is where its memory goes."""

    name = "rss"

    def unavailable(self) -> str | None:
        """Why there is no honest peak: outside Linux, or where the high-water mark cannot be reset."""
        try:
            RESET.write_text("5")
            _status_bytes("VmHWM")
        except OSError as error:
            return f"rss: the kernel's memory high-water mark cannot be read and reset here ({error})"
        return None

    def before_setup(self) -> int | None:
        """Resident bytes before the set-up, and the high-water mark reset to them."""
        try:
            _status_bytes("VmRSS")  # there is none outside Linux, and no C library of this kind
            _give_back()
            RESET.write_text("5")
            return _status_bytes("VmRSS")
        except OSError:
            return None  # unavailable() gives the reason

    def start(self, mark: int | None, threads: int) -> _Reading:
        """Begin; ``mark`` is what :meth:`before_setup` gave."""
        return _Reading(mark)


METER = ResidentMemory()
