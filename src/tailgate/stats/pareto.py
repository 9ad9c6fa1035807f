"""The points that no other point beats in both respects."""

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (cost, gain) that none dominates, by ascending cost.

    A point dominates another if it costs no more and gains no less, and is better in one of both (Kung, Luccio and
    Preparata, Journal of the ACM 22, 1975). Of equal points the first stands for all.
    """
    found: list[int] = []
    best = float("-inf")
    for index in sorted(range(len(points)), key=lambda one: (points[one][0], -points[one][1], one)):
        if points[index][1] > best:
            found.append(index)
            best = points[index][1]
    return found
