import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.errors import TailgateError, as_usage_error, nearest, one_line, unknown_value
from tailgate.session.progress import Progress, summary
from tailgate.text import duration, milliseconds


class FakeTerminal:
    """A writer and a clock; ``lines`` is what a reader sees."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.text = ""
        self.flushed = True

    def write(self, text: str, *, flush: bool = False) -> None:
        self.text += text
        self.flushed = flush

    def progress(self, total: int) -> Progress:
        return Progress(self.write, total, now=lambda: self.now_s)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ("quik", "quick"),
        ("QUICK", "quick"),
        ("papr", "paper"),
        ("adapt", "adaptive"),
        ("zzz", None),
        ("", None),
    ],
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
    [
        (0.0123, "12.3 ms"),
        (0.001, "1 ms"),
        (0.000999, "999 µs"),
        (2e-7, "0.2 µs"),
        (0.123456, "123 ms"),
        (0, "0 µs"),
    ],
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
    terminal = FakeTerminal()
    progress = terminal.progress(1)
    progress.begin("test_a")
    assert terminal.text == "[1/1] test_a ... "
    assert terminal.flushed
    progress.end("median 1 ms", measured=True)
    assert terminal.lines == ["[1/1] test_a ... median 1 ms"]
    assert terminal.flushed


def test_numbers_are_as_wide_as_the_total():
    terminal = FakeTerminal()
    progress = terminal.progress(10)
    for name in "abcdefghij":
        progress.begin(name)
        progress.end("done", measured=False)
    assert terminal.lines[0] == "[ 1/10] a ... done"
    assert terminal.lines[9] == "[10/10] j ... done"


def test_time_left_follows_from_the_benchmarks_measured_so_far():
    terminal = FakeTerminal()
    progress = terminal.progress(4)
    for seconds, left in [(10, "; about 30 s left"), (50, "; about 1:00 min left"), (60, "; about 40 s left"), (1, "")]:
        progress.begin("x")
        terminal.now_s += seconds
        progress.end("done", measured=True)
        assert terminal.lines[-1].endswith(f"x ... done{left}")


def test_skipped_benchmarks_do_not_make_the_rest_look_quick():
    terminal = FakeTerminal()
    progress = terminal.progress(3)
    progress.begin("skipped")
    progress.end("skipped: no GPU", measured=False)
    assert terminal.lines[-1] == "[1/3] skipped ... skipped: no GPU"
    progress.begin("measured")
    terminal.now_s += 10
    progress.end("done", measured=True)
    assert terminal.lines[-1] == "[2/3] measured ... done; about 10 s left"


def test_time_between_benchmarks_is_not_counted_as_theirs():
    terminal = FakeTerminal()
    progress = terminal.progress(2)
    terminal.now_s += 500
    progress.begin("x")
    terminal.now_s += 5
    progress.end("done", measured=True)
    assert terminal.lines[-1].endswith("about 5 s left")
