"""What a fleet run makes of what its nodes say: journals, saved runs, verdicts, the exit code."""

import json
from pathlib import Path

import pytest
from histories import FOLDER, MACHINE, bench, saved_run, write
from scripted_fleet import NAMES, ScriptedNode, collected, fleet, held, journal_line, measured, measures, saved_runs

from tailgate.commands.main import main
from tailgate.fleet.endings import next_steps
from tailgate.fleet.interrupts import Interrupts
from tailgate.fleet.states import exit_code
from tailgate.machine import fingerprint
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, PASS

OTHER = {**MACHINE, "cpu_model": "Another CPU"}
OTHER_FOLDER = fingerprint.folder_name(OTHER)
JOURNALS = Path(".pytest_cache/d/tailgate/fleet")


def code_of(run) -> int:  # type: ignore[no-untyped-def]
    return exit_code(run.states, interrupted=run.interrupted)


def test_each_run_is_saved_among_the_baselines_of_its_machine(tmp_path, capsys, monkeypatch):
    scripts = {"a": measures(), "b": measures(machine=OTHER), "c": measures()}
    run, _ = fleet(tmp_path, scripts, "--benchmark-save=epyc")
    assert code_of(run) == 0
    assert [one.phase for one in run.states] == ["finished"] * 3
    assert [file.name for file in sorted((tmp_path / "baselines" / FOLDER).iterdir())] == [
        "0001_epyc.json", "0002_epyc.json",
    ]  # fmt: skip
    (saved,) = saved_runs(tmp_path, OTHER_FOLDER)
    assert saved["commit_info"] == {"id": "c0ffee"}
    assert [row["fullname"] for row in saved["benchmarks"]] == list(NAMES)
    monkeypatch.chdir(tmp_path)  # they are read as files copied by hand are
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # pytest-benchmark's command would begin hypothesis's
    assert main(["compare", *map(str, sorted((tmp_path / "baselines").rglob("*.json")))]) == 0
    assert "different machines" in capsys.readouterr().out


def test_what_a_dead_node_measured_is_kept_and_resumed(tmp_path):
    def dies(node: ScriptedNode):
        if node.plan is None:
            return [collected()]
        line = journal_line(NAMES[0])
        return [("news", [("journal", line[:20])]), ("news", [("journal", line[20:])]), ("lost", "the node is gone")]

    run, _ = fleet(tmp_path, {"a": dies, "b": measures(machine=OTHER)})
    assert code_of(run) == 1
    assert [one.phase for one in run.states] == ["lost", "finished"]
    assert "Not finished: a" in "\n".join(next_steps(run.states))
    assert not (tmp_path / "baselines" / FOLDER).exists()

    again, cluster = fleet(tmp_path, {"a": measures(), "b": measures(machine=OTHER)}, "--resume")
    assert code_of(again) == 0
    assert cluster.remotes["a"].plan is not None
    assert held(cluster.remotes["a"].plan.journal) == [NAMES[0]]
    assert cluster.remotes["b"].plan is None  # finished before: nothing is measured twice, nor saved twice
    assert len(saved_runs(tmp_path)) == len(saved_runs(tmp_path, OTHER_FOLDER)) == 1
    assert again.states[1].saved == run.states[1].saved
    assert f"Saved before: {run.states[1].saved}" in next_steps(again.states)
    assert f"Saved: {again.states[0].saved}" in next_steps(again.states)


def test_a_node_that_takes_the_place_of_a_lost_one_goes_on_with_its_journal(tmp_path):
    def dies(node: ScriptedNode):
        return (
            [collected()] if node.plan is None else [("news", [("journal", journal_line(NAMES[0]))]), ("lost", "gone")]
        )

    fleet(tmp_path, {"spot-1": dies})
    run, cluster = fleet(tmp_path, {"spot-2": measures()}, "--resume")
    assert held(cluster.remotes["spot-2"].plan.journal) == [NAMES[0]]
    assert "spot-2 goes on with what spot-1 has measured" in run.remarks[0]


def test_other_code_or_arguments_are_measured_anew_with_resume(tmp_path):
    fleet(tmp_path, {"a": measures()}, identity="one")
    _, cluster = fleet(tmp_path, {"a": measures()}, "--resume", identity="other")
    assert cluster.remotes["a"].plan is not None
    assert len(saved_runs(tmp_path)) == 2


def test_without_resume_an_unfinished_run_is_kept_aside(tmp_path):
    def dies(node: ScriptedNode):
        return (
            [collected()] if node.plan is None else [("news", [("journal", journal_line(NAMES[0]))]), ("lost", "gone")]
        )

    fleet(tmp_path, {"a": dies})
    run, cluster = fleet(tmp_path, {"a": measures()})
    assert cluster.remotes["a"].plan.journal == b""
    (kept,) = (tmp_path / JOURNALS / "fleet" / FOLDER).glob("*.previous*")
    assert held(kept.read_bytes()) == [NAMES[0]]
    assert str(kept) in run.remarks[0]


