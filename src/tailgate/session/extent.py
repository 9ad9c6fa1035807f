"""How much of what it was asked for a saved session has measured: whether what it lacks was removed, or left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tailgate.results.saved_run import Run
from tailgate.session.selection import Selection, is_of, selection_from_json

LISTS = ("deselected", "failed", "skipped", "not_reached", "called_no_benchmark", "collectors_failed")
"""Names of benchmarks (of the last, and of some skipped ones, of files and classes) that have no row, by the reason."""
REASONS = {
    "failed": "its test failed",
    "skipped": "it was skipped",
    "not_reached": "the run was over before it",
    "called_no_benchmark": "its test called no benchmark",
    "collectors_failed": "its file could not be collected",
}
"""Why a benchmark that belonged to a session has no row in it."""


@dataclass(frozen=True)
class Extent:
    """How much of what it was asked for one session has measured."""

    complete: bool | None = None
    """Whether it measured all that its project has, or that the folders it was given have; ``None``: it does not say,
    being plain pytest-benchmark's or an older Tailgate's."""
    because: tuple[str, ...] = ()
    """Why it is not complete."""
    selection: Selection | None = None
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """:data:`LISTS`."""

    @property
    def why(self) -> str:
        """Why it is not complete, as half a sentence."""
        return "; ".join(self.because) or "it does not say why"

    def reason(self, fullname: str) -> str | None:
        """The list of :data:`LISTS` that a benchmark without a row is in."""
        return next((name for name in LISTS if _holds(self.left_out.get(name, ()), fullname)), None)

    def shows_gone(self, fullname: str, today: Selection | None) -> bool:
        """Whether a benchmark without a row was not there at all, as far as ``today``'s session would have met it.

        A session says so of what its own selection covers. Markers and the project's options cannot be asked of a test
        that is gone: they have to be today's.
        """
        if self.reason(fullname):
            return False
        if self.complete is None:  # taken as whole
            return True
        mine = self.selection
        if mine is None or mine.last_failed or mine.stepwise:
            return False
        now = today or Selection()
        if mine.options != now.options or (mine.markers and mine.markers != now.markers):
            return False
        return mine == today or mine.covers(fullname)

    def asked_for(self, fullname: str) -> bool:
        """Whether a benchmark without a row belonged to what this session was to measure."""
        found = self.reason(fullname)
        if found is not None:
            return found != "deselected"
        mine = self.selection
        if mine is None:
            return True
        return not (mine.last_failed or mine.stepwise) and mine.covers(fullname)


def extent_of(run: Mapping[str, Any]) -> Extent:
    """What a saved run says; of an older Tailgate's, what its counts show."""
    how = run.get("tailgate_run")
    if not isinstance(how, dict):
        return Extent()
    selection = selection_from_json(how.get("selection"))
    if isinstance(how.get("complete"), bool) and selection is not None:
        left_out = {name: frozenset(_texts(how.get(name))) for name in LISTS}
        return Extent(how["complete"], tuple(_texts(how.get("incomplete_because"))), selection, left_out)
    unmeasured = run.get("unmeasured")
    entries = unmeasured if isinstance(unmeasured, list) else []
    names = {str(one.get("fullname")) for one in entries if isinstance(one, dict)}
    left_out = {"failed": frozenset(names)}
    selected, measured = how.get("selected"), how.get("measured")
    if isinstance(selected, int) and isinstance(measured, int) and selected > measured + len(names):
        return Extent(False, (f"{selected - measured - len(names)} of {selected} have no result",), None, left_out)
    return Extent(None, (), None, left_out)


def partial(compared: Run) -> list[str]:
    """Lines on a run of which the table does not show all: cut short, asked for a part, or with a name twice."""
    names = Counter(bench["fullname"] for bench in compared["benchmarks"])
    found = [
        f"The run compared with has {count} rows called {name}: the last of them is shown."
        for name, count in names.items()
        if count > 1
    ]
    extent = extent_of(compared)
    if extent.complete is False:
        found.append(f"The run compared with is not complete ({extent.why}): only what it has is compared.")
    return found


def _holds(nodeids: Iterable[str], fullname: str) -> bool:
    return fullname in nodeids or any(is_of(fullname, nodeid) for nodeid in nodeids)


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
