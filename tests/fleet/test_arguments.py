"""Pytest's arguments, taken apart for a fleet."""

import pytest

from tailgate.errors import TailgateError
from tailgate.fleet.arguments import NOT_OURS, parsed

ISOLATED = "--isolation=process"


def test_what_is_kept_at_home_is_taken_out() -> None:
    found = parsed(["benchmarks", "--benchmark-save=epyc", "--gate", "--benchmark-compare", "old", "-k", "a b"])
    assert found.measuring == ("benchmarks", "-k", "a b", ISOLATED)
    assert (found.name, found.compare, found.gate, found.resume) == ("epyc", "old", True, False)
    assert found.judging == ("--benchmark-compare=old", "--gate")


def test_with_nothing_said_runs_have_a_name_and_are_judged_by_nothing() -> None:
    found = parsed([])
    assert (found.measuring, found.name, found.judging) == ((ISOLATED,), "fleet", ())


def test_isolation_may_be_named_and_resume_too() -> None:
    assert parsed(["--isolation", "process", "--resume"]).resume
    assert parsed(["--isolation=process"]).measuring == (ISOLATED,)


@pytest.mark.parametrize("option", NOT_OURS)
def test_what_cannot_be_done_on_a_node_is_refused_with_what_to_do(option: str) -> None:
    for text in (option, f"{option}=x"):
        with pytest.raises(TailgateError, match=f"{option} cannot be given"):
            parsed([text])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--isolation=none"], "--isolation=process"),
        (["--isolation", "none"], "--isolation=process"),
        (["--gate"], "add --benchmark-compare=NAME"),
        (["--benchmark-save=../x"], "is not a name"),
        (["--benchmark-save"], "is not a name"),
        (["--benchmark-compare", "--gate"], "is not a name"),
        (["--benchmark-save=\x1b[31m\n"], "is not a name"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str) -> None:
    with pytest.raises(TailgateError, match=said) as caught:
        parsed(arguments)
    assert "\n" not in str(caught.value)
