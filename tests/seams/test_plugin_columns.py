import json
import re
import shutil

import numpy as np
import pytest
from foreign import CONFTEST, OTHERS_OFF, SHORT, UNDISTURBED, run_all, run_one, written
from scipy.stats import binom

PROJECT = """
import pytest

def work(count):
    return sum(range(count))

def test_one_item(benchmark):
    benchmark(work, 100)

@pytest.mark.throughput(items=8)
def test_eight_items(benchmark):
    benchmark(work, 3000)

@pytest.mark.throughput(items="batch")
@pytest.mark.parametrize("batch", [2, 4])
def test_batch(benchmark, batch):
    benchmark(work, 1000 * batch)

@pytest.mark.throughput(items=3)
def test_pedantic(benchmark):
    benchmark.pedantic(work, args=(500,), rounds=7, iterations=2)
"""
ITEMS = {"test_one_item": 1, "test_eight_items": 8, "test_batch[2]": 2, "test_batch[4]": 4, "test_pedantic": 3}
PERCENTS = {"p90": 90, "p95": 95, "p99": 99, "p999": 99.9}


class Ran:
    """One measured session that several tests look at."""

    def __init__(self, folder, *arguments):
        done = run_one(written(folder, PROJECT), "--benchmark-json=run.json", *arguments)
        self.code, self.text = done.returncode, done.stdout
        self.run = json.loads((folder / "run.json").read_text())
        self.benches = {bench["name"]: bench for bench in self.run["benchmarks"]}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return Ran(
        tmp_path_factory.mktemp("few"), "--rounds=30", "--benchmark-columns=p90,p95,p99,p999,throughput",
        "--benchmark-sort=p99",
    )  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return Ran(tmp_path_factory.mktemp("many"), "--rounds=400", "--benchmark-columns=p99", "-k", "one_item or eight")


def table_rows(text):
    return [line for line in text.splitlines() if re.match(r"test_\w+(\[\d+\])?\s.*\d\.\d", line)]


def test_our_columns_stand_in_the_table_with_their_labels(few):
    assert few.code == 0
    (header,) = [line for line in few.text.splitlines() if line.startswith("Name (time in")]
    assert re.search(r"P90\s+P95\s+P99 \[95 % interval\]\s+P99\.9\s+Throughput \(items/s\)", header)
    assert len(table_rows(few.text)) == len(ITEMS)


def test_rows_are_sorted_by_our_column(few):
    p99s = [few.benches[row.split()[0]]["stats"]["p99"] for row in table_rows(few.text)]
    assert p99s == sorted(p99s)
    assert len(p99s) == len(ITEMS)


@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize(("column", "percent"), PERCENTS.items())
def test_saved_percentiles_equal_numpy_on_the_raw_rounds(few, name, column, percent):
    stats = few.benches[name]["stats"]
    assert stats[column] == np.percentile(stats["data"], percent)


@pytest.mark.parametrize("name", ITEMS)
def test_saved_throughput_is_items_over_the_median(few, name):
    stats = few.benches[name]["stats"]
    assert stats["throughput"] == ITEMS[name] / np.median(stats["data"])


@pytest.mark.parametrize("name", ITEMS)
def test_items_per_call_are_saved_where_a_marker_gave_them(few, name):
    assert few.benches[name]["extra_info"].get("items_per_call", 1) == ITEMS[name]


def assert_interval_of_the_contract(stats):
    ordered, count = sorted(stats["data"]), len(stats["data"])
    ranks = {"p99_low": binom.ppf(0.025, count, 0.99), "p99_high": binom.ppf(0.975, count, 0.99) + 1}
    for name, rank in ranks.items():
        assert stats[name] == (ordered[int(rank) - 1] if 1 <= rank <= count else None)


@pytest.mark.parametrize("name", ITEMS)
def test_the_saved_p99_interval_has_the_ranks_of_the_contract(few, name):
    assert_interval_of_the_contract(few.benches[name]["stats"])
    assert few.benches[name]["stats"]["p99_high"] is None


def test_400_rounds_have_an_upper_end_of_p99(many):
    for bench in many.benches.values():
        assert_interval_of_the_contract(bench["stats"])
        assert bench["stats"]["p99_high"] >= bench["stats"]["p99"]


def test_too_few_rounds_are_marked_and_explained_in_the_table(few):
    assert all(re.search(r"\[[\d.,]+, \?\]", row) for row in table_rows(few.text))
    (note,) = [line for line in few.text.splitlines() if "fewer than 368 rounds" in line]
    assert "--rounds=N" in note


