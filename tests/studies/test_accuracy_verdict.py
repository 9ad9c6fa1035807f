import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from studies.reduced_precision.verdict import (
    INACCURATE,
    NO_GAIN,
    UNDECIDED,
    VERDICTS,
    WORTH_IT,
    Answers,
    SpeedUp,
    Timing,
    judge,
    speed_up,
    top1_interval,
)

FEW = settings(max_examples=40, deadline=None)
FINE, EQUAL = Answers(snr_db=25.0), Answers(None, equal=True)
FAST, SAME, SLOW = SpeedUp(2.0, 1.9, 2.1), SpeedUp(1.0, 0.95, 1.05), SpeedUp(0.5, 0.48, 0.52)
NOISY = SpeedUp(1.1, 0.9, 1.3)


@pytest.mark.parametrize(
    ("speed", "size_ratio", "answers", "disturbed", "verdict", "because"),
    [
        (FAST, 0.25, FINE, None, WORTH_IT, "2.00 times as fast, 0.25 times the size; 25.0 dB"),
        (FAST, 1.0, FINE, None, WORTH_IT, "2.00 times as fast, 1.00 times the size; 25.0 dB"),
        (SLOW, 0.25, FINE, None, WORTH_IT, "0.25 times the size, but slower: 0.50 times as fast; 25.0 dB"),
        (SAME, 0.25, FINE, None, WORTH_IT, "0.25 times the size, not faster: 1.00 times as fast; 25.0 dB"),
        (SAME, 1.0, FINE, None, NO_GAIN, "not faster: 1.00 times as fast, 1.00 times the size"),
        (SLOW, 1.0, FINE, None, NO_GAIN, "slower: 0.50 times as fast, 1.00 times the size"),
        (NOISY, 1.0, FINE, None, UNDECIDED, "1.10 times as fast, 0.90 to 1.30: within the noise, 1.00 times the size"),
        (SAME, None, FINE, None, UNDECIDED, "not faster: 1.00 times as fast, size not known"),
        (None, 1.0, FINE, None, UNDECIDED, "speed not known, 1.00 times the size"),
        (FAST, 0.25, FINE, "this row is contended", UNDECIDED, "this row is contended"),
        (FAST, 0.25, Answers(9.9), None, INACCURATE, "9.9 dB, 10 dB at least"),
        (None, 0.25, Answers(9.9), "this row is contended", INACCURATE, "9.9 dB, 10 dB at least"),
        (FAST, 0.25, Answers(float("nan")), None, INACCURATE, "nan dB, 10 dB at least"),
        (FAST, 0.25, Answers(None), None, UNDECIDED, "no signal-to-noise ratio in the row"),
        (FAST, 0.5, EQUAL, None, WORTH_IT, "2.00 times as fast, 0.50 times the size; equal answers"),
    ],
)  # fmt: skip
def test_verdict_of_speed_size_and_answers(speed, size_ratio, answers, disturbed, verdict, because):
    found = judge(speed, size_ratio, answers, disturbed)
    assert (found.verdict, found.because) == (verdict, because)


@pytest.mark.parametrize(
    ("agreeing", "items", "trained", "verdict"),
    [
        (16, 16, True, WORTH_IT),
        (15, 16, True, WORTH_IT),  # compatible with 99.8 %
        (14, 16, True, INACCURATE),  # 98.4 % at most
        (2, 16, False, WORTH_IT),  # near-ties of random weights
        (985, 1000, True, WORTH_IT),
        (975, 1000, True, INACCURATE),
    ],
)
def test_top1_refutes_and_its_interval_decides(agreeing, items, trained, verdict):
    answers = Answers(25.0, top1=agreeing / items, items=items, trained=trained)
    assert judge(FAST, 0.25, answers).verdict == verdict


