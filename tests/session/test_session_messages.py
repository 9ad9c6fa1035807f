"""What a session says: of a wrong value, while it runs, of what was not measured, and at its end."""

import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.errors import TailgateError, as_usage_error, nearest, one_line, unknown_value
from tailgate.session.findings import Findings
from tailgate.session.progress import Progress, summary
from tailgate.session.run import BenchmarkRun
from tailgate.session.settings import Settings
from tailgate.text import duration, milliseconds


class FakeTerminal:
    """A writer and a clock; ``lines`` is what a reader sees."""

    def __init__(self, total: int) -> None:
        self.now_s = 100.0
        self.text = ""
        self.flushed = True
        self.progress = Progress(self.write, total, now=lambda: self.now_s)

    def write(self, text: str, *, flush: bool = False) -> None:
        self.text += text
        self.flushed = flush

    def benchmark(self, name: str, seconds: float = 0.0, said: str = "done", *, measured: bool = True) -> str:
        """The line of one that took so long."""
        self.progress.begin(name)
        self.now_s += seconds
        self.progress.end(said, measured=measured)
        return self.lines[-1]

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@pytest.mark.parametrize(
    ("value", "match"),
    [("quik", "quick"), ("QUICK", "quick"), ("papr", "paper"), ("adapt", "adaptive"), ("zzz", None), ("", None)],
)
def test_the_nearest_match_is_found_or_none_is_named(value, match):
    assert nearest(value, ["quick", "paper", "adaptive"]) == match


def test_nothing_is_near_when_nothing_is_allowed():
    assert nearest("quick", []) is None


@settings(deadline=None)
@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
def test_the_nearest_match_is_always_an_allowed_value(value, allowed):
    assert nearest(value, allowed) in [None, *allowed]


@given(st.lists(st.text("abcdefgh", min_size=1), min_size=1))
def test_an_allowed_value_is_nearest_to_itself(allowed):
    assert nearest(allowed[0], allowed) == allowed[0]


def test_an_unknown_value_names_the_option_the_value_the_allowed_ones_and_the_nearest():
    assert unknown_value("--protocol", "quik", ["quick", "paper"]) == (
        "--protocol: unknown value 'quik'; did you mean 'quick'? (allowed: quick, paper)"
    )


def test_an_unknown_value_near_nothing_gets_no_hint():
    assert unknown_value("--order", "zzz", ["given"]) == "--order: unknown value 'zzz' (allowed: given)"


def test_a_long_list_is_replaced_by_the_command_that_prints_it():
    text = unknown_value("--models", "resnt18", ["resnet18"] * 99, noun="model", listing="see --list-models")
    assert text == "--models: unknown model 'resnt18'; did you mean 'resnet18'? (see --list-models)"


def test_allowed_values_may_come_from_an_iterator_once():
    assert unknown_value("--x", "ab", iter(["abc", "xyz"])).endswith("did you mean 'abc'? (allowed: abc, xyz)")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("one\n  two\n"), "one two"),
        (ValueError(), "ValueError"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
    ],
)
def test_an_exception_fits_on_one_line(error, text):
    assert one_line(error) == text


def test_inside_a_hook_a_tailgate_error_becomes_pytests_usage_error():
    with pytest.raises(pytest.UsageError, match=r"^one line$"), as_usage_error():
        raise TailgateError("one line")


def test_inside_a_hook_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError), as_usage_error():
        _ = 1 / 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (8.4, "8 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (75, "1:15 min"),
        (3599.4, "59:59 min"),
        (3600, "1:00 h"),
        (5400, "1:30 h"),
        (90_000, "25:00 h"),
    ],
)
def test_durations_read_as_seconds_minutes_or_hours(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12.3 ms"), (0.001, "1 ms"), (0.000999, "999 µs"), (2e-7, "0.2 µs"), (0.123456, "123 ms"), (0, "0 µs")],
)
def test_latencies_read_as_milliseconds_or_microseconds(seconds, text):
    assert milliseconds(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(1.5, "1500 ms"), (0.9999, "1000 ms"), (12.34, "12340 ms")])
def test_a_latency_of_seconds_is_not_written_with_an_exponent(seconds, text):
    shown = milliseconds(seconds)
    assert "e" not in shown
    assert float(shown.removesuffix(" ms")) == pytest.approx(float(text.removesuffix(" ms")), rel=0.01)


class FakeStats:
    median, p99, rounds = 0.0123, 0.0456, 243


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("ok", "median 12.3 ms, p99 45.6 ms, 243 rounds"),
        ("oversubscribed", "median 12.3 ms, p99 45.6 ms, 243 rounds (oversubscribed)"),
    ],
)
def test_a_summary_gives_median_p99_rounds_and_what_is_wrong(status, text):
    assert summary([(FakeStats, status)]) == text


def test_a_summary_of_several_measurements_gives_the_range_of_medians_and_each_status_once():
    measured = [(FakeStats, "ok"), (FakeStats, "contended"), (FakeStats, "contended")]
    assert summary(measured) == "3 measurements, medians 12.3 ms to 12.3 ms (contended)"


def test_a_line_is_begun_before_a_benchmark_and_ended_after_it():
    terminal = FakeTerminal(1)
    terminal.progress.begin("test_a")
    assert terminal.text == "[1/1] test_a ... "
    assert terminal.flushed
    terminal.progress.end("median 1 ms", measured=True)
    assert terminal.lines == ["[1/1] test_a ... median 1 ms"]
    assert terminal.flushed


