"""Where each node is: what a screen shows, and the exit code of all."""

import io

import pytest
from rich.console import Console

from tailgate.fleet.nodes import Node
from tailgate.fleet.screen import Screen
from tailgate.fleet.states import NodeState, exit_code, lines


def state(name: str = "a", **what: object) -> NodeState:
    return NodeState(Node(name, name, 1.0), **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "code"),
    [([0, 0], 0), ([0, 1], 1), ([4, 4], 4), ([5], 5), ([4, 0], 1), ([0, 5], 1), ([2, 2], 1), ([0, None], 1), ([-9], 1)],
)
def test_all_end_as_one_machine_would(codes: list[int | None], code: int) -> None:
    states = [state(code=one) for one in codes]
    assert exit_code(states, interrupted=False) == code
    assert exit_code(states, interrupted=True) == 2


def test_events_move_a_node_along() -> None:
    one = state(total=2)
    one.take("waiting", "somebody")
    assert one.row()[1:] == ["waiting", "0/2", "-", "for the node: somebody has it"]
    one.take("doing", "unpacking")
    one.take("begins", "test_a.py::test_one")
    one.take("ends", ["test_a.py::test_one", "ok", None])
    one.take("ends", ["test_a.py::test_two", "crashed", "SIGSEGV"])
    assert one.row() == ["a", "measuring", "2/2", "1", "test_a.py::test_one"]
    assert one.unmeasured == ["test_a.py::test_two crashed: SIGSEGV"]
    one.end("finished", 0)
    assert one.over


def test_a_small_screen_shows_what_does_something_first() -> None:
    states = [state(f"n{index}", phase="finished", now="") for index in range(50)] + [state("m", phase="measuring")]
    shown = lines(states, 5)
    assert shown[0] == "51 nodes: 1 measuring, 50 finished"
    assert len(shown) == 5
    assert shown[2].startswith("m ")


def test_hostile_names_are_one_line_each() -> None:
    assert len(lines([state("\x1b[31m\n", now="\x1b[2J\n" + "x" * 10_000, phase="measuring")])) == 3
    assert "\x1b" not in "".join(lines([state("\x1b[31m\n", now="\x1b[2J")]))


def test_without_a_terminal_each_change_is_one_line() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, markup=False, highlight=False))
    one = state(total=2)
    with screen.open():
        screen.show([one])
        screen.show([one])
        one.take("doing", "unpacking")
        screen.show([one])
        one.take("begins", "test_a.py::test_one")
        screen.show([one])
        one.take("ends", ["test_a.py::test_one", "crashed", "[red]SIGSEGV\x1b"])
        one.take("begins", "test_a.py::test_two")
        screen.show([one])
        one.end("finished", 0)
        screen.show([one])
    assert out.getvalue().splitlines() == [
        "a: waiting for Ray to give its CPUs",
        "a: unpacking",
        "a: measuring 2 benchmarks",
        "a: test_a.py::test_one crashed: [red]SIGSEGV\\x1b",
        "a: finished 1 of 2",
    ]


def test_one_benchmark_is_no_plural() -> None:
    out = io.StringIO()
    Screen(Console(file=out)).show([state(total=1, phase="measuring")])
    assert out.getvalue() == "a: measuring 1 benchmark\n"


def test_a_terminal_has_one_table() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, force_terminal=True, width=80, height=10))
    with screen.open():
        screen.show([state(phase="measuring", now="test_a.py::test_one")])
    assert "1 node: 1 measuring" in out.getvalue()
    assert "test_a.py::test_one" in out.getvalue()
