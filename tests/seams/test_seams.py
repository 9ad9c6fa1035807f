import argparse
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from _pytest.capture import FDCapture, FDCaptureBase, SysCapture
from foreign import OTHERS_OFF

import tailgate
from tailgate.seams import benchmark_names, pytest_names

# Looked at in a process that never installs the seams: this one has them in place already.
LOOK_AT_THE_ORIGINAL = """
import inspect, json, sys
from pytest_benchmark import cli, csv, fixture, plugin, session, stats, storage, table, utils
from tailgate.seams.benchmark_names import SYMBOLS, resolve

def names(function):
    return sorted(inspect.unwrap(function).__code__.co_names)

def described(found):
    known = {"kind": type(found).__name__, "module": getattr(found, "__module__", None)}
    try:
        known["parameters"] = list(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        known["parameters"] = None
    return known

fixture_function = plugin.benchmark
while hasattr(fixture_function, "__wrapped__"):
    fixture_function = fixture_function.__wrapped__
print(json.dumps({
    "symbols": {symbol: described(resolve(symbol)) for symbol in {*SYMBOLS, *sys.argv[1:]}},
    "looked_up": {
        "plugin.benchmark": names(fixture_function),
        "plugin.pytest_addoption": names(plugin.pytest_addoption),
        "plugin.add_display_options": names(plugin.add_display_options),
        "session.__init__": names(session.BenchmarkSession.__init__),
        "session.display": names(session.BenchmarkSession.display),
        "cli.main": names(cli.main),
        "csv.render": names(csv.CSVResults.render),
        "utils.load_storage": names(utils.load_storage),
        "utils.parse_columns": names(utils.parse_columns),
        "stats.as_dict": names(stats.Stats.as_dict),
        "fixture.__init__": names(fixture.BenchmarkFixture.__init__),
        "fixture.__call__": names(fixture.BenchmarkFixture.__call__),
    },
    "columns": utils.ALLOWED_COLUMNS,
    "fields": stats.Stats.fields,
    "same_columns": utils.parse_columns.__globals__["ALLOWED_COLUMNS"] is utils.ALLOWED_COLUMNS,
    "check_parameters": list(inspect.signature(utils.RegressionCheck.__init__).parameters),
    "compute_parameters": list(inspect.signature(utils.PercentageRegressionCheck.compute).parameters),
    "metadata_attributes": sorted(vars(stats.Metadata(
        __import__("types").SimpleNamespace(name="", fullname="", group="", param="", params="", extra_info={},
        cprofile_stats=None), 1, {}))),
}))
"""


PARAMETERS = {
    "session.TableResults": ["columns", "sort", "histogram", "name_format", "logger", "scale_unit"],
    "cli.TableResults": ["columns", "sort", "histogram", "name_format", "logger", "scale_unit"],
    "table.TableResults.display": ["self", "tr", "groups", "progress_reporter"],
    "table.TableResults.compute_scale": ["self", "benchmarks", "best", "worst"],
    "table.compute_baseline_scale": ["baseline", "value", "width"],
    "session.get_machine_id": [],
    "cli.main": [],
    "utils.PercentageRegressionCheck": ["field", "threshold"],
    "utils.DifferenceRegressionCheck": ["field", "threshold"],
    "plugin.parse_sort": ["string"],
    "plugin.parse_compare_fail": ["string", "rex"],
    "stats.Metadata": ["fixture", "iterations", "options"],
    "fixture.BenchmarkFixture._raw": ["self", "function_to_benchmark", "args", "kwargs"],
    "fixture.BenchmarkFixture._make_stats": ["self", "iterations"],
    "fixture.BenchmarkFixture._get_precision": ["self", "timer"],
    "fixture.BenchmarkFixture._save_cprofile": ["self", "profile"],
    "storage.file.FileStorage.query": ["self", "globs_or_files"],
    "storage.file.FileStorage.load": ["self", "globs_or_files"],
    "storage.file.FileStorage.save": ["self", "output_json", "save"],
    "storage.file.FileStorage.get": ["self", "name"],
}
KINDS = {
    "utils.ALLOWED_COLUMNS": "list",
    "stats.Stats.fields": "tuple",
    "utils.cached_property": "type",
    "csv.operator": "module",
    "storage.file.FileStorage._next_num": "property",
}


@pytest.fixture(scope="module")
def original():
    command = [sys.executable, "-c", LOOK_AT_THE_ORIGINAL, *PARAMETERS, *KINDS]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("symbol", benchmark_names.SYMBOLS)
def test_pytest_benchmark_still_has(symbol, original):
    assert benchmark_names.resolve(symbol) is not None
    assert (original["symbols"][symbol]["module"] or "").partition(".")[0] != "tailgate"