def test_numbers_are_as_wide_as_the_total():
    terminal = FakeTerminal(10)
    lines = [terminal.benchmark(name, measured=False) for name in "abcdefghij"]
    assert (lines[0], lines[9]) == ("[ 1/10] a ... done", "[10/10] j ... done")


def test_time_left_follows_from_the_benchmarks_measured_so_far():
    terminal = FakeTerminal(4)
    for seconds, left in [(10, "; about 30 s left"), (50, "; about 1:00 min left"), (60, "; about 40 s left"), (1, "")]:
        assert terminal.benchmark("x", seconds).endswith(f"x ... done{left}")


def test_skipped_benchmarks_do_not_make_the_rest_look_quick():
    terminal = FakeTerminal(3)
    skipped = terminal.benchmark("skipped", said="skipped: no GPU", measured=False)
    assert skipped == "[1/3] skipped ... skipped: no GPU"
    assert terminal.benchmark("measured", 10) == "[2/3] measured ... done; about 10 s left"


def test_time_between_benchmarks_is_not_counted_as_theirs():
    terminal = FakeTerminal(2)
    terminal.now_s += 500
    assert terminal.benchmark("x", 5).endswith("about 5 s left")


METADATA = object()


def run_with(settings: Settings, **options: Any) -> Any:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(collectonly=False, **options),
        pluginmanager=SimpleNamespace(get_plugin=lambda name: None),
        hook=SimpleNamespace(pytest_tailgate_result=lambda **_: None),
    )
    return BenchmarkRun(config, settings)


@pytest.fixture
def run() -> Any:
    made = run_with(Settings())
    made.counted = []
    made._recorder._measured = lambda item, rows, complete: made.counted.extend(rows)
    return made


class Item:
    fixturenames = ("benchmark",)
    nodeid, name = "test_a.py::test_a", "test_a"


ITEM: Any = Item()


def report(when: str, outcome: str, **more: Any) -> Any:
    flags = {name: outcome == name for name in ("passed", "failed", "skipped")}
    return SimpleNamespace(when=when, outcome=outcome, longrepr="oom: one line", **flags, **more)


@pytest.mark.parametrize(
    ("when", "outcome", "counted"),
    [
        ("setup", "passed", False),
        ("call", "passed", True),
        ("teardown", "passed", False),
        ("call", "rerun", False),  # pytest-rerunfailures': it is tried again
        ("setup", "rerun", False),
        ("call", "failed", False),
    ],
)
def test_measured_is_what_passed_its_call(run: Any, when: str, outcome: str, counted: bool) -> None:
    run.note(ITEM, report(when, outcome), [METADATA])
    assert run.counted == [METADATA] * counted


def test_codspeed_beside_our_options_is_one_line() -> None:
    with pytest.raises(TailgateError, match="--codspeed puts a benchmark fixture"):
        run_with(replace(Settings(), csv=Path("a.csv")), codspeed=True)


def test_a_status_is_told_by_the_report_and_not_read_out_of_its_text(run: Any) -> None:
    run.note(ITEM, report("call", "failed"), [])
    run.note(ITEM, report("call", "failed", tailgate_status="oom"), [])
    assert [entry["status"] for entry in run.found.unmeasured] == ["failed", "oom"]


def test_findings_tell_each_reason_once_with_how_often() -> None:
    found = Findings(selected=3)
    assert found.nothing_measured() == "Nothing was measured: all 3 selected benchmarks were skipped."
    for name in ("a", "b"):
        found.not_measured(f"test_{name}", "crashed", "crashed: SIGSEGV")
    found.not_measured("test_c", "timeout", "timeout: not done after 600 s")
    assert found.reasons() == ["  2 x crashed: SIGSEGV", "  1 x timeout: not done after 600 s"]
    assert found.nothing_measured() == "Nothing was measured: all 3 selected benchmarks failed."


def test_findings_say_a_warning_once_for_all_rows_whatever_its_numbers() -> None:
    found = Findings(selected=3)
    found.remarks.append("said first")
    for number, name in enumerate("abc"):
        found.warn(f"test_{name}", f"others used 0.{number} CPUs")
    found.warn("test_a", "another matter")
    assert found.to_mind() == [
        "said first", "Warning for test_a and 2 more: others used 0.0 CPUs", "Warning for test_a: another matter",
    ]  # fmt: skip


def test_a_warning_is_of_one_kind_whatever_the_unit_of_its_numbers() -> None:
    found = Findings()
    for number in ("999 µs", "1.2 ms", "1,024 s", "3e-05 s", "2 min"):
        found.warn("test_a", f"a call took {number} here")
    for size in ("3 MiB", "1.5 GB"):
        found.warn("test_b", f"needs {size}")
    assert found.to_mind() == [
        "Warning for test_a and 4 more: a call took 999 µs here",
        "Warning for test_b and 1 more: needs 3 MiB",
    ]


def test_a_live_page_names_its_commit_and_what_it_compares_with(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(benchmark): benchmark(sum, [1])")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init", "-q", "."), ("add", "."), ("commit", "-q", "-m", "base")):
        subprocess.run([*git, *command], cwd=pytester.path, check=True)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=pytester.path, text=True).strip()
    quick = ("--benchmark-min-rounds=5", "--benchmark-max-time=0.01", "--report=page.md")
    pytester.runpytest_subprocess("--benchmark-save=one", *quick)
    page = (pytester.path / "page.md").read_text()
    assert f"- commit {commit}" in page
    assert "- base: " not in page
    pytester.runpytest_subprocess("--benchmark-compare=0001_one", *quick)
    assert "- base: saved runs, 0001" in (pytester.path / "page.md").read_text()
