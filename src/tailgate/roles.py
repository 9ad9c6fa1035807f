"""Who plays what in this process: a session that starts others, a side of a duet, a benchmark's own process.

Whatever a role needs is imported only for it.
"""

import os

import pytest

from tailgate.errors import TailgateError
from tailgate.measure.pacing import PACER, PACER_OF_CHILD
from tailgate.processes import variables
from tailgate.processes.tenants.options import check_tenants
from tailgate.seams import benchmark_names
from tailgate.session.plugin import SessionPlugin, register
from tailgate.session.run import RUN, BenchmarkRun
from tailgate.session.settings import SETTINGS, Settings, of_a_child


def note_plugins(config: pytest.Config) -> None:
    """In a side of a duet: what is imported before the project's first file."""
    if variables.SIDE in os.environ:
        from tailgate.gates.duet.imported import PLUGINS, before_the_project

        config.stash[PLUGINS] = before_the_project()


def take_role(config: pytest.Config, settings: Settings) -> None:
    """Find out, and register the plug-in of that role.

    Raises:
        TailgateError: what was asked for cannot be.
    """
    side, task = variables.SIDE in os.environ, None
    if variables.SPAWNED in os.environ and not side:
        from tailgate.processes.spawning import SpawnedChild, child_task

        task = child_task()
    if side or task is not None:  # what is written, shown and judged is the session's to do
        settings = of_a_child(settings, side=side)
    config.stash[SETTINGS] = settings
    if settings.active:  # all of it now, and nothing in the middle of a benchmark
        from tailgate.measure.fixture import TailgateBenchmark

        benchmark_names.install(TailgateBenchmark)
    if settings.load is not None:
        from tailgate.measure.open_loop import OpenLoop

        config.stash[PACER] = OpenLoop()
    if settings.load is not None and settings.load.servers > 1:
        from tailgate.processes.tenants.server import Server

        config.stash[PACER_OF_CHILD] = Server
    elif settings.tenants > 1:
        from tailgate.processes.tenants.tenant import Tenant

        config.stash[PACER_OF_CHILD] = Tenant
    if side:
        from tailgate.gates.duet.side import Side, side_task

        config.pluginmanager.register(Side(config, *side_task()), "tailgate-side")
    if task is not None:
        config.pluginmanager.register(SpawnedChild(config, *task), "tailgate-spawned")
    run = config.stash[RUN] = BenchmarkRun(config, settings)
    if not side and task is None:
        register(config, SessionPlugin(config, run), "tailgate-session")
        register(config, run.extent, "tailgate-extent")
        check_tenants(settings.tenants, settings.tenant_cpus, run.not_isolated)
        _judge(config, settings, run)
        _start_processes(config, settings, run)
        _serve_the_fleet(config)


def _judge(config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
    """What ``--gate`` and ``--report`` ask for.

    ``tailgate_gate = on`` in an ini file waits for a ``--benchmark-compare``; typed without one, it is a mistake.
    """
    option = config.option
    typed = config.getoption("tailgate_gate", None) is not None
    if not hasattr(option, "benchmark_storage") or option.collectonly or option.help:
        if typed and not hasattr(option, "benchmark_storage"):
            raise TailgateError("--gate judges benchmarks, and pytest-benchmark is turned off; leave one of them out")
        return
    if settings.gate and settings.duet and option.benchmark_compare:
        raise TailgateError("--gate judges by saved sessions and --duet by another side; leave one of them out")
    if settings.gate and not settings.duet and (typed or option.benchmark_compare):
        from tailgate.gates.saved.plugin import SavedGate, check

        check(config)
        gate = SavedGate(config, settings, run)
        run.gate = gate
        register(config, gate, "tailgate-saved-gate")
    if settings.report:
        from tailgate.session.live_page import LiveReport

        register(config, LiveReport(config, settings.report, run), "tailgate-live-report")


def _serve_the_fleet(config: pytest.Config) -> None:
    """In the session of one node of a fleet."""
    if variables.FLEET in os.environ:
        from tailgate.fleet.node_plugin import FleetSession, node_task

        task = node_task()
        assert task is not None
        register(config, FleetSession(config, task), "tailgate-fleet")


def _start_processes(config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
    """For the sides of a duet, or one for each benchmark, or several at once."""
    if settings.duet:
        from tailgate.gates.duet.plugin import Duet

        register(config, Duet(config, settings, run), "tailgate-duet")
    elif run.isolating:
        from tailgate.processes.isolation import Isolation  # it locks files, which not every platform can, and 30 ms

        if settings.at_once > 1:
            from tailgate.processes.tenants.runner import TenantRunner as Runner
            from tailgate.processes.tenants.summary import TenantSummary

            if settings.tenants > 1:
                register(config, TenantSummary(config, run), "tailgate-tenant-summary")
        else:
            from tailgate.processes.runner import SingleRunner as Runner  # type: ignore[assignment]
        register(config, Isolation(config, settings, run, Runner), "tailgate-isolation")
