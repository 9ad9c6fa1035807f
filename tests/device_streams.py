"""A stream for tests without a GPU: host memory, events whose times are told beforehand, and a record of all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(eq=False)
class Buffer:
    """Memory with an address, as a tensor has it."""

    values: np.ndarray

    def data_ptr(self) -> int:
        return int(self.values.ctypes.data)


class HostEvent:
    """Its moment is where the stream's clock stood when it was recorded."""

    def __init__(self, stream: "HostStream") -> None:
        self.stream = stream
        self.at_ms = -1.0

    def record(self) -> None:
        self.at_ms = self.stream.now_ms
        self.stream.calls.append("record")

    def synchronize(self) -> None:
        self.stream.calls.append("synchronize")

    def elapsed_time(self, end: "HostEvent") -> float:
        return end.at_ms - self.at_ms


class HostStream:
    """A :class:`fixtures.runtimes._device_stream.Stream`."""

    gpu_name = "NVIDIA H200"
    capability = (9, 0)
    handle = 4242

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.now_ms = 0.0
        self.buffers: dict[int, Buffer] = {}

    def event(self) -> HostEvent:
        return HostEvent(self)

    def _kept(self, values: np.ndarray) -> Buffer:
        made = Buffer(values)
        self.buffers[made.data_ptr()] = made
        return made

    def upload(self, array: np.ndarray) -> Buffer:
        return self._kept(array.copy())

    def empty(self, shape: tuple[int, ...]) -> Buffer:
        return self._kept(np.full(shape, np.nan, dtype=np.float32))

    def raw(self, size_bytes: int) -> Buffer:
        return self._kept(np.zeros(size_bytes, dtype=np.uint8))

    def download(self, tensor: Any) -> np.ndarray:
        return np.array(tensor.values)

    def captured(self, launch: Callable[[], object]) -> Callable[[], object]:
        launch()
        self.calls.append("capture")

        def replay() -> None:
            self.calls.append("replay")
            launch()

        return replay

    def flush_l2(self) -> None:
        self.calls.append("flush")

    def peak_bytes(self) -> int:
        return sum(buffer.values.nbytes for buffer in self.buffers.values())

    def close(self) -> None:
        self.calls.append("close")
