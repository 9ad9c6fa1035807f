"""What a fleet run says when all is over."""

from pathlib import Path

from histories import bench, saved_run
from scripted_fleet import fleet, measures

from tailgate.fleet.endings import next_steps, untrusted
from tailgate.fleet.nodes import Node
from tailgate.fleet.states import NodeState


def test_rows_that_are_not_to_be_trusted_are_counted_and_named() -> None:
    rows = [bench(f"test_it.py::test_{name}", 1e-3, status="contended") for name in "abcd"]
    rows += [bench("test_it.py::test_hot", 1e-3, status="throttled"), bench("test_it.py::test_ok", 1e-3, status="ok")]
    assert untrusted(saved_run(*rows)) == (
        "4 of 6 rows contended (test_a, test_b, test_c and 1 more), 1 of 6 rows throttled (test_hot)"
    )
    assert untrusted(saved_run(bench("t", 1e-3), {**bench("t", 1e-3), "extra_info": None})) == ""


def test_contended_rows_are_told_with_the_log_and_what_to_see_it_with() -> None:
    node, file = Node("vm", "vm", 1.0), Path("/b/0001_my run.json")
    told = NodeState(node, code=0, saved=file, log=Path("/c/vm.log"), untrusted="1 of 3 rows contended (test_a)")
    assert next_steps([told]) == [
        "Saved: /b/0001_my run.json",
        "vm: 1 of 3 rows contended (test_a); the session's output is in /c/vm.log",
        "See it with: tailgate compare '/b/0001_my run.json', or: tailgate report '/b/0001_my run.json' --out site",
    ]


def test_of_many_files_the_first_are_named() -> None:
    states = [NodeState(Node(f"n{i}", f"n{i}", 1.0), code=0, saved=Path(f"{i}.json")) for i in range(5)]
    assert next_steps(states)[-1].startswith("See it with: tailgate compare 0.json 1.json 2.json ..., or")
    assert next_steps([]) == []


def test_a_resumed_run_says_again_what_is_not_to_be_trusted(tmp_path: Path) -> None:
    run, _ = fleet(tmp_path, {"a": measures(status="contended")})
    (line,) = (line for line in next_steps(run.states) if "contended" in line)
    assert line.startswith("a: 2 of 2 rows contended (test_one, test_two[a]); the session's output is in ")
    again, _ = fleet(tmp_path, {"a": measures()}, "--resume")
    assert "a: 2 of 2 rows contended (test_one, test_two[a])" in next_steps(again.states)
