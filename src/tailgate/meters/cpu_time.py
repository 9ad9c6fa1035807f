"""CPU time over wall time and threads: 1.0 when every thread computed (or spun) all the time."""

import time
from dataclasses import dataclass
from typing import Any


@dataclass
class _Reading:
    threads: int
    wall_start_s: float
    cpu_start_s: float

    def stop(self) -> dict[str, Any]:
        cpu_s = time.process_time() - self.cpu_start_s
        wall_s = time.perf_counter() - self.wall_start_s
        return {"cpu_utilization": cpu_s / wall_s / self.threads if wall_s > 0 else None}


class CpuTime:
    """The process's own user and system time, all its threads together."""

    name = "cpu"

    def unavailable(self) -> str | None:
        """Always available."""
        return None

    def before_setup(self) -> None:
        """Nothing to mark."""

    def start(self, mark: None, threads: int) -> _Reading:
        """Begin; ``threads`` is what the utilisation is a share of."""
        return _Reading(threads, time.perf_counter(), time.process_time())


METER = CpuTime()
