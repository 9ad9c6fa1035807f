"""Many comparisons, one verdict: which of them still say something when all are looked at together."""

from collections.abc import Sequence

FAMILY_ALPHA = 0.02
"""Of sessions in which nothing changed, at most so many fail."""


def significant(p_values: Sequence[float], comparisons: int, alpha: float = FAMILY_ALPHA) -> list[bool]:
    """Which p-values the step-up procedure rejects.

    Benjamini and Hochberg, J. of the Royal Statistical Society B 57 (1995) 289-300: with the k-th least of m p-values
    at most ``alpha`` k / m, the k least are rejected. Where nothing changed, any is with a chance of ``alpha`` at most;
    it holds for independent p-values, and for those that share a shift of the machine (Benjamini and Yekutieli, Annals
    of Statistics 29 (2001) 1165-1188).

    Args:
        p_values: one-sided; those that are known.
        comparisons: how many there will be in all; what is rejected now stays so, whatever the others say.
        alpha: of the whole family.

    Raises:
        ValueError: there are more p-values than comparisons.
    """
    if len(p_values) > comparisons:
        raise ValueError(f"{len(p_values)} p-values of {comparisons} comparisons")
    steps = enumerate(sorted(p_values), 1)
    most = max((p for rank, p in steps if p <= alpha * rank / comparisons), default=-1.0)
    return [p <= most for p in p_values]
