"""Massif's own output file: its snapshots, as numbers (``ms_print`` makes of them what people read).

Format: "Massif: a heap profiler" in Valgrind's manual, and the file's own ``key=value`` lines.
"""

import re
from dataclasses import dataclass
from pathlib import Path

SNAPSHOT = re.compile(r"^snapshot=\d+$(.*?)^heap_tree=", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"^(time|mem_heap_B|mem_heap_extra_B|mem_stacks_B)=(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Snapshot:
    """The memory of a process at one moment."""

    time: int
    """In the file's unit: instructions by default."""
    heap_bytes: int
    """Bytes as the program requested them."""
    extra_bytes: int
    """What the allocator adds: rounding and its own headers."""
    stacks_bytes: int
    """0 without ``--stacks=yes``."""

    @property
    def total_bytes(self) -> int:
        """What ``ms_print`` calls total."""
        return self.heap_bytes + self.extra_bytes + self.stacks_bytes


def snapshots(file: Path) -> list[Snapshot]:
    """Every snapshot, in order.

    Raises:
        OSError: there is no such file.
        ValueError: it holds none.
    """
    found = []
    for body in SNAPSHOT.findall(file.read_text(errors="replace")):
        values = dict(NUMBER.findall(body))
        if len(values) == 4:
            found.append(Snapshot(*(int(values[name]) for name in _ORDER)))
    if not found:
        raise ValueError(f"{file.name} holds no snapshot")
    return found


_ORDER = ("time", "mem_heap_B", "mem_heap_extra_B", "mem_stacks_B")
