"""Folders that cannot be written: found before anything is sent to a node; found later, they cost no measurement."""

import json
from pathlib import Path
from typing import Any

import pytest
from histories import FOLDER, MACHINE
from scripted_fleet import NAMES, ScriptedNode, collected, fleet, held, measured, measures, saved_runs

from tailgate.commands import fleet as command
from tailgate.commands.main import main
from tailgate.fleet.endings import next_steps
from tailgate.fleet.nodes import Node
from tailgate.fleet.states import exit_code
from tailgate.machine import fingerprint

OTHER = {**MACHINE, "cpu_model": "Another CPU"}
JOURNALS = Path(".pytest_cache/d/tailgate/fleet/fleet")


class NothingSent:
    """A cluster that must not be given anything."""

    def nodes(self) -> list[Node]:
        return [Node("a", "a", 1.0)]

    def put(self, content: bytes) -> Any:
        raise AssertionError

    def close(self) -> None:
        pass


def test_a_storage_that_cannot_be_written_is_one_line_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_connected", lambda address: NothingSent())
    assert main(["fleet", "run", "--storage=a file/runs"]) == 4
    assert capsys.readouterr().err == (
        "tailgate: error: fleet run: a file/runs cannot be written (Not a directory); name another folder with "
        "--storage=DIR\n"
    )


def test_a_machines_folder_that_cannot_be_written_costs_its_node_alone(tmp_path: Path) -> None:
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / FOLDER).touch()
    run, cluster = fleet(tmp_path, {"a": measures(), "b": measures(machine=OTHER)})
    assert [one.phase for one in run.states] == ["failed", "finished"]
    assert f"{FOLDER} cannot be written (Not a directory)" in run.states[0].now
    assert cluster.remotes["a"].plan is None  # nothing was measured for nothing
    assert len(saved_runs(tmp_path, fingerprint.folder_name(OTHER))) == 1


def becomes_unwritable(folder: Path) -> Any:
    """A node in whose time something takes the place of the saved runs."""

    def script(node: ScriptedNode) -> Any:
        if node.plan is None:
            return [collected()]
        (folder / "baselines").touch()
        return measured(NAMES if node.plan.share is None else node.plan.share)

    return script


@pytest.mark.parametrize("temporary_too", [False, True])
def test_what_cannot_be_saved_is_kept_and_saved_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary_too: bool
) -> None:
    temporary = tmp_path / "temporary"
    temporary.touch() if temporary_too else temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    run, _ = fleet(tmp_path, {"a": becomes_unwritable(tmp_path)})
    (state,) = run.states
    assert (state.phase, exit_code(run.states, interrupted=False)) == ("failed", 1)
    if temporary_too:
        assert "nor could the temporary folder" in state.now
    else:
        kept = Path(state.now.rpartition(" is kept in ")[2])
        assert len(json.loads(kept.read_text())["benchmarks"]) == 2
    assert "the same command with --resume before the -- goes on" in "\n".join(next_steps(run.states))

    (tmp_path / "baselines").unlink()
    again, cluster = fleet(tmp_path, {"a": measures()}, "--resume")
    assert held(cluster.remotes["a"].plan.journal) == list(NAMES)  # type: ignore[union-attr]
    assert again.states[0].phase == "finished"
    assert len(saved_runs(tmp_path)) == 1


def test_without_resume_what_could_not_be_saved_is_kept_aside(tmp_path: Path) -> None:
    fleet(tmp_path, {"a": becomes_unwritable(tmp_path)})
    (tmp_path / "baselines").unlink()
    fleet(tmp_path, {"a": measures()})
    (kept,) = (tmp_path / JOURNALS / FOLDER).glob("*.previous*")
    assert held(kept.read_bytes()) == list(NAMES)


def test_a_pool_that_cannot_be_saved_is_saved_by_resume(tmp_path: Path) -> None:
    run, _ = fleet(tmp_path, {"a": measures(), "b": becomes_unwritable(tmp_path)}, shard=True)
    assert [one.phase for one in run.states] == ["failed", "failed"]
    (tmp_path / "baselines").unlink()
    _, cluster = fleet(tmp_path, {"a": measures(), "b": measures()}, "--resume", shard=True)
    plans = [remote.plan for remote in cluster.remotes.values()]
    assert [sorted(held(plan.journal)) for plan in plans if plan] == [sorted(NAMES)] * 2
    assert len(saved_runs(tmp_path)) == 1


def test_a_node_whose_journal_cannot_be_written_does_not_measure(tmp_path: Path) -> None:
    (tmp_path / JOURNALS).mkdir(parents=True)
    (tmp_path / JOURNALS / FOLDER).touch()
    run, cluster = fleet(tmp_path, {"a": measures(), "b": measures(machine=OTHER)})
    assert [one.phase for one in run.states] == ["failed", "finished"]
    assert "a.jsonl cannot be written" in run.states[0].now
    assert "--journal" not in run.states[0].now  # which a fleet refuses
    assert cluster.remotes["a"].plan is None


def test_a_run_is_saved_though_what_resume_reads_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / JOURNALS / "state.json").mkdir(parents=True)
    run, _ = fleet(tmp_path, {"a": measures()})
    assert run.states[0].phase == "finished"
    assert len(saved_runs(tmp_path)) == 1
    assert f"--resume would save {run.states[0].saved} once more" in run.remarks[0]
