"""A history as JSON: every value with its unit in its name, sessions by their place in ``sessions``."""

from dataclasses import asdict
from typing import Any

from tailgate.gates.saved.sessions import Session
from tailgate.history.model import BenchmarkHistory, History
from tailgate.results.verdict import UNITS


def as_json(history: History) -> dict[str, Any]:
    """Plain values, as docs/regressions/history.md lists them."""
    unit = UNITS.get(history.metric, "s")
    return {
        "name": history.name,
        "metric": history.metric,
        "folders": list(history.folders),
        "order": history.order,
        "notes": list(history.notes),
        "sessions": [_session(one) for one in history.sessions],
        "benchmarks": [_benchmark(one, f"{history.metric}_{unit}") for one in history.benchmarks],
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "file": session.path.name,
        "folder": session.path.parent.name,
        "datetime": session.date,
        "commit": session.commit.id if session.commit else None,
        "dirty": session.commit.dirty if session.commit else None,
        "gate_failed": session.failed,
        "accepted": session.accepted,
    }


def _benchmark(found: BenchmarkHistory, value: str) -> dict[str, Any]:
    return {
        "fullname": found.fullname,
        "reason": found.reason,
        "points": [{value: one.value, "unused": one.unused, "far": one.far} for one in found.points],
        "levels": [
            {"first": one.first, "last": one.last, value: one.value, "sessions": one.sessions} for one in found.levels
        ],
        "changes": [{**asdict(one), "machines": one.machines} for one in found.changes],
    }
