"""How fast the machine was between benchmarks, by a kernel that always does the same work."""

import time
from typing import Any

SHARE = 0.05
"""Of a session's time, at most about so much is spent on the calibration kernel."""


class Calibrations:
    """The calibrations of one session, in order."""

    def __init__(self) -> None:
        self.values: list[dict[str, Any]] = []
        """``after`` which benchmark; ``compute_s`` and ``memory_s`` of the kernel."""
        self._due_s = 0.0

    def after(self, benchmark: str | None) -> dict[str, float]:
        """How fast the machine is now: fields for the benchmark's row.

        Looked at only so often that it takes a small share of the session: many short benchmarks share one look.
        """
        start_s = time.monotonic()
        if start_s >= self._due_s:
            from tailgate.machine import trust  # where nothing is measured, nothing of it is needed

            found = trust.calibrate()
            self.values.append({"after": benchmark, "compute_s": found.compute_s, "memory_s": found.memory_s})
            end_s = time.monotonic()
            self._due_s = end_s + (end_s - start_s) / SHARE
        last = self.values[-1]
        return {f"calibration_{part}": last[part] for part in ("compute_s", "memory_s")}
