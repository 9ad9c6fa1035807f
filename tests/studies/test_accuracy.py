"""Whether a reduced precision is worth it: the verdict, its report, and what a run says at its end."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from fixtures.inference import precision_verdicts
from fixtures.inference.model_size import model_bytes
from studies.reduced_precision.limits import limits_from
from studies.reduced_precision.report import ITSELF, judged, line, lines, render
from studies.reduced_precision.verdict import (
    INACCURATE,
    NO_GAIN,
    NOT_COMPARABLE,
    UNDECIDED,
    VERDICTS,
    WORTH_IT,
    Answers,
    Limits,
    SpeedUp,
    Timing,
    judge,
    speed_up,
    top1_interval,
)
from tailgate.errors import TailgateError

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


def cell(precision, median_s=1e-3, **info):
    """A row as a saved run has it."""
    sizes = {"fp32": 1000, "bf16": 1000, "int8": 260}
    found = {
        "study": "cpu-scaling", "model": "mlp", "runtime": "openvino", "precision": precision, "device": "cpu",
        "threads": 1, "batch_size": 1, "weights": "random", "model_bytes": sizes[precision], "output_snr_db": 20.0,
        "output_error_rel": 0.1, "top1_agreement": 0.5, "check_items": 16, "status": "ok", **info,
    }  # fmt: skip
    stats = {"median": median_s, "data": [median_s * (1 + 0.001 * step) for step in range(-50, 51)]}
    return (f"benchmarks/test_cpu_scaling.py::test_cpu_scaling[{precision}]", stats, found)


def run(*cells, **more):
    benchmarks = [{"fullname": name, "name": name, "stats": stats, "extra_info": info} for name, stats, info in cells]
    return {"benchmarks": benchmarks, "machine_info": {}, "datetime": "2026-11-21T18:00:00", **more}


def test_partners_are_found_and_the_gravest_verdict_comes_first():
    rows = [
        cell("fp32"), cell("int8", 0.4e-3), cell("bf16"), cell("int8", threads=2), cell("fp32", batch_size=4),
        cell("int8", 0.4e-3, batch_size=4, output_snr_db=3.0), cell("bf16", batch_size=4, status="contended"),
    ]  # fmt: skip
    found = judged(rows, Limits())
    assert [one.judgement.verdict for one in found] == [INACCURATE, NO_GAIN, UNDECIDED, NOT_COMPARABLE, WORTH_IT]
    assert line(found[0]).startswith(f"{INACCURATE}: mlp int8 on openvino, 1 thread, batch 4: 3.0 dB, 10 dB")
    assert found[2].judgement.because == "this row is contended"
    assert found[2].speed is None
    assert (found[4].speed.ratio, found[4].size_ratio) == (pytest.approx(2.5), 0.26)


@pytest.mark.parametrize("other", [{"model_sha256": "ab"}, {"weights": "pretrained"}, {"image_size": 32}])
def test_another_workload_is_no_partner(other):
    (found,) = judged([cell("fp32", **other), cell("int8")], Limits())
    assert found.judgement.verdict == NOT_COMPARABLE


def test_a_contended_partner_decides_nothing():
    (found,) = judged([cell("fp32", status="contended"), cell("int8", 0.4e-3)], Limits())
    assert (found.judgement.verdict, found.judgement.because) == (UNDECIDED, "the fp32 row is contended")


def test_a_file_is_not_compared_with_itself():
    itself = {"study": "onnx-profiles", "model_sha256": "ab", "output_snr_db": None, "output_error_rel": 0}
    rows = [cell("fp32", **itself), cell("int8", 0.4e-3, **itself), cell("fp32", 0.5e-3, **itself)]
    rows[2][2]["precision"] = "fp32, weights int4"
    for found in judged(rows, Limits()):
        assert found.judgement.verdict == NOT_COMPARABLE
        assert found.judgement.because.startswith("its answers were compared with those of the same file")
        assert (found.speed, found.size_ratio, found.answers.equal, found.answers.snr_db) == (None, None, False, None)
    assert len(judged(rows, Limits())) == 2
    assert render([run(*rows)]).count(ITSELF) == 2


def test_fp32_arithmetic_on_narrow_weights_is_a_reduced_precision():
    narrow = cell("int8", 0.4e-3)
    narrow[2]["precision"] = "fp32, weights int8"
    (found,) = judged([cell("fp32"), narrow], Limits())
    assert found.judgement.verdict == WORTH_IT


def test_report_of_two_runs_pairs_within_each():
    text = render([run(cell("fp32"), cell("int8", 0.4e-3)), run(cell("int8"))])
    assert text.count("## Run of") == 2
    assert "**1 worth it**" in text
    assert "**1 not comparable**" in text
    assert "| 8/16 (25% to 75%), random weights |" in text
    assert "| 2.50x (" in text
    assert "| 0.26x |" in text


def test_old_rows_and_odd_values_are_told_not_believed():
    old = cell("int8", 0.4e-3, model_bytes=None, check_items=None, top1_agreement="x", output_snr_db=None)
    text = render([run(cell("fp32"), old)])
    assert "no signal-to-noise ratio in the row" in text


def test_a_name_is_no_markup():
    odd = {"model": "a|b`<c>\x1b[31m"}
    assert "`a\\|b'<c>\\x1b[31m`" in render([run(cell("fp32", **odd), cell("int8", 0.4e-3, **odd))])


def test_nothing_of_reduced_precision_is_an_error_with_the_command():
    with pytest.raises(TailgateError, match="measure some with: pytest benchmarks --precisions fp32,int8"):
        render([run(cell("fp32"))])


def test_limits_are_changed_in_one_place(monkeypatch):
    rows = run(cell("fp32"), cell("int8", 0.4e-3))
    monkeypatch.setenv("TAILGATE_ACCURACY", "least_snr_db=20.5, least_top1=0.5")
    assert "**1 not accurate enough**" in render([rows])
    assert limits_from({}) == Limits()
    assert limits_from({"TAILGATE_ACCURACY": "least_speed_up=2"}) == Limits(least_speed_up=2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("least_snr=3", "unknown limit 'least_snr'; did you mean 'least_snr_db'"),
        ("least_top1", "least_top1 needs a number, not '', such as least_top1=0.99"),
        ("least_top1=nan", "least_top1 needs a number, not 'nan'"),
        ("least_top1=much", "least_top1 needs a number, not 'much'"),
    ],
)
def test_a_wrong_limit_is_one_line(text, message):
    with pytest.raises(TailgateError, match=message):
        limits_from({"TAILGATE_ACCURACY": text})


def test_model_bytes_is_the_files_size_or_the_parameters_in_their_type(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"12345")
    assert model_bytes(file, "bf16", 1000) == 5
    assert [model_bytes(None, precision, 1000) for precision in ("fp32", "bf16", "fp16")] == [4000, 2000, 2000]
    assert model_bytes(None, "int8", 1000) is None


def test_judgements_of_one_kind_are_one_line_with_their_count():
    rows = [
        cell("int8", threads=threads, batch_size=batch, runtime=runtime, output_snr_db=snr_db)
        for runtime, threads, batch, snr_db in [
            ("openvino", 1, 1, -3.1), ("openvino", 2, 1, 4.2), ("openvino", 1, 4, 0.5), ("onnxruntime", 1, 1, 4.0),
        ]
    ]  # fmt: skip
    fp32 = [cell("fp32", threads=info["threads"], batch_size=info["batch_size"], runtime=info["runtime"])
            for *_, info in rows]  # fmt: skip
    other = cell("int8", model="resnet18", weights="pretrained", output_snr_db=3.0)
    found = judged([*rows, *fp32, other, cell("fp32", model="resnet18", weights="pretrained")], Limits())
    assert lines(found) == [
        "not accurate enough: 4 rows: mlp int8 on openvino (3), mlp int8 on onnxruntime (1): -3.1 to 4.2 dB, 10 dB at "
        "least (random weights amplify noise: try --weights pretrained)",
        line(found[-1]),
    ]


class Reporter:
    def __init__(self):
        self.lines = []

    def write_line(self, text, **_):
        self.lines.append(text)


def test_a_run_ends_with_what_is_not_worth_it(monkeypatch):
    def measured(_):
        return [
            SimpleNamespace(fullname=name, extra_info=info, stats=Stats(stats))
            for name, stats, info in [
                cell("fp32"), cell("int8", 0.4e-3), cell("bf16"),
                cell("fp32", threads=2), cell("int8", 2e-3, threads=2),
                cell("fp32", threads=3), cell("int8", threads=3, output_snr_db=1.0), cell("int8", threads=4),
            ]
        ]  # fmt: skip

    class Stats(dict):
        def __init__(self, stats):
            super().__init__(stats)
            self.data = stats["data"]

        def as_dict(self):
            return {"median": self["median"]}

    monkeypatch.setattr(precision_verdicts, "measured_rows", measured)
    reporter = Reporter()
    precision_verdicts.pytest_terminal_summary(reporter, config=None)
    assert [said.partition(" on ")[0] for said in reporter.lines] == [
        "not accurate enough: mlp int8",
        "neither faster nor smaller: mlp bf16",
        "Warning: worth it: mlp int8",
    ]
    assert "but slower: 0.50 times as fast" in reporter.lines[-1]


def test_a_wrong_limit_ends_the_run_before_it_begins(monkeypatch):
    monkeypatch.setenv("TAILGATE_ACCURACY", "least_snr=1")
    with pytest.raises(pytest.UsageError, match="unknown limit"):
        precision_verdicts.pytest_configure(config=None)
