"""Of each benchmark the points, the levels, and where they changed."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tailgate.gates.saved.samples import Sample
from tailgate.gates.saved.sessions import Session
from tailgate.history.causes import calibration_changes, host_change, software_changes
from tailgate.history.commits import Repository
from tailgate.history.model import BenchmarkHistory, Change, Level, Point
from tailgate.results.comparability import other_workload
from tailgate.stats.change_points import LEAST_VALUES, ChangePoint, Segmentation, segmented
from tailgate.stats.decision import HIGHER_IS_BETTER
from tailgate.text import counted


def benchmarks_of(sessions: Sequence[Session], metric: str, repository: Repository) -> list[BenchmarkHistory]:
    """Every benchmark that one of the sessions has."""
    names = dict.fromkeys(name for one in sessions for name in (*one.samples, *one.several))
    return [_History(sessions, name, metric, repository).found() for name in names]


class _History:
    """What one benchmark's history is found from."""

    def __init__(self, sessions: Sequence[Session], fullname: str, metric: str, repository: Repository) -> None:
        self._sessions, self._fullname, self._metric, self._repository = sessions, fullname, metric, repository
        self._sign = -1 if metric in HIGHER_IS_BETTER else 1
        """Of a change for the worse."""
        self._latest = next((one for one in reversed(sessions) if fullname in one.samples), None)

    def found(self) -> BenchmarkHistory:
        points = [self._point(session) for session in self._sessions]
        used = [index for index, point in enumerate(points) if point.unused is None]
        logs = [math.log(points[index].value or 1.0) for index in used]
        accepted = [place for place, index in enumerate(used) if self._sessions[index].accepted_failure]
        segments = _segmented(logs, accepted, self._sign)
        if segments is None:
            return BenchmarkHistory(self._fullname, points, (), (), _too_few(points))
        for place in segments.far:
            points[used[place]] = Point(points[used[place]].value, far=True)
        levels = [
            Level(used[one.start], used[one.end - 1], math.exp(one.center), one.end - one.start)
            for one in segments.levels
        ]
        changes = [
            self._change(found, [used[one.start : one.end] for one in both], used)
            for found, both in zip(segments.changes, pairwise(segments.levels), strict=True)
        ]
        return BenchmarkHistory(self._fullname, points, levels, changes)

    def _point(self, session: Session) -> Point:
        if self._fullname in session.several:
            return Point(None, f"{session.several[self._fullname]} rows of one name")
        sample = session.samples.get(self._fullname)
        if sample is None:
            return Point(None, "not measured")
        value = sample.values.get(self._metric)
        if sample.log(self._metric) is None:
            return Point(None, f"no {self._metric}")
        return Point(value, self._unlike(session, sample) or (None if sample.trusted else sample.status))

    def _unlike(self, session: Session, sample: Sample) -> str | None:
        """Why it cannot be compared with the latest session."""
        assert self._latest is not None
        if differs := other_workload(sample.info, self._latest.samples[self._fullname].info):
            return f"another workload ({', '.join(differs)})"
        if None not in (session.isolation, self._latest.isolation) and session.isolation != self._latest.isolation:
            return f"measured with --isolation={session.isolation}"
        return None

    def _change(self, found: ChangePoint, levels: Sequence[Sequence[int]], used: Sequence[int]) -> Change:
        """``levels``: the sessions of the level before and of the one after; ``used``: all that count."""
        before, after = ([self._sessions[place] for place in level] for level in levels)
        index, previous = used[found.index], used[found.index - 1]
        earliest, latest = used[found.earliest], used[found.latest]
        around = self._sessions[used[found.earliest - 1] : latest + 1]
        kernel, unknown = calibration_changes(before, after, self._sign * found.change)
        return Change(
            index,
            earliest,
            latest,
            previous,
            math.expm1(found.change),
            math.expm1(found.low),
            math.expm1(found.high),
            self._sign * found.change > 0,
            self._repository.between(self._sessions[previous].commit, self._sessions[index].commit),
            [*software_changes(around), *host_change(before, after), *kernel],
            unknown,
            next((place for place in levels[1] if self._sessions[place].accepted_failure), None),
        )


def _too_few(points: Sequence[Point]) -> str:
    reasons = Counter(one.unused for one in points if one.unused)
    left_out = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    used = len(points) - reasons.total()
    text = f"{counted(used, 'sessions')} of the {LEAST_VALUES} that a change of level needs"
    return f"{text}; not used: {left_out}" if left_out else text


def _segmented(logs: Sequence[float], accepted: Sequence[int], sign: int) -> Segmentation | None:
    """The levels; one begins with every session that was accepted though its gate had failed.

    Such a session may be the third slow one. So its level begins where the values say that it became worse, if they do.
    """
    found = segmented(logs)
    if found is None or not accepted:
        return found
    worse = {one.index for one in found.changes if sign * one.change > 0}
    starts = {place: one.start for one in found.levels for place in range(one.start, one.end)}
    begins = [place for place in accepted if starts[place] not in worse]
    return segmented(logs, begins) if begins else found