def test_enough_rounds_show_both_ends_and_no_note(many):
    assert len(table_rows(many.text)) == 2
    assert all(re.search(r"\[[\d.,]+, [\d.,]+\]", row) for row in table_rows(many.text))
    assert "368 rounds" not in many.text


def test_the_schema_version_is_saved(few):
    assert few.run["tailgate_schema_version"] == 8


def test_the_fingerprint_is_saved_with_the_keys_of_the_contract(few):
    machine = few.run["machine_info"]
    assert set(machine["fingerprint"]) == {
        "cpu_model", "arch", "usable_cpus", "cpu_quota", "memory_total_bytes", "gpu_models", "driver_version",
        "thread_env", "packages",
    }  # fmt: skip
    assert re.fullmatch("[0-9a-f]{12}", machine["fingerprint_id"])
    assert isinstance(machine["fingerprint"]["packages"], dict)


WRONG_MARKERS = {
    "(4)": "write @pytest.mark.throughput(items=",
    "(item=4)": "write @pytest.mark.throughput(items=",
    "(items='batch')": "names no parameter of the test (it has: size)",
    "(items=0)": "must be a positive number",
    "(items=True)": "must be a positive number",
    "(items=None)": "must be a positive number",
}


def test_a_wrong_throughput_marker_fails_its_test_with_one_line_and_no_other(pytester):
    wrong = "".join(
        f"@pytest.mark.throughput{arguments}\n@pytest.mark.parametrize('size', [1])\n"
        f"def test_{index}(benchmark, size): benchmark(sum, [size])\n"
        for index, arguments in enumerate(WRONG_MARKERS)
    )
    pytester.makepyfile("import pytest\n" + wrong + "def test_fine(benchmark): benchmark(sum, [1])\n")
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, SHORT)
    ran.assert_outcomes(errors=len(WRONG_MARKERS), passed=1)
    for index, text in enumerate(WRONG_MARKERS.values()):
        ran.stdout.fnmatch_lines([f"*test_{index}[[]1]: *{text.replace('[', '[[]')}*"])
    assert "Traceback" not in ran.stdout.str()


MEASURED_ANYWAY = """
import pytest

pytestmark = pytest.mark.throughput(items=8)

def test_fails_after_measuring(benchmark):
    assert benchmark(sum, [1]) == 2

@pytest.mark.xfail(reason="not yet")
def test_passes_unexpectedly(benchmark):
    benchmark(sum, [1])
"""


def test_what_was_measured_counts_its_items_whatever_became_of_the_test(pytester):
    pytester.makeconftest(CONFTEST + UNDISTURBED)
    pytester.makepyfile(MEASURED_ANYWAY)
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, "--rounds=5", "--csv=rows.csv", "--benchmark-json=run.json")
    ran.assert_outcomes(failed=1, xpassed=1)
    benches = json.loads((pytester.path / "run.json").read_text())["benchmarks"]
    assert [bench["name"] for bench in benches] == ["test_fails_after_measuring", "test_passes_unexpectedly"]
    for bench in benches:
        assert bench["stats"]["throughput"] == 8 / np.median(bench["stats"]["data"])
        assert bench["extra_info"]["items_per_call"] == 8
    (row,) = [line for line in (pytester.path / "rows.csv").read_text().splitlines() if "unexpectedly" in line]
    assert "::test_passes_unexpectedly,ok," in row  # a row with numbers, as in the table


