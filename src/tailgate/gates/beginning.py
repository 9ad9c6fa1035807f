"""Whether a session has a gate; imports one only then."""

from __future__ import annotations

import pytest

from tailgate.errors import TailgateError
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings


def begin_gate(config: pytest.Config, settings: Settings, run: BenchmarkRun) -> None:
    """Register what ``--gate`` and ``--report`` ask for.

    ``tailgate_gate = on`` in an ini file waits for a ``--benchmark-compare``; typed without one, it is a mistake.

    Raises:
        TailgateError: the gate cannot judge as it was asked to.
    """
    option = config.option
    if not hasattr(option, "benchmark_storage") or option.collectonly or option.help:
        return
    typed = config.getoption("tailgate_gate", None) is not None
    if settings.gate and settings.duet and option.benchmark_compare:
        raise TailgateError("--gate judges by saved sessions and --duet by another side; leave one of them out")
    if settings.gate and not settings.duet and (typed or option.benchmark_compare):
        from tailgate.gates.saved.plugin import SavedGate, check

        check(config)
        run.gate = SavedGate(config, settings, run)
        config.pluginmanager.register(run.gate, "tailgate-saved-gate")
    if settings.report:
        from tailgate.session.live_page import LiveReport

        config.pluginmanager.register(LiveReport(config, settings.report, run), "tailgate-live-report")
