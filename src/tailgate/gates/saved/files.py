"""``tailgate compare --fail-on-regression``: the last file is judged by all the others."""

from collections.abc import Callable, Sequence

from tailgate.gates.saved.expected import expected
from tailgate.gates.saved.family import together
from tailgate.gates.saved.judgement import judged, several_rows
from tailgate.gates.saved.sessions import History, Session, differences, since_accepted
from tailgate.results.limits import Limits
from tailgate.results.verdict import Verdict
from tailgate.session.extent import REASONS
from tailgate.stats.decision import INCOMPARABLE, MISSING

Chosen = Callable[[str], bool]


def verdicts_on(sessions: Sequence[Session], limits: Limits, chosen: Chosen) -> tuple[list[Verdict], History]:
    """Verdicts on the last session; each other file is one session, in the order in which they are named."""
    *others, new = sessions
    found = [differences(new, one) for one in others]
    same = [one for one, differs in zip(others, found, strict=True) if not differs]
    believed = [one for one in same if not one.failed or one.accepted]
    usable = since_accepted(believed)
    left_out = []
    if len(same) < len(others):
        left_out.append(f"{len(others) - len(same)} of another machine")
    if failed := sum(one.failed and not one.accepted for one in same):
        left_out.append(f"{failed} whose own gate failed")
    if usable:
        missable = expected(believed, new.extent.selection)
        history = History(usable[-1], usable, None, left_out, missable, since_accepted(same))
    else:
        unusable = f"another machine: {'; '.join(found[-1])}" if found[-1] else f"not used: {', '.join(left_out)}"
        history = History(others[-1], (), unusable, left_out, expected(others[-1:], new.extent.selection))
    verdicts = [
        verdict for name, sample in new.samples.items() if chosen(name) for verdict in judged([sample], history, limits)
    ]
    missing = [
        Verdict(name, "median", MISSING, reason=_why(name, session, new))
        for name, session in history.expected.sessions.items()
        if not new.has(name) and chosen(name) and new.extent.asked_for(name)
    ]
    several = [
        Verdict(name, "median", INCOMPARABLE, reason=several_rows(count, new.path.name))
        for name, count in new.several.items()
        if chosen(name)
    ]
    return together([*verdicts, *several, *missing]), history


def _why(name: str, session: Session, new: Session) -> str:
    reason = new.extent.reason(name)
    word = f" ({REASONS[reason]})" if reason in REASONS else ""
    options = [one.extent.selection.options if one.extent.selection else {} for one in (session, new)]
    other = "; the two were saved with other options of the project" if not word and options[0] != options[1] else ""
    return f"in {session.path.name}, and not in {new.path.name}{word}{other}"


def remarks(new: Session, history: History) -> list[str]:
    """Lines on what the files do not say, or leave out."""
    found = list(history.expected.notes)
    if new.extent.complete is False:
        found.append(f"{new.path.name} is not complete ({new.extent.why}): what it was told to leave out is not judged")
    return found
