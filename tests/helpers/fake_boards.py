"""Boards that are not there, for both ends of the ``nvml`` meter; opened by name in the process that reads them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tailgate.machine.nvml.board import Identity, NvmlError, UnsupportedError

L4 = Identity("GPU-aaaa1111-0000", "NVIDIA L4")
OTHER_L4 = Identity("GPU-bbbb2222-0000", "NVIDIA L4")
T4 = Identity("GPU-aaab3333-0000", "Tesla T4")


@dataclass
class FakeBoard:
    """Draws the same power always, and counts it in steps."""

    identity: Identity = L4
    watts: float = 100.0
    step_s: float | None = 0.02
    """Of its energy counter; ``None``: it has none."""
    bits: int = 0
    lost_after_s: float | None = None
    hangs: bool = False
    now: Callable[[], float] = time.perf_counter
    born_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.born_s = self.now()

    def _here(self) -> float:
        now_s = self.now()
        if self.lost_after_s is not None and now_s - self.born_s > self.lost_after_s:
            raise NvmlError("NVML: GPU is lost")
        return now_s

    def power_w(self) -> float:
        self._here()
        if self.hangs:
            time.sleep(30)
        return self.watts

    def power_window_s(self) -> float:
        return 0.1

    def energy_j(self) -> float:
        now_s = self._here()
        if self.step_s is None:
            raise UnsupportedError("not supported")
        return now_s // self.step_s * self.step_s * self.watts

    def temperature_c(self) -> float:
        return 61.0

    def sm_clock_hz(self) -> float:
        return 1.98e9

    def memory_clock_hz(self) -> float:
        return 2.6e9

    def utilization(self) -> tuple[float, float]:
        return 0.9, 0.4

    def memory_used_bytes(self) -> int:
        return 3 * 2**30

    def process_memory_bytes(self, pid: int) -> int:
        raise UnsupportedError("the driver does not list this process")

    def pstate(self) -> int:
        return 0

    def slowdowns(self) -> int:
        return self.bits


@dataclass
class FakeBoards:
    """Some of them."""

    one: FakeBoard
    others: tuple[Identity, ...] = ()

    def listed(self) -> list[Identity]:
        return [self.one.identity, *self.others]

    def board(self, identity: Identity) -> FakeBoard:
        if identity != self.one.identity:
            raise UnsupportedError("not found")
        return self.one

    def close(self) -> None:
        pass


def steady() -> FakeBoards:
    return FakeBoards(FakeBoard())


def without_counter() -> FakeBoards:
    return FakeBoards(FakeBoard(step_s=None))


def slow_counter() -> FakeBoards:
    return FakeBoards(FakeBoard(step_s=30.0))


def soon_lost() -> FakeBoards:
    return FakeBoards(FakeBoard(lost_after_s=0.15))


def hanging() -> FakeBoards:
    return FakeBoards(FakeBoard(hangs=True))


def hot() -> FakeBoards:
    return FakeBoards(FakeBoard(bits=0x20 | 0x4))


def gone() -> FakeBoards:
    raise NvmlError("NVML cannot be used here (Driver Not Loaded): is NVIDIA's driver installed and loaded?")