@pytest.mark.parametrize(
    ("events", "phase", "code", "why"),
    [
        ([("failed", ["no interpreter 'x' on this node", 1])], "failed", 1, "no interpreter 'x' on this node"),
        ([("failed", ["--protocol: unknown value", 4])], "failed", 4, "--protocol: unknown value"),
        ([("failed", ["no benchmark is selected", 5])], "failed", 5, "no benchmark is selected"),
        ([("lost", "gone")], "lost", 1, "gone"),
    ],
)
def test_a_node_that_cannot_measure_costs_itself_alone(tmp_path, events, phase, code, why):
    run, _ = fleet(tmp_path, {"bad": lambda node: events, "good": measures()})
    assert (run.states[0].phase, run.states[0].code, run.states[0].now) == (phase, code, why)
    assert run.states[1].phase == "finished"
    assert code_of(run) == 1
    alone, _ = fleet(tmp_path, {"bad": lambda node: events})
    assert code_of(alone) == code


def test_a_session_that_crashed_is_no_run(tmp_path):
    def crashes(node: ScriptedNode):
        if node.plan is None:
            return [collected()]
        return [
            ("news", [("journal", journal_line(NAMES[0]))]),
            ("ended", [-11, None, "Fatal error", b"Fatal error\n"]),
        ]

    run, _ = fleet(tmp_path, {"a": crashes})
    assert (run.states[0].phase, run.states[0].now, code_of(run)) == ("failed", "Fatal error", 1)
    assert run.states[0].log.read_bytes() == b"Fatal error\n"
    _, cluster = fleet(tmp_path, {"a": measures()}, "--resume")
    assert held(cluster.remotes["a"].plan.journal) == [NAMES[0]]


def test_a_session_that_measured_nothing_is_not_green(tmp_path):
    def disabled(node: ScriptedNode):
        return [collected()] if node.plan is None else [("ended", [0, None, "1 passed", b""])]

    run, _ = fleet(tmp_path, {"a": disabled})
    assert (run.states[0].phase, code_of(run)) == ("failed", 1)
    assert run.states[0].now == "its session ended without a run, so nothing was measured: 1 passed"


def judged(word: str) -> dict[str, object]:
    verdict = Verdict(NAMES[0], "median", word, change_rel=0.1).as_json()
    return {"failed": word == FAIL, "history": ["/tmp/x/baselines/f/0001_old.json"], "verdicts": [verdict]}


def test_each_node_is_judged_by_its_own_history(tmp_path):
    write(tmp_path, "old", [saved_run(bench(NAMES[0], 1e-3))])
    write(tmp_path, "old", [saved_run(bench(NAMES[0], 1e-3), machine=OTHER)] * 2, OTHER_FOLDER)
    write(tmp_path, "else", [saved_run(bench(NAMES[0], 1e-3))])
    scripts = {
        "a": measures(code=1, tailgate_gate=judged(FAIL)),
        "b": measures(machine=OTHER, tailgate_gate=judged(PASS)),
    }
    run, cluster = fleet(tmp_path, scripts, "--benchmark-compare=old", "--gate")
    plans = {name: remote.plan for name, remote in cluster.remotes.items()}
    assert set(plans["a"].baselines) == {f"{FOLDER}/0001_old.json"}
    assert set(plans["b"].baselines) == {f"{OTHER_FOLDER}/0001_old.json", f"{OTHER_FOLDER}/0002_old.json"}
    assert plans["a"].arguments == ("--benchmark-compare=old", "--gate")
    assert [(one.name, one.verdicts[0].verdict) for one in run.machines] == [("a", FAIL), ("b", PASS)]
    assert code_of(run) == 1
    saved = json.loads((tmp_path / "baselines" / FOLDER / "0003_fleet.json").read_text())
    assert saved["tailgate_gate"]["history"] == [str(tmp_path / "baselines" / FOLDER / "0001_old.json")]


def test_a_machine_without_history_is_measured_and_not_green(tmp_path):
    run, cluster = fleet(tmp_path, {"a": measures()}, "--benchmark-compare=old", "--gate", "--benchmark-save=old")
    assert cluster.remotes["a"].plan.arguments == ()
    assert (run.states[0].phase, code_of(run)) == ("finished", 1)
    assert "no saved run 'old' of its machine" in run.remarks[0]
    assert len(saved_runs(tmp_path)) == 1
    without_gate, _ = fleet(tmp_path, {"a": measures()}, "--benchmark-compare=other")
    assert code_of(without_gate) == 0


