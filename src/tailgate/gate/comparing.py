"""``tailgate compare --fail-on-regression``: the last file is judged by all the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tailgate.analysis.gate import MISSING
from tailgate.gate.judgement import judged
from tailgate.gate.limits import Limits
from tailgate.gate.machines import differences
from tailgate.gate.sessions import History, Session, since_accepted
from tailgate.gate.verdict import Verdict

Chosen = Callable[[str], bool]


def verdicts_on(sessions: Sequence[Session], limits: Limits, chosen: Chosen) -> tuple[list[Verdict], History]:
    """Of the last; each other file is one session, in the order in which they are named."""
    *others, new = sessions
    found = [differences(new, one) for one in others]
    same = [one for one, differs in zip(others, found, strict=True) if not differs]
    usable = since_accepted([one for one in same if not one.failed or one.accepted])
    left_out = []
    if len(same) < len(others):
        left_out.append(f"{len(others) - len(same)} of another machine")
    if failed := sum(one.failed and not one.accepted for one in same):
        left_out.append(f"{failed} whose own gate failed")
    if usable:
        history = History(usable[-1], usable, None, left_out)
    else:
        unusable = f"another machine: {'; '.join(found[-1])}" if found[-1] else f"not used: {', '.join(left_out)}"
        history = History(others[-1], (), unusable, left_out)
    verdicts = [
        verdict for name, sample in new.samples.items() if chosen(name) for verdict in judged([sample], history, limits)
    ]
    missing = [
        Verdict(name, "median", MISSING, reason=f"in {history.latest.path.name}, and not in {new.path.name}")
        for name in history.latest.samples
        if name not in new.samples and chosen(name)
    ]
    return [*verdicts, *missing], history
