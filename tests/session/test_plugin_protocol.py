import json
import re
from types import SimpleNamespace

import pytest
from foreign import CONFTEST, OTHERS_OFF, UNDISTURBED, run_all, run_one, written
from hypothesis import given
from hypothesis import strategies as st

from tailgate.session.items import shuffle_benchmarks

# A clock that calls move by as much as they like, and every reading by a microsecond.
CLOCK = """
import pytest

class Clock:
    now_s = 0.0
    def __call__(self):
        self.now_s += 1e-6
        return self.now_s

class Work:
    def __init__(self, clock, first_s, later_s):
        self.clock, self.first_s, self.later_s, self.calls = clock, first_s, later_s, 0
    def __call__(self):
        self.calls += 1
        self.clock.now_s += self.first_s if self.calls == 1 else self.later_s
        return self.calls

clock = Clock()
"""

PROJECT = (
    CLOCK
    + """
@pytest.mark.benchmark(timer=clock)
def test_steady(benchmark):
    benchmark(Work(clock, 0.25, 0.25))

@pytest.mark.benchmark(timer=clock)
def test_slow_first_call(benchmark):
    work = Work(clock, 1000.0, 0.25)
    assert benchmark(work) == 1  # the result is the first call's, and no call is made in vain
    info = benchmark.extra_info
    assert work.calls == 1 + info["warmup_rounds"] + benchmark.stats.stats.rounds

@pytest.mark.benchmark(timer=clock, min_rounds=130)
def test_wants_130_rounds(benchmark):
    benchmark(Work(clock, 1.0, 1.0))

def test_pedantic(benchmark):
    benchmark.pedantic(sum, args=([1],), rounds=7, iterations=2, warmup_rounds=1)
"""
)


def measure(pytester, *arguments):
    """Run, and give the saved benchmarks by name."""
    pytester.makeconftest(CONFTEST + UNDISTURBED)
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "--benchmark-json=run.json", *arguments)
    assert ran.ret == 0
    saved = json.loads((pytester.path / "run.json").read_text())
    return {bench["name"]: bench for bench in saved["benchmarks"]}, saved, ran


