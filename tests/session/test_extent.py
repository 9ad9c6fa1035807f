"""What a session says of its own completeness, and what a later one makes of it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from foreign import MANY
from histories import NAMES, bench, project, saved_run

from tailgate.gates.saved.baselines import pruned
from tailgate.gates.saved.expected import expected
from tailgate.gates.saved.files import remarks, verdicts_on
from tailgate.gates.saved.sessions import read
from tailgate.results.limits import Limits
from tailgate.session.extent import Extent, extent_of
from tailgate.session.selection import Selection, selection_from_json
from tailgate.stats.decision import MISSING

ONE, TWO = NAMES
EVERYTHING = Selection()
NO_CLOCK = ("--benchmark-timer=clock.now", "-p", "clock", "--benchmark-quiet", "-p", "no:hypothesispytest")
STOP = """
def pytest_runtest_logfinish(nodeid):
    if "one" in nodeid and pathlib.Path("stop").exists():
        raise KeyboardInterrupt
"""
BROKEN = "import nothing_of_this_name\ndef test_three(benchmark): benchmark(int)\n"
SKIPPED = "import pytest\npytest.skip('not here', allow_module_level=True)\n"

SESSIONS = {  # arguments -> (complete, in the reasons, list -> its names)
    (): (True, "", {}),
    ("test_it.py",): (False, "only test_it.py", {}),
    (".",): (True, "", {}),
    (ONE,): (False, "only test_it.py::test_one", {}),
    ("-k", "one"): (False, "-k 'one'", {"deselected": [TWO]}),
    ("-m", "slow"): (False, "-m 'slow'", {"deselected": [TWO]}),
    (f"--deselect={TWO}",): (False, "--deselect 'test_it.py::test_two[a]'", {"deselected": [TWO]}),
    ("--ignore=other",): (False, "--ignore 'other'", {}),
    ("--skipped=two",): (True, "", {"skipped": [TWO]}),
    ("--passive=two",): (True, "", {"called_no_benchmark": [TWO]}),
    ("--failing=two",): (True, "", {"failed": [TWO]}),  # after it was measured
    ("--failing=two", "--passive=two"): (False, "failed: test_it.py::test_two[a]", {"failed": [TWO]}),
    ("--failing=one", "-x"): (False, "interrupted: stopping after 1 fail", {"failed": [ONE], "not_reached": [TWO]}),
    ("--failing=one", "--maxfail=1", "--benchmark-only"): (False, "interrupted: stopping after 1 failures", {}),
    ("--lf",): (False, "--lf", {}),
    ("--ff",): (True, "", {}),  # all of them, in another order
    ("--sw",): (False, "--sw", {}),
    ("--rounds=10", "-v", "--tb=no", "--junitxml=x.xml"): (True, "", {}),
}  # fmt: skip
ALONE = {  # what the folder has in it -> the same
    "stop": (False, "interrupted: KeyboardInterrupt; not reached: test_it.py::test_two[a]", {"not_reached": [TWO]}),
    "test_broken.py": (False, "not collected: test_broken.py", {"collectors_failed": ["test_broken.py"]}),
    "test_skipped.py": (True, "", {"skipped": ["test_skipped.py"]}),
}


def several(folder: Path, *sessions: tuple[str, ...]) -> list[list]:
    every = [[*NO_CLOCK, *arguments] for arguments in sessions]
    command = [sys.executable, "-c", MANY]
    done = subprocess.run(command, input=json.dumps(every), cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Name of a session -> what its file says of itself, and its output."""
    folder = project(tmp_path_factory.mktemp("extents"))
    (folder / "conftest.py").write_text((folder / "conftest.py").read_text() + STOP)
    text = (folder / "test_it.py").read_text()
    (folder / "test_it.py").write_text(text.replace("def test_one", "@pytest.mark.slow\ndef test_one"))
    ini = "[pytest]\naddopts = -m 'not gpu'\nmarkers =\n    slow: x\n    gpu: x\ntailgate_protocol = quick\n"
    (folder / "pytest.ini").write_text(ini + "tailgate_baselines = baselines\n")
    said = several(folder, *[(*given, f"--benchmark-json={n}.json") for n, given in enumerate(SESSIONS)])
    found = {given: (folder / f"{n}.json", said[n][1]) for n, given in enumerate(SESSIONS)}
    for name, content in (("stop", ""), ("test_broken.py", BROKEN), ("test_skipped.py", SKIPPED)):
        (folder / name).write_text(content)
        more = ("--continue-on-collection-errors", f"--benchmark-json={name}.json")
        ((_, text),) = several(folder, more)
        found[name] = (folder / f"{name}.json", text)
        (folder / name).unlink()
    return found


