"""Every place where Tailgate reaches into pytest-benchmark's private names: here and nowhere else.

``SYMBOLS`` lists them; ``tests/seams`` has a canary for each. One module, however long: that is its point. All
are rebound once, when the plug-in is loaded, and work in whichever order the two plug-ins are loaded:

- columns: ``utils.ALLOWED_COLUMNS`` is appended to in place, ``stats.Stats`` gets the properties;
- ``--benchmark-sort`` and ``--benchmark-compare-fail``: the parsers, by name and in options already added;
- the table, the fixture and the storage: the names under which session, plug-in and command look them up;
- the folder of saved runs: ``session.get_machine_id``.
"""

import argparse
import contextlib
import importlib
import io
import pstats
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_benchmark
from pytest_benchmark import csv as benchmark_csv
from pytest_benchmark import plugin, session, utils
from pytest_benchmark.fixture import BenchmarkFixture
from pytest_benchmark.stats import Metadata, Stats
from pytest_benchmark.storage import file as file_storage

from tailgate.errors import TailgateError, one_line, unknown_value
from tailgate.files import replace_text
from tailgate.results import columns
from tailgate.results.plain import json_text, plain
from tailgate.results.saved_run import Run
from tailgate.seams import grouping
from tailgate.seams.between import Between
from tailgate.seams.pytest_names import keyword_rule
from tailgate.seams.storage import BaselineStorage, kept
from tailgate.seams.table import BetweenTable, PercentileTable, sort_key
from tailgate.stats.quantiles import percentile

UNWRITTEN = pytest.StashKey[bool]()
"""Set where the session could not write a file that the user asked for: it must not end green."""
TESTED_VERSIONS = ((5, 3, 1), (5, 4))
"""pytest-benchmark versions from the first up to, not including, the second."""
OLDEST_PYTEST = (9, 1)
"""The first that gives a command line's options what we need of it (``option_conflicts.py``, ``retype_options``)."""

SYMBOLS = (
    "utils.ALLOWED_COLUMNS", "utils.PercentageRegressionCheck", "utils.DifferenceRegressionCheck",
    "utils.cached_property", "utils.report_progress", "utils.get_commit_info", "stats.Stats.fields",
    "stats.Stats.sorted_data", "stats.Metadata", "table.TableResults.display", "table.TableResults.compute_scale",
    "table.compute_baseline_scale", "csv.operator", "csv.csv", "session.TableResults", "session.get_machine_id",
    "session.BenchmarkSession.save_json", "cli.TableResults", "cli.CompareBetweenResults", "table.STAT_PROPS",
    "cli.main", "cli.plugin.pytest_benchmark_group_stats", "cli.make_parser", "utils.load_storage",
    "plugin.BenchmarkFixture", "plugin.parse_sort", "plugin.parse_compare_fail", "fixture.PauseInstrumentation",
    "fixture.BenchmarkFixture._raw", "fixture.BenchmarkFixture._make_stats",
    "fixture.BenchmarkFixture._get_precision", "fixture.BenchmarkFixture._save_cprofile",
    "fixture.BenchmarkFixture._raw_pedantic", "utils.funcname", "storage.file.FileStorage.query",
    "storage.file.FileStorage.load", "storage.file.FileStorage.save", "storage.file.FileStorage.get",
    "storage.file.FileStorage._next_num",
)  # fmt: skip

_installed = False
_fixture: type[BenchmarkFixture] = BenchmarkFixture
_folder: str | None = None


def install(fixture: type[BenchmarkFixture] | None = None) -> None:
    """Put every seam in place; a second call does nothing, but for ``fixture``: the class of our ``benchmark``."""
    global _installed, _fixture  # noqa: PLW0603 (process-wide, as what it guards)
    _fixture = fixture or _fixture
    if _installed:
        return
    _installed = True
    _check_version()
    _add_columns()
    plugin.parse_sort = parse_sort
    plugin.parse_compare_fail = parse_compare_fail
    session.TableResults = PercentileTable
    file_storage.FileStorage = BaselineStorage
    benchmark_csv.operator = _CsvOperator
    session.get_machine_id = _machine_folder
    session.BenchmarkSession.save_json = _save_json


def install_command() -> Any:
    """``pytest_benchmark.cli`` with our table: apart, because a test run need not import it."""
    install()
    from pytest_benchmark import cli

    from tailgate.results.spreadsheet import Rows

    cli.TableResults = PercentileTable
    if not issubclass(cli.CompareBetweenResults, Between):
        cli.CompareBetweenResults = type("BetweenTable", (Between, BetweenTable), {})
    benchmark_csv.csv = SimpleNamespace(writer=Rows)
    cli.plugin.pytest_benchmark_group_stats = grouping.of_saved(_stock_group_stats)
    return cli


