"""Whether a reduced precision is worth it: one verdict on its speed, size and answers, each against FP32's."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tailgate.stats.quantiles import order_statistic_interval

WORTH_IT, INACCURATE, NO_GAIN = "worth it", "not accurate enough", "neither faster nor smaller"
UNDECIDED, NOT_COMPARABLE = "undecided", "not comparable"
VERDICTS = (INACCURATE, NO_GAIN, UNDECIDED, NOT_COMPARABLE, WORTH_IT)
"""The gravest first."""
Z_95 = statistics.NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Limits:
    """What a reduced precision must reach."""

    least_snr_db: float = 10.0
    """Signal-to-noise of the outputs: noise of a tenth of the signal's power.

    Hailo's documentation of its compiler calls more than 10 dB fine, with one layer quantised at a time
    (https://community.hailo.ai/t/snr-value-not-higher-than-10/1931); ExecuTorch's tests of whole quantised models ask
    for 15 dB (https://github.com/pytorch/executorch/pull/19030). Both count the mean response as signal, which the
    suite takes off: the same answers have fewer decibels here."""
    least_top1: float = 0.99
    """Share of items with FP32's largest output. MLPerf Inference asks for 99 % of FP32's accuracy."""
    least_speed_up: float = 1.1
    """Less is not called faster."""
    most_size_ratio: float = 0.9
    """More is not called smaller."""
    process_sd_rel: float = 0.02
    """How much a cell's median differs between processes (the session shift), where only one was measured."""


@dataclass(frozen=True)
class Timing:
    """One cell's times."""

    median_s: float
    rounds_s: Sequence[float] = ()
    process_medians_s: Sequence[float] = ()


@dataclass(frozen=True)
class SpeedUp:
    """How many times faster; 2 is half the time. Ends are ``None`` where there is too little for an interval."""

    ratio: float
    low: float | None
    high: float | None
    """95 %."""


def speed_up(base: Timing, now: Timing, process_sd_rel: float = Limits.process_sd_rel) -> SpeedUp:
    """Base's time over now's.

    With two processes or more on both sides: Welch's t interval of the logarithms of their medians. Otherwise the
    order-statistic intervals of both medians, combined on the log scale (Zou and Donner, Statistics in Medicine 27,
    2008), and ``process_sd_rel`` on each side for the processes that were not measured: thousands of rounds in one
    process are one observation of it (docs/evidence/statistics.md).

    Raises:
        ValueError: a time that is not positive.
    """
    every = [one.median_s for one in (base, now)] + [*base.process_medians_s, *now.process_medians_s]
    if not all(math.isfinite(time_s) and time_s > 0 for time_s in every):
        raise ValueError(f"times must be positive: {every}")
    if min(len(base.process_medians_s), len(now.process_medians_s)) >= 2:
        return _welch(base.process_medians_s, now.process_medians_s)
    ratio = base.median_s / now.median_s
    ends = [_median_interval(one.rounds_s) for one in (base, now)]
    if any(end is None or end <= 0 for pair in ends for end in pair):
        return SpeedUp(ratio, None, None)
    (base_below, base_above), (now_below, now_above) = (
        [abs(math.log(end / one.median_s)) for end in pair if end is not None]
        for one, pair in zip((base, now), ends, strict=True)
    )
    between = Z_95 * math.sqrt(2) * process_sd_rel
    down = math.hypot(base_below, now_above, between)
    up = math.hypot(base_above, now_below, between)
    return SpeedUp(ratio, ratio * math.exp(-down), ratio * math.exp(up))


def _median_interval(rounds_s: Sequence[float]) -> tuple[float | None, float | None]:
    return order_statistic_interval(sorted(rounds_s), 0.5) if rounds_s else (None, None)


def _welch(base_s: Sequence[float], now_s: Sequence[float]) -> SpeedUp:
    """By hand: scipy's warns of nearly equal values, which steady processes have."""
    base, now = ([math.log(time_s) for time_s in times] for times in (base_s, now_s))
    difference = statistics.fmean(base) - statistics.fmean(now)
    squares = [statistics.variance(values) / len(values) for values in (base, now)]
    if not any(squares):
        return SpeedUp(math.exp(difference), math.exp(difference), math.exp(difference))
    from scipy.special import stdtrit

    # In shares of the sum: squares of tiny variances would vanish.
    shares = [square / sum(squares) for square in squares]
    freedom = 1 / sum(share**2 / (len(values) - 1) for share, values in zip(shares, (base, now), strict=True))
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(sum(squares))
    return SpeedUp(math.exp(difference), math.exp(difference - half), math.exp(difference + half))


@dataclass(frozen=True)
class Answers:
    """How near a cell's answers are to FP32's."""

    snr_db: float | None
    equal: bool = False
    """To the last bit: there is no noise, so no ratio."""
    top1: float | None = None
    items: int | None = None
    """How many answers ``top1`` is of."""
    trained: bool = True
    """Largest outputs of random weights are near-ties: their ``top1`` is not judged."""


def top1_interval(top1: float, items: int) -> tuple[float, float]:
    """95 % interval of the share that any number of such items would agree in (Clopper and Pearson 1934).

    16 of 16 are compatible with 79 %: so few items can refute 99 %, never show it. 368 of 368 would.
    """
    from scipy.special import betaincinv

    agreeing = round(top1 * items)
    low = float(betaincinv(agreeing, items - agreeing + 1, 0.025)) if agreeing else 0.0
    high = float(betaincinv(agreeing + 1, items - agreeing, 0.975)) if agreeing < items else 1.0
    return low, high


@dataclass(frozen=True)
class Judgement:
    """The joint verdict; ``None`` for a part that is not known."""

    verdict: str
    because: str
    faster: bool | None = None
    slower: bool | None = None
    smaller: bool | None = None
    accurate: bool | None = None


def judge(
    speed: SpeedUp | None,
    size_ratio: float | None,
    answers: Answers,
    disturbed: str | None = None,
    limits: Limits | None = None,
) -> Judgement:
    """One verdict. Wrong answers outweigh everything; a disturbed row says nothing about speed.

    ``speed`` and ``size_ratio``: against FP32; ``None``: not known. ``disturbed``: why the times are not the code's.
    """
    limits = limits or Limits()
    accurate, why_accurate = _accurate(answers, limits)
    faster, slower, why_fast = _faster(speed, disturbed, limits)
    smaller = None if size_ratio is None else size_ratio <= limits.most_size_ratio
    why_small = "size not known" if size_ratio is None else f"{size_ratio:.2f} times the size"
    parts = (faster, slower, smaller, accurate)
    if accurate is False:
        return Judgement(INACCURATE, why_accurate, *parts)
    if disturbed:
        return Judgement(UNDECIDED, disturbed, *parts)
    if accurate is None:
        return Judgement(UNDECIDED, why_accurate, *parts)
    if faster or smaller:
        gains = f"{why_fast}, {why_small}" if faster else f"{why_small}, {'but ' if slower else ''}{why_fast}"
        return Judgement(WORTH_IT, f"{gains}; {why_accurate}", *parts)
    if faster is False and smaller is False:
        return Judgement(NO_GAIN, f"{why_fast}, {why_small}", *parts)
    return Judgement(UNDECIDED, f"{why_fast}, {why_small}", *parts)


def _accurate(answers: Answers, limits: Limits) -> tuple[bool | None, str]:
    if answers.equal:
        return True, "equal answers"
    if answers.snr_db is None:
        return None, "no signal-to-noise ratio in the row"
    noise = f"{answers.snr_db:.1f} dB"
    if not answers.snr_db >= limits.least_snr_db:
        mind = "" if answers.trained else " (random weights amplify noise: try --weights pretrained)"
        return False, f"{noise}, {limits.least_snr_db:g} dB at least{mind}"
    if answers.top1 is None or not answers.items or not answers.trained:
        return True, noise
    most = top1_interval(answers.top1, answers.items)[1]
    share = f"top-1 agrees in {round(answers.top1 * answers.items)} of {answers.items}"
    if most < limits.least_top1:
        return False, f"{share}, at most {most:.1%} of any number, {limits.least_top1:.0%} at least"
    return True, f"{noise}, {share}"


def _faster(speed: SpeedUp | None, disturbed: str | None, limits: Limits) -> tuple[bool | None, bool | None, str]:
    if speed is None or disturbed:
        return None, None, disturbed or "speed not known"
    text = f"{speed.ratio:.2f} times as fast"
    if speed.low is None or speed.high is None:
        return None, None, f"{text} (too few rounds for an interval)"
    if speed.high < 1:
        return False, True, f"slower: {text}"
    if speed.low > 1 and speed.ratio >= limits.least_speed_up:
        return True, False, text
    if speed.high < limits.least_speed_up:
        return False, False, f"not faster: {text}"
    return None, None, f"{text}, {speed.low:.2f} to {speed.high:.2f}: within the noise"
