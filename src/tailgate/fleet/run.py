"""A fleet run, seen from home: it tells each node what to do, and keeps what comes of it. It imports no Ray."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tailgate.errors import TailgateError, one_line
from tailgate.fleet.arguments import Arguments
from tailgate.fleet.cluster import Cluster, Remote
from tailgate.fleet.endings import untrusted
from tailgate.fleet.home import Home, NodeJournal, sign
from tailgate.fleet.interrupts import Interrupts
from tailgate.fleet.node import NodeOrder, Plan
from tailgate.fleet.nodes import Node
from tailgate.fleet.pooling import Pool, pools_of
from tailgate.fleet.states import INTERRUPTED, NodeState
from tailgate.fleet.verdicts import Machine, of_run
from tailgate.machine import fingerprint
from tailgate.processes.journal.file import JournalError
from tailgate.results.plain import json_text
from tailgate.results.saved_run import Run, load_run
from tailgate.seams.storage import kept
from tailgate.text import printable

TICK_S = 0.25
STOPPING_S = 12.0
"""After an interrupt: a node's session may save for eight of them."""
NOTHING_LEFT = "nothing was left for it: what one table compares stays on one machine"
ENDED_WELL = (0, 1)
"""Exit codes of a session that came to its end; 1: a test failed."""


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    arguments: Arguments
    order: NodeOrder
    archive: Any
    """The checkout, as the cluster takes it."""
    commit: dict[str, Any]
    shard: bool = False


