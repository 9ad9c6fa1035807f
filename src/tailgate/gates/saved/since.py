"""Since when it is slower: the change point that a failed benchmark's saved sessions have, in half a sentence."""

import math
import statistics
from collections.abc import Sequence

from tailgate.gates.saved.samples import Sample
from tailgate.gates.saved.sessions import Session
from tailgate.results.comparability import other_workload
from tailgate.results.verdict import CONFIDENCE
from tailgate.stats.change_points import segmented
from tailgate.stats.decision import HIGHER_IS_BETTER
from tailgate.text import percent


def since(now: Sequence[Sample], sessions: Sequence[Session], metric: str) -> str | None:
    """Where the level that ``now`` belongs to began; ``None``: too few sessions, or no such place.

    Args:
        now: the benchmark's row, and those of its confirmation.
        sessions: the oldest first, also those whose gate failed: they may have been the first slow ones.
        metric: decides which direction is worse.
    """
    name = now[0].fullname
    used = [
        (one, log)
        for one in sessions
        if (row := one.samples.get(name)) is not None
        and row.trusted
        and not other_workload(row.info, now[0].info)
        and (log := row.log(metric)) is not None
    ]
    found = segmented([*(log for _, log in used), statistics.fmean(log for row in now if (log := row.log(metric)))])
    last = found.changes[-1] if found is not None and found.changes else None
    if last is None or last.change * (-1 if metric in HIGHER_IS_BETTER else 1) < 0:
        return None
    before = f"after {_session(used[last.index - 1][0])}"
    size = (
        f"{percent(math.expm1(last.change))} [{CONFIDENCE * 100:.0f} % CI "
        f"{percent(math.expm1(last.low), unit=False)}, {percent(math.expm1(last.high), unit=False)}]"
    )
    if last.index == len(used):
        return f"the level changed with this session, {before}: {size}"
    return f"the level changed with {_session(used[last.index][0])}, {before}: {size}"


def _session(session: Session) -> str:
    return f"{session.path.name} ({session.commit or 'its commit is not known'})"