def test_what_sixteen_items_can_show():
    assert top1_interval(1.0, 16)[0] == pytest.approx(0.794, abs=1e-3)
    assert top1_interval(14 / 16, 16)[1] == pytest.approx(0.984, abs=1e-3)
    # The fewest of which all agreeing shows 99 %.
    assert top1_interval(1.0, 367)[0] < 0.99 <= top1_interval(1.0, 368)[0]


SPEEDS = st.tuples(*[st.floats(0.1, 10)] * 3).map(sorted).map(lambda ends: SpeedUp(ends[1], ends[0], ends[2]))


@FEW
@given(SPEEDS, st.floats(0.1, 2) | st.none(), st.floats(-20, 60), st.floats(0.1, 30))
def test_better_answers_never_make_a_verdict_worse(speed, size_ratio, snr_db, more_db):
    ranks = [
        VERDICTS.index(judge(speed, size_ratio, Answers(value)).verdict) for value in (snr_db, snr_db + more_db)
    ]  # fmt: skip
    assert ranks[0] <= ranks[1]


@FEW
@given(SPEEDS, st.floats(0.1, 2), st.floats(-20, 60), st.floats(0.1, 1))
def test_a_smaller_model_never_makes_a_verdict_worse(speed, size_ratio, snr_db, factor):
    ranks = [
        VERDICTS.index(judge(speed, size, Answers(snr_db)).verdict) for size in (size_ratio, size_ratio * factor)
    ]  # fmt: skip
    assert ranks[0] <= ranks[1]


@FEW
@given(SPEEDS)
def test_a_cell_is_never_both_faster_and_slower(speed):
    found = judge(speed, 1.0, FINE)
    assert not (found.faster and found.slower)


TIMES = st.lists(st.floats(1e-4, 1e-2), min_size=8, max_size=40)


@FEW
@given(TIMES, TIMES, st.booleans())
def test_turned_around_a_speed_up_is_its_reciprocal_and_within_its_interval(base, now, replicated):
    def timing(times):
        median_s = sorted(times)[len(times) // 2]
        return Timing(median_s, times, times[:4] if replicated else ())

    one, other = speed_up(timing(base), timing(now)), speed_up(timing(now), timing(base))
    assert one.low <= one.ratio * (1 + 1e-9)
    assert one.ratio <= one.high * (1 + 1e-9)
    assert (other.ratio, other.low, other.high) == pytest.approx((1 / one.ratio, 1 / one.high, 1 / one.low))


def test_one_process_a_side_leaves_what_processes_differ_by():
    steady = Timing(1e-3, [1e-3] * 1000)
    found = speed_up(steady, steady)
    assert (found.low, found.high) == pytest.approx((0.946, 1.057), abs=1e-3)  # 1.96 x sqrt(2) x 2 %


def test_processes_decide_where_there_are_several():
    base = Timing(2e-3, [2e-3] * 100, [1.9e-3, 2.0e-3, 2.1e-3])
    now = Timing(1e-3, [1e-3] * 100, [0.95e-3, 1.0e-3, 1.05e-3])
    found = speed_up(base, now)
    assert found.ratio == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((1.78, 2.24), abs=0.01)
    # The same as SciPy's ttest_ind(equal_var=False), which is not used because it warns of steady processes.
    interval = ttest_ind(*(np.log(one.process_medians_s) for one in (base, now)), equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx(np.exp([interval.low, interval.high]))
    same = Timing(1e-3, (), [1e-3, 1e-3])
    assert speed_up(same, same) == SpeedUp(1.0, 1.0, 1.0)


def test_too_few_rounds_have_no_interval_and_nothing_is_called_faster():
    found = speed_up(Timing(2e-3, [2e-3] * 3), Timing(1e-3, [1e-3] * 3))
    assert (found.ratio, found.low, found.high) == (2.0, None, None)
    assert judge(found, 1.0, FINE).verdict == UNDECIDED
    with pytest.raises(ValueError, match="positive"):
        speed_up(Timing(0.0), Timing(1e-3))
