"""Wrong use of pytest-benchmark's own options and markers: one line a user can act on, nothing left out in silence."""

import json
from pathlib import Path
from typing import Any

import pytest
from foreign import CONFTEST, run_one, written
from histories import bench, saved_run
from test_hostile_names import HOSTILE, assert_harmless_csv

from tailgate.commands import main as cli
from tailgate.errors import TailgateError
from tailgate.machine.doctor.model import Finding
from tailgate.machine.doctor.render import as_json, as_text
from tailgate.results.pages.content import of_run
from tailgate.results.verdict import Verdict, line
from tailgate.seams.grouping import of_saved, tolerant
from tailgate.text import UNPRINTABLE, counted

PROJECT = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_with(benchmark, n): benchmark.pedantic(sum, args=([n],), rounds=3, iterations=7)

def test_without(benchmark): benchmark.pedantic(sum, args=([1],), rounds=3)

@pytest.mark.benchmark
def test_only_marked(): pass

@pytest.mark.benchmark(group="x")
def test_marked_too(): pass

@pytest.mark.benchmark
def test_asks_as_it_runs(request): request.getfixturevalue("benchmark").pedantic(sum, args=([1],), rounds=3)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("small"), PROJECT)


@pytest.fixture(scope="module")
def grouped(project: Path) -> str:
    done = run_one(project, "-q", "--benchmark-group-by=param:n", "--benchmark-columns=median,p99", "--report=page.md")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rows_without_the_parameter_that_is_grouped_by_are_a_group(grouped: str) -> None:
    for group in ("'n=-': 2 tests", "'n=1': 1 tests", "'n=2': 1 tests"):
        assert f"benchmark {group}" in grouped


def test_a_p99_of_means_says_so_by_the_table_and_in_the_report(grouped: str, project: Path) -> None:
    (note,) = [one for one in grouped.splitlines() if "Percentiles of" in one]
    assert "test_with[1] and 1 more" in note
    assert "of means" in note
    page = (project / "page.md").read_text()
    assert page.count("a round is 7 calls, so percentiles are of such means") == 2


def test_tests_that_are_only_marked_are_named_once(grouped: str) -> None:
    (remark,) = [one for one in grouped.splitlines() if "marked benchmark" in one]
    assert remark.startswith("Warning for test_project.py::test_only_marked and 1 more: ")
    assert "nothing was measured" in remark


@pytest.mark.parametrize(
    ("group_by", "said"),
    [
        ("param:N", "none of the benchmarks has a parameter 'N'; did you mean param:n? (they have: n)"),
        ("funk", "unknown grouping 'funk'; did you mean 'func'?"),
    ],
)
def test_a_grouping_that_cannot_be_is_refused_before_anything_is_measured(
    project: Path, group_by: str, said: str
) -> None:
    done = run_one(project, "-q", f"--benchmark-group-by={group_by}")
    assert done.returncode == 4
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_projects_own_grouping_is_its_own(tmp_path: Path) -> None:
    own = "def pytest_benchmark_group_stats(config, benchmarks, group_by): return [('by ' + group_by, benchmarks)]"
    tests = "def test_one(benchmark): benchmark.pedantic(sum, args=([1],), rounds=3)"
    done = run_one(written(tmp_path, tests, conftest=CONFTEST + own), "-q", "--benchmark-group-by=mood")
    assert done.returncode == 0
    assert "'by mood': 1 tests" in done.stdout


def test_rows_are_given_back_as_they_were() -> None:
    rows: list[dict[str, Any]] = [{"params": {"a": 1}}, {"params": None}, {}]
    with tolerant(rows, "param:b,func"):
        assert [one["params"] for one in rows] == [{"b": "-", "a": 1}, {"b": "-"}, {"b": "-"}]
    assert [one["params"] for one in rows] == [{"a": 1}, None, None]


