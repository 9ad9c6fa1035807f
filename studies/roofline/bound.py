"""The roofline: the FLOP/s that a machine allows a call, and whether a measured call stays below.

Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore architectures",
CACM 52(4), 2009: attainable FLOP/s = min(peak FLOP/s, bandwidth × operational intensity), for each level of memory.

**The bound that is checked.** A level's bandwidth limits only the bytes that cross it. Inner caches keep at most what
they hold from one call to the next, so each call moves at least

    crossing_bytes = traffic_bytes − transfers_per_kept_byte × inner_bytes

across the level. ``inner_bytes`` is what all inner caches hold together. A kept byte saves one transfer where data are
only read, two where they are read and written back. A call therefore takes at least ``crossing_bytes / bandwidth`` at
each level, and at least ``flops / peak``. A row that is faster was counted or measured wrongly: :func:`judge` calls it
``above the roof``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

TOLERANCE_REL = 0.05
"""How far a row may lie above its roof: peak and row are measured at different times, and clocks move by percents."""
NEAR = 0.5
"""A call that reaches this share of a roof is bound by it: a convention."""
COMPUTE, OVERHEAD = "compute", "neither (overhead)"
ON_OR_UNDER, ABOVE, UNDECIDED, NOT_JUDGED = "under the roof", "above the roof", "undecided", "not judged"
WHY_ABOVE = (
    "a wrong count, a peak measured too low, less precision than the label says, or an algorithm with fewer "
    "multiplications than were counted (Winograd 3×3 convolutions: up to 2.25 times fewer, Lavin and Gray 2016; FFT)"
)


@dataclass(frozen=True)
class Level:
    """One level of memory, as measured."""

    name: str
    """``l1``, ``l2``, ``l3``, ``memory``."""
    bytes_per_s: float
    inner_bytes: float | None
    """All that the caches inside it can hold together; ``None``: not known, and the level bounds nothing."""
    held_bytes: float = math.inf
    """What this level and those inside it hold together."""


@dataclass(frozen=True)
class Call:
    """One call of a cell."""

    flops: float
    """Counted, 2 × MACs; training 3 × forward."""
    compulsory_bytes: float
    """Least traffic of one call with cold caches."""
    layerwise_bytes: float | None = None
    """Traffic where each operation reads its operands and writes its result; ``None``: not known."""
    transfers_per_kept_byte: int = 1
    """1: data are read (inference); 2: read and written back (training's weights and momentum)."""
    layerwise_set_bytes: float | None = None
    """What has to stay in a level for the layer-wise traffic to come from there: weights and the largest operation."""


@dataclass(frozen=True)
class Roof:
    """The lowest of a call's bounds."""

    flop_per_s: float
    by: str
    """``compute``, or the level's name."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on one row."""

    word: str
    """:data:`ON_OR_UNDER`, :data:`ABOVE`, :data:`UNDECIDED` or :data:`NOT_JUDGED`."""
    because: str
    """One line."""
    roof: Roof | None = None
    share: float | None = None
    """Achieved over roof."""
    bound: str | None = None
    """``compute``, a level's name, that with ``(layer by layer)``, or ``neither (overhead)``."""

    @property
    def failed(self) -> bool:
        """An error in the row or in the peak."""
        return self.word == ABOVE


def attainable(peak_flop_per_s: float, bytes_per_s: float, intensity_flop_per_byte: float) -> float:
    """FLOP/s under one roof: ``min(peak, bandwidth × intensity)``."""
    return min(peak_flop_per_s, bytes_per_s * intensity_flop_per_byte)


def ridge(peak_flop_per_s: float, bytes_per_s: float) -> float:
    """FLOP/byte from which on the peak and no longer the bandwidth is the limit."""
    return peak_flop_per_s / bytes_per_s


def consistent(levels: Sequence[Level]) -> list[Level]:
    """``levels``, innermost first, each at least as fast as those outside it: their bytes have crossed it, too."""
    found: list[Level] = []
    for level in reversed(levels):
        outside = found[-1].bytes_per_s if found else 0.0
        found.append(replace(level, bytes_per_s=max(level.bytes_per_s, outside)))
    return found[::-1]


def crossing_bytes(call: Call, level: Level) -> float:
    """Bytes of each call that no inner cache can save this level from; 0 where it is not known what those hold."""
    if level.inner_bytes is None:
        return 0.0
    return max(0.0, call.compulsory_bytes - call.transfers_per_kept_byte * level.inner_bytes)


def bound_of(call: Call, peak_flop_per_s: float | None, levels: Sequence[Level]) -> Roof | None:
    """The lowest bound on ``call``'s FLOP/s; ``None``: nothing bounds it. A peak that is ``None`` was not measured."""
    roofs = [] if peak_flop_per_s is None else [Roof(peak_flop_per_s, COMPUTE)]
    for level in levels:
        crossing = crossing_bytes(call, level)
        if crossing > 0:
            roofs.append(Roof(attainable(math.inf, level.bytes_per_s, call.flops / crossing), level.name))
    return min(roofs, key=lambda roof: roof.flop_per_s, default=None)


def layerwise_roof(call: Call, peak_flop_per_s: float, levels: Sequence[Level]) -> Roof | None:
    """An estimate, no bound: every operation's traffic at the bandwidth of the innermost level that holds it all.

    Fusing operations saves traffic, so a row may lie above this one. ``None``: not known.
    """
    if not call.layerwise_bytes or call.layerwise_set_bytes is None:
        return None
    fitting = [level for level in levels if level.held_bytes >= call.layerwise_set_bytes]
    if not fitting:
        return None
    level = min(fitting, key=lambda one: one.held_bytes)
    there = attainable(math.inf, level.bytes_per_s, call.flops / call.layerwise_bytes)
    return Roof(peak_flop_per_s, COMPUTE) if peak_flop_per_s <= there else Roof(there, level.name)


def judge(
    call: Call,
    achieved_flop_per_s: float,
    peak_flop_per_s: float | None,
    levels: Sequence[Level],
    *,
    doubt: str | None = None,
    tolerance_rel: float = TOLERANCE_REL,
) -> Verdict:
    """Whether a row keeps under its roof, and what it is bound by.

    Args:
        call: what was counted.
        achieved_flop_per_s: counted FLOPs over measured seconds.
        peak_flop_per_s: of the row's precision, at its thread count; ``None``: not measured.
        levels: of the same thread count.
        doubt: why a peak may be too low (measured on a disturbed machine): above the roof is then ``undecided``.
        tolerance_rel: how far above is still noise.
    """
    if peak_flop_per_s is None:
        return Verdict(NOT_JUDGED, "no peak of its precision, device and thread count in these runs")
    roof = bound_of(call, peak_flop_per_s, levels)
    assert roof is not None, "there is a peak"
    share = achieved_flop_per_s / roof.flop_per_s
    if share > 1 + tolerance_rel:
        if doubt:
            return Verdict(UNDECIDED, f"{share:.2f} times its roof, but {doubt}", roof, share)
        return Verdict(ABOVE, f"{share:.2f} times its roof ({roof.by}): {WHY_ABOVE}", roof, share)
    bound = _bound(call, achieved_flop_per_s, peak_flop_per_s, roof, levels)
    return Verdict(ON_OR_UNDER, f"{share:.0%} of its roof ({roof.by})", roof, share, bound)


def _bound(call: Call, achieved: float, peak: float, roof: Roof, levels: Sequence[Level]) -> str:
    if achieved >= NEAR * roof.flop_per_s:
        return roof.by
    estimate = layerwise_roof(call, peak, levels)
    if estimate is not None and estimate.by != COMPUTE and achieved >= NEAR * estimate.flop_per_s:
        return f"{estimate.by} (layer by layer)"
    return OVERHEAD
