"""Limits, verdicts, tables and objectives: what is the same for both gates, without any session."""

import html
import json
import math
import re
import statistics

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tailgate.errors import TailgateError
from tailgate.gates.limits import duration_s, percentage, session_limits
from tailgate.gates.saved.judgement import judged
from tailgate.gates.saved.objectives import objectives
from tailgate.gates.saved.samples import Sample
from tailgate.gates.saved.sessions import History, Session
from tailgate.gates.scope import split
from tailgate.results.limits import METRICS, Limits
from tailgate.results.verdict import (
    FAILING,
    SEVERITY,
    Verdict,
    compared,
    lenient_from_json,
    line,
    ordered,
    overall,
    printable,
)
from tailgate.results.verdict_table import markdown_table, quantity, short_name, summary, terminal_table
from tailgate.stats.decision import FAIL, INCOMPARABLE, MISSING, NEW, PASS, UNDECIDED
from tailgate.text import markdown_text

HOSTILE = (
    "<script>alert(1)</script>",
    "]]>",
    "\x1b[31mred\x1b[0m",
    "a|b",
    "{{7*7}}",
    "[red]x[/red]",
    "\u202egnp",
    "a\nb",
)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
VERDICTS = st.builds(
    Verdict,
    fullname=st.text(min_size=1),
    metric=st.sampled_from(METRICS),
    verdict=st.sampled_from(SEVERITY),
    reason=st.none() | st.text(),
    base=st.none() | st.floats(1e-12, 1e6),
    head=st.none() | st.floats(1e-12, 1e6),
    change_rel=st.none() | st.floats(-0.99, 100),
    low_rel=st.none() | st.floats(-0.99, 100),
    high_rel=st.none() | st.floats(-0.99, 100),
    p=st.none() | st.floats(0, 1),
    limit_rel=st.none() | st.floats(0.001, 10),
    detectable_rel=st.none() | st.floats(0, 10),
    replicates=st.none() | st.integers(0, 50),
    confirmed=st.none() | st.booleans(),
    notes=st.lists(st.text(), max_size=2).map(tuple),
    reproduce=st.none() | st.text(),
)


@pytest.mark.parametrize(("text", "found"), [("3%", 0.03), (" 2.5 %", 0.025), (".5%", 0.005), ("1000%", 10.0)])
def test_percentages(text, found):
    assert percentage("x", text) == pytest.approx(found)


@pytest.mark.parametrize("text", ["3", "0%", "-1%", "1001%", "%", "3 percent", 3, 0.03, None, "", "nan%", "3%%", "٣%x"])
def test_no_percentages(text):
    with pytest.raises(TailgateError, match="is not a limit"):
        percentage("x", text)


@pytest.mark.parametrize(
    ("text", "found_s"), [("50ms", 0.05), ("2 s", 2.0), ("7us", 7e-6), ("7µs", 7e-6), (".5ns", 5e-10)]
)
def test_durations(text, found_s):
    assert duration_s("x", text) == pytest.approx(found_s)


@pytest.mark.parametrize("text", ["50", "0ms", "-1s", "1 min", "ms", 0.05, None, True, "1e400s"])
def test_no_durations(text):
    with pytest.raises(TailgateError, match="is not a duration"):
        duration_s("x", text)


def test_a_p99_is_never_judged_by_less_than_its_own_minimum():
    assert session_limits("3%", "p99,median").relative == {"median": 0.03, "p99": 0.10}
    assert session_limits("20%", "p99").relative == {"p99": 0.20}
    assert session_limits(None, None).relative == {"median": 0.02}


@pytest.mark.parametrize("names", ["mean", "", "median,,p99", "P99"])
def test_no_metrics(names):
    with pytest.raises(TailgateError, match="--gate-metrics: unknown metric"):
        session_limits(None, names)


@given(st.lists(VERDICTS, max_size=6))
def test_a_benchmark_fails_where_one_of_its_metrics_does(verdicts):
    assert (overall(verdicts) in FAILING) == any(one.failed for one in verdicts)
    assert compared(verdicts) <= any(one.verdict not in {NEW, MISSING, INCOMPARABLE} for one in verdicts)
    assert [SEVERITY.index(one.verdict) for one in ordered(verdicts)] == sorted(
        SEVERITY.index(one.verdict) for one in verdicts
    )