PLAIN_FILES = {
    "conftest.py": CONFTEST,
    "test_plain.py": """
import pytest

def test_one(benchmark):
    benchmark(sum, [1])

@pytest.mark.benchmark(group="pedantic")
def test_pedantic(benchmark):
    benchmark.pedantic(sum, args=([2],), rounds=7)

@pytest.mark.skip(reason="not here")
def test_skipped(benchmark):
    benchmark(sum, [1])

def test_fails_before_measuring(benchmark):
    assert sum([1]) == 2

def test_plain():
    pass
""",
    "test_own_words.py": """
def test_one(benchmark):
    benchmark.extra_info.update(warnings=["own words"], status="flaky")
    benchmark(sum, [1])
""",
    "test_other_types.py": """
def test_one(benchmark):
    benchmark.extra_info.update(warnings=3, items_per_call="all")
    benchmark(sum, [1])
""",
}
SAVED = ("test_plain.py", "--benchmark-save=x", "--tb=line")
PLAIN_USES = {
    "nothing asked for": (1, ("test_plain.py", "--tb=line")),
    "compared": (1, ("test_plain.py", "--tb=line", "-q", "--benchmark-compare=0001", "--benchmark-sort=name")),
    "our names in extra_info": (0, ("test_own_words.py",)),
    "our names for other types": (0, ("test_other_types.py",)),
}
SAVED_BY_US = ("test_plain.py", "--benchmark-save=y", "--tb=line")
SAME_MACHINE = ("test_plain.py", "--benchmark-compare=0002")
OTHER_MACHINE = ("test_plain.py", "--benchmark-compare=0002", "--noconftest")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Sessions of a project that asks nothing of us, without the plug-in and with it."""
    folder = tmp_path_factory.mktemp("plain")
    for name, text in PLAIN_FILES.items():
        (folder / name).write_text(text)
    uses = [arguments for _, arguments in PLAIN_USES.values()]
    off = ("-p", "no:tailgate")
    without = run_all(folder, (*off, *SAVED), *((*off, *use) for use in uses))
    with_it = run_all(folder, *uses, SAVED_BY_US, SAME_MACHINE, OTHER_MACHINE)
    return {arguments[2:]: said for arguments, said in without.items()}, with_it


def normalised(text):
    """What a reader sees, numbers and the plug-in's name in pytest's header aside."""
    shown = []
    for line in text.splitlines():
        kept = re.sub(r"tailgate-[\w.]+, ", "", line)
        kept = re.sub(r">?\d[\d.,;]*|[nmu]?s\b|\([MK]ops/s\)", "#", kept)
        shown.append(re.sub(r"[-=]{4,}", "--", re.sub(r" +", " ", kept)).strip())
    return shown


@pytest.mark.parametrize(("code", "use"), PLAIN_USES.values(), ids=PLAIN_USES)
def test_a_plain_project_looks_the_same_with_and_without_the_plug_in(plain, code, use):
    without, with_it = (said[use] for said in plain)
    assert normalised(with_it[1]) == normalised(without[1])
    assert with_it[0] == without[0] == code


def test_a_plain_project_is_warned_of_another_machine_and_not_of_our_additions(plain):
    _, with_it = plain
    assert "Comparing against benchmarks from" in with_it[SAME_MACHINE][1]
    assert "machine_info is different" not in with_it[SAME_MACHINE][1]
    (warning,) = [line for line in with_it[OTHER_MACHINE][1].splitlines() if "machine_info is different" in line]
    assert 'VS saved: {"node": "here"} ' in warning
    assert "fingerprint" not in warning


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A folder with one run saved by pytest-benchmark alone, with raw rounds (raw.json) and without (0001_old)."""
    folder = written(tmp_path_factory.mktemp("old"), "def test_one(benchmark): benchmark(sum, [1])")
    alone = ("-p", "no:tailgate", SHORT, "--benchmark-save=old", "--benchmark-json=raw.json")
    assert run_one(folder, *alone).returncode == 0
    return folder


def compare_with(old, pytester, name, *arguments):
    shutil.copytree(old, pytester.path, dirs_exist_ok=True)
    ran = pytester.runpytest_subprocess(*OTHERS_OFF, SHORT, f"--benchmark-compare={name}", *arguments)
    assert ran.ret == 0
    return ran


def test_an_older_baseline_with_raw_rounds_gets_its_percentiles_from_them(old, pytester):
    stats = json.loads((old / "raw.json").read_text())["benchmarks"][0]["stats"]
    assert "p99" not in stats
    ran = compare_with(
        old, pytester, "raw.json", "--benchmark-columns=p99,throughput", "--benchmark-time-unit=ns",
    )  # fmt: skip
    (row,) = [line for line in ran.outlines if line.startswith("test_one (") and "(NOW)" not in line]
    assert f" {np.percentile(stats['data'], 99) * 1e9:,.4f} [" in row
    assert f" {1 / np.median(stats['data']):,.2f} " in row


def test_an_older_baseline_without_raw_rounds_shows_what_is_missing(old, pytester):
    ran = compare_with(old, pytester, "0001", "--benchmark-columns=median,p99", "--benchmark-sort=p99")
    now, then = [line for line in ran.outlines if line.startswith("test_one (")]
    assert now.startswith("test_one (NOW)")  # a row without the value comes last
    assert re.fullmatch(r"test_one \(0001_old\) +[\d.,]+ \([\d.]+\) +- *", then)
    ran.stdout.fnmatch_lines(["*-  not known: the saved run holds neither the value nor raw rounds.*"])
