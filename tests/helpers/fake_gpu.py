"""A plug-in for a session of the suite's: one runtime more, that knows the answers and runs out of device memory.

At batch 2 while it loads, at 4 while it is checked, at 8 in the timed rounds; each time in another library's words.
``LOG`` has a line each time a session is loaded and each time the allocator's cache is emptied, with how many pieces
of "device memory" somebody still held then.
"""

import os
import sys
import weakref
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fixtures.devices import memory
from fixtures.runtimes import Inference, Runtime, runtimes

WHERE = {2: "load", 4: "checks", 8: "rounds"}
HELD: weakref.WeakSet[Any] = weakref.WeakSet()


def log(line: str) -> None:
    with Path(os.environ["LOG"]).open("a") as file:
        file.write(f"{line}\n")


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


class Memory:
    """A piece of device memory; in a cycle, as a module's parameters are with their hooks."""

    def __init__(self) -> None:
        self.cycle = self
        HELD.add(self)


class FakeCuda:
    """What :mod:`fixtures.devices.memory` calls of ``torch.cuda``."""

    def empty_cache(self) -> None:
        log(f"empty_cache held={len(HELD)}")


def fail(batch: int) -> None:
    if batch == 2:
        raise OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 22.03 GiB of which 7.06 "
            "MiB is free."
        )
    if batch == 4:
        from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

        raise RuntimeException(
            "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Gemm node. "
            "Failed to allocate memory for requested buffer of size 8388608000"
        )
    raise RuntimeError("[executionContext.cpp::470] Error Code 2: OutOfMemory (no further information)")


class Clock:
    name = "fake"

    def __init__(self) -> None:
        self.buffer = Memory()

    def before_round(self) -> None:
        pass

    def after_round(self) -> float:
        return 1e-6

    def facts(self) -> dict[str, Any]:
        return {}


class Session(Inference):
    def __init__(self, answers: Any, batch: int) -> None:
        self._answers, self._batch, self._memory = answers, batch, Memory()
        self._calls = 0
        self._timed_calls: int | None = None
        self.device_clock = Clock()

    def prepare(self, batch: Any) -> Any:
        return Memory()

    def run(self, prepared: Any) -> None:
        workspace = Memory()  # a frame's own, as the layers of a network have them
        if self._timed_calls is not None:
            self._timed_calls += 1
        if WHERE.get(self._batch) == "checks" or (WHERE.get(self._batch) == "rounds" and (self._timed_calls or 0) > 8):
            fail(self._batch)
        self._calls += 1
        del workspace

    def outputs_numpy(self) -> Any:
        first = (self._calls - 1) * self._batch
        return self._answers.take(range(first, first + self._batch), axis=0, mode="wrap")

    def describe(self) -> dict[str, Any]:
        return {"precision_compiled": "fp32", "threads_set": None}

    def device_facts(self) -> dict[str, Any]:
        self._timed_calls = 0
        return {"h2d_bytes": 1}

    def close(self) -> None:
        self._memory = None  # type: ignore[assignment]


class FakeGpu(Runtime):
    name = "fakegpu"
    requires: ClassVar[tuple[str, ...]] = ("numpy",)
    framework = "numpy"
    preload: ClassVar[tuple[str, ...]] = ("numpy",)

    def supports(self, device: str, precision: str) -> str | None:
        return None if device == "cuda:0" and precision == "fp32" else "not here"

    def load(
        self, workload: Any, precision: str, device: str, threads: int, batch: int, options: Any = None
    ) -> Inference:
        log(f"load b{batch} held={len(HELD)}")
        weights = Memory()
        if WHERE.get(batch) == "load":
            fail(batch)
        del weights
        return Session(workload.reference(), batch)


runtimes()[FakeGpu.name] = FakeGpu()
memory._open_cuda = FakeCuda  # type: ignore[assignment]


def pytest_unconfigure(config: pytest.Config) -> None:
    """In the session's own process: a benchmark's ends without it."""
    log(f"session imported={[name for name in ('torch', 'onnxruntime') if name in sys.modules]}")