def test_a_symbol_that_is_gone_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        benchmark_names.resolve("stats.Stats.no_such_name")


@pytest.mark.parametrize(("symbol", "parameters"), PARAMETERS.items(), ids=PARAMETERS)
def test_the_signature_we_call_or_override_is_unchanged(symbol, parameters, original):
    assert original["symbols"][symbol]["parameters"] == parameters


@pytest.mark.parametrize(("symbol", "kind"), KINDS.items(), ids=KINDS)
def test_a_name_we_extend_in_place_has_the_kind_we_rely_on(symbol, kind, original):
    assert original["symbols"][symbol]["kind"] == kind


@pytest.mark.parametrize(
    ("function", "looked_up"),
    [
        ("plugin.benchmark", {"BenchmarkFixture"}),
        ("plugin.pytest_addoption", {"parse_compare_fail", "add_display_options"}),
        ("plugin.add_display_options", {"parse_sort"}),
        ("session.__init__", {"get_machine_id", "load_storage"}),
        ("session.display", {"TableResults"}),
        ("cli.main", {"TableResults", "CompareBetweenResults"}),
        ("csv.render", {"operator", "itemgetter"}),
        ("utils.load_storage", {"FileStorage"}),
        ("utils.parse_columns", {"ALLOWED_COLUMNS"}),
        ("stats.as_dict", {"fields"}),
        ("fixture.__call__", {"_raw"}),
    ],
)
def test_a_name_we_rebind_is_looked_up_when_it_is_used(function, looked_up, original):
    assert looked_up <= set(original["looked_up"][function])


def test_the_fixture_still_keeps_what_a_protocol_reads(original):
    assert {
        "_timer", "_max_time", "_min_rounds", "_calibration_precision", "_disable_gc", "cprofile",
        "cprofile_loops", "extra_info", "skipped", "stats",
    } <= set(original["looked_up"]["fixture.__init__"])  # fmt: skip


def test_metadata_still_keeps_its_stats_extra_info_and_iterations(original):
    assert {"stats", "extra_info", "iterations", "fullname"} <= set(original["metadata_attributes"])


def test_pytest_benchmark_has_none_of_our_columns_itself(original):
    assert not {"p90", "p95", "p99", "p999", "throughput"} & {*original["columns"], *original["fields"]}
    assert original["same_columns"]


def test_regression_checks_compute_from_current_and_compared(original):
    assert original["check_parameters"] == ["self", "field", "threshold"]
    assert original["compute_parameters"] == ["self", "current", "compared"]


@pytest.mark.parametrize(
    ("package", "version", "remedy"),
    [
        ("pytest_benchmark", "6.0.0", "pip install 'pytest-benchmark>=5.3.1,<5.4'"),
        ("pytest_benchmark", "5.4.0", "pip install 'pytest-benchmark>=5.3.1,<5.4'"),
        ("pytest_benchmark", "5.3.0", "pip install 'pytest-benchmark>=5.3.1,<5.4'"),
        ("pytest_benchmark", "5.2.3", "pip install 'pytest-benchmark>=5.3.1,<5.4'"),
        ("pytest", "9.0.3", "pip install 'pytest>=9.1'"),
        ("pytest", "8.4.2", "pip install 'pytest>=9.1'"),
    ],
)
def test_a_version_that_was_not_run_is_refused(package, version, remedy, monkeypatch):
    benchmark_names._check_version()
    monkeypatch.setattr(getattr(benchmark_names, package), "__version__", version)
    with pytest.raises(ImportError, match=re.escape(remedy)):
        benchmark_names._check_version()


def test_the_metadata_allows_what_the_seams_allow():
    metadata = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    low, high = (".".join(map(str, bound)) for bound in benchmark_names.TESTED_VERSIONS)
    oldest = ".".join(map(str, benchmark_names.OLDEST_PYTEST))
    assert set(re.findall(r'"(pytest-benchmark[^"]*)"', metadata)) == {f"pytest-benchmark>={low},<{high}"}
    assert set(re.findall(r'"(pytest[<>=][^"]*)"', metadata)) == {f"pytest>={oldest}"}


def test_installing_twice_adds_nothing_twice():
    benchmark_names.install()
    benchmark_names.install()
    columns = benchmark_names.resolve("utils.ALLOWED_COLUMNS")
    assert len(columns) == len(set(columns))
    assert columns.count("p99") == 1


def names_of(function):
    return set(inspect.unwrap(function).__code__.co_names)


