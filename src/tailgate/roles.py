"""Where a session comes in: as one that starts processes, or as a process that was started."""

from __future__ import annotations

import os

import pytest

from tailgate.gates.duet.turn_taking import VARIABLE
from tailgate.processes.child import INSIDE
from tailgate.processes.spawning import SpawnedChild, errand
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings


def become_spawned(config: pytest.Config) -> bool:
    """Whether this process was spawned to run one benchmark; if so it does nothing else."""
    found = errand()
    if found is None:
        return False
    config.stash[INSIDE] = True
    config.pluginmanager.register(SpawnedChild(config, *found), "tailgate-spawned")
    return True


def become_side(config: pytest.Config) -> bool:
    """Whether this process is a side of a duet; if so it does what its parent says."""
    if VARIABLE not in os.environ:
        return False
    from tailgate.gates.duet import side

    found = side.errand()
    config.stash[INSIDE] = True
    config.pluginmanager.register(side.Side(config, *found), "tailgate-side")
    return True


def duet(config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
    """From now on benchmarks are measured in turns with another side."""
    from tailgate.gates.duet.plugin import Duet

    config.pluginmanager.register(Duet(config, settings, run), "tailgate-duet")


def isolate(config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
    """From now on benchmarks run in processes of their own."""
    from tailgate.processes.isolation import Isolation  # it locks files, which not every platform can, and costs 30 ms

    config.pluginmanager.register(Isolation(config, settings, run), "tailgate-isolation")
