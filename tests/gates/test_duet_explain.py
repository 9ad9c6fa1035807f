"""Duets whose operators are timed afterwards: by a hook of the project, in processes of their own."""

import pytest
from isolated import Project, Session, run_together
from repositories import SHORT, committed, verdicts

pytestmark = pytest.mark.end_to_end

HOOK = """
import os, pytest
def pytest_tailgate_explain(item, call):
    told = item.function.__globals__["OPERATORS"][item.name]
    call()
    with open(os.environ["LOG"], "a") as log:
        log.write("explained " + item.name + "\\n")
    return told() if callable(told) else told
"""
BENCHMARKS = """
import os, time
def rest(ms): time.sleep(ms / 1000)
def test_slower(benchmark): benchmark(rest, MS)
def test_same(benchmark): benchmark(rest, 2)
def test_pedantic(benchmark): benchmark.pedantic(rest, args=(MS,), rounds=4, warmup_rounds=1)
def test_raises(benchmark): benchmark(rest, MS)
def test_skips(benchmark): benchmark(rest, MS)
def test_nonsense(benchmark): benchmark(rest, MS)
def test_nothing(benchmark): benchmark(rest, MS)
def test_dies(benchmark): benchmark(rest, MS)
def wrong(): raise LookupError("no\\nprofiler")
def skip():
    import pytest
    pytest.skip("not on this machine")
"""
BASE = f"""MS = 2
{BENCHMARKS}
def told(conv_s, **more):
    listed = [dict(name="conv", kind="Conv", time_s=conv_s), dict(name="relu", time_s=0.0005)]
    listed += [dict(name=name, kind=name, time_s=time_s) for name, time_s in more.items()]
    return dict(profiler="a clock", call_s=0.0022, operators=listed)
def dies(): os._exit(3)
OPERATORS = dict(
    test_slower=told(0.0015), test_same=told(0.0015), test_pedantic=told(0.0015), test_raises=wrong, test_skips=skip,
    test_nonsense=dict(operators=[dict(name="conv", time_s=float("nan"))]), test_nothing=None, test_dies=dies,
)
"""
HEAD = BASE.replace("MS = 2", "MS = 3").replace(
    "test_slower=told(0.0015)", "test_slower=told(0.0023, **{'<b>,\"=': 0.0002})"
)
SAME = "import time\ndef test_a(benchmark): benchmark(time.sleep, 0.002)\nOPERATORS = dict(test_a={})\n"
TOLD = dict(operators=[dict(name="conv", time_s=0.002)])  # noqa: C408 (as it stands in the file)


@pytest.fixture(scope="module")
def duets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Session, Project]]:
    def project(name: str, base: str, hook: str = HOOK) -> Project:
        made = Project(tmp_path_factory.mktemp(name), test_a=base)
        made.write("conftest.py", (made.folder / "conftest.py").read_text() + hook)
        return committed(made)

    failed = project("failed", BASE)
    failed.write("test_a.py", HEAD)
    older = project("older", SAME.format(TOLD), hook="")
    older.write("conftest.py", (older.folder / "conftest.py").read_text() + HOOK)
    older.write("test_a.py", SAME.format(TOLD) + "# changed\n")
    off = project("off", SAME.format(TOLD))
    off.write("test_a.py", SAME.format(TOLD).replace("0.002)", "0.003)"))
    together = {
        "failed": (failed, (*SHORT, "--duet=HEAD", "--report=out.html")),
        "older": (older, (*SHORT, "--duet=HEAD", "--explain")),
        "off": (off, (*SHORT, "--duet=HEAD", "-o", "tailgate_explain=off")),
    }
    sessions = run_together(*together.values())
    return {name: (session, made) for (name, (made, _)), session in zip(together.items(), sessions, strict=True)}


def operators(session: Session) -> dict[str, dict[str, object] | None]:
    assert session.saved is not None, session.out
    listed = session.saved["tailgate_duet"]["benchmarks"]
    return {one["fullname"].rpartition("::")[2]: one["operators"] for one in listed}


def test_what_failed_is_explained_and_what_passed_is_not(duets: dict[str, tuple[Session, Project]]) -> None:
    session, project = duets["failed"]
    found = operators(session)
    assert found["test_same"] is None
    assert found["test_slower"] is not None
    assert "explained test_same" not in project.logged
    assert project.logged.count("explained test_slower") == 2 * 2 * 6  # two sides, two turns, six pairs
    (note,) = [note for note in verdicts(session)["test_slower"]["notes"] if "of which" in note]
    assert "of which conv +" in note
    assert '<b>,"= (new) +' in note
    assert note.endswith("% unexplained")
    assert session.lines(r"test_slower \+\d+\.\d %, of which conv \+"), session.out
    assert session.lines(r"operator times by a clock, in 6 pairs of processes of their own \(\d+ s\)")


def test_the_operators_are_in_the_report(duets: dict[str, tuple[Session, Project]]) -> None:
    _, project = duets["failed"]
    page = (project.folder / "out.html").read_text()
    assert "beyond scatter" in page
    assert "&lt;b&gt;,&#34;= (new)" in page


def test_a_test_whose_author_counts_its_calls_is_explained(duets: dict[str, tuple[Session, Project]]) -> None:
    found = operators(duets["failed"][0])["test_pedantic"]
    assert found is not None
    assert found["reasons"] == []
    assert found["pairs"] == 6


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "test_raises",
            "from the base side: pytest_tailgate_explain raised LookupError: no profiler",
        ),
        ("test_skips", "pytest_tailgate_explain raised Skipped: not on this machine"),
        (
            "test_nonsense",
            "pytest_tailgate_explain: the time_s of operator 1 ('conv') is nan, not seconds",
        ),
        ("test_nothing", "its pytest_tailgate_explain knows none of this benchmark"),
        ("test_dies", "crashed: the process ended itself with exit code 3"),
    ],
)
def test_a_hook_that_gives_nothing_costs_the_explanation_alone(
    duets: dict[str, tuple[Session, Project]], name: str, reason: str
) -> None:
    session, _ = duets["failed"]
    found = operators(session)[name]
    assert found is not None
    assert any(reason in text for text in found["reasons"]), found["reasons"]  # type: ignore[attr-defined]
    assert verdicts(session)[name]["verdict"] == "fail"
    assert session.outcomes[name] == ["FAILED"]


def test_a_base_without_the_hook_is_said(duets: dict[str, tuple[Session, Project]]) -> None:
    session, _ = duets["older"]
    found = operators(session)["test_a"]
    assert found is not None
    assert found["reasons"] == [
        "no operator times from the base side: nothing in its checkout fills pytest_tailgate_explain"
    ]
    assert [row["change"] for row in found["rows"]] == ["unmatched"]  # type: ignore[attr-defined]
    assert session.code == 0


def test_an_ini_file_can_turn_it_off(duets: dict[str, tuple[Session, Project]]) -> None:
    session, project = duets["off"]
    assert operators(session) == {"test_a": None}
    assert verdicts(session)["test_a"]["verdict"] == "fail"
    assert project.logged == []


@pytest.mark.parametrize("name", ["failed", "older", "off"])
def test_nothing_is_left_behind(duets: dict[str, tuple[Session, Project]], name: str) -> None:
    session, project = duets[name]
    assert session.left == []
    assert project.temporary_files() == []
