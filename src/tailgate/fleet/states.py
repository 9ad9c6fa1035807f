"""Where each node of a fleet run is: what its events say, as lines for a screen and as one exit code. No Ray in it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tailgate.fleet.nodes import Node
from tailgate.text import aligned, counted, printable

MEASURED = frozenset({"ok", "contended", "throttled", "oversubscribed"})
"""Statuses of a benchmark that has numbers."""
INTERRUPTED, WRONG_USAGE, NOTHING_SELECTED = 2, 4, 5
WIDEST_NOW = 60
ORDER = ("measuring", "preparing", "waiting", "failed", "lost", "interrupted", "finished")
"""Of phases, on a screen that is too small for all nodes."""


@dataclass
class NodeState:
    """One node, from its choice to its end."""

    node: Node
    phase: str = "waiting"
    """One of :data:`ORDER`."""
    now: str = "for Ray to give its CPUs"
    """What it does, or why it ended."""
    answered: bool = False
    """Something of it has come home."""
    total: int | None = None
    done: int = 0
    unmeasured: list[str] = field(default_factory=list)
    """A line for each benchmark without numbers."""
    code: int | None = None
    """The exit code of its session; ``None``: it has not ended."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What it said when its tests were collected."""
    uncompared: bool = False
    """A gate is asked for and has nothing to judge by, which is never green."""
    key: tuple[str, str] | None = None
    """What it is called at home (:data:`tailgate.fleet.home.Key`), once its machine is known."""
    saved: Path | None = None
    resumed: bool = False
    """An earlier command has saved it; nothing was measured now."""
    untrusted: str = ""
    """How many rows of what was saved are not to be trusted, and which."""
    log: Path | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.code is not None

    def take(self, kind: str, value: Any) -> None:
        """Note an event, as far as it changes what is shown."""
        self.answered = True
        if kind == "waiting":
            self.phase, self.now = "waiting", f"for the node: {value} has it"
        elif kind == "doing":
            self.phase, self.now = "preparing", value
        elif kind == "begins":
            self.phase, self.now = "measuring", value
        elif kind == "ends":
            nodeid, status, reason = value
            self.done += 1
            if status not in MEASURED:
                self.unmeasured.append(f"{nodeid} {status}: {reason}")

    def end(self, phase: str, code: int, why: str = "") -> None:
        """It is over."""
        self.phase, self.code, self.now = phase, code, why

    def row(self) -> list[str]:
        """Name, phase, benchmarks done, without numbers, and what it does now."""
        now = self.now if len(self.now) <= WIDEST_NOW or self.over else f"...{self.now[-WIDEST_NOW:]}"
        of = "?" if self.total is None else str(self.total)
        return [self.node.name, self.phase, f"{self.done}/{of}", str(len(self.unmeasured) or "-"), now]


def lines(states: Sequence[NodeState], most: int | None = None) -> list[str]:
    """A table of the nodes, at most ``most`` lines: those that do something first."""
    counts = Counter(one.phase for one in states)
    told = ", ".join(f"{counts[phase]} {phase}" for phase in ORDER if counts[phase])
    shown = list(states)
    if most is not None and len(shown) > most - 2:
        shown = sorted(shown, key=lambda one: ORDER.index(one.phase))[: max(1, most - 2)]
    *columns, now = zip(("node", "state", "done", "unmeasured", ""), *(one.row() for one in shown), strict=True)
    table = aligned(list(zip(*columns, strict=True)))
    rows = [f"{line}  {printable(what)}".rstrip() for line, what in zip(table, now, strict=True)]
    return [f"{counted(len(states), 'nodes')}: {told}", *rows]


def exit_code(states: Sequence[NodeState], *, interrupted: bool) -> int:
    """As one machine would end: 0 where all nodes do, and what all end with; else 1."""
    codes = {1 if one.code is None else one.code for one in states}
    if interrupted:
        return INTERRUPTED
    if len(codes) == 1 and codes <= {0, WRONG_USAGE, NOTHING_SELECTED}:
        return codes.pop()
    return 1