def test_an_interrupt_ends_all_and_keeps_what_is_measured(tmp_path):
    interrupts = Interrupts()

    def interrupted(node: ScriptedNode):
        if node.plan is None:
            return [collected()]
        interrupts.asked = True
        return [("news", [("journal", journal_line(NAMES[0]))]), *measured(NAMES, code=2)[1:]]

    scripts = {"a": interrupted, "pending": lambda node: []}
    run, cluster = fleet(tmp_path, scripts, interrupts=interrupts)
    assert [one.phase for one in run.states] == ["interrupted"] * 2
    assert all(remote.stopped and remote.released for remote in cluster.remotes.values())
    assert code_of(run) == 2
    assert not (tmp_path / "baselines").exists()
    _, again = fleet(tmp_path, {"a": measures()}, "--resume")
    assert held(again.remotes["a"].plan.journal) == [NAMES[0]]


def test_alike_nodes_share_a_selection_and_make_one_run(tmp_path):
    names = [f"test_it.py::test_{letter}" for letter in "abcde"]
    scripts = {"a": measures(*names), "b": measures(*names), "other": measures(*names, machine=OTHER)}
    run, cluster = fleet(tmp_path, scripts, shard=True)
    shares = [cluster.remotes[name].plan.share for name in ("a", "b")]
    assert sorted(shares[0] + shares[1]) == names
    assert cluster.remotes["other"].plan.share is None
    (saved,) = saved_runs(tmp_path)
    assert sorted(row["fullname"] for row in saved["benchmarks"]) == names
    assert saved["tailgate_run"]["measured"] == 5
    assert len(saved["tailgate_run"]["calibrations"]) == 2
    assert run.states[0].saved == run.states[1].saved
    assert code_of(run) == 0


def test_a_node_whose_cpus_another_one_of_the_run_has_is_no_part_of_the_division(tmp_path):
    def shares_them(node: ScriptedNode):
        return [("waiting", "holder")]

    run, _ = fleet(tmp_path, {"a": measures(), "twin": shares_them}, shard=True)
    assert code_of(run) == 1
    assert [one.phase for one in run.states] == ["finished", "failed"]
    assert "shares CPUs with another node of this run" in run.states[1].now
    assert len(saved_runs(tmp_path)) == 1


def test_a_node_for_which_nothing_is_left_is_no_failure(tmp_path):
    run, cluster = fleet(tmp_path, dict.fromkeys("abc", measures(*NAMES)), shard=True)
    assert code_of(run) == 0
    assert [one.phase for one in run.states] == ["finished"] * 3
    assert "nothing was left for it" in run.states[2].now
    assert cluster.remotes["c"].plan is None
    assert cluster.remotes["c"].released
    (saved,) = saved_runs(tmp_path)
    assert [row["fullname"] for row in saved["benchmarks"]] == list(NAMES)
    assert not any("None" in line for line in next_steps(run.states))


def test_nodes_beyond_the_kernels_limit_are_not_pooled(tmp_path):
    slow = {"compute_s": 1.2, "memory_s": 1.0}
    run, cluster = fleet(tmp_path, {"a": measures(), "b": measures(calibration=slow)}, shard=True)
    assert [remote.plan.share for remote in cluster.remotes.values()] == [None, None]
    assert "b has the fingerprint of a and is 20% slower at computing (limit 5%): they are not pooled" in run.remarks
    assert len(saved_runs(tmp_path)) == 2


def test_nodes_that_became_unlike_are_saved_apart(tmp_path):
    def slows(node: ScriptedNode):
        return measures(calibration={"compute_s": 1.2, "memory_s": 1.0})(node) if node.plan else [collected()]

    run, _ = fleet(tmp_path, {"a": measures(), "b": slows}, shard=True)
    assert [len(one["benchmarks"]) for one in saved_runs(tmp_path)] == [1, 1]
    assert "they are not pooled in one run, and saved apart" in run.remarks[-1]


def test_a_shard_that_was_lost_is_done_by_who_is_left(tmp_path):
    def dies(node: ScriptedNode):
        return [collected()] if node.plan is None else [("lost", "gone")]

    run, _ = fleet(tmp_path, {"a": measures(), "b": dies}, shard=True)
    assert code_of(run) == 1
    assert not (tmp_path / "baselines").exists()  # half of a pool is no run; the journals have it
    again, cluster = fleet(tmp_path, {"a": measures()}, "--resume", shard=True)
    assert held(cluster.remotes["a"].plan.journal) == [NAMES[0]]
    assert code_of(again) == 0
    assert len(saved_runs(tmp_path)[0]["benchmarks"]) == 2


def test_hostile_names_of_hosts_and_benchmarks_are_kept_as_files_and_text(tmp_path):
    host = "../../h\n\x1b[31m" + "x" * 10_000
    nodeid = "test_it.py::test[=1+1,\"'\u202e\n]"
    run, _ = fleet(tmp_path, {host: measures(nodeid)})
    assert code_of(run) == 0
    assert saved_runs(tmp_path)[0]["benchmarks"][0]["fullname"] == nodeid
    assert {file.parent.name for file in (tmp_path / JOURNALS).rglob("*.jsonl")} == {FOLDER}
