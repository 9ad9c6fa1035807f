"""The seam to a GPU on a CPU: real tensors and real work, and a log of what was asked of the device and when."""

import time
from typing import Any

import torch

from fixtures.devices.options import UNSET, DeviceOptions
from fixtures.runtimes._cuda.calls import CudaCalls

GPU = (9, 0)


class Event:
    """Of a device that does everything at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.happened_s: float | None = None


class CpuCalls(CudaCalls):
    """Every method is another; a test compares the names."""

    device = "cpu"

    def __init__(
        self,
        capability: tuple[int, int] = GPU,
        l2_bytes: int | None = 50 * 2**20,
        options: DeviceOptions = UNSET,
    ) -> None:
        self.options = options
        self.log: list[str] = []
        self.limits: list[int | None] = []
        self.in_tensors = self.held = 1000
        self._capability = capability
        self._l2_bytes = l2_bytes
        self._events = 0

    def capability(self) -> tuple[int, int]:
        return self._capability

    def event(self) -> Event:
        self._events += 1
        return Event(("start", "end", "other")[min(self._events, 3) - 1])

    def record(self, event: Event) -> None:
        event.happened_s = time.perf_counter()
        self.log.append(f"record {event.name}")

    def wait(self, event: Event) -> None:
        assert event.happened_s is not None, "waited for an event that was never recorded"
        self.log.append(f"wait {event.name}")

    def elapsed_s(self, start: Event, end: Event) -> float:
        assert start.happened_s is not None
        assert end.happened_s is not None
        return end.happened_s - start.happened_s

    def idle(self) -> None:
        self.log.append("idle")

    def l2_bytes(self) -> int | None:
        return self._l2_bytes

    def scratch(self, size_bytes: int) -> Any:
        self.log.append(f"scratch {size_bytes}")
        self.in_tensors += size_bytes
        self.held += size_bytes
        return "scratch"

    def overwrite(self, scratch: Any) -> None:
        assert scratch == "scratch"
        self.log.append("overwrite")

    def pinned(self, tensor: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(tensor).copy_(tensor)

    def limit_memory(self, limit_bytes: int | None) -> None:
        self.limits.append(limit_bytes)

    def reset_peak(self) -> None:
        self.log.append("reset peak")

    def peak_bytes(self) -> int:
        return self.in_tensors

    def reserved_peak_bytes(self) -> int:
        return self.held

    def empty_cache(self) -> None:
        self.log.append("empty cache")
