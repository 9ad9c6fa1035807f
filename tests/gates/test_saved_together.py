"""All verdicts of a session together, and since when a benchmark that fails is slower."""

import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import histories as saved
import pytest
from foreign import OTHERS_OFF, run_one

from tailgate.commands.main import main
from tailgate.gates.saved.family import together
from tailgate.gates.saved.sessions import read
from tailgate.gates.saved.since import since
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, INCOMPARABLE, PASS, UNDECIDED

ONE, TWO = saved.NAMES


def verdict(p: float, change_rel: float = 0.05, metric: str = "median", said: str = FAIL) -> Verdict:
    return Verdict(f"t.py::test_{p}", metric, said, p=p, change_rel=change_rel, limit_rel=0.02)


def test_what_fails_alone_is_undecided_among_many():
    found = together([verdict(0.004), *[verdict(0.5, said=PASS)] * 49])
    assert found[0].verdict == UNDECIDED
    assert "it would fail alone, but among 50 comparisons chance does so, too (p = .004" in (found[0].reason or "")
    assert together([verdict(0.0003), *[verdict(0.5, said=PASS)] * 49])[0].verdict == FAIL


def test_what_all_fail_fails_though_each_would_not_among_many():
    assert {one.verdict for one in together([verdict(0.009)] * 50)} == {FAIL}


def test_an_improvement_has_the_p_of_no_worsening():
    better = [verdict(0.001, -0.05, said=PASS), verdict(0.001, +0.05, "throughput", PASS)] * 10
    assert together([verdict(0.004), *better])[0].verdict == UNDECIDED


def test_objectives_and_what_compares_nothing_stay_as_they_are():
    others = [Verdict("a", "p99", FAIL, reason="p99_max"), Verdict("b", "median", INCOMPARABLE), replace(verdict(0.2))]
    assert together(others[:2], planned=500) == others[:2]


def test_what_is_borne_out_only_at_the_end_fails_then(tmp_path):
    """Three benchmarks with p = .009: the first one alone is no failure of three comparisons."""
    saved.project(tmp_path)
    tests = saved.TESTS.partition("def test_one")[0]
    names = tuple(f"test_it.py::test_{name}" for name in ("one", "two", "three"))
    (tmp_path / "test_it.py").write_text(
        tests + "".join(f"def {name.rpartition('::')[2]}(call, benchmark): call()\n" for name in names)
    )
    saved.series(tmp_path, "epyc", scatter=0.02, names=names)
    arguments = (
        "--benchmark-compare=epyc",
        "--gate",
        *saved.TIMER,
        "--junitxml=tests.xml",
        "--benchmark-json=run.json",
    )
    done = run_one(tmp_path, *OTHERS_OFF, *arguments, "--factor=1.0618")
    assert done.returncode == 1
    failures = [case.get("name") for case in ET.parse(tmp_path / "tests.xml").iter("testcase") if len(case)]
    assert sorted(failures) == ["test_one", "test_three", "test_two"]
    run = json.loads((tmp_path / "run.json").read_text())
    assert {one["verdict"] for one in run["tailgate_gate"]["verdicts"]} == {FAIL}
    assert {one["extra_info"]["gate_verdict"] for one in run["benchmarks"]} == {FAIL}
    alone = run_one(tmp_path, *OTHERS_OFF, *arguments, "--factor=1.0618", "--without=three", "-k", "one or two")
    assert alone.returncode == 1


def slower_from(folder, place, sessions=15, **marks):
    """Sessions of which the first benchmark is slower from ``place`` on; these failed their gate."""
    runs = [
        saved.saved_run(
            saved.bench(ONE, median * (1.05 if index >= place else 1)),
            saved.bench(TWO, median),
            commit_info={"id": f"{index:02x}" * 20, "dirty": False},
            **({"tailgate_gate": {"failed": True, **marks}} if index >= place else {}),
        )
        for index, median in enumerate(saved.scattered(sessions))
    ]
    return saved.write(folder, "epyc", runs)


def test_a_failure_names_its_change_point(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    files = slower_from(tmp_path, 12)
    assert main(["compare", *map(str, files), "--fail-on-regression", "--columns=median"]) == 1
    said = capsys.readouterr().out
    assert "the level changed with 0013_epyc.json (0c0c0c0c0c), after 0012_epyc.json (0b0b0b0b0b): +5." in said


@pytest.mark.parametrize(
    ("place", "words"),
    [(24, "the level changed with this session, after 0024_epyc.json ("), (25, None)],
)
def test_since_when(tmp_path, place, words):
    sessions = [read(file) for file in slower_from(tmp_path, place, sessions=25)]
    now = [sessions[-1].samples[ONE]]
    found = since(now, sessions[:-1], "median")
    assert (found is None) == (words is None)
    assert words is None or words in found
    assert since(now, sessions[:5], "median") is None, "too few sessions"


def test_an_improvement_is_no_since(tmp_path):
    sessions = [read(file) for file in slower_from(tmp_path, 12)]
    assert since([sessions[-1].samples[ONE]], sessions[:-1], "throughput") is not None
    faster = replace(
        sessions[-1].samples[ONE], values={"median": sessions[0].samples[ONE].values["median"] * math.exp(-0.2)}
    )
    assert since([faster], sessions[:12], "median") is None
