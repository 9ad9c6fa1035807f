"""What we ask of a board: a dozen readings. :mod:`tailgate.machine.nvml.library` has the real ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

BY_INDEX = "NVML index "
"""Begins what stands for the UUID of a board that does not tell it: its place among all."""
UNKNOWN = "a GPU that does not tell its name"


class NvmlError(Exception):
    """There is no NVML, or the board is gone; the text is one line."""


class UnsupportedError(Exception):
    """This board, or this driver, does not tell a value."""


class UnreadError(UnsupportedError):
    """There was no value this time: an error that says nothing of the next one."""


@dataclass(frozen=True)
class Identity:
    """A board, or one instance of a partitioned one (MIG)."""

    uuid: str
    name: str
    mig: bool = False
    """Partitioned: what the board tells of itself is shared among its instances."""
    problem: str | None = None
    """Why it cannot be opened; ``None``: nothing is known against it."""


class Board(Protocol):
    """One board's readings.

    Raises (each method):
        UnsupportedError: it does not tell this.
        UnreadError: it did not tell this now.
        NvmlError: it, or its driver, is gone.
    """

    identity: Identity

    def power_w(self) -> float:
        """The board's draw, memory and all, in watts."""

    def power_window_s(self) -> float:
        """Over how many seconds :meth:`power_w` looks back."""

    def energy_j(self) -> float:
        """Joules since the driver was loaded; counted by the board."""

    def temperature_c(self) -> float:
        """The temperature of the GPU's die, in degrees Celsius."""

    def sm_clock_hz(self) -> float:
        """The clock of the streaming multiprocessors now, in hertz."""

    def memory_clock_hz(self) -> float:
        """The clock of the memory now, in hertz."""

    def utilization(self) -> tuple[float, float]:
        """Shares of the last sample period (1/6 to 1 s) in which a kernel ran, and in which memory was used."""

    def memory_used_bytes(self) -> int:
        """Bytes used on the whole board (on the instance, under MIG), by every process and by the driver."""

    def process_memory_bytes(self, pid: int) -> int:
        """Bytes used by one process."""

    def pstate(self) -> int:
        """0: the fastest performance state; 15: the slowest."""

    def slowdowns(self) -> int:
        """The driver's bits for what holds the clocks down now (:mod:`tailgate.machine.nvml.slowdowns`)."""


class Boards(Protocol):
    """An open NVML."""

    def listed(self) -> Sequence[Identity]:
        """In NVML's order, which is that of the PCI bus."""

    def board(self, identity: Identity) -> Board:
        """Open one board."""

    def close(self) -> None:
        """Release NVML."""


Opener = Callable[[], Boards]