@pytest.mark.parametrize(
    ("arguments", "protocol", "warmup_rounds", "rounds"),
    [
        # test_steady, test_slow_first_call, test_wants_130_rounds. Their timer says up to 1 s a call; the budget is of
        # wall time, of which they take next to none.
        (("--protocol=quick", "--benchmark-max-time=20"), "quick", (10, 10, 10), (2000, 2000, 2000)),
        (("--protocol=quick", "--benchmark-max-time=1e-9"), "quick", (10, 10, 10), (50, 50, 130)),
        (("--protocol=paper",), "paper", (20, 20, 20), (100, 100, 100)),
        (("--protocol=adaptive", "--benchmark-max-time=10"), "adaptive", None, (368, 368, 368)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_protocol_says_how_calls_are_warmed_up_and_how_many_rounds_are_timed(
    pytester, arguments, protocol, warmup_rounds, rounds
):
    pytester.makepyfile(PROJECT)
    benches, saved, _ = measure(pytester, *arguments)
    names = ("test_steady", "test_slow_first_call", "test_wants_130_rounds")
    assert tuple(benches[name]["stats"]["rounds"] for name in names) == rounds
    warmed = tuple(benches[name]["extra_info"]["warmup_rounds"] for name in names)
    assert warmed == warmup_rounds if warmup_rounds else min(warmed) >= 8  # adaptive: batches of a quarter of a second
    for name in names:
        info = benches[name]["extra_info"]
        assert (info["protocol"], info["status"], info["warnings"]) == (protocol, "ok", [])
        assert info["first_call_s"] > 0
        assert benches[name]["stats"]["iterations"] == 1
    assert benches["test_slow_first_call"]["stats"]["max"] < 1  # the cold call is in no statistic
    assert saved["tailgate_run"]["protocol"] == protocol
    pedantic = benches["test_pedantic"]
    assert (pedantic["stats"]["rounds"], pedantic["stats"]["iterations"]) == (7, 2)
    assert "protocol" not in pedantic["extra_info"]


DETAILS = """
import gc
import pytest

def test_passes_arguments_on(benchmark):
    assert benchmark(lambda a, b=0: (a, b), 1, b=2) == (1, 2)

@pytest.mark.benchmark(disable_gc=True)
def test_collects_no_garbage_meanwhile(benchmark):
    seen = []
    benchmark(lambda: seen.append(gc.isenabled()))
    assert seen[0]
    assert seen.count(False) >= 200  # all timed calls
    assert gc.isenabled()

def test_keeps_the_first_call_a_fixture_knows(benchmark):
    benchmark.extra_info["first_call_s"] = 12.5
    benchmark(sum, [1])

def test_is_too_short_for_the_clock(benchmark):
    benchmark(int)

@pytest.fixture
def model():
    return bytearray(b"x" * 2**25)

def test_big(benchmark, model):
    benchmark(sum, memoryview(model)[:20_000])
"""


def test_a_protocol_keeps_what_pytest_benchmark_promises_a_test_and_adds_the_meters(pytester):
    pytester.makepyfile(DETAILS)
    benches, _, ran = measure(pytester, "--rounds=200", "--warmup-rounds=3", "--benchmark-cprofile=ncalls")
    ran.assert_outcomes(passed=5)
    for bench in benches.values():
        assert bench["stats"]["rounds"] == 200
        assert (bench["extra_info"]["protocol"], bench["extra_info"]["warmup_rounds"]) == ("quick", 3)
    assert benches["test_keeps_the_first_call_a_fixture_knows"]["extra_info"]["first_call_s"] == 12.5
    assert all(bench["cprofile"] for bench in benches.values())

    short = benches["test_is_too_short_for_the_clock"]
    assert short["stats"]["iterations"] > 1
    assert f"each round is the mean of {short['stats']['iterations']} calls" in short["extra_info"]["warnings"][0]
    ran.stdout.fnmatch_lines(["Warning for test_*: a call is too short for the clock: *"])

    info = benches["test_big"]["extra_info"]
    assert info["cpu_utilization"] > 0
    if info["rss_peak_bytes"] is None:  # where the kernel lets nobody reset the high-water mark
        assert "rss:" in info["warnings"][-1]
    else:
        assert info["rss_growth_bytes"] >= 2**25 * 0.9  # what the fixtures load counts
        assert info["rss_peak_bytes"] > info["rss_growth_bytes"]


INI = """
[pytest]
tailgate_protocol = paper
tailgate_rounds = 6
tailgate_warmup_rounds = 0
tailgate_order = random
tailgate_seed = 3
tailgate_meters = cpu
tailgate_csv = rows.csv
tailgate_progress = on
tailgate_fingerprint_packages = pytest no-such-package
"""


def test_every_option_can_be_an_ini_value_and_the_command_line_wins(pytester):
    pytester.makeini(INI)
    pytester.makepyfile("def test_one(benchmark): benchmark(sum, [1])")
    benches, saved, ran = measure(pytester, "--rounds=5")
    assert benches["test_one"]["stats"]["rounds"] == 5
    info = benches["test_one"]["extra_info"]
    assert (info["protocol"], info["warmup_rounds"]) == ("paper", 1)
    assert "cpu_utilization" in info
    assert not {"rss_peak_bytes", "rss_growth_bytes"} & set(info)
    run = saved["tailgate_run"]
    assert (run["protocol"], run["order"], run["seed"], run["isolation"]) == ("paper", "random", 3, "none")
    assert set(saved["machine_info"]["fingerprint"]["packages"]) == {"python", "pytest", "no-such-package"}
    assert (pytester.path / "rows.csv").read_text().count("\n") == 2
    ran.stdout.fnmatch_lines(["[[]1/1] test_one ... median *, 5 rounds"])


WRONG = {
    ("--protocol=quik",): ["--protocol", "'quik'", "did you mean 'quick'?", "allowed: quick, paper, adaptive"],
    ("--protocol=",): ["--protocol", "''", "allowed: quick, paper, adaptive"],
    ("--rounds=0",): ["--rounds", "0 ", "allowed: 1 to 10000000"],
    ("--rounds=two",): ["--rounds", "'two'", "allowed: 1 to 10000000"],
    ("--warmup-rounds=-1",): ["--warmup-rounds", "-1 ", "allowed: 0 or more"],
    ("--order=rnadom",): ["--order", "'rnadom'", "did you mean 'random'?", "allowed: given, random"],
    ("--seed=x",): ["--seed", "'x'", "allowed: 0 or more"],
    ("--meters=cpu,rs",): ["--meters", "'rs'", "did you mean 'rss'?", "cpu, heap, massif, nvml, perf, rss, none"],
    ("--meters=cpus",): ["--meters", "'cpus'", "did you mean 'cpu'?"],
    ("--progress=maybe",): ["--progress", "'maybe'", "allowed: on, off"],
    ("--protocol=paper", "--benchmark-precision=0.02"): ["--benchmark-precision", "paper", "--protocol=adaptive"],
    ("-o", "tailgate_protocol=quik"): ["'quik'", "did you mean 'quick'?"],
}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    return run_all(written(tmp_path_factory.mktemp("wrong"), "def test_one(benchmark): benchmark(sum, [1])"), *WRONG)


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_wrong_value_ends_the_run_with_one_line_before_anything_is_measured(wrong, arguments):
    code, text = wrong[arguments]
    assert code == pytest.ExitCode.USAGE_ERROR
    (line,) = text.split("\n\n")[0].splitlines()
    assert line.startswith("ERROR: ")
    assert not [part for part in WRONG[arguments] if part not in line]
    assert "collected" not in text
    assert "Traceback" not in text


FAILING = """
import pytest

def wrong():
    assert 1 + 1 == 3, "arithmetic"

def test_wrong(benchmark):
    benchmark(wrong)

def test_fails_later(benchmark):
    left = list(range(30))
    benchmark(lambda: left.pop())

def test_fails_before_measuring(benchmark):
    raise RuntimeError("no model")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail(benchmark):
    benchmark(wrong)

@pytest.mark.skip(reason="no GPU")
def test_skipped(benchmark):
    benchmark(wrong)

def test_right(benchmark):
    benchmark(sum, [1])
"""


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("failing"), FAILING)
    return run_one(folder, "--rounds=100", "--progress=on", "--tb=short")


def test_failures_inside_benchmarked_functions_fail_their_tests_and_are_told_apart(failing):
    assert failing.returncode == pytest.ExitCode.TESTS_FAILED
    assert " 3 failed, 1 passed, 1 skipped, 1 xfailed" in failing.stdout
    pytest.LineMatcher(failing.stdout.splitlines()).fnmatch_lines(
        [
            "[[]1/6] test_wrong ... FAILED: AssertionError: arithmetic*",
            "[[]2/6] test_fails_later ... FAILED: IndexError: pop from empty list*",
            "[[]3/6] test_fails_before_measuring ... FAILED: RuntimeError: no model*",
            "[[]5/6] test_skipped ... skipped: no GPU*",
            "[[]6/6] test_right ... median *, p99 *, 100 rounds",
            "Measured 1 of 6 selected benchmarks. Not measured, or failed:",
            "*1 x no GPU",
        ]
    )


def test_an_expected_failure_has_a_readable_progress_line(failing):
    (line,) = [line for line in failing.stdout.splitlines() if line.startswith("[4/6]")]
    assert line.startswith("[4/6] test_expected_to_fail ... ")
    assert "xskipped" not in line
    assert ".py:" not in line  # the first line of a traceback


def test_a_benchmark_that_failed_is_not_also_called_unused(failing):
    assert "was not used at all" not in failing.stdout


FILES = {
    "test_once.py": """
calls = []

def test_once(benchmark):
    assert benchmark(lambda: calls.append(1) or "result") == "result"
    assert len(calls) == 1
""",
    "test_skips.py": """
import pytest

def test_skips(benchmark):
    pytest.skip("no such runtime")

def test_no_benchmark():
    pass
""",
    "test_three.py": "\n".join(f"def test_{name}(benchmark): benchmark(sum, [1])" for name in "abc"),
    "test_order.py": "\n".join(
        f"def test_plain_{name}(): pass\ndef test_{name}(benchmark): benchmark(sum, [1])" for name in "abcdefgh"
    ),
}
ONCE = ("test_once.py", "--protocol=paper", "--benchmark-disable")
SKIPS = ("test_skips.py", "--rounds=5")
THREE = ("test_three.py", "--progress=on")
QUIET = ("test_three.py",)
IN_ORDER = ("test_order.py", "--benchmark-disable", "-v", "--order=given", "--seed=1")
AT_RANDOM = ("test_order.py", "--benchmark-disable", "-v", "--order=random", "--seed=1")
UNMEASURED = [
    ("test_three.py", "--rounds=5", "--progress=on", argument)
    for argument in ("--benchmark-skip", "--benchmark-disable", "--collect-only")
]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return run_all(folder, QUIET, ONCE, SKIPS, THREE, IN_ORDER, AT_RANDOM, *UNMEASURED)


def test_disabled_benchmarks_run_once_whatever_the_protocol(sessions):
    code, text = sessions[ONCE]
    assert (code, " 1 passed in" in text) == (0, True)


def test_nothing_measured_is_not_green(sessions):
    code, text = sessions[SKIPS]
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED
    pytest.LineMatcher(text.splitlines()).fnmatch_lines(["Nothing was measured*", "*1 x no such runtime"])


@pytest.mark.parametrize("arguments", UNMEASURED, ids=lambda arguments: arguments[-1])
def test_asked_not_to_measure_nothing_measured_is_fine(sessions, arguments):
    assert sessions[arguments][0] == 0


def progress_lines(text):
    return [line for line in text.splitlines() if re.match(r"\[\d/\d\]", line)]


def test_progress_lines_count_what_was_measured(sessions):
    _, text = sessions[THREE]
    lines = progress_lines(text)
    measured = r"median [\d.]+ [mµ]s, p99 [\d.]+ [mµ]s, \d+ rounds"
    assert len(lines) == 3
    assert re.fullmatch(rf"\[1/3\] test_a \.\.\. {measured}; about \d+ s left", lines[0])
    assert re.fullmatch(rf"\[3/3\] test_c \.\.\. {measured}", lines[2])
    assert not progress_lines(sessions[QUIET][1])


def test_a_random_order_moves_benchmarks_and_no_other_tests(sessions):
    given, shuffled = (re.findall(r"::test_(\w+) PASSED", sessions[session][1]) for session in (IN_ORDER, AT_RANDOM))
    assert given == [f"{prefix}{name}" for name in "abcdefgh" for prefix in ("plain_", "")]
    assert shuffled != given
    assert sorted(shuffled) == sorted(given)
    assert shuffled[::2] == given[::2]


def shuffled_names(names, seed):
    items = [SimpleNamespace(name=name, fixturenames=["benchmark"] * benched) for name, benched in names]
    shuffle_benchmarks(items, seed)
    return [item.name for item in items]


@given(st.lists(st.tuples(st.integers(), st.booleans()), max_size=30), st.integers(0, 100))
def test_the_same_seed_and_selection_give_the_same_permutation(names, seed):
    order = shuffled_names(names, seed)
    assert order == shuffled_names(names, seed)
    assert sorted(order) == sorted(name for name, _ in names)
    assert [name for name, (_, benched) in zip(order, names, strict=True) if not benched] == [
        name for name, benched in names if not benched
    ]


def test_another_seed_gives_another_order():
    names = [(name, True) for name in range(50)]
    assert len({tuple(shuffled_names(names, seed)) for seed in range(20)}) == 20


def test_a_projects_own_options_win_over_ours(pytester):
    pytester.makeconftest(
        CONFTEST
        + """
def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=3)
    parser.getgroup("mine").addoption("--csv", action="store_true")
"""
    )
    pytester.makepyfile(
        """
def test_one(benchmark, request):
    assert (request.config.getoption("--seed"), request.config.getoption("--csv")) == (5, True)
    benchmark(sum, [1])
"""
    )
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "--seed=5", "--rounds=7", "-o", "tailgate_csv=rows.csv", "--csv")
    ran.assert_outcomes(passed=1)
    assert len((pytester.path / "rows.csv").read_text().splitlines()) == 2


def test_other_conflicts_of_options_stay_errors(pytester):
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--benchmark-save', dest='theirs')")
    assert pytester.runpytest_subprocess(*OTHERS_OFF).ret != 0