def test_pytest_still_has_what_running_a_test_elsewhere_reaches_into(request, tmp_path_factory):
    """What ``processes/pytest_seams.py`` uses, and ``seams.measured``."""
    manager = request.config.pluginmanager.get_plugin("capturemanager")
    assert {"out", "err"} <= set(vars(manager._global_capturing))
    assert list(inspect.signature(manager.item_capture).parameters) == ["when", "item"]
    state = request.session._setupstate
    assert request.node in state.stack, "empty only where nothing is set up"
    assert list(inspect.signature(state.teardown_exact).parameters) == ["nextitem"]
    assert request.config._tmp_path_factory is tmp_path_factory
    made = tmp_path_factory.getbasetemp()
    assert tmp_path_factory._basetemp == made
    assert request.config._benchmarksession.benchmarks is not None


def test_pytest_still_reads_keywords_and_lists_its_options_as_we_ask_it(request):
    rule = pytest_names.keyword_rule("fast and not slow")
    assert rule({"fast": True, "slow": False}.__getitem__)
    assert not rule({"fast": True, "slow": True}.__getitem__)
    with pytest.raises(SyntaxError):
        pytest_names.keyword_rule("fast and")
    options = dict(pytest_names.options_of(request.config))
    assert "-k" in options["keyword"]
    assert "--seed" in options["tailgate_seed"]


def test_pytest_still_captures_descriptors_in_a_file_that_can_be_replaced():
    assert {"targetfd_save", "tmpfile"} <= names_of(FDCapture.__init__)
    assert {"tmpfile"} <= names_of(FDCapture.snap) | names_of(FDCaptureBase.snap)
    assert not hasattr(SysCapture(1), "targetfd_save"), "how the two are told apart"


def test_pytest_looks_the_base_temp_up_before_it_makes_one():
    assert "_basetemp" in names_of(pytest.TempPathFactory.getbasetemp)


def test_pytest_counts_failed_subtests_where_we_count_them():
    subtests = pytest.importorskip("_pytest.subtests", reason="subtests came with pytest 9")
    counts = "failed_subtests_key"
    assert {counts, "stash"} <= names_of(subtests._SubTestContextManager.__exit__)
    assert {counts, "stash"} <= names_of(subtests.pytest_report_teststatus)
    assert issubclass(subtests.SubtestReport, pytest.TestReport)


def test_the_terminal_reporter_can_be_replaced_and_found_under_its_name(pytester):
    pytester.makeconftest(
        """
from tailgate.seams.pytest_names import silence_terminal

def pytest_sessionstart(session):
    silence_terminal(session.config)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reporter.write_line("still a writer")
"""
    )
    pytester.makepyfile("def test_one(): pass")
    ran = pytester.runpytest_subprocess(*OTHERS_OFF)
    assert ran.ret == 0
    ran.stdout.no_fnmatch_line("*passed*")
    ran.stdout.fnmatch_lines(["still a writer"])


def test_the_interpreters_own_flags_can_be_passed_on():
    assert isinstance(subprocess._args_from_interpreter_flags(), list)


PROJECT = "def test_one(benchmark): benchmark(sum, [1])\ndef test_two(benchmark): benchmark(sum, [2])\n"
PLUGINS = {"ours": "tailgate.plugin", "theirs": "pytest_benchmark.plugin"}


@pytest.mark.parametrize("order", [("ours", "theirs"), ("theirs", "ours")], ids="-then-".join)
def test_either_plug_in_may_be_loaded_first(order, pytester, monkeypatch):
    pytester.makepyfile(PROJECT)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(tailgate.__file__).parent.parent), prepend=os.pathsep)
    loaded = [argument for name in order for argument in ("-p", PLUGINS[name])]
    ran = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", *loaded, "--benchmark-max-time=0.001", "--benchmark-columns=p95,throughput",
        "--benchmark-sort=p999", "--benchmark-compare-fail=p99:7.5%",
    )  # fmt: skip
    ran.stdout.fnmatch_lines(["*P95*Throughput (items/s)*", "test_*", "test_*"])
    # pytest-benchmark's own complaint: nothing was compared yet, so the option was understood.
    ran.stderr.fnmatch_lines(["*--benchmark-compare-fail requires valid --benchmark-compare*"])


def test_asked_for_twice_the_plug_in_is_loaded_once(pytester):
    pytester.makepyfile(PROJECT)
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "-p", "tailgate.plugin", "--benchmark-disable", "--order=random")
    ran.assert_outcomes(passed=2)


def test_without_pytest_benchmark_loaded_our_plug_in_does_no_harm(pytester):
    pytester.makepyfile("def test_plain(): pass")
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "-p", "no:benchmark")
    assert ran.ret == 0
    assert "INTERNALERROR" not in ran.stderr.str()


