"""How many CPUs this process may really use: affinity and cgroup quota, not what lscpu prints."""

import math
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


def affinity_cpus() -> int:
    """CPUs this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def contents(file: str | Path) -> str:
    """The text of a small file of the kernel's, in half the time of ``Path.read_text``: some are read beside rounds.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not text.
    """
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
    finally:
        os.close(descriptor)
    return b"".join(parts).decode()


def cpu_quota(cgroup_root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float | None:
    """CPUs' worth of time the cgroup grants (cgroup v2 ``cpu.max``, v1 ``cfs_quota``); ``None``: no limit.

    The tightest limit on the way from this process's own group up to the root counts.
    """
    return tightest_quota(cgroup_folders(cgroup_root, own))


def tightest_quota(folders: Iterable[Path]) -> float | None:
    """The tightest quota of groups that :func:`cgroup_folders` has found, in CPUs; ``None``: no limit."""
    return min((limit for folder in folders if (limit := _limit(folder)) is not None), default=None)


def usable_cpus() -> int:
    """CPUs that can really run at once: the affinity mask, capped by the quota (rounded up), at least 1."""
    return capped_by_quota(affinity_cpus(), cpu_quota())


def capped_by_quota(count: int, quota: float | None) -> int:
    """How many of ``count`` CPUs a quota lets run at once: rounded up, at least 1."""
    return count if quota is None else max(1, min(count, math.ceil(quota)))


def cgroup_folders(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> list[Path]:
    """Where the CPU controller's files of this process's group and of its parents may be, each folder once.

    Both versions of cgroups. Version 1 has one folder by two names (``cpu`` is a link to ``cpu,cpuacct``):
    read twice, its throttling would count twice.
    """
    try:
        groups = contents(own)
    except OSError:
        groups = ""
    return list(_distinct_folders(root, groups))


@lru_cache(maxsize=8)
def _distinct_folders(root: Path, groups: str) -> tuple[Path, ...]:
    """Resolve the folders once: every benchmark asks around its timed rounds, and resolving takes long."""
    return tuple({folder.resolve(): folder for folder in _possible_folders(root, groups)}.values())


def _possible_folders(root: Path, groups: str) -> list[Path]:
    folders = [root, root / "cpu", root / "cpu,cpuacct"]
    for line in groups.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        parts = Path(path.lstrip("/")).parts
        folders += [base.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    return folders


def _limit(folder: Path) -> float | None:
    for read in (_limit_v2, _limit_v1):
        try:
            return read(folder)
        except (OSError, ValueError):
            continue  # this version of cgroups has no such file here
    return None


def _limit_v2(folder: Path) -> float | None:
    quota, period = contents(f"{folder}/cpu.max").split()
    return None if quota == "max" else int(quota) / int(period)


def _limit_v1(folder: Path) -> float | None:
    quota = int(contents(f"{folder}/cpu.cfs_quota_us"))
    period = int(contents(f"{folder}/cpu.cfs_period_us"))
    return quota / period if quota > 0 and period > 0 else None