@given(VERDICTS)
def test_a_verdict_is_one_line_that_no_terminal_obeys(one):
    text = line(one)
    assert text == printable(text)
    assert len(text.splitlines()) == 1


@given(VERDICTS)
def test_a_verdict_comes_back_from_json_as_it_was(one):
    assert lenient_from_json(json.loads(json.dumps(one.as_json()))) == one


FIELDS = [*Verdict("a", "median", PASS).as_json(), "base_items_per_s"]
ANYTHING = NUMBERS | st.text() | st.lists(st.integers(), max_size=2) | st.booleans() | st.sampled_from([math.inf, {}])


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING))
def test_whatever_is_in_a_file_makes_a_verdict_that_can_be_shown(saved):
    one = lenient_from_json(saved)
    assert line(one)
    assert markdown_table([one])
    assert terminal_table([one], color=False)


@settings(deadline=None)
@given(st.lists(VERDICTS, min_size=1, max_size=4), st.booleans())
def test_a_table_has_no_control_characters_but_its_own(verdicts, color):
    text = terminal_table(verdicts, color=color)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text) if color else text
    assert printable(bare.replace("\n", "")) == bare.replace("\n", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_everywhere(name):
    one = Verdict(f"test_it.py::test[{name}]", "median", FAIL, reason=name, change_rel=0.1)
    for text in (terminal_table([one], color=False), line(one)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert printable(name) in text
    markdown = markdown_table([one])
    assert not set("`\x1b\u202e") & set(markdown.replace("**", ""))
    assert not re.search(r"<[A-Za-z/!?]", markdown)
    rows = [row for row in markdown.splitlines() if row.startswith("| fail")]
    assert len(rows) == 1
    assert rows[0].count("|") == len(markdown.splitlines()[2].split("|")) - 1


@settings(deadline=None)
@given(st.text(alphabet="ab1 .:;/\\`*_{}[]()<>#+-!|~&@$=w'\"?", max_size=14))
def test_markdown_text_shows_as_it_is_in_a_list_a_heading_and_a_table(text):
    text, escaped = " ".join(text.split()), markdown_text(" ".join(text.split()))
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    places = {f"- {escaped}": text, f"## {escaped}": text, f"| h |\n| --- |\n| x{escaped} |": f"x{text}"}
    for source, shown in places.items():
        found = re.search(r"<(li|h2|td)>(.*)</\1>", reader.render(source), re.DOTALL)
        assert html.unescape(found[2]).replace("\u200b", "") == shown, source


def test_markdown_text_is_readable_as_text():
    name = "benchmarks/test_cpu.py::test_cpu[resnet50-t1-b4] 3 * 4 < 13 (+4.6 %) on a Xeon @ 2.80GHz"
    assert markdown_text(name) == name


def test_summary_names_the_gravest_first():
    verdicts = [Verdict("a", "median", verdict) for verdict in (PASS, FAIL, PASS, NEW)]
    assert summary(verdicts) == "1 fail, 2 pass, 1 new"
    assert summary([]) == "nothing was compared"


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.0123456, "median", "12.35 ms"),
        (2.0, "p99", "2 s"),
        (3e-9, "median", "3 ns"),
        (1e6, "throughput", "1,000,000 /s"),
    ],
)
def test_quantities(value, metric, text):
    assert quantity(value, metric) == text


def sample(median_s=1e-3, *, name="a", p99_low_s=1e-3, p99_high_s=1.2e-3, status="ok", **info):
    values = {"median": median_s, "p99": 1.1e-3, "throughput": 1 / median_s}
    return Sample(name, values, p99_low_s, p99_high_s, 400, info, status)


@pytest.mark.parametrize(
    ("low_s", "high_s", "verdict"),
    [
        (1e-3, 1.9e-3, PASS),
        (1e-3, 2.1e-3, UNDECIDED),
        (2.1e-3, 2.2e-3, FAIL),
        (1e-3, None, UNDECIDED),
        (2.1e-3, None, FAIL),
    ],
)
def test_a_p99_is_judged_by_its_interval(low_s, high_s, verdict):
    (found,) = objectives(sample(p99_low_s=low_s, p99_high_s=high_s), {"p99_max": 2e-3})
    assert found.verdict == verdict


