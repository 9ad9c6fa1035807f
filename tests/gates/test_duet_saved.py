"""A duet in a saved run, and ``tailgate duet`` on it: judged again, by other limits, broken, hostile."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from saved_duets import a_pair, a_run

from tailgate.commands.main import main
from tailgate.errors import TailgateError
from tailgate.gates.duet.outcome import HEAD, Outcome
from tailgate.gates.duet.ratios import block_log_ratio, items_of, log_ratio, unusable, value
from tailgate.gates.duet.saved import judged_again
from tailgate.gates.duet.turns import LEAST_ROUNDS_OF_P99, Turns
from tailgate.processes.attempt import Attempt
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import UNDECIDED

HOSTILE = "test_<script>alert(1)</script>|\x1b[31m[red]{{7*7}}]]>"


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], run: dict[str, Any], *options: str) -> tuple[int, str]:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(run))
    code = main(["duet", str(file), *options])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_the_rounds_give_the_verdicts_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(tmp_path, capsys, a_run(0.0, 0.05))
    assert code == 1
    assert said.splitlines()[-1] == "1 fail, 3 pass"
    code, said = told(tmp_path, capsys, a_run(0.0, 0.05), "--format=lines")
    first = said.splitlines()[0]
    assert first.startswith("test_a.py::test_1 median +5.0 % [99 % CI ")
    assert "10 of 10 pairs slower; limit 2 %" in first
    assert "confirmed; steal 3 %" in first


def test_other_limits_judge_the_same_rounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(tmp_path, capsys, a_run(0.05), "--gate-min-effect=10%")[0] == 0
    assert told(tmp_path, capsys, a_run(0.05), "--gate-metrics=p99")[0] == 0
    code, said = told(tmp_path, capsys, a_run(-0.05), "--gate-metrics=throughput")
    assert (code, said.splitlines()[-1]) == (0, "1 improved")
    assert told(tmp_path, capsys, a_run(0.05), "--gate-metrics=throughput")[0] == 1


def test_an_older_rules_verdict_stands_where_todays_rule_would_ask_for_more_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It looked first after ten pairs, all of which passed together; the first five of them fail alone."""
    then = Verdict("test_a.py::test_0", "median", "pass", change_rel=0.01).as_json()
    run = a_run(0.0, verdicts=[then])
    (one,) = run["tailgate_duet"]["benchmarks"]
    one["limits_rel"] = {"median": 0.02}
    one["pairs"] = [a_pair(change_rel, index) for index, change_rel in enumerate([0.03] * 5 + [-0.01, 0.03, 0.0])]
    assert told(tmp_path, capsys, run)[1].splitlines()[-1] == "1 pass"
    assert "1 undecided" in told(tmp_path, capsys, run, "--gate-min-effect=1%", "--gate-metrics=median")[1]


def test_what_was_not_measured_stays_what_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = Verdict("test_a.py::test_gone", "median", "missing", "removed").as_json()
    code, said = told(tmp_path, capsys, a_run(0.0, verdicts=[gone]))
    assert code == 1
    assert "missing: test_gone: removed" in said
    new = Verdict("test_a.py::test_new", "median", "new", "base does not have it").as_json()
    assert told(tmp_path, capsys, a_run(verdicts=[new]) | {"benchmarks": a_run(0.0)["benchmarks"]})[0] == 1


def test_operators_of_a_saved_duet_are_in_the_comment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(0.1, 0.0)
    operator = {"name": "<b>@conv|", "kind": "Conv", "shapes": "", "sources": []}
    times = {"base_s": [0.001] * 6, "head_s": [0.0011 + index * 1e-8 for index in range(6)]}
    row = {"change": "same", "base": [operator], "head": [operator], **times}
    sides = {side: {"profiler": "a profiler", "call_s": 0.001} for side in ("base", "head")}
    run["tailgate_duet"]["benchmarks"][0]["operators"] = {"rows": [row], "pairs": 6, **sides}
    code, said = told(tmp_path, capsys, run, "--format=comment")
    assert code == 1
    assert said.count("<details>") == 2
    title = "<details><summary>test_0 +10.0 %, of which &#60;b>&#64;&#8203;conv&#124; +10.0 %, rest"
    assert title in said
    assert said.index("| fail | test_0 ") < said.index(title) < said.index("<details><summary>2 pass")