def test_saved_rows_are_grouped_by_the_same_rules() -> None:
    seen = of_saved(lambda config, benchmarks, group_by: [row["params"]["b"] for row in benchmarks])
    assert seen(None, iter([{"params": {"b": 2}}, {"params": None}]), "param:b") == [2, "-"]
    with pytest.raises(TailgateError, match="none of the benchmarks has a parameter 'c'"):
        seen(None, iter([{"params": {"b": 2}}]), "param:c")
    with pytest.raises(TailgateError, match="unknown grouping"):
        seen(None, iter([]), "colour")


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """``tailgate compare`` on runs of these rows: exit code and all that was said."""

    def compared(*arguments: str, **runs: list[str]) -> tuple[int, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # pytest-benchmark's command would begin hypothesis's
        for symbol in ("TableResults", "CompareBetweenResults", "plugin.pytest_benchmark_group_stats"):
            monkeypatch.setattr(f"pytest_benchmark.cli.{symbol}", _now(symbol))  # put back afterwards
        monkeypatch.setattr("pytest_benchmark.csv.csv", _csv())
        for word, names in runs.items():
            rows = [{**bench(name, 1e-3), "params": {"=p\n": "=1+1"}, "param": "x"} for name in names]
            (tmp_path / f"{word}.json").write_text(json.dumps(saved_run(*rows)))
        code = cli.main(["compare", *(f"{word}.json" for word in runs), *arguments])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return compared


def _now(symbol: str) -> Any:
    from pytest_benchmark import cli as command

    found: Any = command
    for part in symbol.split("."):
        found = getattr(found, part)
    return found


def _csv() -> Any:
    from pytest_benchmark import csv as module

    return module.csv  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--between=p99",), "--between cannot show p99 (allowed: min, max, mean, median, iqr, stddev, ops)"),
        (("--between=min,rounds",), "--between cannot show rounds"),
        (("--between=min", "--columns=max"), "--between and --columns exclude each other"),
        (("--between=min", "--histogram"), "--between and --histogram exclude each other"),
        (("--between",), "argument --between: expected one argument"),
        (("--between", "b.json"), "Invalid column name(s): b.json"),
        (("--colums=min",), "unrecognized arguments: --colums=min"),
    ],
    ids=" ".join,
)
def test_what_between_cannot_is_one_line(compare: Any, arguments: tuple[str, ...], said: str) -> None:
    code, text = compare(*arguments, a=["t.py::one"], b=["t.py::one"])
    assert (code, len(text.splitlines())) == (4, 1)
    assert said in text


def test_between_needs_two_runs(compare: Any) -> None:
    code, text = compare("--between=min", a=["t.py::one"])
    assert code == 4
    assert "needs two saved runs" in text


def test_between_names_what_only_one_run_has(compare: Any) -> None:
    code, text = compare("--between=min", "--group-by=fullname", a=["t.py::one", "t.py::two"], b=["t.py::one"])
    assert code == 0
    assert "Only in a: t.py::two" in text
    assert "ERROR" not in text


@pytest.mark.parametrize("how", [(), ("--columns=min,p99",), ("--between=min",)], ids=["stock", "ours", "between"])
def test_no_name_in_a_comparison_is_obeyed(compare: Any, tmp_path: Path, how: tuple[str, ...]) -> None:
    names = [f"t.py::{HOSTILE}"]
    code, text = compare(*how, "--csv=out.csv", a=names, b=names)
    assert code == 0
    assert "\x1b" not in text
    assert not UNPRINTABLE.search(text.replace("\n", ""))
    written = (tmp_path / "out.csv").read_text()
    assert "'=1+1" in written
    assert_harmless_csv(written)


def test_no_error_of_a_command_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", f"{HOSTILE}.json", "--format=html"]) == 4
    said = capsys.readouterr().err
    assert not UNPRINTABLE.search(said.removesuffix("\n"))
    assert "alert" in said


def test_no_finding_of_the_doctor_is_obeyed() -> None:
    examination = {
        "disturbances": [Finding("load", "disturbs", f"busy: {HOSTILE}\x9b", f"kill {HOSTILE}")],
        "measures": [],
    }
    for text in (as_text(examination), as_json(examination)):  # type: ignore[arg-type]
        assert not UNPRINTABLE.search(text.replace("\n", ""))
        assert "alert" in text
    (found,) = json.loads(as_json(examination))  # type: ignore[arg-type]
    assert found["text"] == f"busy: {HOSTILE}\x9b"


@pytest.mark.parametrize(("count", "text"), [(0, "0 saved sessions"), (1, "1 saved session"), (2, "2 saved sessions")])
def test_one_of_something_is_not_several(count: int, text: str) -> None:
    assert counted(count, "saved sessions") == text
    verdict = Verdict("t.py::one", "median", "undecided", change_rel=0.0, replicates=count, unit="saved sessions")
    assert f"{text};" in f"{line(verdict)};"


def test_a_page_says_what_both_intervals_of_p99_are() -> None:
    found = of_run(saved_run(bench("t.py::one", 1e-3)))
    assert "51 to 68 %" in found.results_note
    assert "by blocks" in found.results_headings
