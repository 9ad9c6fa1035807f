"""Readings of one board, one after the other; what it does not tell is asked once and then left out.

What it did not tell this time is asked again: one reading is lost, not the rest of them, and how often is told.
"""

import time
from collections.abc import Callable
from typing import Any

from tailgate.machine.nvml.board import NvmlError, UnreadError, UnsupportedError
from tailgate.machine.nvml.library import NvmlBoard

EVERY_S = 0.02
"""Energy and power: a counter that steps every 100 ms is caught within a fifth of its step."""
FULL_EVERY = 5
"""The rest: with each fifth of these."""

MOST_LOST_IN_A_ROW = 3
"""Then it is left out: each may have taken as long as a driver's own time-out."""

Reading = dict[str, Any]
"""``time_s`` and what was read then, units in the names. Of JSON's types: it travels from the sampler."""


class Recorder:
    """One board's readings since :meth:`begin`."""

    def __init__(self, board: NvmlBoard, pid: int, now: Callable[[], float] = time.perf_counter) -> None:
        self._board, self._now = board, now
        self.readings: list[Reading] = []
        self.unsupported: dict[str, str] = {}
        """What this board does not tell -> why."""
        self.lost: str | None = None
        """Why there are no more readings."""
        self.unread: dict[str, tuple[int, str]] = {}
        """What it did not tell now and then -> how often, and why the last time."""
        self._in_a_row: dict[str, int] = {}
        self._often: dict[str, Callable[[], Any]] = {"energy_j": board.energy_j, "power_w": board.power_w}
        self._seldom: dict[str, Callable[[], Any]] = {
            "temperature_c": board.temperature_c,
            "sm_clock_hz": board.sm_clock_hz,
            "memory_clock_hz": board.memory_clock_hz,
            "utilization": board.utilization,
            "memory_used_bytes": board.memory_used_bytes,
            "process_memory_bytes": lambda: board.process_memory_bytes(pid),
            "pstate": board.pstate,
            "slowdowns": board.slowdowns,
        }

    def begin(self) -> None:
        """Forget what was read before, and read everything."""
        self.readings, self.unread = [], {}
        self.read(full=True)

    def tick(self) -> None:
        """The next reading, of what is due."""
        self.read(full=len(self.readings) % FULL_EVERY == 0)

    def read(self, *, full: bool) -> None:
        """Take one more reading; none once the board is lost."""
        reading: Reading = {"time_s": self._now()}
        for name in self._often | self._seldom if full else self._often:
            value = self._read_one(name)
            if self.lost:
                return
            if value is not None:
                reading[name] = value
        self.readings.append(reading)

    def now(self, name: str) -> float | None:
        """A value now, such as ``power_w``; ``None``: not reported."""
        value = self._read_one(name)
        return None if value is None else float(value)

    def report(self) -> dict[str, Any]:
        """All readings and what is missing, as plain data."""
        return {
            "readings": self.readings,
            "unsupported": self.unsupported,
            "unread": self.unread,
            "lost": self.lost,
            "power_window_s": self._board.power_window_s(),
        }

    def _read_one(self, name: str) -> Any:
        """Read one value; ``None``: not reported, now or ever."""
        if self.lost or name in self.unsupported:
            return None
        try:
            value = (self._often | self._seldom)[name]()
        except NvmlError as error:
            self.lost = str(error)
        except UnreadError as error:
            self._not_now(name, str(error))
        except UnsupportedError as error:
            self.unsupported[name] = str(error)
        except Exception as error:  # of a structure in another form, say: it costs this reading
            self._not_now(name, f"{type(error).__name__}: {' '.join(str(error).split())[:120]}")
        else:
            self._in_a_row[name] = 0
            return value
        return None

    def _not_now(self, name: str, reason: str) -> None:
        self.unread[name] = (self.unread.get(name, (0, ""))[0] + 1, reason)
        self._in_a_row[name] = self._in_a_row.get(name, 0) + 1
        if self._in_a_row[name] >= MOST_LOST_IN_A_ROW:
            self.unsupported[name] = reason
