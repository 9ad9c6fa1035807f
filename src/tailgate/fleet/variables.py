"""The environment of a session on a node: the one that ``ray start`` had there, and nothing that Ray adds.

Ray gives each of its workers ``OMP_NUM_THREADS`` (as many as the CPUs it was promised, else 1), the CUDA devices it was
promised, and more (docs/guide/fleet.md has the table). The raylet, which starts the workers, still has the user's.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from tailgate.machine import git

RAYLET = "raylet"
RAYS_ALLOCATOR = ("LD_PRELOAD", "MALLOC_CONF")
"""Set for the raylet alone, where Ray brings its own jemalloc."""


def session_variables(worker: Mapping[str, str], raylet: Mapping[str, str] | None, ray_folder: str) -> dict[str, str]:
    """The environment for a session.

    Args:
        worker: that of the Ray worker.
        raylet: that of its raylet; ``None``: it cannot be read, so only ``OMP_NUM_THREADS`` and ``RAY_*`` are dropped.
        ray_folder: where Ray is installed, which its allocator's path begins with.
    """
    found = {name: value for name, value in (raylet or worker).items() if not name.startswith("RAY_")}
    if raylet is None:
        found.pop("OMP_NUM_THREADS", None)
    elif found.get("LD_PRELOAD", "").startswith(ray_folder):
        for name in RAYS_ALLOCATOR:
            found.pop(name, None)
    tied = git.local_variables()
    return {name: value for name, value in found.items() if name not in tied}


def raylet_above(proc: Path = Path("/proc"), pid: int | None = None) -> int | None:
    """The process id of the nearest ancestor that is a raylet; ``None``: there is none."""
    pid = os.getpid() if pid is None else pid
    while pid > 1:
        try:
            name, _, fields = (proc / str(pid) / "stat").read_text().rpartition(")")
            if name.partition("(")[2] == RAYLET:
                return pid
            pid = int(fields.split()[1])
        except (OSError, ValueError, IndexError):
            return None
    return None


def variables_of(pid: int | None, proc: Path = Path("/proc")) -> dict[str, str] | None:
    """The environment that a process was started with; ``None``: it cannot be read."""
    try:
        return None if pid is None else _environment(proc / str(pid) / "environ")
    except OSError:
        return None


def _environment(file: Path) -> dict[str, str]:
    pairs = (os.fsdecode(entry).partition("=") for entry in file.read_bytes().split(b"\0") if entry)
    return {name: value for name, _, value in pairs}