@pytest.mark.parametrize("text", ["median:5%", "p99:7.5%", "p99:0.001", " throughput:3% ", "min:.5%", "max:1e-3"])
def test_compare_fail_is_read(text):
    column, _, number = text.strip().partition(":")
    check = benchmark_names.parse_compare_fail(text)
    assert (check.field, check.threshold) == (column, float(number.rstrip("%")))


def test_compare_fail_reads_columns_in_upper_case_as_sort_and_columns_do():
    assert benchmark_names.parse_compare_fail("P99:5%").field == "p99"


FIVE_PERCENT, HALF_SECOND, RATE = (
    benchmark_names.parse_compare_fail(text) for text in ("p99:5%", "p99:0.5", "throughput:3%")
)


@pytest.mark.parametrize(
    ("check", "now", "then", "fails"),
    [
        (FIVE_PERCENT, 1.06, 1.0, True),
        (FIVE_PERCENT, 1.04, 1.0, False),
        (FIVE_PERCENT, 0.5, 1.0, False),  # faster is never a failure
        (HALF_SECOND, 1.6, 1.0, True),
        (HALF_SECOND, 1.4, 1.0, False),
        (RATE, 96.0, 100.0, True),  # fewer items a second is worse
        (RATE, 98.0, 100.0, False),
        (RATE, 110.0, 100.0, False),  # more is better
        (benchmark_names.parse_compare_fail("throughput:10"), 85.0, 100.0, True),
        (benchmark_names.parse_compare_fail("throughput:10"), 115.0, 100.0, False),
        (FIVE_PERCENT, 1.0, None, True),  # an unknown baseline cannot be passed
        (FIVE_PERCENT, None, 1.0, True),
    ],
)
def test_compare_fail_knows_which_direction_is_worse(check, now, then, fails):
    assert bool(check.fails({check.field: now}, {check.field: then})) is fails


def test_an_unknown_baseline_says_how_to_get_one():
    assert "--benchmark-save-data" in FIVE_PERCENT.fails({"p99": 1.0}, {})


def test_a_regression_of_pytest_benchmarks_own_column_is_reported_in_its_own_words():
    from pytest_benchmark.utils import PercentageRegressionCheck

    now, then = {"median": 1.2}, {"median": 1.0}
    stock = PercentageRegressionCheck("median", 5)
    assert benchmark_names.parse_compare_fail("median:5%").fails(now, then) == stock.fails(now, then)


@pytest.mark.parametrize("text", ["", "p99", "p99:", "p99:five%", "p99:5%%", "p99:-5%", "p99=5%", "p99:5 ms"])
def test_garbage_in_compare_fail_is_refused_and_named(text):
    with pytest.raises(argparse.ArgumentTypeError, match=re.escape(repr(text))):
        benchmark_names.parse_compare_fail(text)


@pytest.mark.parametrize("text", ["p99:five%", "p99:-5%", "median:5%%"])
def test_a_wrong_number_is_not_blamed_on_its_column(text):
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        benchmark_names.parse_compare_fail(text)
    assert "unknown column" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "nearest"), [("p98:5%", "p9"), ("meidan:5%", "median"), ("throughputs:5%", "throughput"), ("zzz:5%", "")]
)
def test_an_unknown_column_in_compare_fail_names_the_nearest(text, nearest):
    with pytest.raises(argparse.ArgumentTypeError, match=r"allowed: min, max, mean, .*p999, throughput") as refused:
        benchmark_names.parse_compare_fail(text)
    assert f"did you mean '{nearest}" in str(refused.value) or not nearest


@pytest.mark.parametrize("column", ["min", "name", "p90", "P99", " p999 ", "throughput"])
def test_columns_of_both_can_be_sorted_on(column):
    assert benchmark_names.parse_sort(column) == column.lower().strip()


def test_an_unknown_sort_column_names_the_nearest_and_measures_nothing(pytester):
    pytester.makepyfile(PROJECT)
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "--benchmark-sort=throughputt")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    assert "unknown column 'throughputt'; did you mean 'throughput'? (allowed: min," in ran.stderr.str()
    assert "test_one" not in ran.stdout.str()


def test_options_added_before_us_get_our_parsers():
    attributes = {name: {"type": str} for name in ("--benchmark-sort", "--benchmark-compare-fail", "--benchmark-save")}
    options = [
        SimpleNamespace(names=lambda name=name: [name], attrs=lambda kept=kept: kept)
        for name, kept in attributes.items()
    ]
    benchmark_names.retype_options(SimpleNamespace(_groups=[SimpleNamespace(options=options)]))
    assert [kept["type"] for kept in attributes.values()] == [
        benchmark_names.parse_sort,
        benchmark_names.parse_compare_fail,
        str,
    ]
