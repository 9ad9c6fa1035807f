"""A cluster whose nodes say what they are told to: for tests of what a fleet run makes of it at home."""

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from histories import FOLDER, MACHINE, bench, saved_run

from tailgate.fleet.arguments import parsed
from tailgate.fleet.home import Home
from tailgate.fleet.interrupts import Interrupts
from tailgate.fleet.node import NodeOrder, Plan
from tailgate.fleet.node_process import Event
from tailgate.fleet.nodes import Node
from tailgate.fleet.run import FleetRun, Request
from tailgate.processes.journal.file import entry_in
from tailgate.results.saved_run import Run

QUICK = {"compute_s": 1.0, "memory_s": 1.0}
NAMES = ("test_it.py::test_one", "test_it.py::test_two[a]")
Script = Callable[["ScriptedNode"], Iterable[Event]]


def journal_line(nodeid: str, *rows: dict[str, Any]) -> bytes:
    """One finished benchmark, as a node's journal has it."""
    entry = {"nodeid": nodeid, "nth": 0, "key": {"machine": "m"}, "reports": [], "rows": rows}
    text = json.dumps(entry)
    return json.dumps({"crc32": zlib.crc32(text.encode()), "entry": text}).encode() + b"\n"


def held(journal: bytes) -> list[str]:
    """Names of the benchmarks that a journal has."""
    return [entry.nodeid for line in journal.splitlines() if (entry := entry_in(line)) is not None]


def collected(
    names: Sequence[str] = NAMES, machine: dict[str, Any] | None = None, calibration: dict[str, float] = QUICK
) -> Event:
    """A node has said what it has to measure."""
    return "collected", {
        "benchmarks": [[name, name] for name in names],
        "fingerprint": machine or MACHINE,
        "facts": {},
        "calibrations": [calibration] * 3,
    }


def measured(
    names: Sequence[str],
    *,
    code: int = 0,
    machine: dict[str, Any] | None = None,
    calibration: Any = QUICK,
    status: str = "ok",
    **top: Any,
) -> list[Event]:
    """All that comes of a session that measured them."""
    how = {
        "selected": len(names), "measured": len(names), "complete": True, "incomplete_because": [], "interrupted": None,
        "selection": {}, "deselected": [], "calibrations": [{"after": None, **calibration}],
    }  # fmt: skip
    run = saved_run(
        *(bench(name, 1e-3, status=status) for name in names), machine=machine, **{"tailgate_run": how, **top}
    )
    events: list[Event] = []
    for name in names:
        events += [("begins", name), ("journal", journal_line(name)), ("ends", [name, "ok", None])]
    return [("news", events), ("ended", [code, json.dumps(run).encode(), "the last line", b"output\n"])]


class ScriptedNode:
    """A node's side."""

    def __init__(self, node: Node, script: Script) -> None:
        self.node = node
        self.plan: Plan | None = None
        self.stopped = self.released = False
        self.waiting: list[Event] = []
        self._script = script

    def prepare(self) -> None:
        self.waiting += list(self._script(self))

    def measure(self, plan: Plan) -> None:
        self.plan = plan
        self.waiting += list(self._script(self))

    def stop(self) -> None:
        self.stopped = True

    def release(self) -> None:
        self.released = True


class ScriptedCluster:
    """Scripts by node name; a node without one says nothing."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self.scripts = scripts
        self.remotes: dict[str, ScriptedNode] = {}

    def start(self, node: Node, order: NodeOrder, archive: Any) -> ScriptedNode:
        self.remotes[node.name] = ScriptedNode(node, self.scripts[node.name])
        return self.remotes[node.name]

    def events(self, remotes: Sequence[ScriptedNode], timeout_s: float) -> list[tuple[ScriptedNode, Event]]:
        return [(one, one.waiting.pop(0)) for one in remotes if one.waiting]


def measures(*names: str, before: Sequence[Event] = (), **how: Any) -> Script:
    """A node that has these benchmarks and measures its share of them."""
    every = names or NAMES

    def script(node: ScriptedNode) -> Iterable[Event]:
        told = {key: how[key] for key in ("machine", "calibration") if key in how}
        if node.plan is None:
            return [*before, collected(every, **told)]
        share = every if node.plan.share is None else node.plan.share
        return measured(share, **how)

    return script


def fleet(
    folder: Path, scripts: dict[str, Script], *arguments: str, identity: str = "i", shard: bool = False,
    show: Callable[[Any], None] = lambda states: None, interrupts: Interrupts | None = None,
) -> tuple[FleetRun, ScriptedCluster]:  # fmt: skip
    """A whole run in a folder."""
    asked = parsed(arguments)
    home = Home(folder, folder / "baselines", asked.name, identity, resume=asked.resume)
    cluster = ScriptedCluster(scripts)
    order = NodeOrder("holder", None, None, ".", asked.measuring, shard)
    request = Request(asked, order, b"", {"id": "c0ffee"}, shard)
    nodes = [Node(name, name, 1.0) for name in scripts]
    run = FleetRun(cluster, nodes, request, home)
    run.run(show, interrupts or Interrupts())
    return run, cluster


def saved_runs(folder: Path, place: str = FOLDER) -> list[Run]:
    """Those of one machine, in order."""
    return [json.loads(file.read_text()) for file in sorted((folder / "baselines" / place).glob("*.json"))]
