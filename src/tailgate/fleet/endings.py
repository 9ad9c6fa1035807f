"""What a fleet run says when all is over: what was saved, what is not to be trusted, what to do next. No Ray in it."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from tailgate.fleet.states import NodeState
from tailgate.results.rows import UNTRUSTED
from tailgate.results.saved_run import Run
from tailgate.results.verdict_table import short_name
from tailgate.text import counted

MOST_NAMED = 3
"""Machines, benchmarks or files in one line."""


def named(names: Sequence[str]) -> str:
    """The first few."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def untrusted(run: Run) -> str:
    """``2 of 3 rows contended (test_a, test_b)``; empty: every row of the run is to be trusted."""
    rows = [((row.get("extra_info") or {}).get("status"), str(row["fullname"])) for row in run["benchmarks"]]
    found: dict[str, list[str]] = {}
    for status, name in rows:
        if isinstance(status, str) and status in UNTRUSTED:
            found.setdefault(status, []).append(short_name(name))
    of = counted(len(rows), "rows")
    return ", ".join(f"{len(names)} of {of} {status} ({named(names)})" for status, names in found.items())


def next_steps(states: Sequence[NodeState]) -> list[str]:
    """What to read, and what to do about what is not finished."""
    told = [f"{one.node.name}: its session's output is in {one.log}" for one in states if one.log and one.code]
    by_file: dict[Path, list[NodeState]] = {}
    for one in states:
        if one.saved:
            by_file.setdefault(one.saved, []).append(one)
    for file, those in by_file.items():
        told.append(f"{'Saved before' if those[0].resumed else 'Saved'}: {file}")
        if those[0].untrusted:
            logs = named([str(one.log) for one in those if one.log])
            output = f"; the session's output is in {logs}" if logs else ""
            told.append(f"{named([one.node.name for one in those])}: {those[0].untrusted}{output}")
    unfinished = [
        one.node.name
        for one in states
        if one.phase in {"lost", "interrupted"} or (one.phase == "failed" and one.done and not one.saved)
    ]
    if unfinished:
        told.append(
            f"Not finished: {', '.join(unfinished)}. What they measured is kept; the same command with --resume before "
            "the -- goes on"
        )
    if by_file:
        files = shlex.join(str(file) for file in list(by_file)[:MOST_NAMED])
        files += " ..." if len(by_file) > MOST_NAMED else ""
        told.append(f"See it with: tailgate compare {files}, or: tailgate report {files} --out site")
    return told
