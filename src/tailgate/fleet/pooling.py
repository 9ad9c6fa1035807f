"""Nodes that are alike share one selection, and what they measured becomes one saved run. Pure functions."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailgate.fleet.home import sign
from tailgate.fleet.shards import alike, divided
from tailgate.fleet.states import NodeState
from tailgate.gates.saved.sessions import MARK
from tailgate.machine.trust import Calibration
from tailgate.results.comparability import calibrations
from tailgate.results.saved_run import Run
from tailgate.session.extent import LISTS

Merged = tuple[list[NodeState], Run, int, str | None]
"""Nodes, their run, its exit code, and a remark."""


@dataclass
class Pool:
    """Nodes that are alike."""

    states: list[NodeState]
    shares: list[list[str]]
    """Node ids of benchmarks, for each node."""
    runs: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Exit code and run of each node that has ended, by the node's name."""

    def merged(self) -> Iterator[Merged]:
        """One run of all nodes, or, where they have not stayed equally fast, of each group of them."""
        by_name = {one.node.name: one for one in self.states}
        found: dict[str, Run] = {name: json.loads(run) for name, (_, run) in self.runs.items()}
        for name, run in found.items():
            sign(run["benchmarks"], name)
        seen = {name: calibrations(_how(run).get("calibrations")) for name, run in found.items()}
        groups, remarks = alike(seen) if all(seen.values()) else ([list(found)], [])
        for index, group in enumerate(groups):
            run = merged_runs([found[name] for name in group])
            code = max(self.runs[name][0] for name in group)
            remark = f"{remarks[index - 1]} in one run, and saved apart" if index else None
            yield [by_name[name] for name in group], run, code, remark


def pools_of(
    states: Sequence[NodeState], machine: Callable[[NodeState], str], finished: Callable[[str], set[str]]
) -> tuple[list[Pool], list[str]]:
    """Pools of nodes with one fingerprint, one selection and one speed; and a remark for each that is left by itself.

    More nodes than there are units to share: those without a share are in no pool.

    Args:
        states: nodes that have collected their tests.
        machine: the folder of a node's fingerprint.
        finished: what is measured already on machines of a fingerprint.
    """
    same: dict[tuple[str, str], list[NodeState]] = {}
    for one in states:
        same.setdefault((machine(one), json.dumps(one.facts["benchmarks"])), []).append(one)
    pools, remarks = [], []
    for (folder, _), those in same.items():
        by_name = {one.node.name: one for one in those}
        seen = {name: [Calibration(**one) for one in state.facts["calibrations"]] for name, state in by_name.items()}
        groups, said = alike(seen)
        remarks += said
        units: dict[str, list[str]] = {}
        for nodeid, unit in those[0].facts["benchmarks"]:
            units.setdefault(unit, []).append(nodeid)
        for group in groups:
            shares = dict(zip(group, divided(units, finished(folder), len(group)), strict=True))
            busy = [name for name, share in shares.items() if share]
            pools.append(Pool([by_name[name] for name in busy], [shares[name] for name in busy]))
    return pools, remarks


def merged_runs(runs: Sequence[Run]) -> Run:
    """One run with the rows of several, which measured different benchmarks of one selection."""
    first, *others = runs
    if not others:
        return first
    hows = [_how(run) for run in runs]
    marks = [run[MARK] for run in runs if MARK in run]
    left_to_others = [set(how.get("deselected", ())) for how in hows]
    found = {
        **first,
        "benchmarks": [bench for run in runs for bench in run["benchmarks"]],
        "unmeasured": [one for run in runs for one in run.get("unmeasured", ())],
        "tailgate_run": {
            **hows[0],
            **{name: sum(how.get(name, 0) for how in hows) for name in ("selected", "measured")},
            **{name: _together(hows, name) for name in ("calibrations", "incomplete_because", *LISTS)},
            "deselected": [
                name for name in hows[0].get("deselected", ()) if all(name in one for one in left_to_others)
            ],
            "complete": all(how.get("complete") for how in hows),
            "interrupted": next((how["interrupted"] for how in hows if how.get("interrupted")), None),
        },
    }
    if marks:
        verdicts = {(one["fullname"], one["metric"]): one for mark in marks for one in mark["verdicts"]}
        found[MARK] = {**marks[0], "failed": any(mark["failed"] for mark in marks), "verdicts": list(verdicts.values())}
    return found


def _how(run: Run) -> dict[str, Any]:
    found = run.get("tailgate_run")
    return found if isinstance(found, dict) else {}


def _together(hows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    """Each once, in order; calibrations are no texts, and stay all."""
    every = [one for how in hows for one in how.get(name, ())]
    return every if name == "calibrations" else list(dict.fromkeys(every))