def history(*samples):
    sessions = [Session(None, {}, "id", {}, None, None, {one.fullname: one}) for one in samples]
    return History(sessions[-1], sessions)


LIMITS = Limits({"median": 0.02, "throughput": 0.02})


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=30), st.floats(-0.5, 0.5))
@example([-0.04325980526743416] * 3, -0.04325980526743416)
def test_latency_and_throughput_are_judged_alike(logs, change):
    saved = history(*(sample(1e-3 * math.exp(log)) for log in logs))
    median, throughput = judged([sample(1e-3 * math.exp(change))], saved, LIMITS)
    if len(logs) < 10:
        assert median.verdict == throughput.verdict == UNDECIDED
    if median.verdict == FAIL:
        assert median.change_rel > 0.02
        assert throughput.change_rel < 0
        assert median.p < 0.01
    assert median.p == pytest.approx(throughput.p)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-0.05, 0.05), min_size=10, max_size=10), st.floats(-0.3, 0.3))
def test_the_interval_excludes_nothing_where_it_is_significant(logs, change):
    saved = history(*(sample(1e-3 * math.exp(log)) for log in logs))
    found, _ = judged([sample(1e-3 * math.exp(change))], saved, LIMITS)
    assert found.low_rel <= found.change_rel <= found.high_rel
    if found.p < 0.005 - 1e-9:
        assert not found.low_rel < 0 < found.high_rel
    if found.p > 0.005 + 1e-9:
        assert found.low_rel < 0 < found.high_rel or found.low_rel == found.high_rel


def test_a_history_of_another_workload_or_under_load_is_not_used():
    slow = [sample(2e-3, model_sha256="old") for _ in range(10)]
    fast = [sample(1e-3 * (1 + index / 1e4), model_sha256="new") for index in range(10)]
    loaded = [sample(2e-3, model_sha256="new", status="contended") for _ in range(10)]
    found = judged([sample(1.05e-3, model_sha256="new")], history(*slow, *fast, *loaded), LIMITS)
    assert [(one.verdict, one.replicates) for one in found] == [(FAIL, 10)] * 2


def medians_s(rng, sessions, sigma, drift=0.0):
    """Of sessions whose shift is ``sigma``, moving by ``drift`` from one to the next."""
    return [1e-3 * math.exp(rng.normal(0, sigma) + drift * index) for index in range(sessions)]


def sessions_until_it_fails(rng, sigma, drift, most=100):
    """How many sessions a slow drift takes to be seen, each becoming history as it passes; ``None``: not at all."""
    values_s = medians_s(rng, most, sigma, drift)
    for index in range(10, most):
        (found,) = judged([sample(values_s[index])], history(*map(sample, values_s[:index])), Limits({"median": 0.02}))
        if found.verdict == FAIL:
            return index
    return None


def test_a_drift_that_widens_the_whole_history_is_seen_against_its_beginning():
    found = [sessions_until_it_fails(np.random.default_rng(seed), sigma=0.005, drift=0.003) for seed in range(20)]
    assert None not in found
    assert statistics.median(found) < 30  # after 9 %; the oldest ten have a drift of their own in them


def test_looking_at_the_oldest_sessions_besides_adds_few_false_alarms():
    rng = np.random.default_rng(1)
    decisions, failed, drifted = 1500, 0, 0
    for _ in range(decisions):
        *saved_s, now_s = medians_s(rng, 21, 0.02)
        (found,) = judged([sample(now_s)], history(*map(sample, saved_s)), Limits({"median": 0.02}))
        failed += found.verdict == FAIL
        drifted += bool(found.reason)
    assert failed / decisions < 0.02  # the rule's own 1 % and its scatter
    assert drifted / decisions < 0.004


@pytest.mark.parametrize(
    ("nodeid", "found"),
    [
        ("a/test_b.py::C::test_d[x::y]", ("a/test_b.py", ["C", "test_d[x::y]"])),
        ("test_b.py::test_d", ("test_b.py", ["test_d"])),
        ("test_b.py", ("test_b.py", [])),
    ],
)
def test_node_ids(nodeid, found):
    assert split(nodeid) == found
    assert short_name(nodeid) == (found[1] or [found[0]])[-1]
