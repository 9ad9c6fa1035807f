"""The saved gate with a process for each benchmark: a failure is confirmed by a fresh one before it is told."""

import json

import pytest
from histories import CONFTEST, FILES, TIMER, series
from isolated import Project, run_together

GATE = ("--benchmark-compare=epyc", "--gate", *TIMER, "--isolation=process", "-v", "--junitxml=junit.xml")
SCENARIOS = {
    "slower": ("--factor=1.05",),
    "slower, spawned": ("--factor=1.05", "--start-method=spawn"),
    "slower once": ("--first-factor=1.05",),
    "slower in two processes": ("--factor=1.05", "--processes=2"),
    "unchanged": (),
    "missing": ("--without=two",),
    "stopped": ("--factor=1.05", "-x"),
    "expected to fail": ("--factor=1.05",),
    "interrupted": ("--factor=1.05",),
}


INTERRUPT = """
from tailgate.processes.isolation import Isolation

def interrupted(self, item):
    raise KeyboardInterrupt

Isolation._fresh = interrupted
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    projects = {}
    for name in SCENARIOS:
        folder = tmp_path_factory.mktemp("gated")
        projects[name] = Project(folder)
        for file, text in FILES.items():
            (folder / file).write_text(text)
        (folder / "conftest.py").write_text(CONFTEST)
        series(folder, "epyc")
    expected = projects["expected to fail"]
    text = FILES["test_it.py"].replace("def test_one", "@pytest.mark.xfail(reason='known')\ndef test_one")
    expected.write("test_it.py", text)
    projects["interrupted"].write("conftest.py", CONFTEST + INTERRUPT)
    sessions = run_together(*((projects[name], (*GATE, *more)) for name, more in SCENARIOS.items()))
    return dict(zip(SCENARIOS, zip(sessions, projects.values(), strict=True), strict=True))


def verdicts(session):
    return {one["fullname"].rpartition("::")[2]: one for one in session.saved["tailgate_gate"]["verdicts"]}


@pytest.mark.parametrize("name", ["slower", "slower, spawned", "slower in two processes"])
def test_a_failure_is_confirmed(name, ended):
    session, project = ended[name]
    assert session.code == 1, session.out
    found = verdicts(session)
    assert (found["test_one"]["verdict"], found["test_one"]["confirmed"]) == ("fail", True)
    assert found["test_one"]["change_rel"] == pytest.approx(0.05, abs=1e-3)
    assert (found["test_two[a]"]["verdict"], found["test_two[a]"]["confirmed"]) == ("pass", None)
    assert session.outcomes == {"test_one": ["FAILED"], "test_two[a]": ["PASSED"]}
    assert session.rows["test_one"]["extra_info"]["gate_confirmation_median_s"] == pytest.approx(1.05e-3, rel=1e-3)
    assert session.rows["test_one"]["extra_info"]["gate_verdict"] == "fail"
    assert len(session.rows["test_one"]["stats"]["data"]) in (20, 40)
    assert "; confirmed; reproduce: pytest test_it.py::test_one" in session.out
    junit = (project.folder / "junit.xml").read_text()
    assert 'failures="1"' in junit
    assert not session.left


def test_what_fails_once_only_is_undecided(ended):
    session, _ = ended["slower once"]
    assert session.code == 0, session.out
    found = verdicts(session)["test_one"]
    assert (found["verdict"], found["confirmed"]) == ("undecided", False)
    assert "failed once, and not when it was measured again" in session.out
    assert session.saved["tailgate_gate"]["failed"] is False


def test_nothing_changed(ended):
    session, _ = ended["unchanged"]
    assert session.code == 0, session.out
    assert "2 pass" in session.out


def test_missing(ended):
    session, _ = ended["missing"]
    assert session.code == 1, session.out
    assert session.outcomes == {"test_one": ["PASSED"], "test_two[a]": ["FAILED"]}


def test_a_regression_stops_the_session_where_failures_do_and_nothing_is_called_missing(ended):
    session, _ = ended["stopped"]
    assert session.code == 1, session.out
    assert session.outcomes == {"test_one": ["FAILED"]}
    assert list(verdicts(session)) == ["test_one"]
    assert "missing" not in session.out


def test_a_regression_that_is_expected_is_an_expected_failure(ended):
    session, _ = ended["expected to fail"]
    assert session.outcomes["test_one"] == ["XFAIL"], session.out
    assert session.code == 0


def test_every_file_is_whole_json(ended):
    for session, project in ended.values():
        assert session.saved == json.loads((project.folder / "run.json").read_text())


def test_interrupted_while_confirming_it_is_a_failure_all_the_same(ended):
    session, _ = ended["interrupted"]
    assert session.code == 2, session.out
    assert session.outcomes == {"test_one": ["FAILED"]}
    assert verdicts(session)["test_one"]["verdict"] == "fail"
    assert "not confirmed: interrupted before; reproduce: pytest" in session.out
    assert session.saved["tailgate_gate"]["failed"] is True
