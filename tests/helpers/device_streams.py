"""A stream for tests without a GPU: torch's tensors in host memory, events whose times are told, a record of all."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from cuda_calls import CpuCalls, Event

from fixtures.devices.options import UNSET, DeviceOptions
from fixtures.runtimes._stream.stream import TorchStream


class HostStream(CpuCalls, TorchStream):
    """A stream at work only while what was launched on it is."""

    gpu_name = "NVIDIA H200"
    handle = 4242

    def __init__(self, options: DeviceOptions = UNSET) -> None:
        CpuCalls.__init__(self, l2_bytes=2**20, options=options)
        self.now_ms = 0.0
        self.buffers: dict[int, torch.Tensor] = {}
        self.entered = 0
        """How deep inside :meth:`current`."""

    def record(self, event: Event) -> None:
        event.happened_s = self.now_ms / 1e3
        self.log.append(f"record {event.name}")

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        self.entered += 1
        yield
        self.entered -= 1

    def _kept(self, made: torch.Tensor) -> torch.Tensor:
        self.buffers[made.data_ptr()] = made
        self.in_tensors += made.nbytes
        return made

    def upload(self, array: np.ndarray) -> torch.Tensor:
        return self._kept(torch.from_numpy(array.copy()))

    def empty(self, shape: tuple[int, ...]) -> torch.Tensor:
        return self._kept(torch.full(shape, torch.nan))

    def scratch(self, size_bytes: int) -> torch.Tensor:
        return self._kept(torch.ones(size_bytes, dtype=torch.uint8))

    def overwrite(self, scratch: Any) -> None:
        self.log.append(f"overwrite {scratch.zero_().nbytes}")

    def pinned(self, tensor: torch.Tensor) -> torch.Tensor:
        assert self.entered, "copied on another stream"
        return super().pinned(tensor)

    def download(self, tensor: torch.Tensor) -> np.ndarray:
        return tensor.numpy().copy()

    def captured(self, launch: Callable[[], object]) -> Callable[[], object]:
        launch()
        self.log.append("capture")

        def replay() -> None:
            self.log.append("replay")
            launch()

        return replay

    def close(self) -> None:
        self.log.append("close")