@pytest.mark.parametrize(
    "name", [*SESSIONS, *ALONE], ids=lambda name: name if isinstance(name, str) else " ".join(name)
)
def test_a_saved_session_says_what_it_came_to(name, saved):
    complete, reason, names = {**SESSIONS, **ALONE}[name]
    file, output = saved[name]
    how = json.loads(file.read_text())["tailgate_run"]
    assert how["complete"] is complete, how
    assert reason in "; ".join(how["incomplete_because"])
    assert (how["interrupted"] is not None) == ("interrupted" in reason)
    lists = ("deselected", "failed", "skipped", "not_reached", "called_no_benchmark", "collectors_failed")
    if names or complete:
        assert {one: how[one] for one in lists if how[one]} == names
    assert ("The saved run holds a part of the benchmarks" in output) is not complete
    assert extent_of({"tailgate_run": how}).complete is complete


def test_the_selection_is_there_as_given_and_standing_options_do_not_narrow(saved):
    how = json.loads(saved["-k", "one"][0].read_text())["tailgate_run"]["selection"]
    assert how == {
        "arguments": ["."], "keyword": "one", "markers": "not gpu", "deselect": [], "ignore": [], "ignore_glob": [],
        "last_failed": False, "stepwise": False, "options": {},
    }  # fmt: skip
    assert selection_from_json(how) == Selection(keyword="one", markers="not gpu")
    theirs = json.loads(saved["--skipped=two",][0].read_text())["tailgate_run"]["selection"]
    assert theirs["options"] == {"skipped": "two"}, "the project's own option may have chosen tests"


COVERS = [
    (Selection(), True),
    (Selection(arguments=("a",)), True),
    (Selection(arguments=("a/test_b.py::C",)), True),
    (Selection(arguments=("a/test_b.py::C::test_d",)), True),
    (Selection(arguments=("a/test_b.py::C::test_d[1]",)), False),
    (Selection(arguments=("b", "/elsewhere")), False),
    (Selection(keyword="test_d and not x"), False),
    (Selection(keyword="test_d and not z"), True),
    (Selection(deselect=("a/test_b.py::C",)), False),
    (Selection(ignore=("a",)), False),
    (Selection(ignore_glob=("*_b.py",)), False),
]


@pytest.mark.parametrize(("selection", "covered"), COVERS)
def test_what_a_selection_covers(selection, covered):
    assert selection.covers("a/test_b.py::C::test_d[x]") is covered
    assert selection_from_json(json.loads(json.dumps(selection.as_json()))) == selection


@pytest.mark.parametrize("wrong", [None, [], {}, {"arguments": "a"}, {**Selection().as_json(), "keyword": "and ("}])
def test_a_selection_that_somebody_made_is_none(wrong):
    assert selection_from_json(wrong) is None


