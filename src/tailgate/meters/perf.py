"""Hardware events, by ``perf stat``, in two runs of their own: of the whole process, and of one call.

The source of study 4 counts a whole process that makes 100 calls, interpreter and set-up included. What one call
adds is the slope between two such runs, of 10 and of 100 calls.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tailgate.meters import NoPart, Profiled, diagnosed
from tailgate.meters._perf_out import NOT_COUNTED, Count, counts, speaks_json

EVENTS = (
    "cpu-cycles", "instructions", "cache-references", "cache-misses", "L1-dcache-loads", "L1-dcache-load-misses",
    "branch-misses", "dTLB-load-misses",
)  # fmt: skip
"""The source's."""
FEW, MANY = 10, 100
OUT = "perf.out"


def without_counters() -> str | None:
    """Why hardware events do not count here, tried and not guessed; ``None``: they do."""
    from tailgate.machine.doctor.measures.perf_counters import counters

    return diagnosed(counters)[0]


class Perf:
    """``perf_process_*`` of the whole process with 100 calls, ``perf_*_per_inference`` of one call."""

    name = "perf"
    calls = (FEW, MANY)

    def __init__(self, events: Sequence[str] = EVENTS, cannot_count: Callable[[], str | None] = without_counters):
        self.events = tuple(events)
        self.fields = (
            *(_field(event, "perf_process_{}") for event in self.events),
            *(_field(event, "perf_{}_per_inference") for event in self.events),
            "perf_calls",
        )
        self._cannot_count = cannot_count
        self._version = ""

    def unavailable(self) -> str | None:
        """Why ``perf`` is not installed, or the machine does not count."""
        from tailgate.machine.doctor.measures.perf_counters import command

        reason, said = diagnosed(command)
        if reason:
            return f"the perf command: {reason}"
        self._version = said.partition("(")[0]
        return self._cannot_count()

    def command(self, folder: Path) -> list[str]:
        """``perf stat`` around the process and its threads."""
        form = ["-j"] if speaks_json(self._version) else ["-x", ","]
        path = shutil.which("perf") or "perf"
        return [path, "stat", *form, "-e", ",".join(self.events), "-o", str(folder / OUT), "--"]

    def variables(self) -> dict[str, str]:
        """Numbers with a decimal point."""
        return {"LC_NUMERIC": "C"}

    def inside(self, folder: Path) -> NoPart:
        """No part in the process."""
        return NoPart()

    def read(self, folders: Sequence[Path], found: Sequence[dict[str, Any]]) -> Profiled:
        """The longer run's counts, and the difference to the shorter one's by call."""
        few, many = (counts((folder / OUT).read_text(errors="replace"), self.events) for folder in folders)
        fields: dict[str, Any] = dict.fromkeys(self.fields)
        warnings: list[str] = []
        absent: dict[str, list[str]] = {}
        below: list[str] = []
        for event in self.events:
            shorter, longer = few.get(event), many.get(event)
            if longer is None or longer.value is None:
                absent.setdefault(_absence(longer), []).append(event)
                continue
            whole = longer.value.is_integer()
            fields[_field(event, "perf_process_{}")] = int(longer.value) if whole else longer.value
            slope = None if shorter is None or shorter.value is None else (longer.value - shorter.value) / (MANY - FEW)
            if slope is None or slope < 0:
                below.append(event)
            else:
                fields[_field(event, "perf_{}_per_inference")] = slope
        if any(value is not None for value in fields.values()):
            fields["perf_calls"] = MANY
        warnings += [f"{', '.join(events)} {reason}" for reason, events in absent.items()]
        if below:
            names = ", ".join(below)
            warnings.append(f"{MANY} calls counted no more {names} than {FEW}: one call's share is not known")
        return Profiled(fields, warnings + _shared([few, many]))

    def hint(self, folder: Path) -> str:
        """No hint."""
        return ""


def _absence(one: Count | None) -> str:
    """Why there is no count."""
    if one is None:
        return "not in perf's output on this machine"
    if one.reason == NOT_COUNTED:
        return "counted 0 % of the time: the processor has fewer counters than events, or others had them"
    return f"{one.reason} on this machine"


def _shared(runs: Sequence[dict[str, Count]]) -> list[str]:
    """Events that had to take turns on the counters there are."""
    shares = [(one.running_share, event) for run in runs for event, one in run.items() if one.value is not None]
    least = min(shares, default=(1.0, ""))
    if least[0] >= 0.995:  # perf rounds to two places, and says 99.9x for a counter of its own
        return []
    text = f"the processor has fewer counters than events: {least[1]} ran {least[0]:.0%} of the time"
    return [f"{text}, and is extrapolated"]


def _field(event: str, form: str) -> str:
    """``dTLB-load-misses`` -> ``perf_dTLB_load_misses_per_inference``."""
    return form.format(event.replace("-", "_"))


PROFILER = Perf()
