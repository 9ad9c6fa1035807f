"""Which node has measured a row: in the saved run, in a comparison, and on a page where a run has rows of several."""

import json
from pathlib import Path

import pytest
from scripted_fleet import NAMES, ScriptedNode, collected, fleet, journal_line, measured, measures, saved_runs

from tailgate.commands.main import main
from tailgate.processes.journal.file import entry_in
from tailgate.results.pages.content import of_run
from tailgate.results.saved_run import Run


def nodes_of(run: Run) -> dict[str, str]:
    return {row["fullname"]: row["extra_info"]["fleet_node"] for row in run["benchmarks"]}


def test_each_row_of_a_pool_names_its_node(tmp_path: Path) -> None:
    _, cluster = fleet(tmp_path, {"a": measures(), "b": measures()}, shard=True)
    (saved,) = saved_runs(tmp_path)
    shares = {name: remote.plan.share for name, remote in cluster.remotes.items() if remote.plan}
    assert nodes_of(saved) == {name: node for node, share in shares.items() for name in share or ()}
    assert set(nodes_of(saved).values()) == {"a", "b"}
    notes = [row[-1] for row in of_run(saved).results]
    assert notes == [f"measured on {nodes_of(saved)[row['fullname']]}" for row in saved["benchmarks"]]


def test_a_row_from_another_nodes_journal_names_that_node(tmp_path: Path) -> None:
    def dies(node: ScriptedNode):  # type: ignore[no-untyped-def]
        line = journal_line(NAMES[0], {"extra_info": {}})
        return [collected()] if node.plan is None else [("news", [("journal", line)]), ("lost", "gone")]

    def goes_on(node: ScriptedNode):  # type: ignore[no-untyped-def]
        if node.plan is None:
            return [collected()]
        *events, (kind, (code, content, last, log)) = measured(NAMES)
        run = json.loads(content)
        (entry,) = filter(None, map(entry_in, node.plan.journal.splitlines()))
        run["benchmarks"][0]["extra_info"] |= entry.rows[0]["extra_info"]  # a session replays what its journal has
        return [*events, (kind, [code, json.dumps(run).encode(), last, log])]

    fleet(tmp_path, {"spot-1": dies})
    fleet(tmp_path, {"spot-2": goes_on}, "--resume")
    (saved,) = saved_runs(tmp_path)
    assert nodes_of(saved) == {NAMES[0]: "spot-1", NAMES[1]: "spot-2"}


@pytest.mark.parametrize("shard", [True, False])
def test_a_comparison_says_so_where_it_says_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shard: bool
) -> None:
    fleet(tmp_path, dict.fromkeys("ab" if shard else "a", measures()), shard=shard)
    (file,) = (tmp_path / "baselines").rglob("*.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # pytest-benchmark's command would begin hypothesis's
    assert main(["compare", str(file)]) == 0
    said = "0001_fleet.json has rows of 2 nodes, each named in its fleet_node: a (1 row), b (1 row)\n"
    assert (said in capsys.readouterr().out) == shard
    notes = {row[-1] for row in of_run(json.loads(file.read_text())).results}
    assert notes == ({"measured on a", "measured on b"} if shard else {""})