WHOLE = Extent(True, (), EVERYTHING)
EXTENTS = {  # a session without TWO -> whether that shows that TWO is gone
    "whole": (WHOLE, True),
    "does not say": (Extent(), True),
    "cut short": (Extent(False, ("x",), EVERYTHING, {"not_reached": frozenset([TWO])}), False),
    "cut short elsewhere": (Extent(False, ("x",), EVERYTHING, {"not_reached": frozenset([ONE])}), True),
    "-k that covers it": (replace(WHOLE, complete=False, selection=Selection(keyword="two")), True),
    "-k": (replace(WHOLE, complete=False, selection=Selection(keyword="one")), False),
    "-m": (replace(WHOLE, selection=Selection(markers="slow")), False),
    "--lf": (replace(WHOLE, selection=Selection(last_failed=True)), False),
    "--sw": (replace(WHOLE, selection=Selection(stepwise=True)), False),
    "another file": (replace(WHOLE, selection=Selection(arguments=("test_other.py",))), False),
    "another option": (replace(WHOLE, selection=Selection(options={"models": "a"})), False),
    "deselected": (replace(WHOLE, left_out={"deselected": frozenset([TWO])}), False),
    "skipped": (replace(WHOLE, left_out={"skipped": frozenset([TWO])}), False),
    "its file skipped": (replace(WHOLE, left_out={"skipped": frozenset(["test_it.py"])}), False),
    "its file broken": (replace(WHOLE, left_out={"collectors_failed": frozenset(["test_it.py"])}), False),
    "another file broken": (replace(WHOLE, left_out={"collectors_failed": frozenset(["test_i.py"])}), True),
    "failed": (replace(WHOLE, left_out={"failed": frozenset([TWO])}), False),
}


@pytest.mark.parametrize("name", EXTENTS)
def test_what_a_session_without_a_benchmark_shows(name):
    extent, gone = EXTENTS[name]
    assert extent.shows_gone(TWO, EVERYTHING) is gone


@pytest.mark.parametrize("options", [{"models": "a"}, {}])
def test_a_session_that_was_asked_for_the_same_as_today_s_speaks_for_it(options):
    same = Selection(markers="not slow", options=options)
    assert Extent(True, (), same).shows_gone(TWO, same)
    assert Extent(True, (), same).shows_gone(TWO, replace(same, keyword="two"))
    assert not Extent(True, (), same).shows_gone(TWO, Selection(options={"models": "b"}))


OLD = [  # tailgate_run and unmeasured of an older Tailgate -> complete
    ({"selected": 2, "measured": 2}, [], None),
    ({"selected": 3, "measured": 2}, [{"fullname": "a", "status": "failed", "reason": "x"}], None),
    ({"selected": 3, "measured": 1}, [{"fullname": "a", "status": "failed", "reason": "x"}], False),
    ({"selected": "3", "measured": 1}, "?", None),
    ({}, [], None),
    ("?", [], None),
]


@pytest.mark.parametrize(("how", "unmeasured", "complete"), OLD)
def test_an_older_tailgate_s_run_is_taken_as_whole_where_its_counts_agree(how, unmeasured, complete):
    found = extent_of({"tailgate_run": how, "unmeasured": unmeasured})
    assert found.complete is complete
    assert complete is not False or not found.shows_gone(TWO, EVERYTHING)


def facts(complete=True, selection=EVERYTHING, **lists):
    because = [] if complete else ["interrupted: Ctrl-C"]
    return {
        "tailgate_run": {"complete": complete, "incomplete_because": because, "selection": selection.as_json(), **lists}
    }


CUT = facts(False, not_reached=[TWO])
BY_WISH = facts(False, Selection(keyword="one"), deselected=[TWO])


def written(folder: Path, *runs) -> list[Path]:
    home = folder / "machine"
    home.mkdir()
    files = [home / f"{number:04}_epyc.json" for number in range(1, len(runs) + 1)]
    for file, (names, top) in zip(files, runs, strict=True):
        file.write_text(json.dumps(saved_run(*(bench(name, 1e-3) for name in names), **top)))
    return files


