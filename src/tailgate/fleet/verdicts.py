"""One table of verdicts over all machines: what got slower everywhere, and what on some alone. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailgate.fleet.endings import named
from tailgate.gates.saved.sessions import mark_of
from tailgate.machine.fingerprint import difference
from tailgate.results.saved_run import Run, machine_of
from tailgate.results.verdict import Verdict, compared, lenient_from_json, line, overall
from tailgate.results.verdict_table import reasons, short_name, summary
from tailgate.stats.decision import MISSING, NEW
from tailgate.text import aligned, counted, percent, printable

HEADINGS = ("verdict", "benchmark", "metric", "failed on", "compared on", "change, least", "most")
Judged = tuple[str, str]
"""A benchmark's full name, and a metric."""


@dataclass(frozen=True)
class Machine:
    """What a node's gate found."""

    name: str
    fingerprint: Mapping[str, Any]
    verdicts: Sequence[Verdict] = field(default_factory=tuple)


def of_run(name: str, run: Run) -> Machine:
    """What a saved run says."""
    found = mark_of(run).get("verdicts")
    entries = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return Machine(name, machine_of(run) or {}, tuple(map(lenient_from_json, entries)))


def verdict_table(machines: Sequence[Machine]) -> str:
    """One line for each metric of each benchmark, the gravest first; then where, and why there alone."""
    judged = _by_benchmark(machines)
    if not judged:
        return "No machine has judged anything.\n"
    rows = sorted((_row(one, found) for one, found in judged.items()), key=lambda row: (row[3] == "-", row[:3]))
    lines = aligned([HEADINGS, *rows])
    for one, found in judged.items():
        lines += _told(one, found, machines)
    every = [verdict for machine in machines for verdict in machine.verdicts]
    lines += reasons([one for one in every if not one.failed])
    idle = [machine for machine in machines if not any(one.failed for one in machine.verdicts)]
    lines += [_nothing_compared(machine) for machine in idle if not compared(machine.verdicts)]
    lines.append(f"On {counted(len(machines), 'machines')}: {summary(every)}")
    return "\n".join(lines) + "\n"


def _nothing_compared(machine: Machine) -> str:
    """Why its gate is not green, though nothing failed."""
    why = dict.fromkeys(one.reason for one in machine.verdicts if one.reason)
    return printable(f"{machine.name}: nothing was compared, so its gate fails{': ' if why else ''}{named([*why])}")


def _by_benchmark(machines: Sequence[Machine]) -> dict[Judged, dict[str, Verdict]]:
    found: dict[Judged, dict[str, Verdict]] = {}
    for machine in machines:
        for verdict in machine.verdicts:
            found.setdefault((verdict.fullname, verdict.metric), {})[machine.name] = verdict
    return found


def _row(one: Judged, found: Mapping[str, Verdict]) -> list[str]:
    failed = sum(verdict.failed for verdict in found.values())
    changes = [verdict.change_rel for verdict in found.values() if verdict.change_rel is not None]
    return [
        overall(found.values()) or NEW,
        short_name(one[0]),
        one[1],
        str(failed) if failed else "-",
        str(_compared(found)),
        percent(min(changes)) if changes else "",
        percent(max(changes)) if changes else "",
    ]


def _compared(found: Mapping[str, Verdict]) -> int:
    return sum(compared([verdict]) or verdict.verdict == MISSING for verdict in found.values())


def _told(one: Judged, found: Mapping[str, Verdict], machines: Sequence[Machine]) -> list[str]:
    """Where it failed, and what those machines are that the others are not."""
    failed = [name for name, verdict in found.items() if verdict.failed]
    if not failed:
        return []
    name = f"{printable(short_name(one[0]))} {one[1]}"
    details = [f"  {printable(where)}: {line(found[where])}" for where in failed]
    if len(failed) == _compared(found):
        where = "everywhere" if len(failed) > 1 else "on the only machine that compared it"
        return [f"{name} failed {where} ({printable(named(failed))}):", *details]
    passed = [where for where, verdict in found.items() if not verdict.failed and compared([verdict])]
    return [
        f"{name} failed on {len(failed)} of {_compared(found)} machines alone ({printable(named(failed))}):",
        *details,
        f"  {_why_there([m for m in machines if m.name in failed], [m for m in machines if m.name in passed])}",
    ]


def _why_there(failed: Sequence[Machine], passed: Sequence[Machine]) -> str:
    """How they differ from the machine that is most like one of them."""
    pairs = [
        (difference(one.fingerprint, other.fingerprint), one.name, other.name) for one in failed for other in passed
    ]
    differs, here, there = min(pairs, key=lambda pair: (len(pair[0]), pair[1:]))
    if not differs:
        return f"{printable(here)} has the same fingerprint as {printable(there)}, where it did not fail"
    return printable(f"{here} (here) differs from {there} (there), where it did not fail: {'; '.join(differs)}")
