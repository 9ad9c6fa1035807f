"""An explanation in words, in a table, in a saved run and back; what a hook may give, and what it may not."""

import contextlib
import json
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.results.explanation import Explanation, Side, explained, saved_explanations
from tailgate.results.explanation_text import HEADINGS, sentence, table, tables, terminal_lines, time_change_rel
from tailgate.results.operators import Operator, Profile, ProfileError, Spent, checked_profile
from tailgate.results.pages import html, markdown
from tailgate.results.pages.content import of_run
from tailgate.results.verdict import Verdict

HOSTILE = ["a,b", 'quote "', "=1+1", "<script>alert(1)</script>", "two\nlines", "\x1b[31mred", "\u202eright to left",
           "x" * 10_000, "|`*_~$", "{{7*7}}", "\ud800"]  # fmt: skip


def runs(*times: dict[str, float], noise: float = 1e-5, pairs: int = 6, phase: int = 0) -> list[list[Profile]]:
    """Each dictionary is a turn, in milliseconds by name; every pair has the same but for a little."""

    def profile(one: dict[str, float], factor: float) -> Profile:
        listed = {Operator(name, "Conv", "1x8"): Spent(ms / 1e3 * factor) for name, ms in one.items()}
        return Profile("a profiler", listed, 0.0103)

    return [
        [profile(one, 1 + noise * ((index * 7 + turn + phase) % 5)) for turn, one in enumerate(times)]
        for index in range(pairs)
    ]


def explanation(base: dict[str, float], head: dict[str, float], **how: Any) -> Explanation:
    side = Side("a profiler", sum(base.values()) / 1e3, sum(base.values()) / 1e3 * 1.03)
    rows = explained(runs(base, base, **how), runs(head, head, **how, phase=2))
    return Explanation(rows, side, side, (), how.get("pairs", 6), 12.0)


SLOWER = explanation({"Conv_12": 6.0, "Conv_13": 4.0}, {"Conv_12": 6.36, "Conv_13": 4.0, "Transpose_1": 0.04})


def test_the_sentence_names_what_exceeds_its_scatter_and_the_rest() -> None:
    said = sentence(SLOWER, 0.041)
    assert said == "of which Conv_12 +3.6 %, Transpose_1 (new) +0.4 %, rest +0.1 % unexplained"
    assert SLOWER.total_rel == pytest.approx(0.04, abs=1e-5)


def test_what_does_not_exceed_its_scatter_is_not_blamed() -> None:
    scattered = explanation({"a": 5.0, "b": 5.0}, {"a": 5.01, "b": 5.0}, noise=0.02)
    assert sentence(scattered, 0.03).startswith("no operator's difference exceeds its scatter (all together +")
    two_pairs = explanation({"a": 5.0}, {"a": 6.0}, pairs=2)
    assert not two_pairs.told
    assert sentence(two_pairs, 0.2).startswith(
        "2 pairs are too few to tell an operator's difference from its scatter ("
    )


@pytest.mark.parametrize("told_s", [None, 0.032])
def test_a_profiler_that_lengthens_the_call_gives_no_parts(told_s: float | None) -> None:
    rows = explained(runs({"sort": 20.0, "key": 12.0}), runs({"sort": 26.0, "key": 12.0}, phase=2))
    side = Side("cProfile", 0.010, told_s)
    said = sentence(Explanation(rows, side, side, (), 6), 0.18)
    assert said == "the profiler makes a call 3.2 times as long, so its parts are not those of the call"
    shown = table("t", Explanation(rows, side, side, (), 6), 0.18, 9)
    assert shown.rows[0][0] == "sort"
    assert shown.facts[0].endswith("what the profiler adds is not told: return call_s" if told_s is None else "in head")


def test_operators_that_run_at_the_same_time_may_exceed_the_call() -> None:
    rows = explained(runs({"a": 9.0, "b": 9.0}), runs({"a": 9.9, "b": 9.0}, phase=2))
    side = Side("a profiler", 0.010, 0.0103)
    assert sentence(Explanation(rows, side, side, (), 6), 0.09).startswith("of which a +9.0 %")


