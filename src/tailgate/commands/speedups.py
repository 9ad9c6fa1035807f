"""How much faster each saved run is than the first: of every benchmark, and of all together."""

import math
import statistics
from collections.abc import Callable, Sequence

from tailgate.gates.saved.sessions import Session, differences, remark
from tailgate.results.comparability import other_workload
from tailgate.text import aligned, printable

INCOMPARABLE = "incomparable"


def speedup_table(sessions: Sequence[Session], chosen: Callable[[str], bool]) -> str:
    """The speed-ups of the medians against the first file; marks say what is not a change of the code."""
    base, *others = sessions
    every = dict.fromkeys(name for one in sessions for name in (*one.samples, *one.several))
    names = [name for name in every if chosen(name)]
    labels = _labels(sessions)
    machines = [differences(one, base) for one in others]
    rows = [["speed-up of the median", f"{labels[0]} (base)", *labels[1:]]]
    for name in names:
        cells = [_cell(name, base, one, bool(differs)) for one, differs in zip(others, machines, strict=True)]
        rows.append([name, _base_cell(name, base), *cells])
    means = [_mean(names, base, one, bool(differs)) for one, differs in zip(others, machines, strict=True)]
    rows.append(["geometric mean", "1.00x" if any(mean != "-" for mean in means) else "-", *means])
    notes = [
        f"{label}: {INCOMPARABLE}, another machine than {labels[0]}: {'; '.join(differs)}"
        for label, differs in zip(labels[1:], machines, strict=True)
        if differs
    ]
    notes += [
        f"{label}: {count} rows of one name, and which one is meant is not known: {name}"
        for label, one in zip(labels, sessions, strict=True)
        for name, count in one.several.items()
        if chosen(name)
    ]
    notes += [
        *_disturbed(names, sessions, labels),
        *_workloads(names, sessions, labels),
        *filter(None, [remark(sessions)]),
    ]
    return "\n".join([*aligned(rows), *map(printable, notes)]) + "\n"


def _ratio(name: str, base: Session, other: Session) -> float | None:
    logs = [one.samples[name].log("median") if name in one.samples else None for one in (base, other)]
    return None if logs[0] is None or logs[1] is None else math.exp(logs[0] - logs[1])


def _base_cell(name: str, base: Session) -> str:
    if name not in base.samples:
        return "-"
    return "1.00x" if base.samples[name].log("median") is not None else "unknown"


def _cell(name: str, base: Session, other: Session, other_machine: bool) -> str:
    if name in other.several or name in base.several:
        return f"{INCOMPARABLE}: {max(one.several.get(name, 1) for one in (base, other))} rows"
    if name not in other.samples:
        return "missing"
    if name not in base.samples:
        return "new"
    ratio = _ratio(name, base, other)
    if ratio is None:
        return "unknown"
    differs = other_machine or other_workload(base.samples[name].info, other.samples[name].info)
    disturbed = next((one.samples[name].status for one in (base, other) if not one.samples[name].trusted), "")
    return f"{ratio:.2f}x {INCOMPARABLE if differs else disturbed}".rstrip()


def _mean(names: Sequence[str], base: Session, other: Session, other_machine: bool) -> str:
    """The geometric mean over benchmarks that both sessions have, with the same workload and undisturbed."""
    both = [name for name in names if name in base.samples and name in other.samples]
    same = [name for name in both if not other_workload(base.samples[name].info, other.samples[name].info)]
    quiet = [name for name in same if base.samples[name].trusted and other.samples[name].trusted]
    ratios = [ratio for name in quiet if (ratio := _ratio(name, base, other))]
    if not ratios:
        return "-"
    text = f"{statistics.geometric_mean(ratios):.2f}x"
    return f"{text} {INCOMPARABLE}" if other_machine else f"{text} of {len(ratios)}"


def _disturbed(names: Sequence[str], sessions: Sequence[Session], labels: Sequence[str]) -> list[str]:
    """Rows whose times are not the code's own: their ratios are shown, and in no mean."""
    notes = []
    for label, one in zip(labels, sessions, strict=True):
        found = [name for name in names if name in one.samples and not one.samples[name].trusted]
        if found:
            more = f" and {len(found) - 1} more" if found[1:] else ""
            notes.append(f"{label}: {one.samples[found[0]].status}: {found[0]}{more}; in no mean")
    return notes


def _workloads(names: Sequence[str], sessions: Sequence[Session], labels: Sequence[str]) -> list[str]:
    base, *others = sessions
    notes = []
    for label, other in zip(labels[1:], others, strict=True):
        differing: dict[str, list[str]] = {}
        for name in names:
            if name in base.samples and name in other.samples:
                keys = other_workload(base.samples[name].info, other.samples[name].info)
                if keys:
                    differing.setdefault(", ".join(keys), []).append(name)
        for differs, found in differing.items():
            more = f" and {len(found) - 1} more" if found[1:] else ""
            notes.append(f"{label}: {INCOMPARABLE}, another workload ({differs}): {found[0]}{more}")
    return notes


def _labels(sessions: Sequence[Session]) -> list[str]:
    """The files' names; with their folders where two are called the same."""
    names = [one.path.stem for one in sessions]
    if len(set(names)) == len(names):
        return names
    return [f"{one.path.parent.name}/{one.path.stem}" for one in sessions]