def compare_options(command: Any, arguments: list[str]) -> Any:
    """What ``pytest-benchmark compare`` makes of these command-line arguments.

    Raises:
        TailgateError: it would refuse them; its reason without its usage, which names another command.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return command.make_parser().parse_args(arguments)
    except SystemExit as stop:
        if not stop.code:
            raise
        reason = said.getvalue().strip().rpartition("error: ")[2] or "wrong usage"
        raise TailgateError(f"compare: {' '.join(reason.split())}; see tailgate compare --help") from stop


def check_between(options: Any, files: int) -> None:
    """``--between`` puts the same benchmark of several runs on one line: what it cannot, it says here.

    Raises:
        TailgateError: it would show nothing, or leave something out without a word.
    """
    if not getattr(options, "between", None):  # of pytest-benchmark 5.3 on
        return
    from pytest_benchmark.table import STAT_PROPS

    for name in ("columns", "histogram"):
        if getattr(options, name):
            raise TailgateError(
                f"compare: --between and --{name} exclude each other: --between={','.join(options.between)} names the "
                f"columns and draws nothing; leave one of them out"
            )
    unknown = [name for name in options.between if name not in STAT_PROPS]
    if unknown:
        raise TailgateError(
            f"compare: --between cannot show {', '.join(unknown)} (allowed: {', '.join(STAT_PROPS)}); side by side: "
            f"tailgate compare A.json B.json --group-by=fullname --columns={','.join(options.between)}"
        )
    if files < 2:
        raise TailgateError("compare: --between needs two saved runs or more, and one was found; name another")


def saved_runs(command: Any, arguments: list[str]) -> list[Path]:
    """The files that ``pytest-benchmark compare`` would read for these command-line arguments.

    Raises:
        TailgateError: a name matches none.
    """
    options = compare_options(command, arguments)
    storage = utils.load_storage(options.storage, logger=None, netrc=options.netrc)
    files: list[Path] = []
    for name in options.glob_or_file or ["[0-9][0-9][0-9][0-9]_"]:
        try:
            found = storage.query(name)
        except ValueError as error:
            raise TailgateError(f"compare: {one_line(error)}") from error
        if not found:
            raise TailgateError(
                f"compare: no saved run matches {name!r} in {storage.path}; name a file, or save a run there"
            )
        files += found
    return files


def use_loaded(runs: Mapping[Path, Run]) -> None:
    """Let ``pytest-benchmark compare`` take these runs as they are, instead of reading their files again."""
    BaselineStorage.loaded = dict(runs)


def chosen_by(command: Any, arguments: list[str]) -> Callable[[str], bool]:
    """Which benchmarks ``-k`` of these arguments names, by the rule of ``pytest-benchmark compare``."""
    text = getattr(compare_options(command, arguments), "filter_expr", None)
    if not text:
        return lambda fullname: True
    rule = keyword_rule(text)
    return lambda fullname: rule(lambda word: word in fullname)


def compared_files(config: Any) -> list[Path]:
    """What ``--benchmark-compare`` of this session compares with, as pytest-benchmark finds it."""
    session = config._benchmarksession
    if session.compare is True:
        return list(session.storage.query("[0-9][0-9][0-9][0-9]_"))[-1:]
    return list(session.storage.query(session.compare))


def add_p99_intervals() -> None:
    """Give every row of this session P99's intervals.

    Apart from :func:`install`, because it needs scipy, whose import a project that never asked for P99
    should not pay for.
    """
    ends = {
        **dict.fromkeys(columns.P99_INTERVAL, lambda stats: columns.p99_interval(stats.sorted_data, stats.extra_info)),
        **dict.fromkeys(
            columns.P99_BLOCKS_INTERVAL,
            lambda stats: columns.p99_blocks_interval(stats.data, stats.sorted_data, stats.extra_info),
        ),
    }
    for name, interval in ends.items():
        if name not in Stats.fields:
            _add_statistic(name, _end_of(interval, name), shown=False)


def measured(config: Any) -> list[Any]:
    """The rows (pytest-benchmark's metadata) that this session has measured so far."""
    session = getattr(config, "_benchmarksession", None)
    return [] if session is None else list(session.benchmarks)


def unwritten(config: Any) -> bool:
    """Whether a file that the user asked for could not be written there."""
    storage = getattr(getattr(config, "_benchmarksession", None), "storage", None)
    return bool(config.stash.get(UNWRITTEN, False) or getattr(storage, "unwritten", False))


def add_measured(config: Any, rows: Iterable[Any]) -> None:
    """Rows that were measured elsewhere, for the table, the JSON and the comparison."""
    config._benchmarksession.benchmarks.extend(rows)


def row_to_plain(row: Any) -> dict[str, Any]:
    """A row as plain data, to be carried to another process; not its parameters, which may be anything."""
    profile = row.cprofile_stats
    return {
        **{name: getattr(row, name) for name in ("name", "fullname", "group", "param", "iterations")},
        "extra_info": plain(row.extra_info),
        "options": {key: utils.funcname(value) if callable(value) else value for key, value in row.options.items()},
        "data": row.stats.data,
        "has_error": row.has_error,
        "cprofile": _profile_to_plain(profile.stats) if profile else None,
    }


def row_from_plain(carried: dict[str, Any], params: Any) -> Any:
    """The row again."""
    profile = None
    if carried["cprofile"]:
        profile = pstats.Stats()
        profile.stats = _profile_from_plain(carried["cprofile"])  # type: ignore[attr-defined]
        profile.get_top_level_stats()
    fixture = SimpleNamespace(**carried, params=params, cprofile_stats=profile)
    row = Metadata(fixture, iterations=carried["iterations"], options=carried["options"])
    row.stats.data = carried["data"]
    row.stats.extra_info = row.extra_info
    return row


def _profile_to_plain(stats: dict[Any, Any]) -> list[Any]:
    """The profile as lists: JSON, in which the journal is written, has no tuples for keys."""
    return [[function, *numbers, list(callers.items())] for function, (*numbers, callers) in stats.items()]


def _profile_from_plain(carried: list[Any]) -> dict[Any, Any]:
    return {
        tuple(function): (*numbers, {tuple(caller): tuple(counts) for caller, counts in callers})
        for function, *numbers, callers in carried
    }


def watch_measuring(wanted: bool) -> None:
    """Make ``benchmark`` our fixture or, where no option wants it, pytest-benchmark's own."""
    plugin.BenchmarkFixture = _fixture if wanted else BenchmarkFixture


def is_foreign(fixture: object) -> bool:
    """Whether ``benchmark`` is of a class of the project's own, and not ours, which was to measure."""
    return plugin.BenchmarkFixture is _fixture is not BenchmarkFixture and not isinstance(fixture, _fixture)


def save_under(folder: str | None) -> None:
    """Save runs in this sub-folder of the storage from now on, and look there first.

    ``None``: pytest-benchmark's own, such as ``Linux-CPython-3.11-64bit``.
    """
    global _folder  # noqa: PLW0603 (pytest-benchmark asks a module-level function)
    _folder = folder


def retype_options(parser: pytest.Parser) -> None:
    """Give our parsers to options that pytest-benchmark added before this plug-in was loaded."""
    parsers = {"--benchmark-sort": parse_sort, "--benchmark-compare-fail": parse_compare_fail}
    for group in parser._groups:
        for option in group.options:
            for name in option.names():
                if name in parsers:
                    option.attrs()["type"] = parsers[name]


def resolve(symbol: str) -> Any:
    """The object behind an entry of ``SYMBOLS``.

    Raises:
        AttributeError: this version of pytest-benchmark no longer has it.
    """
    parts = symbol.split(".")
    depth = 2 if parts[0] == "storage" else 1
    found: Any = importlib.import_module(".".join(["pytest_benchmark", *parts[:depth]]))
    for part in parts[depth:]:
        found = getattr(found, part)
    return found


def parse_sort(text: str) -> str:
    """``--benchmark-sort``: pytest-benchmark's columns and ours."""
    column = text.lower().strip()
    if column not in columns.SORTABLE:
        raise _with_ours(
            _stock_parse_sort, text, unknown_value("with tailgate", column, columns.SORTABLE, noun="column")
        )
    return column


def parse_compare_fail(text: str) -> Any:
    """``--benchmark-compare-fail`` for our columns too, with decimals: ``p99:7.5%``, ``throughput:3%``."""
    match = re.fullmatch(r"(\w+):(\d*\.?\d+(?:e[-+]?\d+)?)(%?)", text.lower().strip())
    allowed = ("min", "max", "mean", "median", "stddev", "iqr", *columns.ADDED_COLUMNS)
    if not match or match[1] not in allowed:
        column = text.partition(":")[0].lower().strip()
        if match and column:
            hint = unknown_value("with tailgate", column, allowed, noun="column")
        else:
            hint = "with tailgate: write COLUMN:NUMBER% or COLUMN:SECONDS, such as median:5% or p99:0.001"
        raise _with_ours(_stock_parse_compare_fail, text, hint)
    column, number, percent = match.groups()
    check = PercentageRegressionCheck if percent else DifferenceRegressionCheck
    return check(column, float(number))


_stock_group_stats = plugin.pytest_benchmark_group_stats
_stock_parse_sort, _stock_parse_compare_fail = utils.parse_sort, utils.parse_compare_fail


def _with_ours(stock: Callable[[str], Any], text: str, ours: str) -> argparse.ArgumentTypeError:
    """pytest-benchmark's own message for a wrong value, then what Tailgate takes besides."""
    try:
        stock(text)
    except argparse.ArgumentTypeError as error:
        return argparse.ArgumentTypeError(f"{error}\n{ours}")
    raise AssertionError(f"pytest-benchmark takes {text!r} and Tailgate does not")


class _Directed:
    """Up is worse for times, down is worse for throughput; an unknown baseline cannot be passed."""

    field: str
    threshold: float
    compute: Callable[[Any, Any], float]

    def fails(self, current: Any, compared: Any) -> str | None:
        compared = columns.complete(dict(compared), compared.get("extra_info") or {})
        if compared.get(self.field) is None or current[self.field] is None:
            return f"Field {self.field!r} is not known on both sides: save the baseline with --benchmark-save-data"
        change = self.compute(current, compared)
        worse = -change if self.field in columns.HIGHER_IS_BETTER else change
        if worse > self.threshold:
            return f"Field {self.field!r} has failed {type(self).__name__}: {worse:.9f} > {self.threshold:.9f}"
        return None


class PercentageRegressionCheck(_Directed, utils.PercentageRegressionCheck):
    """``COLUMN:NUMBER%``."""


class DifferenceRegressionCheck(_Directed, utils.DifferenceRegressionCheck):
    """``COLUMN:SECONDS``."""


class _CsvOperator:
    """pytest-benchmark's CSV writer sorts with ``operator.itemgetter``; ours knows missing values."""

    itemgetter = staticmethod(sort_key)


def _save_json(self: Any, output_json: Any) -> None:
    """``--benchmark-json``: whole or as it was; a full disk costs the file, not the table and the verdicts."""
    file = Path(self.json)
    text = json_text(output_json, indent=4)
    try:
        if file.exists() and not file.is_file():  # a pipe, a device
            file.write_text(text, encoding="utf8")
        else:
            replace_text(file.resolve(), text)
    except OSError as error:
        said = f"{file} could not be written ({one_line(error)}); {kept(text, file.name)}"
        self.logger.error(said)
        self.config.stash[UNWRITTEN] = True
        return
    self.logger.info(f"Wrote benchmark data in: {file}", purple=True)


def _machine_folder() -> str:
    return _folder if _folder is not None else utils.get_machine_id()


def _add_columns() -> None:
    Stats.extra_info = {}
    for name, percent in columns.PERCENTILES.items():
        _add_statistic(name, _percentile_of(percent))
    _add_statistic(
        "throughput",
        lambda stats: columns.throughput(
            statistics.median(stats.data),
            columns.items_per_call(stats.extra_info),
            columns.served_per_s(stats.extra_info),
        ),
    )
    utils.ALLOWED_COLUMNS.append(columns.P99_BLOCKS)  # shown by our table, from P99 and the interval's two ends


def _percentile_of(percent: float) -> Callable[[Any], float]:
    return lambda stats: percentile(stats.sorted_data, percent)


def _end_of(interval: Callable[[Any], dict[str, float | None]], name: str) -> Callable[[Any], float | None]:
    return lambda stats: interval(stats)[name]


def _add_statistic(name: str, compute: Callable[[Any], Any], *, shown: bool = True) -> None:
    compute.__name__ = name
    setattr(Stats, name, utils.cached_property(compute))
    Stats.fields = (*Stats.fields, name)
    if shown:
        utils.ALLOWED_COLUMNS.append(name)


def _check_version() -> None:
    if _numbers(pytest.__version__) < OLDEST_PYTEST:
        oldest = ".".join(map(str, OLDEST_PYTEST))
        raise ImportError(
            f"tailgate works with pytest >={oldest}, not {pytest.__version__}; "
            f"install one with: pip install 'pytest>={oldest}'"
        )
    if not TESTED_VERSIONS[0] <= _numbers(pytest_benchmark.__version__) < TESTED_VERSIONS[1]:
        low, high = (".".join(map(str, bound)) for bound in TESTED_VERSIONS)
        raise ImportError(
            f"tailgate works with pytest-benchmark >={low},<{high}, not {pytest_benchmark.__version__}; "
            f"install one with: pip install 'pytest-benchmark>={low},<{high}'"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
