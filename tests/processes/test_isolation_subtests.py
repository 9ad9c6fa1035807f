"""pytest's own subtests: a failed one fails its test, wherever that runs."""

import re

import pytest
from isolated import FORK, SPAWN, Project, run_together

pytest.importorskip("_pytest.subtests", reason="subtests came with pytest 9")

TESTS = """
import pytest

@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_parts(benchmark, subtests, wrong):
    benchmark.pedantic(int, rounds=2)
    for part in range(3):
        with subtests.test("part", part=part):
            assert part >= wrong
"""
SAID = re.compile(
    r"(PASSED|FAILED|SUBFAILED\S*|SUBPASSED\S*|contains \d failed subtests?|\d+ failed, \d+ .*?) *(?:\[|in |$)"
)


def test_a_failed_subtest_fails_its_test_as_in_the_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    ways = {"none": ("--isolation=none",), "fork": FORK, "spawn": SPAWN}
    projects = [Project(tmp_path_factory.mktemp(name), test_parts=TESTS) for name in ways]
    wanted = [(project, ("-v", "--csv=rows.csv", *way)) for project, way in zip(projects, ways.values(), strict=True)]
    sessions = dict(zip(ways, run_together(*wanted), strict=True))
    for name, session in sessions.items():
        assert session.code == pytest.ExitCode.TESTS_FAILED
        assert session.outcomes == {
            "test_parts[0]": ["PASSED"], "test_parts[1]": ["FAILED"], "test_parts[2]": ["FAILED"],
        }, name  # fmt: skip
        assert SAID.findall(session.out) == SAID.findall(sessions["none"].out)
        assert session.lines("contains 1 failed subtest$")
        assert session.lines("contains 2 failed subtests$")
        assert session.saved["tailgate_run"]["measured"] == 3, "a passed subtest is no measurement of its own"
    for project in projects:
        rows = (project.folder / "rows.csv").read_text().splitlines()[1:]
        assert sum(",ok," in row for row in rows) == 3, rows