def test_many_culprits_are_counted() -> None:
    base = {f"op_{index}": 1.0 for index in range(10)}
    head = {name: 1.1 - index / 1e3 for index, name in enumerate(base)}
    assert "op_3 +1.0 %, 6 more +5.6 %, rest" in sentence(explanation(base, head), 0.1)


def test_the_table_has_both_sides_the_part_and_its_interval() -> None:
    found = table("test_a", SLOWER, 0.041, 2)
    assert found.title.startswith("test_a +4.1 %, of which Conv_12")
    assert found.rows[0][:6] == ("Conv_12", "Conv", "1x8", "6 ms", "6.36 ms", "+3.6 %")
    assert found.rows[0][-1] == "yes"
    assert found.rows[1][:6] == ("Transpose_1 (new)", "Conv", "1x8", "", "40 µs", "+0.4 %")
    assert found.rows[2][0] == "1 more operator"
    assert found.rows[3] == ("all operators", "", "", "10 ms", "10.4 ms", "+4.0 %", "", "")
    assert {len(row) for row in found.rows} == {len(HEADINGS)}
    assert found.facts == (
        "operator times by a profiler, in 6 pairs of processes of their own (12 s), profiled calls took +3.0 % in base "
        "and +3.0 % in head",
    )


def test_one_side_without_times_is_said_and_the_other_is_kept() -> None:
    rows = explained([], runs({"a": 1.0, "b": 2.0}, pairs=1))
    alone = Explanation(rows, reasons=("no operator times from the base side: nothing fills the hook",), pairs=1)
    assert sentence(alone, 0.04) == "no operator times from the base side: nothing fills the hook"
    assert (alone.contributions, alone.total_rel, alone.call_s) == ([], None, None)
    shown = table("test_a", alone, 0.04, 10).rows
    assert [row[0] for row in shown] == ["b (head alone)", "a (head alone)"]
    assert shown[0][3:5] == ("", "2 ms")
    assert Explanation.from_json(json.loads(json.dumps(alone.as_json()))) == alone


def test_it_comes_back_from_a_saved_run() -> None:
    saved = json.loads(json.dumps(SLOWER.as_json()))
    assert Explanation.from_json(saved) == SLOWER
    assert saved["rows"][0]["base_s"] == pytest.approx([0.006] * 6, rel=1e-3)
    told = [row for row in saved["rows"] if row["exceeds_scatter"]]
    assert [row["change"] for row in told] == ["same", "new"]
    assert sum(row["contribution_rel"] for row in saved["rows"]) == pytest.approx(saved["total_rel"])
    run = {"tailgate_duet": {"benchmarks": [{"fullname": "t::a", "operators": saved}, {"operators": {"rows": 7}}, 3]}}
    assert saved_explanations(run) == {"t::a": SLOWER}
    assert saved_explanations({"tailgate_duet": []}) == saved_explanations({}) == {}


@given(st.recursive(st.none() | st.floats() | st.text(max_size=3) | st.integers(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
                        ["rows", "change", "base", "head", "base_s", "head_s", "name", "sources", "pairs", "reasons"]),
                        inner, max_size=5)))  # fmt: skip
def test_a_broken_table_of_a_file_is_one_error(broken: Any) -> None:
    with contextlib.suppress(ProfileError):
        found = Explanation.from_json(broken)
        assert isinstance(found.as_json(), dict)
        assert len(sentence(found, 0.1).splitlines()) <= 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_everywhere(name: str) -> None:
    found = explanation({name: 5.0}, {name: 6.0, f"{name}2": 1.0})
    text = "\n".join([sentence(found, 0.4), *terminal_lines(table("t", found, 0.4, 9))])
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ud800]", text)
    assert len(max(text.splitlines(), key=len)) < 1000
    operators = json.loads(json.dumps(found.as_json()))
    run: dict[str, Any] = {
        "benchmarks": [],
        "tailgate_duet": {"benchmarks": [{"fullname": name, "operators": operators}]},
    }
    page = html.render([run])
    assert "<script>alert" not in page  # the page has a script of its own
    section = markdown.page([of_run(run)])
    assert "<script>" not in section
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in rows[:4]}) == 1


