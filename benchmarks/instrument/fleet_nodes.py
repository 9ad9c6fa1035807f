"""A fleet run over nodes that are not there: each hands over a large saved run, as a real one's bytes would come.

``python fleet_nodes.py FOLDER RUN.json NODES`` gathers, saves and compares them, and prints the verdict table. Its last
line has the seconds of CPU and of wall time, without those in which the nodes' bytes were made.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tailgate.fleet.arguments import parsed
from tailgate.fleet.home import Home
from tailgate.fleet.interrupts import Interrupts
from tailgate.fleet.node import NodeOrder, Plan
from tailgate.fleet.node_process import Event
from tailgate.fleet.nodes import Node
from tailgate.fleet.run import FleetRun, Request
from tailgate.fleet.verdicts import verdict_table
from tailgate.machine import fingerprint
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, PASS


class HandedOver:
    """A node whose run is made when it is asked for."""

    def __init__(self, node: Node, run: dict[str, Any]) -> None:
        self.node = node
        self._run = run
        self.waiting: list[str] = []

    def prepare(self) -> None:
        """It will say what it has."""
        self.waiting.append("collected")

    def measure(self, plan: Plan) -> None:
        """It will hand the run over."""
        self.waiting.append("ended")

    def stop(self) -> None:
        """Nothing runs."""

    def release(self) -> None:
        """Nothing is left."""
        self._run = {}

    def event(self) -> Event:
        """The next one."""
        machine = {**self._run["machine_info"]["fingerprint"], "cpu_model": f"CPU of {self.node.host}"}
        names = [row["fullname"] for row in self._run["benchmarks"]]
        if self.waiting.pop(0) == "collected":
            return "collected", {
                "benchmarks": [[one, one] for one in names],
                "fingerprint": machine,
                "calibrations": [],
            }
        word = FAIL if self.node.host.endswith("7") else PASS
        verdicts = [
            Verdict(name, "median", word if nth == 0 else PASS, change_rel=0.01).as_json()
            for nth, name in enumerate(names)
        ]
        info = {
            **self._run["machine_info"],
            "fingerprint": machine,
            "fingerprint_id": fingerprint.fingerprint_id(machine),
        }
        run = {**self._run, "machine_info": info, "tailgate_gate": {"failed": word == FAIL, "verdicts": verdicts}}
        return "ended", [int(word == FAIL), json.dumps(run).encode(), "", b""]


class NodesOnPaper:
    """The cluster of them."""

    def __init__(self, run: dict[str, Any]) -> None:
        self._run = run
        self.making_s = self.making_cpu_s = 0.0

    def start(self, node: Node, order: NodeOrder, archive: Any) -> HandedOver:
        """Each has the run."""
        return HandedOver(node, self._run)

    def events(self, remotes: Sequence[HandedOver], timeout_s: float) -> list[tuple[HandedOver, Event]]:
        """One of each node, made when it is taken: bytes of all at once would be no fleet's."""
        one = next(remote for remote in remotes if remote.waiting)
        start_s, start_cpu_s = time.monotonic(), time.process_time()
        event = one.event()
        self.making_s += time.monotonic() - start_s
        self.making_cpu_s += time.process_time() - start_cpu_s
        return [(one, event)]


def gathered(folder: Path, file: Path, nodes: int) -> str:
    """Run the fleet in ``folder``; returns the verdict table."""
    arguments = parsed(["--benchmark-compare=old", "--gate"])
    home = Home(folder, folder / "baselines", arguments.name, "", resume=False)
    request = Request(arguments, NodeOrder("", None, None, ".", ()), b"", {})
    every = [Node(str(index), f"node{index:03}", 1.0) for index in range(nodes)]
    cluster = NodesOnPaper(json.loads(file.read_text()))
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    run = FleetRun(cluster, every, request, home)
    run.run(lambda states: None, Interrupts())
    table = verdict_table(run.machines)
    cpu_s = time.process_time() - start_cpu_s - cluster.making_cpu_s
    return f"{table}{cpu_s:.1f} {time.monotonic() - start_s - cluster.making_s:.1f}"


if __name__ == "__main__":
    print(gathered(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
