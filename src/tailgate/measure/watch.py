"""What is noted beside a benchmark's times: the meters, and whether the machine was ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tailgate.machine import trust
from tailgate.machine.nvml.summary import of_an_item
from tailgate.machine.nvml.which import on_gpu
from tailgate.machine.trust.judgement import OF_A_TENANT
from tailgate.meters import Fitted, Reading, meters
from tailgate.results.columns import items_per_call
from tailgate.results.rows import add_warning, threads_of
from tailgate.session.settings import Settings


class Watch:
    """Watches the meters and the machine for one row.

    ``info`` is its ``extra_info``; ``marks`` is what each meter noted before its set-up.
    """

    def __init__(
        self, settings: Settings, marks: Mapping[str, Any], info: dict[str, Any], *, among_tenants: bool = False
    ) -> None:
        self._marks, self._info = marks, info
        self._among_tenants = among_tenants
        self._names = (*settings.meters, *(settings.gpu_meters if on_gpu(info) else ()))
        self._fitted: dict[str, Fitted | None] = {}
        self._prepared = False

    def prepare(self) -> None:
        """What takes a while, before the warm-up."""
        if self._prepared:
            return
        self._prepared = True
        for name in self._names:
            for_row = getattr(meters()[name], "for_row", None)
            if for_row is not None:
                self._fitted[name] = for_row(self._info)

    def sm_clock_hz(self) -> float | None:
        """A device's clock now, from the first meter that knows it."""
        known = (fitted.sm_clock_hz() for fitted in self._fitted.values() if fitted is not None)
        return next((clock_hz for clock_hz in known if clock_hz is not None), None)

    def close(self) -> None:
        """Close every meter."""
        for fitted in self._fitted.values():
            if fitted is not None:
                fitted.close()

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Meter and watch whatever is timed inside.

        Around pytest-benchmark's own ways of measuring this includes their calibration, warm-up and set-up.
        """
        info = self._info
        self.prepare()
        threads = self._threads()
        before = trust.read()
        readings = self._start(threads)
        yield
        for reading in reversed(readings):
            info.update(reading.stop())
        judged = trust.judge(before, trust.read_since(before), threads)
        info.update(timestamp_utc=datetime.now(UTC).isoformat())
        info.setdefault("status", "ok")
        info.setdefault("warnings", [])
        if self._among_tenants:  # tenants are judged together, by their parent
            info.update((name, judged.fields[name]) for name in OF_A_TENANT)
        else:
            info.update(judged.fields, trust_missing=judged.missing)
            self._judge(judged.status, judged.reason)
        for reading in readings:
            for text in getattr(reading, "warnings", ()):
                add_warning(info, text)
            self._judge("throttled", getattr(reading, "throttled", None))
            afterwards = getattr(reading, "afterwards", None)
            if afterwards is not None:
                info.update(afterwards())

    def timed(self, calls: int | None, items: float | None) -> None:
        """How many calls were timed (``None``: others were among what was watched), of so many items each."""
        info = self._info
        if "energy_j" not in info:
            return
        info.update(of_an_item(info, calls, items if items is not None else items_per_call(info)))
        if calls is None and info["energy_j"] is not None:
            add_warning(info, "nvml: calibration and set-up are in the energy, so there is none of an item: --protocol")
        if info.get("l2_flushed") and info["energy_j"] is not None:
            add_warning(info, "nvml: the energy is also that of flushing the L2 cache between rounds")

    def _judge(self, status: str | None, reason: str | None) -> None:
        if not reason:
            return
        add_warning(self._info, reason)
        if self._info["status"] == "ok":
            self._info["status"] = status

    def _threads(self) -> int:
        return threads_of(self._info)

    def _start(self, threads: int) -> list[Reading]:
        """Start the meters made ready for the row first, and stop them last: they take longest."""
        readings: list[Reading] = []
        for name in sorted(self._names, key=lambda name: name not in self._fitted):
            mark = self._marks.get(name)
            if name in self._fitted:
                fitted = self._fitted[name]
                if fitted is not None:  # else it has nothing to do with this row
                    readings.append(fitted.start(mark, threads))
                continue
            reason = meters()[name].unavailable() if mark is None else None
            if reason:
                add_warning(self._info, reason)
            readings.append(meters()[name].start(mark, threads=threads))
        return readings
