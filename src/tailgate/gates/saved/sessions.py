"""Which saved runs are a new session's history.

A series is the runs saved under one word in one folder: ``0001_epyc.json``, ``0002_epyc.json`` ... A run whose gate
failed is no history until somebody accepts it (``tailgate baselines accept``), so that a regression never becomes the
baseline it is judged by; where one was accepted, history begins anew with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailgate.gates.saved.expected import Expected, expected
from tailgate.gates.saved.provenance import Commit, commit_of, software_of
from tailgate.gates.saved.samples import Sample, of_stats
from tailgate.machine import fingerprint as environment
from tailgate.results.comparability import calibrations
from tailgate.results.processor import Processor, compared_by, processor_of
from tailgate.results.processor import differences as differing
from tailgate.results.saved_run import Run, load_run, machine_id_of, machine_of
from tailgate.seams.storage import saved_name
from tailgate.session.extent import Extent, extent_of
from tailgate.session.selection import Selection
from tailgate.stats.decision import MISSING

if TYPE_CHECKING:
    from tailgate.machine.trust import Calibration

MARK = "tailgate_gate"
"""Field of a saved run: what its gate found."""


@dataclass(frozen=True)
class Session:
    """A saved run, without its raw rounds."""

    path: Path
    machine: Mapping[str, Any] | None
    """Its fingerprint; ``None``: saved without Tailgate."""
    machine_id: str | None
    processor: Processor
    """What plain pytest-benchmark saves of it."""
    date: str | None
    isolation: str | None
    """``process`` or ``none``; ``None``: it does not say."""
    samples: Mapping[str, Sample]
    failed: bool = False
    """Its own gate failed."""
    accepted: bool = False
    """A user has accepted it since (``tailgate baselines accept``)."""
    extent: Extent = field(default_factory=Extent)
    """What it was to measure, and what it measured."""
    allowed_missing: frozenset[str] = frozenset()
    """What its own gate missed, where it was accepted all the same."""
    several: Mapping[str, int] = field(default_factory=dict)
    """How many rows have this name, where there are more than one: which one is meant is not known."""
    commit: Commit | None = None
    """What was checked out; ``None``: it does not say."""
    calibrations: Sequence[Calibration] = ()
    software: Mapping[str, str] = field(default_factory=dict)
    """What the fingerprint leaves out: the kernel's version, the host's name."""

    @property
    def benchmarks(self) -> int:
        """How many it has rows of."""
        return len(self.samples) + len(self.several)

    @property
    def accepted_failure(self) -> bool:
        """Whether a new level begins with it, because a user said so."""
        return self.failed and self.accepted

    def has(self, fullname: str) -> bool:
        """Whether it was measured."""
        return fullname in self.samples or fullname in self.several

    def info(self, fullname: str) -> Mapping[str, Any]:
        """The row's ``extra_info``; empty where there is none, or no single one."""
        return self.samples[fullname].info if fullname in self.samples else {}


@dataclass(frozen=True)
class History:
    """What a new session is judged by."""

    latest: Session
    """The run compared with."""
    sessions: Sequence[Session] = ()
    """Of the same machine, the oldest first; not this run, no failed ones."""
    unusable: str | None = None
    """Why there is not one session to judge by: such as how the machine of all of them differs."""
    left_out: Sequence[str] = field(default_factory=tuple)
    """One line for each kind of run that is not used."""
    expected: Expected = field(default_factory=Expected)
    """What has to be measured again."""
    every: Sequence[Session] = ()
    """The sessions, and those whose gate failed: none is judged by them, but they may show since when it fails."""


def read(path: Path) -> Session:
    """Read one run.

    Raises:
        TailgateError: it is broken.
    """
    return of_run(path, load_run(path, rounds=False))


def of_run(path: Path, run: Run) -> Session:
    """The session of a run that was read from ``path``."""
    mark = mark_of(run)
    cpu = (run.get("machine_info") or {}).get("cpu")
    how = run.get("tailgate_run")
    names = Counter(str(bench["fullname"]) for bench in run["benchmarks"])
    return Session(
        path,
        machine_of(run),
        machine_id_of(run),
        processor_of(cpu),
        run["datetime"] if isinstance(run.get("datetime"), str) else None,
        how.get("isolation") if isinstance(how, dict) else None,
        {
            str(bench["fullname"]): of_stats(str(bench["fullname"]), bench["stats"], bench.get("extra_info") or {})
            for bench in run["benchmarks"]
            if names[str(bench["fullname"])] == 1
        },
        bool(mark.get("failed")),
        bool(mark.get("accepted")),
        extent_of(run),
        _allowed_missing(mark) if mark.get("accepted") else frozenset(),
        {name: count for name, count in names.items() if count > 1},
        commit_of(run),
        calibrations(how.get("calibrations")) if isinstance(how, dict) else (),
        software_of(run),
    )


