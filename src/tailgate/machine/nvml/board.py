"""Which board it is, and why it gives no value. :mod:`tailgate.machine.nvml.library` reads it."""

from dataclasses import dataclass

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
