"""The pytest hooks; each calls a room of the house."""

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from tailgate import hookspecs, roles
from tailgate.errors import as_usage_error
from tailgate.machine import git
from tailgate.options import add_options, settings_from
from tailgate.seams import benchmark_names, grouping
from tailgate.session.items import ROWS, connect, declared_items, is_benchmark, shuffle_benchmarks, tidy
from tailgate.session.load import PARAMETER
from tailgate.session.run import RUN
from tailgate.session.settings import SETTINGS

benchmark_names.install()
FIRST_ROW = pytest.StashKey[int]()
"""How many rows there were before a test's set-up: those after them are the test's."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """What a project may tell us."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options; and our parsers for two of pytest-benchmark's."""
    add_options(parser)
    benchmark_names.retype_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Every plug-in is loaded, and nothing of the project."""
    roles.note_plugins(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check everything that can be wrong before anything is measured.

    pytest-benchmark makes its session in a hook of its own that runs last, so it sees what is set here.
    """
    config.addinivalue_line("markers", "throughput(items): items one call processes: a number, or a parameter's name.")
    config.addinivalue_line(
        "markers", "preload(*modules): modules to import once, before the benchmark's process is forked."
    )
    config.addinivalue_line(
        "markers", "gate(median='3%', p99='25%', throughput='3%', p99_max='50ms'): how much worse a benchmark may get."
    )
    with as_usage_error():
        roles.take_role(config, settings_from(config))


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each load: a row, a verdict and a process of its own."""
    load = metafunc.config.stash[SETTINGS].load
    if load is not None and "benchmark" in metafunc.fixturenames:
        metafunc.fixturenames.append(PARAMETER)
        metafunc.parametrize(PARAMETER, load.names, ids=load.names)


@pytest.hookimpl
def pytest_tailgate_expected(config: pytest.Config, extra_info: Mapping[str, Any]) -> bool | None:
    """A saved row of a load that this session does not play is another workload, so it is not missing."""
    load = config.stash[SETTINGS].load
    played = load.names if load is not None else (None,)
    return None if not extra_info or extra_info.get("load_arrivals") in played else False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``--order=random``, after every other plug-in has had its say."""
    settings = config.stash[SETTINGS]
    if settings.order == "random":
        shuffle_benchmarks(items, settings.seed)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What the meters must know before the fixtures load anything."""
    if is_benchmark(item):
        item.stash[FIRST_ROW] = len(benchmark_names.measured(item.config))
        declared_items(item)  # a misspelt marker fails before anything is measured
        if item.config.stash[SETTINGS].active:
            from tailgate.measure.fixture import mark_meters

            mark_meters(item)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Generator[None, object, object]:
    """Refuse a ``benchmark`` of the project's own class: it would ignore Tailgate's options."""
    made = yield
    if fixturedef.argname == "benchmark" and made is not None and benchmark_names.is_foreign(made):
        pytest.fail(
            f"benchmark is a {type(made).__name__} here, a class of the project's own, which Tailgate's options do not "
            "reach: change what the fixture that it overrides gives (def benchmark(benchmark): ...), or leave those "
            "options out",
            pytrace=False,
        )
    return made


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Set the report's status, and put the test's rows so far where the session or the messenger finds them."""
    report = yield
    if not is_benchmark(item):
        return report
    if item.config.stash[SETTINGS].active:
        tidy(item, call, report)
    measured = benchmark_names.measured(item.config)
    item.stash[ROWS] = connect(item, measured[item.stash.get(FIRST_ROW, len(measured)) :])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> Any:
    """No dot where a progress line says more."""
    return config.stash[RUN].teststatus(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what a reader must not miss."""
    config.stash[RUN].summarize(terminalreporter)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_benchmark_generate_commit_info() -> Generator[None, object, object]:
    """Ask for the repository around the project, without touching its index, in whatever git hook this runs."""
    with git.clean_environment():
        return (yield)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_benchmark_group_stats(benchmarks: list[dict[str, Any]], group_by: str) -> Generator[None, object, object]:
    """Rows without the parameter that is grouped by are a group, too."""
    with grouping.tolerant(benchmarks, group_by):
        return (yield)
