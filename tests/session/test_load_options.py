"""What ``--load`` and the options beside it take: each wrong value is one line, and no test runs."""

from pathlib import Path

import pytest
from foreign import run_all
from hypothesis import given
from hypothesis import strategies as st

from tailgate.errors import TailgateError
from tailgate.session.load import Arrivals, Limit, limit_of, load_names, parsed

TESTS = """
def test_it(benchmark):
    benchmark(sum, ())
"""
LIMIT = "--load-limit=p99=50ms"
WRONG = [
    (("--load=70",), "--load: '70' has no kind of arrivals; write poisson:70, or constant:70"),
    (("--load=70%",), "--load: '70%' has no kind of arrivals; write poisson:70%, or constant:70%"),
    (("--load=poisson",), "--load: 'poisson' has no rate; write --load=poisson:200"),
    (("--load=poisson:",), "--load: 'poisson:' has no rate"),
    (("--load=",), "--load: no arrivals named; write --load=poisson:200"),
    (("--load=poisson:10%,",), "--load: no arrivals named; write --load=poisson:200"),
    (("--load=poisson:0",), "--load: '0' is no rate (allowed: a number above 0, up to 10,000,000 requests per second)"),
    (("--load=poisson:-5",), "--load: '-5' is no rate (allowed: a number above 0"),
    (("--load=poisson:nan",), "--load: 'nan' is no rate (allowed: a number above 0"),
    (("--load=poisson:inf",), "--load: 'inf' is no rate (allowed: a number above 0"),
    (("--load=poisson:fast",), "--load: 'fast' is no rate (allowed: a number above 0"),
    (("--load=poisson:1e9",), "--load: '1e9' is no rate (allowed: a number above 0"),
    (("--load=poisson:0%",), "--load: '0%' is no rate (allowed: a number above 0, up to 10,000 % of the capacity)"),
    (("--load=poisson:70%%",), "--load: '70%%' is no rate"),
    (("--load=poison:200",), "--load: unknown kind of arrivals 'poison'; did you mean 'poisson'"),
    (("--load=uniform:200",), "--load: unknown kind of arrivals 'uniform' (allowed: poisson, constant, gamma, peak"),
    (("--load=poisson:200:2",), "--load: 'poisson:200:2': only gamma takes a second number; write poisson:200"),
    (("--load=gamma:200",), "--load: gamma needs a coefficient of variation (allowed: above 0, up to 100, as in gamma"),
    (("--load=gamma:200:0",), "--load: '0' is no coefficient of variation (allowed: above 0, up to 100, as in gamma"),
    (("--load=gamma:200:2:3",), "--load: '2:3' is no coefficient of variation"),
    (("--load=poisson:10%,10%",), "--load: 'poisson:10%' is there twice; each load is measured once"),
    (("--load=poisson:1000000", "--load-seconds=100"), "are more than 50,000,000 requests; lower the rate"),
    (("--load=poisson:1e400",), "--load: '1e400' is no rate (allowed: a number above 0"),
    (("--load=poisson:1e-300",), "--load: poisson:1e-300: 368 requests take 3.68e+302 s, and a benchmark may take 8"),
    (("--load=constant:0.5", "--isolation=process"), "368 requests take 736 s, and a benchmark may take 600 s; raise"),
    (("--load=constant:0.5", "--isolation=process"), "lower --load-seconds, or add --benchmark-timeout=1104"),
    (("--load=poisson:9,10", "--isolation=process", "--load-seconds=600"), "poisson:9: 5,400 requests take 600 s"),
    (("--load=peak", LIMIT, "--isolation=process", "--load-seconds=50"), "--load=peak plays up to 12 schedules of --"),
    (("--load=peak", LIMIT, "--isolation=process", "--load-seconds=50"), "or add --benchmark-timeout=900"),
    (("--load=peak",), "--load=peak is the highest rate that keeps a limit: add one, such as --load-limit=p99=50ms"),
    (("--load=peak:200",), "--load: 'peak:200': a peak takes no rate; write --load=peak --load-limit=p99=50ms"),
    (("--load=peak:p99=50ms",), "--load: 'peak:p99=50ms': a peak takes no rate; write --load=peak --load-limit="),
    (("--load=peak:200", LIMIT), "--load: 'peak:200': a peak takes no rate; write --load=peak --load-limit="),
    (("--load=peek", LIMIT), "--load: unknown kind of arrivals 'peek'; did you mean 'peak'"),
    (("--load=peak", "--load-limit=50ms"), "--load-limit: '50ms' is no limit; write --load-limit=p99=50ms (median, p"),
    (("--load=peak", "--load-limit="), "--load-limit: '' is no limit; write --load-limit=p99=50ms"),
    (("--load=peak", "--load-limit=p99=50"), "--load-limit=p99: '50' is not a duration (allowed: such as '50ms'"),
    (("--load=peak", "--load-limit=p99=0ms"), "--load-limit=p99: '0ms' is not a duration"),
    (("--load=peak", "--load-limit=p99=-1ms"), "--load-limit=p99: '-1ms' is not a duration"),
    (("--load=peak", "--load-limit=p90=5ms"), "--load-limit: unknown percentile 'p90'; did you mean 'p99'"),
    (("--load=peak", "--load-limit=mean=5ms"), "--load-limit: unknown percentile 'mean'; did you mean 'median'"),
    ((LIMIT,), "--load-limit says more about a load: add --load=poisson:200 (requests/s) or --load=poisson:70%"),
    (("--load-seconds=5",), "--load-seconds says more about a load: add --load=poisson:200"),
    (("--servers=2",), "--servers says more about a load: add --load=poisson:200"),
    (("--load=poisson:9", "--load-seconds=0"), "--load-seconds: "),
    (("--load=poisson:9", "--load-seconds=nan"), "--load-seconds: "),
    (("--load=poisson:9", "--load-seconds=ten"), "--load-seconds: "),
    (("--load=poisson:9", "--servers=0"), "--servers: 0 is out of range (allowed: 1 to 64"),
    (("--load=poisson:9", "--servers=two"), "--servers: 'two' is not a whole number (allowed: 1 to 64)"),
    (("--load=poisson:9", "--servers=65"), "--servers: 65 is out of range (allowed: 1 to 64"),
    (("--load=poisson:9", "--servers=2"), "--servers=2 needs a process for each server: add --isolation=process"),
    (("--load=poisson:9", "--rounds=5"), "--rounds counts the calls of a closed loop; with --load write --load-sec"),
    (("--load=poisson:9", "--isolation=process", "--processes=2"), "--load plays one schedule to one queue, and not"),
    (("--load=poisson:9", "--isolation=process", "--tenants=2"), "--load plays one schedule to one queue, and not"),
    (("--duet=main", "--load=poisson:9,12"), "--duet plays one schedule to one server a side: one rate, no peak"),
    (("--duet=main", "--load=peak", LIMIT), "--duet plays one schedule to one server a side: one rate, no peak"),
    (("--duet=main", "--load=poisson:9", "--servers=2"), "--duet plays one schedule to one server a side"),
]  # fmt: skip
INI_WRONG = [
    (("-o", "tailgate_load=poison:9"), "unknown kind of arrivals 'poison'; did you mean 'poisson'"),
    (("-o", "tailgate_load=peak"), "--load=peak is the highest rate that keeps a limit"),
    (("-o", "tailgate_load=poisson:9", "-o", "tailgate_servers=2"), "--servers=2 needs a process for each server"),
]
RIGHT = [
    (("-o", "tailgate_load=poisson:50%,70%"), ["poisson:50%", "poisson:70%"]),
    (("-o", "tailgate_load=poisson:9", "--load=constant:5"), ["constant:5"]),
    (("-o", "tailgate_load_seconds=5", "-o", "tailgate_servers=2", "-o", "tailgate_load_limit=p99=1s"), [None]),
    (("--load=poisson:120%",), ["poisson:120%"]),
    (("--load= poisson:10% , 30,gamma:5:2 ,7:1.5",), ["poisson:10%", "poisson:30", "gamma:5:2", "gamma:7:1.5"]),
    (("--load=peak,poisson:9", "--load-limit= p99 = 0.05s "), ["peak:p99=50ms", "poisson:9"]),
    (("--load=poisson:9", "--isolation=process", "--servers=2"), ["poisson:9"]),
    (("--load=constant:0.5", "--isolation=process", "--benchmark-timeout=1104"), ["constant:0.5"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], list]:  # type: ignore[type-arg]
    folder: Path = tmp_path_factory.mktemp("options")
    (folder / "test_it.py").write_text(TESTS)
    every = [arguments for arguments, _ in [*WRONG, *INI_WRONG, *RIGHT]]
    return run_all(folder, *(("--collect-only", "-q", *arguments) for arguments in every))


@pytest.mark.parametrize(
    ("arguments", "line"), [*WRONG, *INI_WRONG], ids=lambda value: "" if isinstance(value, str) else " ".join(value)
)
def test_a_wrong_value_is_one_line_before_anything_runs(
    said: dict[tuple[str, ...], list],  # type: ignore[type-arg]
    arguments: tuple[str, ...],
    line: str,
) -> None:
    code, text = said["--collect-only", "-q", *arguments]
    assert code == 4, text
    (found,) = [one for one in text.splitlines() if one.startswith("ERROR: ")]
    assert line in found
    assert "Traceback" not in text
    assert "::" not in text  # not even collected


@pytest.mark.parametrize(("arguments", "loads"), RIGHT, ids=lambda value: " ".join(map(str, value)))
def test_each_load_is_a_test_whose_id_names_it(
    said: dict[tuple[str, ...], list],  # type: ignore[type-arg]
    arguments: tuple[str, ...],
    loads: list[str | None],
) -> None:
    code, text = said["--collect-only", "-q", *arguments]
    assert code == 0, text
    wanted = ["test_it.py::test_it" + (f"[{load}]" if load else "") for load in loads]
    assert [line for line in text.splitlines() if "::" in line] == wanted


def test_what_is_asked_for() -> None:
    assert parsed("poisson:70%") == Arrivals("poisson", capacity_share=0.7)
    assert parsed("gamma:200:2.5") == Arrivals("gamma", rate_per_s=200.0, cv=2.5)
    assert parsed("poisson:70%").rate_for(1000.0) == pytest.approx(700.0)
    assert parsed("constant:70").rate_for(1000.0) == 70.0
    assert limit_of("p999=250us") == Limit("p999", 250e-6)
    assert limit_of("median=1s").text == "median=1000ms"
    assert limit_of("p999=1s").percent == 99.9


def test_a_limit_has_one_name_however_it_is_typed() -> None:
    assert load_names("peak", "p99=50ms") == load_names("peak", " p99 = 0.05s") == ("peak:p99=50ms",)


@given(st.text(max_size=20), st.none() | st.text(max_size=12))
def test_any_text_is_parsed_or_refused_in_one_line(text: str, limit: str | None) -> None:
    names: tuple[str, ...] = ()
    said = "a line"
    try:
        names = load_names(text, limit)
    except TailgateError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    assert all(parsed(name) for name in names)


@given(st.text(max_size=20))
def test_any_limit_is_parsed_or_refused_in_one_line(text: str) -> None:
    seconds, said = 1.0, "a line"
    try:
        seconds = limit_of(text).seconds
    except TailgateError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    assert seconds > 0
