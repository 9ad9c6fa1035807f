"""All verdicts of a session together: what would fail alone is undecided where so many comparisons make it by chance.

Confirmation in a fresh process does not help here: it shares the session, whose shift is what a saved history judges.
"""

from collections.abc import Sequence
from dataclasses import replace

from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, HIGHER_IS_BETTER, IMPROVED, PASS, UNDECIDED
from tailgate.stats.family import FAMILY_ALPHA, significant
from tailgate.text import probability


def together(verdicts: Sequence[Verdict], planned: int = 0) -> list[Verdict]:
    """The verdicts, with each ``fail`` that the family does not bear out ``undecided``.

    Args:
        verdicts: as each is by itself; those that compare nothing, and objectives, stay as they are.
        planned: how many comparisons there will be, where more are to come.
    """
    compared = [index for index, one in enumerate(verdicts) if _compares(one)]
    size = max(planned, len(compared))
    kept = significant([_p_worse(verdicts[index]) for index in compared], size)
    found = list(verdicts)
    for index, one_is_kept in zip(compared, kept, strict=True):
        one = verdicts[index]
        if one.verdict == FAIL and not one_is_kept:
            drifted = f"{one.reason}; " if one.reason else ""
            reason = drifted + (
                f"it would fail alone, but among {size} comparisons chance does so, too "
                f"(p {probability(_p_worse(one))}; together at most {FAMILY_ALPHA:.0%} of sessions fail by chance)"
            ).replace("%", " %")
            found[index] = replace(one, verdict=UNDECIDED, reason=reason)
    return found


def _compares(one: Verdict) -> bool:
    return one.p is not None and one.verdict in (PASS, FAIL, IMPROVED)


def _p_worse(one: Verdict) -> float:
    """Its p is against the direction in which it changed."""
    assert one.p is not None
    assert one.change_rel is not None
    worse = one.change_rel < 0 if one.metric in HIGHER_IS_BETTER else one.change_rel > 0
    return one.p if worse else 1 - one.p
