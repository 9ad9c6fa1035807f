"""One verdict table over all machines."""

from typing import Any

from tailgate.fleet.verdicts import Machine, of_run, verdict_table
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, IMPROVED, MISSING, NEW, PASS, UNDECIDED

HOSTILE = ("a,b", "a\nb", "=1+1", "\x1b[31mred", "<b>x</b>", "\u202egnp", "q\"'", "x" * 10_000, "a|b", "[bold]x[/bold]")

EPYC = {"cpu_model": "EPYC", "usable_cpus": 8, "packages": {"numpy": "2.4"}}
XEON = {"cpu_model": "Xeon", "usable_cpus": 8, "packages": {"numpy": "2.4"}}


def verdict(name: str, word: str, change_rel: float | None = 0.0, **more: Any) -> Verdict:
    return Verdict(f"test_a.py::{name}", "median", word, change_rel=change_rel, **more)


def test_slower_everywhere_and_slower_on_some_alone_are_told_apart() -> None:
    machines = [
        Machine("a", EPYC, (verdict("test_all", FAIL, 0.05), verdict("test_one", FAIL, 0.1), verdict("test_ok", PASS))),
        Machine(
            "b",
            XEON,
            (verdict("test_all", FAIL, 0.07), verdict("test_one", PASS, 0.01), verdict("test_ok", IMPROVED, -0.2)),
        ),
        Machine(
            "c",
            EPYC,
            (
                verdict("test_all", FAIL, 0.06),
                verdict("test_one", FAIL, 0.2),
                verdict("test_ok", UNDECIDED, 0.01, replicates=12),
            ),
        ),
    ]
    said = verdict_table(machines)
    rows = [line.split() for line in said.splitlines()[:4]]
    assert rows[1] == ["fail", "test_all", "median", "3", "3", "+5.0", "%", "+7.0", "%"]
    assert rows[2] == ["fail", "test_one", "median", "2", "3", "+1.0", "%", "+20.0", "%"]
    assert rows[3] == ["undecided", "test_ok", "median", "-", "3", "-20.0", "%", "+1.0", "%"]
    assert "test_all median failed everywhere (a, b, c):" in said
    assert "test_one median failed on 2 of 3 machines alone (a, c):" in said
    assert "a (here) differs from b (there), where it did not fail: cpu_model 'Xeon' there, 'EPYC' here" in said
    assert said.splitlines()[-1] == "On 3 machines: 5 fail, 1 undecided, 1 improved, 2 pass"


def test_equal_fingerprints_are_said_to_be_equal() -> None:
    said = verdict_table([Machine("a", EPYC, (verdict("t", FAIL),)), Machine("b", EPYC, (verdict("t", PASS),))])
    assert "a has the same fingerprint as b, where it did not fail" in said


def test_missing_fails_and_new_compares_nothing() -> None:
    said = verdict_table(
        [
            Machine("a", EPYC, (verdict("t", MISSING, None, reason="gone"),)),
            Machine("b", XEON, (verdict("t", NEW, None),)),
        ]
    )
    assert "t median failed on the only machine that compared it (a):" in said
    assert "a: test_a.py::t missing: gone" in said


def test_why_there_is_no_verdict_yet_is_said_once() -> None:
    told = verdict("t", UNDECIDED, 0.1, replicates=2, reason="2 saved sessions of the 10 a verdict needs")
    said = verdict_table([Machine("a", EPYC, (told,)), Machine("b", XEON, (told,))])
    assert said.count("undecided: t and 1 more: 2 saved sessions of the 10 a verdict needs") == 1
    assert "nothing was compared" not in said


def test_a_machine_that_compared_nothing_says_so_and_why() -> None:
    told = verdict("t", UNDECIDED, None, reason="the one saved session was disturbed (contended)")
    said = verdict_table([Machine("a", EPYC, (told,))]).splitlines()
    assert said[1].split() == ["undecided", "t", "median", "-", "0"]
    assert said[2:] == [
        "undecided: t: the one saved session was disturbed (contended)",
        "a: nothing was compared, so its gate fails: the one saved session was disturbed (contended)",
        "On 1 machine: 1 undecided",
    ]


def test_nothing_judged_is_said() -> None:
    assert verdict_table([]) == verdict_table([Machine("a", EPYC)]) == "No machine has judged anything.\n"


def test_many_machines_are_counted_and_few_named() -> None:
    machines = [Machine(f"m{index:03}", EPYC, (verdict("t", FAIL),)) for index in range(100)]
    assert "failed everywhere (m000, m001, m002 and 97 more)" in verdict_table(machines)


def test_hostile_names_stay_text_and_one_line_each() -> None:
    for name in HOSTILE:
        machines = [Machine(name, EPYC, (verdict(name, FAIL, 0.1),)), Machine("b", XEON, (verdict(name, PASS),))]
        said = verdict_table(machines)
        assert len(said.splitlines()) == 6
        assert not set(said) & {"\x1b", "\u202e", "\r"}


def test_a_saved_run_says_what_its_gate_found() -> None:
    run = {"machine_info": {"fingerprint": EPYC}, "tailgate_gate": {"verdicts": [verdict("t", FAIL, 0.1).as_json(), 3]}}
    assert of_run("a", run) == Machine("a", EPYC, (verdict("t", FAIL, 0.1),))
    for odd in ({}, {"machine_info": None}, {"tailgate_gate": 3}, {"tailgate_gate": {"verdicts": None}}):
        assert of_run("a", odd) == Machine("a", {}, ())