def _allowed_missing(mark: Mapping[str, Any]) -> frozenset[str]:
    verdicts = mark.get("verdicts")
    found = [one for one in verdicts if isinstance(one, dict)] if isinstance(verdicts, list) else []
    return frozenset(str(one.get("fullname")) for one in found if one.get("verdict") == MISSING)


def mark_of(run: Run) -> dict[str, Any]:
    """What its gate wrote; empty where there was none."""
    mark = run.get(MARK)
    return mark if isinstance(mark, dict) else {}


def series_of(file: Path) -> list[Path]:
    """The runs saved under the same name beside it, the oldest first; itself alone, if it has no number."""
    word = saved_name(file)
    if word is None:
        return [file]
    return sorted((one for one in file.parent.glob("*.json") if saved_name(one) == word), key=number_of)


def number_of(file: Path) -> tuple[int, str]:
    """For sorting: by number, then by name."""
    number = file.name.partition("_")[0]
    return (int(number) if number.isdigit() else 0, str(file))


def history_of(
    files: Iterable[Path], fingerprint: Mapping[str, Any], isolation: str, today: Selection | None = None
) -> History:
    """The history that the runs compared with, and their series, are for a session on this machine.

    Raises:
        TailgateError: one of them is broken.
    """
    compared = list(files)
    paths = dict.fromkeys(path for file in compared for path in series_of(file))
    sessions = [read(path) for path in paths]
    own = [one for one in sessions if not environment.difference(fingerprint, one.machine)]
    alike = [one for one in own if one.isolation in {None, isolation}]
    believed = [one for one in alike if not one.failed or one.accepted]
    usable = since_accepted(believed)
    left_out = []
    if len(own) < len(sessions):
        left_out.append(f"{len(sessions) - len(own)} saved on another machine")
    if len(alike) < len(own):
        left_out.append(f"{len(own) - len(alike)} not measured with --isolation={isolation}")
    if failed := sum(one.failed and not one.accepted for one in alike):
        left_out.append(f"{failed} whose own gate failed (tailgate baselines accept RUN.json takes one in)")
    # The run named last, or, where that one is no baseline, the last that is.
    named = [one for one in usable if one.path in compared] or usable
    if named:
        upto = believed.index(named[-1]) + 1
        every = since_accepted(alike)
        return History(named[-1], usable, None, left_out, expected(believed[:upto], today), every)
    last = sessions[-1]
    differs = environment.difference(fingerprint, last.machine)
    unusable = f"another machine: {'; '.join(differs)}" if differs else f"not used: {', '.join(left_out)}"
    return History(last, (), unusable, left_out, expected([last], today))


def since_accepted(sessions: Sequence[Session]) -> list[Session]:
    """The sessions from the last accepted failure on: older ones show a level that is no longer wanted."""
    begins = max((index for index, one in enumerate(sessions) if one.accepted_failure), default=0)
    return list(sessions[begins:])


def differences(ours: Session, theirs: Session) -> list[str]:
    """What differs, one short text each; empty: as far as is known, nothing."""
    if ours.machine and theirs.machine:
        found = environment.difference(ours.machine, theirs.machine)
        if found or ours.machine_id == theirs.machine_id:
            return found
    if ours.machine_id and theirs.machine_id and ours.machine_id != theirs.machine_id:
        return [f"fingerprint {theirs.machine_id} there, {ours.machine_id} here"]
    return differing(ours.processor, theirs.processor)


def remark(sessions: Sequence[Session]) -> str | None:
    """One line where machines are compared by less than a fingerprint."""
    plain = [one for one in sessions if not one.machine]
    if not plain:
        return None
    others = f" and {len(plain) - 1} more" if plain[1:] else ""
    how = compared_by(plain[0].processor)
    return f"{plain[0].path.name}{others}: no fingerprint (saved without Tailgate); machines are compared {how}"
