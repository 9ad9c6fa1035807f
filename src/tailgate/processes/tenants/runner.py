"""N ways to start a process at once, each with its own supervisor, fork server and output files.

A supervisor keeps one process, and ends what it leaves behind; so nobody's leftovers are taken for another's. Where
the CPUs are split, the supervisor is bound to its share: its fork server imports, and starts, with no others.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence

import pytest

from tailgate.measure.profiling import ProfileTask
from tailgate.processes.attempt import Attempt
from tailgate.processes.child import Outputs
from tailgate.processes.endings import Ending
from tailgate.processes.runner import not_imported
from tailgate.processes.start_method import Starter
from tailgate.processes.tenants.attempt import Tenancy
from tailgate.processes.tenants.cpus import of_tenants
from tailgate.processes.tenants.group import end_all
from tailgate.processes.tenants.queue import Queue
from tailgate.session.settings import Settings


class TenantRunner:
    """For a session whose benchmarks run as several tenants."""

    def __init__(
        self, config: pytest.Config, items: Sequence[pytest.Item], settings: Settings, tell: Callable[[str], None]
    ) -> None:
        self.tell = tell
        self._timeout_s = settings.benchmark_timeout_s
        self._cpu_way = settings.tenant_cpus
        self._settings = settings
        self._cpus = of_tenants(settings.at_once, settings.tenant_cpus)
        self._outputs: list[Outputs] = []
        self._starters: list[Starter] = []
        for index in range(settings.at_once):
            # Nameless, so that nothing can be left of them.
            outputs = (tempfile.TemporaryFile(buffering=0), tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 (closed in close())
            cpus = None if self._cpus is None else self._cpus[index]
            self._outputs.append(outputs)
            self._starters.append(Starter(config, items, outputs, settings, cpus, tuple(self._starters)))

    @property
    def method(self) -> str:
        """``fork`` or ``spawn``: of all alike."""
        return self._starters[0].method

    @property
    def remarks(self) -> list[str]:
        """What is to be said of how processes were started, the same once."""
        return list(dict.fromkeys(text for starter in self._starters for text in starter.remarks))

    def once(self, item: pytest.Item, task: ProfileTask | None = None) -> Attempt:
        """The item in as many fresh processes at once; their rows as one, or what became of the one that failed."""
        assert task is None, "profiling meters are refused with tenants"
        deadline_s = time.monotonic() + self._timeout_s
        tenancy = self._tenancy()
        try:
            for starter in self._starters:
                tenancy.add(starter.start(item, deadline_s))
            return tenancy.run(deadline_s)
        except TimeoutError:
            end_all(tenancy.running)
            return not_imported(starter, item, self._timeout_s)
        except pytest.fail.Exception as failure:  # another plug-in's time-out, raised in the session
            end_all(tenancy.running)
            return Attempt(ending=Ending("timeout", f"timeout: {failure.msg}"))
        except BaseException:
            end_all(tenancy.running)
            raise
        finally:
            tenancy.close()

    def _tenancy(self) -> Tenancy | Queue:
        load, settings = self._settings.load, self._settings
        if load is not None:
            return Queue(self._outputs, self._timeout_s, load, settings.seed, self.tell)
        return Tenancy(self._outputs, self._timeout_s, self._cpu_way, self._cpus)

    def close(self) -> None:
        """No process of it is left."""
        with contextlib.ExitStack() as last:
            for outputs in self._outputs:
                for stream in outputs:
                    last.callback(stream.close)
            for starter in self._starters:
                last.callback(starter.close)
