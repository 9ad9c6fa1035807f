"""An NVIDIA board's power, energy, temperature, clocks, memory and slow-downs, read from another process meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tailgate.machine.nvml import library, sampler
from tailgate.machine.nvml.board import BY_INDEX, UNKNOWN, Identity, NvmlError, UnsupportedError
from tailgate.machine.nvml.library import NvmlBoards
from tailgate.machine.nvml.summary import nothing, summarize
from tailgate.machine.nvml.watcher import Watcher
from tailgate.machine.nvml.which import WhichError, choose

REST_S = 0.5
"""After the last round, until the idle power is read; the context is still open, and the clocks are still high."""
OPEN = "tailgate.machine.nvml.library:open_boards"

Mark = dict[str, float | None]
"""UUID -> watts, before the set-up."""


@dataclass
class _Reading:
    gauge: Gauge
    idle_before_w: float | None

    def stop(self) -> dict[str, Any]:
        """What was read since the start."""
        watcher = self.gauge.watcher
        try:
            if watcher is None:
                raise NvmlError(self.gauge.problem or "the readings were never begun")
            found = summarize(watcher.end())
        except NvmlError as error:
            found = nothing(str(error))
        self.warnings, self.throttled = found.warnings, found.throttled
        fields = found.fields | {"power_idle_before_w": self.idle_before_w}
        identity = self.gauge.identity
        if identity is not None:
            fields |= {"gpu_name": identity.name, "gpu_uuid": identity.uuid}
            if identity.name == UNKNOWN:
                fields["gpu_name"] = None
            if identity.uuid.startswith(BY_INDEX):
                fields["gpu_uuid"] = None
            told = [name for name in ("gpu_name", "gpu_uuid") if fields[name] is None]
            self.warnings += [f"nvml: this driver does not tell {' and '.join(told)}"] if told else []
        return fields

    def afterwards(self) -> dict[str, Any]:
        """Idle power, once the rounds are over."""
        if self.gauge.watcher is None:
            return {}
        time.sleep(REST_S)
        return {"power_idle_after_w": self.gauge.watcher.now("power_w")}


class Gauge:
    """The meter made ready for one row: its board is known, and the process that reads it is up."""

    def __init__(self, extra_info: Mapping[str, Any], boards: str) -> None:
        self.identity: Identity | None = None
        self.watcher: Watcher | None = None
        self.problem: str | None = None
        """One line: why there will be no readings."""
        try:
            opened = sampler.opener(boards)()
            try:
                self.identity = choose(extra_info, os.environ, opened.listed())
            finally:
                opened.close()
            self.watcher = Watcher(self.identity, boards)
        except (NvmlError, UnsupportedError, WhichError) as error:
            self.problem = str(error)

    def sm_clock_hz(self) -> float | None:
        """The clock now, in hertz; ``None``: not known."""
        return self.watcher.now("sm_clock_hz") if self.watcher else None

    def start(self, mark: Mark | None, threads: int) -> _Reading:
        """Begin, right before the timed rounds."""
        if self.watcher is not None:
            try:
                self.watcher.begin()
            except NvmlError as error:
                self.problem = str(error)
                self.close()
        return _Reading(self, (mark or {}).get(self.identity.uuid) if self.identity else None)

    def close(self) -> None:
        """End the process."""
        if self.watcher is not None:
            self.watcher.close()
            self.watcher = None


class Nvml:
    """Meters the board that a row's ``device`` names."""

    name = "nvml"

    def __init__(self, boards: str = OPEN) -> None:
        """``boards``: MODULE:FUNCTION that opens NVML, here and in the process that reads."""
        self.boards = boards

    def unavailable(self) -> str | None:
        """Why there is no NVML."""
        try:
            sampler.opener(self.boards)().close()
        except NvmlError as error:
            return f"nvml: {error}"
        return None

    def before_setup(self) -> Mark | None:
        """Each board's draw in watts; ``None``: there is no driver, or no board that reports it."""
        if self.boards == OPEN and not library.there_may_be_boards():
            return None  # on most machines: nothing is imported for that
        try:
            opened = sampler.opener(self.boards)()
        except NvmlError:
            return None  # said when a row needs it
        try:
            return {identity.uuid: _power_w(opened, identity) for identity in opened.listed()}
        except (NvmlError, UnsupportedError):
            return None
        finally:
            opened.close()

    def for_row(self, extra_info: Mapping[str, Any]) -> Gauge | None:
        """Get ready for a row, before its warm-up; ``None``: the row is not of a GPU."""
        device = extra_info.get("device")
        if isinstance(device, str) and device.partition(":")[0] != "cuda":
            return None
        return Gauge(extra_info, self.boards)

    def start(self, mark: Mark | None, threads: int) -> _Reading:
        """For a row that says nothing of its device."""
        return Gauge({}, self.boards).start(mark, threads)


def _power_w(opened: NvmlBoards, identity: Identity) -> float | None:
    try:
        return opened.board(identity).power_w()
    except (NvmlError, UnsupportedError):
        return None  # of this board; a row of its own says why


METER = Nvml()
