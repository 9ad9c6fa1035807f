"""A session's settings as plain values; :mod:`tailgate.options` reads them from the command line."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tailgate.machine.fingerprint import DEFAULT_PACKAGES
from tailgate.results.limits import Limits
from tailgate.session.load import Load
from tailgate.session.protocol import Protocol

DEFAULT_TIMEOUT_S = 600.0


DEFAULT_PAIRS, LEAST_PAIRS, MOST_PAIRS = 8, 8, 25
"""R: half of it is the first look, and 4 pairs are the fewest that have an interval."""


LONGEST_DUET_S = 3600.0


@dataclass(frozen=True)
class Settings:
    """What this run asks of the instrument. Everything off: plain pytest-benchmark."""

    protocol: Protocol | None = None
    order: str = "given"
    seed: int = 0
    meters: tuple[str, ...] = ()
    gpu_meters: tuple[str, ...] = ()
    """Meters that a row gets beside ``meters`` when its device is a GPU."""
    profilers: tuple[str, ...] = ()
    """Meters with runs of their own."""
    csv: Path | None = None
    progress: bool = False
    isolation: str = "none"
    processes: int = 1
    tenants: int = 1
    tenant_cpus: str = "shared"
    load: Load | None = None
    """Requests arrive by a schedule; ``None``: a closed loop, which calls again when the last call has returned."""
    start_method: str = "auto"
    benchmark_timeout_s: float = DEFAULT_TIMEOUT_S
    journal: Path | None = None
    resume: bool = False
    gate: bool = False
    limits: Limits = field(default_factory=Limits)
    duet: str | None = None
    duet_pairs: int = DEFAULT_PAIRS
    duet_s: float | None = None
    """``None``: by the length of a call."""
    duet_build: str | None = None
    explain: str = "failed"
    """Of which benchmarks of a duet the operators are timed: ``failed``, ``on`` (all) or ``off`` (none)."""
    report: Path | None = None
    baselines: Path | None = None
    fingerprint_packages: tuple[str, ...] = DEFAULT_PACKAGES

    @property
    def active(self) -> bool:
        """Whether an option or an ini value makes this session measure or save differently."""
        return bool(
            self.protocol or self.meters or self.profilers or self.csv or self.baselines or self.order != "given"
            or self.isolated or self.gate or self.duet or self.report or self.load
        )  # fmt: skip

    @property
    def at_once(self) -> int:
        """How many processes run one benchmark at the same time: tenants, or the servers of a queue."""
        return max(self.tenants, self.load.servers if self.load else 1)

    @property
    def isolated(self) -> bool:
        """Whether each benchmark is to have a process of its own."""
        return self.isolation == "process"


def of_a_child(settings: Settings, *, side: bool) -> Settings:
    """What a process that a session has started leaves to the session; ``side``: of a duet."""
    left = replace(settings, csv=None, report=None, gate=False, progress=False)
    # Its parent's --duet is not among a side's arguments.
    return replace(left, duet="side", isolation="none", profilers=(), journal=None, resume=False) if side else left


SETTINGS = pytest.StashKey[Settings]()
"""Where a session keeps its ``Settings``: ``config.stash[SETTINGS]``."""
