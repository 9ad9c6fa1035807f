"""The search for the first bad commit, on git's own histories and duets whose outcome is known."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from histories_of_git import GATE_REL, NAME, Bisection, between, git, linear
from hypothesis import given
from hypothesis import strategies as st

from tailgate.gates.bisection.commits import Ends
from tailgate.gates.bisection.duets import Duets, because
from tailgate.gates.bisection.program import program
from tailgate.gates.bisection.words import Comparison, Focus, focus_of, from_json
from tailgate.results.verdict import Verdict

SLOW, COMMITS = 1.05, 64
MOST_DUETS = 8
"""The bar, for 64 commits: the first duet, six steps, and the one that confirms."""


LINE = [f"c{number}" for number in range(COMMITS)]
ENDS = Ends((), Path(), LINE[0], LINE[-1], first_parent=False, commits=COMMITS - 1, changed=0)


def slower_from(commits: list[str], first: int, by: float = SLOW) -> dict[str, float]:
    return {commit: by if number >= first else 1.0 for number, commit in enumerate(commits)}


@given(planted=st.integers(1, COMMITS - 1))
def test_a_slowdown_is_found_wherever_it_is(planted: int) -> None:
    search = Bisection(ENDS, slower_from(LINE, planted))
    answer = search.simulated(LINE)
    assert (answer.first_bad, answer.confirmed) == (LINE[planted], True)
    assert len(search.asked) <= MOST_DUETS
    assert answer.confirmation.against == LINE[planted - 1]


@given(
    planted=st.integers(1, COMMITS - 1),
    skipped=st.sets(st.integers(1, COMMITS - 2), max_size=12),
    verdict=st.sampled_from(["incomparable", "undecided"]),
)
def test_what_cannot_be_measured_is_passed_over(planted: int, skipped: set[int], verdict: str) -> None:
    left_out = {LINE[number] for number in skipped}
    search = Bisection(
        ENDS,
        slower_from(LINE, planted),
        lambda asked: verdict if left_out & {asked.commit, asked.against} else None,
    )
    answer = search.simulated(LINE)
    if answer.first_bad is None:
        assert LINE[planted] in answer.possible
        assert set(answer.possible) & left_out
    else:
        assert answer.first_bad == LINE[planted]
        assert answer.confirmed == (LINE[planted - 1] not in left_out)


@given(planted=st.integers(1, COMMITS - 1), step=st.integers(1, 6))
def test_one_wrong_step_never_makes_a_confirmed_wrong_answer(planted: int, step: int) -> None:
    search = Bisection(ENDS, slower_from(LINE, planted))
    lied: list[Comparison] = []

    def lie(asked: Comparison) -> str | None:
        if len(search.asked) != step or asked.against != LINE[0] or asked.commit == LINE[-1]:
            return None
        lied.append(asked)
        return "pass" if search.levels[asked.commit] == SLOW else "fail"

    search.wrong = lie
    answer = search.simulated(LINE)
    assert answer.first_bad == LINE[planted] if answer.confirmed else lied
    # Asked again where the answer is doubted, most are found all the same.
    assert answer.confirmed or answer.first_bad is not None


def test_a_slowdown_in_many_small_steps_is_of_no_single_commit() -> None:
    levels = {commit: 1.001**number for number, commit in enumerate(LINE)}
    answer = Bisection(ENDS, levels).simulated(LINE)
    assert answer.focus is not None
    assert not answer.confirmed
    assert answer.confirmation.word == "good"


def test_a_step_against_the_parent_is_the_confirmation_and_is_told_once() -> None:
    commits = LINE[:3]
    search = Bisection(
        Ends((), Path(), commits[0], commits[-1], first_parent=False, commits=2, changed=0), slower_from(commits, 1)
    )
    assert search.simulated(commits).confirmation == search.asked[1]
    assert [one.commit for one in search.asked] == [commits[2], commits[1]]


def test_a_step_profiles_no_operators(tmp_path: Path) -> None:
    worktree = SimpleNamespace(folder=tmp_path / "candidate", mapped=lambda path: path)
    asked = program([sys.executable, "-m", "pytest", "-k", "a"])
    duets = Duets(worktree, asked, Path(), SimpleNamespace(), tmp_path, [])
    command = duets._command(Comparison("c", "g", 0, None), None, None, tmp_path / "run.json")
    assert command[command.index("-o") + 1] == "tailgate_explain=off"
    assert command.index("-o") < command.index("-k"), "what the user typed comes later, and so counts"


@pytest.mark.parametrize(("level", "word"), [(1.0, "good"), (1.01, "good")])
def test_a_bad_end_that_is_not_slower_ends_it(level: float, word: str) -> None:
    search = Bisection(ENDS, slower_from(LINE, 10, level))
    answer = search.simulated(LINE)
    assert (answer.focus, answer.first.word, len(search.asked)) == (None, word, 1)


def test_undecided_is_asked_again_with_more_pairs() -> None:
    search = Bisection(
        ENDS,
        slower_from(LINE, 20),
        lambda asked: "undecided" if asked.attempt == 0 and asked.commit == LINE[31] else None,
    )
    assert search.simulated(LINE).first_bad == LINE[20]
    assert [one.attempt for one in search.asked if one.commit == LINE[31]] == [0, 1]


@pytest.mark.parametrize("planted", [1, 3])
def test_git_finds_it_among_commits_that_cannot_be_measured(tmp_path: Path, planted: int) -> None:
    commits = linear(tmp_path, 5)
    search = Bisection(
        between(tmp_path, commits),
        slower_from(commits, planted),
        lambda asked: "incomparable" if asked.commit == commits[2] else None,
    )
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    answer = search.run()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    if planted == 1:
        assert (answer.first_bad, answer.confirmed) == (commits[1], True)
    else:
        assert (answer.first_bad, set(answer.possible)) == (None, {commits[2], commits[3]})


def test_a_shallow_clone_is_bisected_as_far_as_it_reaches(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    commits = linear(tmp_path / "whole", 6)[-4:]
    git(tmp_path, "clone", "-q", "--depth=4", (tmp_path / "whole").as_uri(), "shallow")
    answer = Bisection(between(tmp_path / "shallow", commits), slower_from(commits, 2)).run()
    assert (answer.first_bad, answer.confirmed) == (commits[2], True)


def test_merges_are_gits_to_decide(tmp_path: Path) -> None:
    commits = linear(tmp_path, 4)
    git(tmp_path, "checkout", "-q", "-b", "side", commits[1])
    for name in ("s1", "s2"):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", name)
    slow = git(tmp_path, "rev-parse", "side~1")
    git(tmp_path, "checkout", "-q", "main")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge", "side")
    merge = git(tmp_path, "rev-parse", "main")
    levels = dict.fromkeys(git(tmp_path, "rev-list", "main").split(), 1.0)
    levels |= dict.fromkeys([slow, git(tmp_path, "rev-parse", "side"), merge], SLOW)
    found = [
        Bisection(between(tmp_path, [commits[0], merge], first_parent=only_first), levels).run()
        for only_first in (False, True)
    ]
    assert [one.first_bad for one in found] == [slow, merge]
    assert all(one.confirmed for one in found)


@pytest.mark.parametrize(
    ("change_rel", "limit_rel"),
    [(0.03, 0.015), (0.05, 0.02), (0.2, 0.05), (1.0, 0.25)],
)
def test_a_steps_limit_lies_between_the_two_levels(change_rel: float, limit_rel: float) -> None:
    focus = focus_of([Verdict(NAME, "median", "fail", change_rel=change_rel, limit_rel=GATE_REL)])
    assert focus is not None
    assert focus.limit_rel == pytest.approx(limit_rel)
    assert focus.of_one_commit.limit_rel == min(limit_rel, GATE_REL)


def test_the_median_is_looked_for_where_it_failed_too() -> None:
    failed = [
        Verdict(NAME, metric, "fail", change_rel=0.3, limit_rel=limit_rel)
        for metric, limit_rel in (("p99", 0.1), ("median", 0.02))
    ]
    focus = focus_of([*failed, Verdict("other", "median", "pass", change_rel=0.0, limit_rel=0.02)])
    assert (focus.metric, focus.names) == ("median", (NAME,))
    assert focus_of(failed[:1]).metric == "p99"


def judged(metric: str, verdict: str, change_rel: float | None = None, name: str = NAME) -> Verdict:
    return Verdict(name, metric, verdict, change_rel=change_rel, limit_rel=GATE_REL)


@pytest.mark.parametrize(
    ("verdicts", "shown"),
    [
        # The median is looked for, however much larger the change of a P99 is.
        ([judged("p99", "fail", 0.4), judged("median", "fail", 0.05)], ("median", 0.05)),
        ([judged("p99", "fail", 0.4), judged("median", "pass", 0.01)], ("p99", 0.4)),
        ([judged("median", "fail", 0.05), judged("median", "fail", 0.09, "b")], ("median", 0.09)),
        ([judged("throughput", "fail", -0.05), judged("throughput", "fail", -0.3, "b")], ("throughput", -0.3)),
        # Undecided, though a pass has the larger change.
        ([judged("median", "pass", 0.015), judged("p99", "undecided", 0.01)], ("p99", 0.01)),
        # Not the pass that could be compared, where another could not.
        ([judged("median", "pass", 0.01), judged("median", "incomparable", name="b")], ("median", None)),
        ([judged("p99", "pass", 0.09), judged("median", "pass", 0.01)], ("median", 0.01)),
    ],
)
def test_the_verdict_that_decided_is_shown(verdicts: list[Verdict], shown: tuple[str, float | None]) -> None:
    for several in (verdicts, verdicts[::-1]):
        made = Comparison("c", "g", 0, None, tuple(several))
        assert made.telling is not None
        assert (made.telling.metric, made.telling.change_rel) == shown
        assert made.telling.verdict in {"bad": "fail", "undecided": "undecided", "skip": "incomparable"}.get(
            made.word, "pass"
        )
        focus = focus_of(made.verdicts)
        assert focus is None or focus.metric == shown[0]


def test_nothing_compared_shows_no_verdict() -> None:
    assert Comparison("c", "g", 0, None, reason="it does not import").telling is None


@given(st.lists(st.sampled_from(["pass", "improved", "fail", "undecided", "incomparable", "missing", "new"])))
def test_one_word_for_many_verdicts(verdicts: list[str]) -> None:
    names = tuple(f"n{number}" for number in range(len(verdicts)))
    made = Comparison(
        "c", "g", 0, Focus(names, "median", 0.02, 0.02),
        tuple(Verdict(name, "median", verdict) for name, verdict in zip(names, verdicts, strict=True)),
    )  # fmt: skip
    if "fail" in verdicts:
        assert made.word == "bad"
    elif verdicts and set(verdicts) <= {"pass", "improved"}:
        assert made.word == "good"
    else:
        assert made.word == ("undecided" if "undecided" in verdicts else "skip")
    assert from_json(made.as_json()) == made


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (
            "collected 0 items / 1 error\nE   ModuleNotFoundError: No module named 'x'\n=== 1 error ===\n",
            "ModuleNotFound",
        ),
        ("ERROR: usage: pytest [options]\nERROR: file or directory not found: a\n", "file or directory not found: a"),
        (
            "ERROR: usage: python -m pytest [options] [file_or_dir] [...]\n"
            "python -m pytest: error: unrecognized arguments: --no-such\n  inifile: None\n  rootdir: /a\n",
            "unrecognized arguments: --no-such",
        ),
        ("Traceback (most recent call last):\n  File ...\nOSError: no\n\n", "OSError: no"),
        ("", "pytest said nothing"),
    ],
)
def test_why_nothing_was_measured_is_one_line_of_pytests(output: str, why: str) -> None:
    assert because(output).startswith(why)
