"""Where a session comes in: as one that starts processes, or as a process that was started."""

from __future__ import annotations

import pytest

from tailgate.processes.child import INSIDE
from tailgate.processes.spawning import SpawnedChild, errand
from tailgate.run import BenchmarkRun
from tailgate.settings import Settings


def become_spawned(config: pytest.Config) -> bool:
    """Whether this process was spawned to run one benchmark; if so it does nothing else."""
    found = errand()
    if found is None:
        return False
    config.stash[INSIDE] = True
    config.pluginmanager.register(SpawnedChild(config, *found), "tailgate-spawned")
    return True


def isolate(config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
    """From now on benchmarks run in processes of their own."""
    from tailgate.processes.isolation import Isolation  # it locks files, which not every platform can, and costs 30 ms

    config.pluginmanager.register(Isolation(config, settings, run), "tailgate-isolation")