HISTORIES = {  # runs -> benchmark -> index of the run it is expected from; how a note begins
    "cut short": ([(NAMES, facts()), ([ONE], CUT)], {ONE: 1, TWO: 0}, "0002_epyc.json is not complete (interrupted"),
    "by wish": ([(NAMES, facts()), ([ONE], BY_WISH)], {ONE: 1, TWO: 0}, "0002_epyc.json is not complete"),
    "removed": ([(NAMES, facts()), ([ONE], facts())], {ONE: 1}, None),
    "removed, then cut short": ([(NAMES, facts()), ([ONE], facts()), ([ONE], CUT)], {ONE: 2, TWO: 0}, "0003"),
    "removed, then another cut": (
        [(NAMES, facts()), ([ONE], facts()), ([ONE], facts(False, not_reached=["x"]))], {ONE: 2}, "0003"),
    "old ones": ([(NAMES, {}), ([ONE], {})], {ONE: 1}, "0002_epyc.json: taken as complete"),
    "old, then new": ([(NAMES, {}), (NAMES, facts())], {ONE: 1, TWO: 1}, None),
    "accepted": (
        [(NAMES, facts()), ([ONE], {**facts(skipped=[TWO]), "tailgate_gate": {
            "failed": True, "accepted": "x", "verdicts": [{"fullname": TWO, "verdict": MISSING}]}})], {ONE: 1}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_what_has_to_be_there_by_a_history(name, tmp_path):
    runs, names, note = HISTORIES[name]
    files = written(tmp_path, *runs)
    found = expected([read(file) for file in files], EVERYTHING)
    if name == "removed, then cut short":  # not reached, so it was there again
        names = {ONE: 2}
    assert {key: files.index(session.path) for key, session in found.sessions.items()} == names
    assert [one.startswith(note or "?") for one in found.notes] == [True] * (note is not None)


COMPARED = {  # the last file -> whether TWO is missing in it, and a text of the reason or the remarks
    "removed": (([ONE], facts()), True, "and not in 0003"),
    "cut short": (([ONE], CUT), True, "the run was over before it"),
    "failed": (([ONE], facts(False, failed=[TWO])), True, "its test failed"),
    "skipped": (([ONE], facts(skipped=[TWO])), True, "it was skipped"),
    "by wish": (([ONE], BY_WISH), False, "what it was told to leave out is not judged"),
    "-k, removed": (([ONE], facts(False, Selection(keyword="test"))), True, "and not in 0003"),
    "--lf": (([ONE], facts(False, Selection(last_failed=True))), False, "not complete"),
    "other options": (([ONE], facts(selection=Selection(options={"models": "a"}))), True, "other options of the"),
    "does not say": (([ONE], {}), True, "and not in 0003"),
}


@pytest.mark.parametrize("name", COMPARED)
def test_two_files_are_compared_by_what_both_were_asked_for(name, tmp_path):
    last, missing, text = COMPARED[name]
    sessions = [read(file) for file in written(tmp_path, (NAMES, facts()), ([ONE], CUT), last)]
    verdicts, history = verdicts_on(sessions, Limits({"median": 0.02}), lambda name: True)
    found = [one for one in verdicts if one.verdict == MISSING]
    assert [one.fullname for one in found] == [TWO] * missing
    assert text in "".join([*(one.reason for one in found), *remarks(sessions[-1], history)])


PRUNED = {  # runs, oldest first -> the indices of those removed by --keep 1
    "whole ones": ([(NAMES, facts())] * 3, [0, 1]),
    "cut short since": ([(NAMES, facts()), (NAMES, facts()), ([ONE], CUT), ([ONE], CUT)], [0, 2]),
    "by wish since, all in one": ([(NAMES, facts()), (NAMES, facts(False)), (NAMES, facts(False))], [1]),
    "removed before": ([(NAMES, facts()), ([ONE], facts()), ([ONE], CUT)], [0]),
}  # fmt: skip


@pytest.mark.parametrize("name", PRUNED)
def test_prune_keeps_the_last_complete_session(name, tmp_path):
    runs, removed = PRUNED[name]
    files = written(tmp_path, *runs)
    before = set(expected([read(file) for file in files], EVERYTHING).sessions)
    assert [files.index(file) for file in pruned(tmp_path, "epyc", 1)] == removed
    left = [read(file) for file in files if file.exists()]
    assert any(one.extent.complete for one in left)
    assert set(expected(left, EVERYTHING).sessions) == before
