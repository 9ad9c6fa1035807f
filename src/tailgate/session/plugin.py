"""The plug-in of a session: it announces each benchmark, records and judges what came of it, and completes the JSON.

A process that a session has started does none of that. A forked one inherits the session's plug-ins and leaves them.
"""

from collections.abc import Generator
from typing import Any

import pytest

from tailgate.errors import as_usage_error
from tailgate.results import comparability
from tailgate.seams import benchmark_names, grouping
from tailgate.session import reproduce, run_json
from tailgate.session.extent import partial
from tailgate.session.items import ROWS, is_benchmark
from tailgate.session.run import BenchmarkRun

SESSION_PLUGINS = pytest.StashKey[list[object]]()


def register(config: pytest.Config, plugin: object, name: str) -> None:
    """Register a plug-in for the session's own process alone."""
    config.pluginmanager.register(plugin, name)
    config.stash.setdefault(SESSION_PLUGINS, []).append(plugin)


def leave_session(config: pytest.Config) -> None:
    """Unregister all of them: this process is a benchmark's own from now on."""
    for plugin in config.stash.get(SESSION_PLUGINS, []):
        config.pluginmanager.unregister(plugin)
    config.stash[SESSION_PLUGINS] = []


class SessionPlugin:
    """Registered before every other plug-in of the session."""

    def __init__(self, config: pytest.Config, run: BenchmarkRun) -> None:
        self._config = config
        self._run = run

    def pytest_unconfigure(self) -> None:
        """Close what is open."""
        self._run.close()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Check the grouping and start counting, now that all benchmarks are known."""
        if self._run.measuring:
            with as_usage_error():
                grouping.check(session.config, [item for item in session.items if is_benchmark(item)])
        self._run.begin(session.items)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Print a progress line around each benchmark."""
        self._run.item_begins(item)
        try:
            return (yield)
        finally:
            self._run.item_ends(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: Any
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what came of a benchmark that ran in this process."""
        report = yield
        if is_benchmark(item):
            self._run.judge(report, item, self._run.note(item, report, item.stash[ROWS]))
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """A missing file is an error; exit code 5 when benchmarks were selected, none was measured and none failed."""
        result = yield
        if benchmark_names.unwritten(self._config) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._run.nothing_measured and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
        return result

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """The fingerprint, in every saved run."""
        run_json.describe_machine(machine_info, self._run.fingerprint)

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_benchmark_update_json(self, benchmarks: list[Any], output_json: dict[str, Any]) -> None:
        """What docs/reference/json-fields.md promises beyond the columns."""
        run = self._run
        extent = run.extent.as_json(bench["fullname"] for bench in output_json["benchmarks"])
        output_json["tailgate_run"] = {
            **run_json.settings_of(run.settings, run.isolation),
            "command_options": reproduce.options(self._config),
            "selected": run.found.selected,
            "measured": run.found.measured,
            "calibrations": run.calibrations.values,
            **extent,
        }
        if run.settings.active and not extent["complete"]:
            run.found.remark_once(run_json.incomplete(extent))
        option = self._config.option
        if run.settings.baselines is not None and option.benchmark_save and not option.benchmark_compare:
            run.found.remark_once(run_json.next_command(option.benchmark_save))
        output_json["unmeasured"] = run.unmeasured
        run_json.complete_json(benchmarks, output_json)

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_benchmark_compare_machine_info(
        self, machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
    ) -> Generator[None, object, object]:
        """Compare fingerprints, not momentary clocks."""
        run = self._run
        if not run.settings.active:
            with comparability.stock(machine_info, compared_benchmark):
                return (yield)
        comparability.keep_workloads(compared_benchmark)
        run.remark(*comparability.mark_other_machine(run.fingerprint, compared_benchmark))
        if run.gate is None:  # it says so itself, and looks at older runs
            run.remark(*partial(compared_benchmark))
        run.compared.append(compared_benchmark)
        with comparability.silenced(machine_info, compared_benchmark):
            return (yield)