@pytest.mark.parametrize("form", ["table", "lines", "markdown"])
def test_a_name_in_a_file_is_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    new = Verdict(HOSTILE, "median", "new", HOSTILE).as_json()
    run = a_run(0.0, verdicts=[new])
    run["tailgate_duet"]["benchmarks"][0]["fullname"] = HOSTILE
    _, said = told(tmp_path, capsys, run, f"--format={form}")
    assert "\x1b" not in said
    if form == "markdown":
        assert "<script>" not in said
        assert len({row.count("|") for row in said.splitlines() if row.startswith("|")}) == 1


@pytest.mark.parametrize(
    "broken", [{"pairs": "many"}, {"benchmarks": [{}]}, {"verdicts": [{"verdict": "new"}]}, {"benchmarks": 7}]
)
def test_a_broken_duet_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: dict[str, Any]) -> None:
    code, said = told(tmp_path, capsys, a_run(0.0, **broken))
    assert code == 4
    assert len(said.splitlines()) == 1
    assert "its tailgate_duet is broken" in said


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_rounds_are_seconds(seconds: float) -> None:
    run = a_run(0.0)
    run["tailgate_duet"]["benchmarks"][0]["pairs"][3]["head_rounds_s"][5] = seconds
    with pytest.raises(TailgateError, match="rounds must be seconds above 0"):
        judged_again(run, "run.json", None)


def test_a_run_without_a_duet_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(0.0)
    del run["tailgate_duet"]
    code, said = told(tmp_path, capsys, run)
    assert code == 4
    assert "not a duet (run one with pytest --duet=GIT_REF --benchmark-json=" in said


def test_wrong_options_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(tmp_path, capsys, a_run(0.0), "--format=tabel")
    assert code == 4
    assert "--format: unknown value 'tabel'; did you mean 'table'?" in said
    assert told(tmp_path, capsys, a_run(0.0), "--gate-metrics=mean")[0] == 4


def outcome(base_s: list[float], head_s: list[float], items: tuple[float, float] = (1.0, 1.0)) -> Outcome:
    sides = (
        Attempt(rows=[{"extra_info": {"items_per_call": items[0]}}]),
        Attempt(rows=[{"extra_info": {"items_per_call": items[1]}}]),
    )
    return Outcome(sides=sides, rounds_s=(base_s, head_s), turns=Turns(2, 1, len(base_s), 0))


def test_each_metric_has_its_ratio() -> None:
    made = outcome([2.0] * 60, [4.0] * 60, items=(1.0, 8.0))
    assert log_ratio(made, "median") == pytest.approx(math.log(2))
    assert log_ratio(made, "p99") == pytest.approx(math.log(2))
    assert log_ratio(made, "throughput") == pytest.approx(math.log(4))
    assert (value(made, HEAD, "median"), value(made, HEAD, "throughput")) == (2.0, 4.0)
    assert items_of(made, HEAD) == 8.0
    assert block_log_ratio([1.0], [1.0], 1) == 0.0


def test_what_says_nothing_of_a_metric_is_told() -> None:
    few = outcome([1.0] * (LEAST_ROUNDS_OF_P99 - 1), [1.0] * (LEAST_ROUNDS_OF_P99 - 1))
    assert unusable([few], "median") is None
    assert "49 calls a side" in (unusable([few], "p99") or "")
    assert "0 s by this timer" in (unusable([outcome([1.0, 0.0], [1.0, 1.0])], "median") or "")


def test_a_verdict_comes_back_from_json() -> None:
    one = Verdict("a", "throughput", "fail", base=2.0, head=1.0, change_rel=-0.5, notes=("steal 3 %",), confirmed=True)
    assert Verdict.from_json(json.loads(json.dumps(one.as_json()))) == one


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_saved_duets_verdicts_are_in_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    gone = Verdict(HOSTILE, "median", "missing", HOSTILE).as_json()
    file = tmp_path / "run.json"
    file.write_text(json.dumps(a_run(0.0, verdicts=[gone])))
    assert main(["report", "--format", form, str(file)]) == 0
    said = capsys.readouterr().out
    assert "1 missing" in said
    assert "<script>alert" not in said


def test_too_few_pairs_for_an_interval_have_no_confidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(0.0)
    del run["tailgate_duet"]["benchmarks"][0]["pairs"][3:]
    one = judged_again(run, "run.json", None)[0]
    assert (one.verdict, one.low_rel, one.high_rel, one.confidence) == (UNDECIDED, None, None, None)
    assert Verdict.from_json(one.as_json()) == one
    assert "% CI" not in told(tmp_path, capsys, run, "--format=lines")[1]