def test_only_the_time_of_a_call_is_explained() -> None:
    def verdict(metric: str, change_rel: float | None) -> Verdict:
        return Verdict("t::a", metric, "fail", change_rel=change_rel)

    assert time_change_rel(verdict("median", 0.04)) == 0.04
    assert time_change_rel(verdict("throughput", -0.2)) == pytest.approx(0.25)
    assert time_change_rel(verdict("p99", 0.3)) is None
    assert time_change_rel(verdict("median", None)) is None
    (one,) = tables({"t::a": SLOWER}, [verdict("p99", 0.3), verdict("median", 0.04)], 5)
    assert one.title.startswith("a +4.0 %, of which")
    (one,) = tables({"t::a": SLOWER}, [verdict("p99", 0.3)], 5)
    assert one.title.startswith("a: of which")


def given_by_a_hook(**changed: Any) -> dict[str, Any]:
    return {"operators": [{"name": "a", "kind": "Conv", "time_s": 0.1, **changed}]}


def test_what_a_hook_may_give() -> None:
    given = given_by_a_hook(time_s=np.float32(0.5), calls=Decimal(2), shapes="1x2", sources=["y", "x"])
    found = checked_profile(given)
    assert found.times == {Operator("a", "Conv", "1x2", ("x", "y")): Spent(0.5, 2.0)}
    several = checked_profile(
        {"operators": iter([{"name": "a", "time_s": 1}, {"name": "a", "time_s": 0}]), "call_s": 2}
    )
    assert several.times == {Operator("a"): Spent(1.0, 2.0)}
    assert several.call_s == 2.0


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "it gave None, not a dictionary"),
        ([], "it gave [], not a dictionary"),
        ({}, "its 'operators' is None, not a list"),
        ({"operators": "abc"}, "its 'operators' is 'abc', not a list"),
        ({"operators": []}, "its profile is empty"),
        ({"operators": [7]}, "operator 1 is 7, not a dictionary"),
        ({"operators": [{"time_s": 1.0}]}, "operator 1 has no name"),
        (given_by_a_hook(time_s=math.nan), "the time_s of operator 1 ('a') is nan, not seconds of 0 to 1e+06"),
        (given_by_a_hook(time_s=1e308), "the time_s of operator 1 ('a') is 1e+308, not seconds of 0 to 1e+06"),
        (given_by_a_hook(time_s=-1e-9), "the time_s of operator 1 ('a') is -1e-09, not seconds"),
        (given_by_a_hook(time_s="fast"), "the time_s of operator 1 ('a') is 'fast', not seconds"),
        (given_by_a_hook(time_s=True), "the time_s of operator 1 ('a') is True, not seconds"),
        (given_by_a_hook(time_s=10**400), "not seconds"),
        (given_by_a_hook(calls=0), "the calls of operator 1 ('a') are 0, not a number above 0, at most 1e+06"),
        (given_by_a_hook(name=3), "the name of operator 1 is 3, not text"),
        (given_by_a_hook(shapes=[1, 3]), "the shapes of operator 1 is [1, 3], not text"),
        (given_by_a_hook(sources="conv"), "the sources of operator 1 are 'conv', not a list of names"),
        (given_by_a_hook(time_s=0), "all operators of its profile took 0 s"),
        ({**given_by_a_hook(), "call_s": 0}, "its 'call_s' is 0, not seconds above 0, at most 1e+06"),
    ],
)
def test_what_it_may_not_is_one_line(found: Any, said: str) -> None:
    with pytest.raises(ProfileError) as error:
        checked_profile(found)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1