class FleetRun:
    """One run over the chosen nodes."""

    def __init__(self, cluster: Cluster, nodes: Sequence[Node], request: Request, home: Home) -> None:
        self._cluster = cluster
        self._request = request
        self._home = home
        self.states = [NodeState(node) for node in nodes]
        self.machines: list[Machine] = []
        """What the gates of the nodes found."""
        self.remarks: list[str] = []
        self.interrupted = False
        self._remotes: dict[Any, NodeState] = {}
        self._journals: dict[str, NodeJournal] = {}
        self._pools: list[Pool] = []
        self._pooled = not request.shard

    def run(self, show: Callable[[Sequence[NodeState]], None], interrupts: Interrupts) -> None:
        """Until every node has ended, or was told to and had its time."""
        for state in self.states:
            remote = self._cluster.start(state.node, self._request.order, self._request.archive)
            self._remotes[remote] = state
            remote.prepare()
        deadline_s = float("inf")
        while running := [remote for remote, state in self._remotes.items() if not state.over]:
            for remote, (kind, value) in self._cluster.events(running, TICK_S):
                for one in value if kind == "news" else [(kind, value)]:
                    if not self._remotes[remote].over:
                        self._take(remote, self._remotes[remote], *one)
            if not self._pooled and all(state.over or state.facts for state in self.states):
                self._divide()
            show(self.states)
            if interrupts.asked and not self.interrupted:
                self.interrupted = True
                deadline_s = time.monotonic() + STOPPING_S
                for remote in running:
                    remote.stop()
                    if not self._remotes[remote].answered:
                        self._end(remote, "interrupted", INTERRUPTED)
            if time.monotonic() > deadline_s:
                for remote in (one for one in running if not self._remotes[one].over):
                    self._end(remote, "interrupted", INTERRUPTED, "it did not answer")
        for journal in self._journals.values():
            journal.close()
        self.remarks += self._home.remarks
        show(self.states)

    def _take(self, remote: Remote, state: NodeState, kind: str, value: Any) -> None:
        state.take(kind, value)
        try:
            if kind == "collected":
                self._collected(remote, state, value)
            elif kind == "waiting" and self._request.shard and value == printable(self._request.order.holder):
                # Each would wait for the other for ever: the one to measure, the other to be divided with.
                remote.stop()
                self._end(remote, "failed", 1, "it shares CPUs with another node of this run, so --shard leaves it out")
            elif kind == "remark":
                self.remarks.append(f"{state.node.name}: {value}")
            elif kind == "journal":
                self._journals[state.node.name].add(value)
            elif kind == "ended":
                self._ended(remote, state, *value)
            elif kind == "failed":
                reason, code = value
                self._end(remote, "interrupted" if code == INTERRUPTED else "failed", code, reason)
            elif kind == "lost":
                self._end(remote, "interrupted" if self.interrupted else "lost", 1, value)
        except JournalError as error:
            remote.stop()
            self._end(remote, "failed", 1, str(error))
        except (TailgateError, OSError) as error:
            self._end(remote, "failed", 1, one_line(error))

    def _collected(self, remote: Remote, state: NodeState, facts: dict[str, Any]) -> None:
        state.facts = facts
        state.total = len(facts["benchmarks"])
        if self._request.shard:
            state.phase, state.now = "waiting", "for the other nodes, to divide the benchmarks"
        elif self.interrupted:
            self._end(remote, "interrupted", INTERRUPTED)
        else:
            self._begin(remote, state, None)

    def _begin(self, remote: Remote, state: NodeState, share: tuple[str, ...] | None) -> None:
        key = state.key = self._home.key(self._fingerprint_folder(state), state.node.host, self._hosts)
        if before := self._home.saved(key):
            file, code = before
            run = load_run(file, completed=False, rounds=False)
            state.saved, state.resumed, state.done = file, True, state.total or 0
            state.untrusted = untrusted(run)
            self._keep_verdicts(state, run)
            self._end(remote, "finished", code, f"(before: {file})")
            return
        self._home.check_writable(key[0])
        journal = self._home.journal(key, state.node.name, pooled=share is not None)
        self._journals[state.node.name] = journal
        arguments, baselines = self._request.arguments, dict[str, bytes]()
        if arguments.compare is not None:
            baselines = self._home.baselines(key[0], arguments.compare)
        if arguments.compare is not None and not baselines:
            state.uncompared = arguments.gate
            self.remarks.append(
                f"{state.node.name}: no saved run {arguments.compare!r} of its machine ({key[0]}), so nothing is "
                f"compared there; this one is saved as {self._home.name!r}"
            )
        remote.measure(Plan(arguments.judging if baselines else (), journal.seed, baselines, share))

    def _ended(self, remote: Remote, state: NodeState, code: int, run: bytes | None, last: str, log: bytes) -> None:
        assert state.key is not None
        state.log = self._home.keep_log(state.key, log)
        well = code in ENDED_WELL and run is not None
        if run is None and code == 0:  # its benchmarks were disabled, or only collected
            code, last = 1, f"its session ended without a run, so nothing was measured: {last}"
        if well and state.uncompared:
            code = 1
        pool = next((one for one in self._pools if state in one.states), None)
        if well and run is not None and pool is not None and len(pool.states) > 1:
            pool.runs[state.node.name] = (code, run)
        elif well and run is not None:
            self._save([state], json.loads(run), code)
        phase = "finished" if well else "interrupted" if self.interrupted or code == INTERRUPTED else "failed"
        self._end(remote, phase, code, "" if well else last)
        if pool is not None and len(pool.runs) == len(pool.states):
            self._save_pool(pool)

    def _save(self, states: Sequence[NodeState], run: Run, code: int) -> None:
        """Among the baselines, or where that fails in the temporary folder."""
        name = states[0].node.name
        sign(run["benchmarks"], name)
        try:
            path = self._home.save(run, [one.key for one in states if one.key], self._request.commit, code)
        except TailgateError as error:
            raise TailgateError(f"{one_line(error)}; {kept(json_text(run), f'{name}.json')}") from error
        for one in states:
            one.saved, one.untrusted = path, untrusted(run)
            self._journals[one.node.name].complete()
        self._keep_verdicts(states[0], run)

    def _save_pool(self, pool: Pool) -> None:
        for states, run, code, remark in pool.merged():
            self.remarks += [remark] if remark else []
            try:
                self._save(states, run, code)
            except TailgateError as error:
                self.remarks.append(str(error))
                for one in states:
                    one.phase, one.code = "failed", 1

    def _keep_verdicts(self, state: NodeState, run: Run) -> None:
        if self._request.arguments.gate:
            self.machines.append(of_run(state.node.name, run))

    def _divide(self) -> None:
        """All nodes have said what they have: divide it over those that are alike."""
        self._pooled = True
        by_state = {id(state): remote for remote, state in self._remotes.items()}
        ready = [state for state in self.states if not state.over]
        self._pools, remarks = pools_of(ready, self._fingerprint_folder, self._home.finished_benchmarks)
        self.remarks += remarks
        shared = {id(state) for pool in self._pools for state in pool.states}
        for state in ready:
            if id(state) not in shared:
                state.total = 0
                self._end(by_state[id(state)], "finished", 0, NOTHING_LEFT)
        for pool in self._pools:
            for state, share in zip(pool.states, pool.shares, strict=True):
                state.total = len(share)
                remote = by_state[id(state)]
                try:
                    self._begin(remote, state, tuple(share) if len(pool.states) > 1 else None)
                except (TailgateError, OSError) as error:
                    self._end(remote, "failed", 1, one_line(error))

    def _end(self, remote: Remote, phase: str, code: int, why: str = "") -> None:
        self._remotes[remote].end(phase, code, why)
        remote.release()

    @property
    def _hosts(self) -> list[str]:
        return [one.node.host for one in self.states]

    def _fingerprint_folder(self, state: NodeState) -> str:
        return fingerprint.folder_name(state.facts["fingerprint"])
