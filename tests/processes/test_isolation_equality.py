"""The same project in the session's own process, forked and spawned: the same tests, results and reports."""

import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from isolated import FORK, SPAWN, Project, Session, run_together

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of this kind are not available here")
WAYS = {"none": ("--isolation=none",), "fork": FORK, "spawn": SPAWN}

CONFTEST = """
import os
import pytest

def pytest_benchmark_generate_machine_info(): return {'node': 'here'}

def say(line):
    with open(os.environ["LOG"], "a") as log:
        log.write(f"{os.getpid()} {line}\\n")

def fixture_of(scope, name=None, autouse=False, needs=()):
    name = name or f"of_{scope}"
    source = f'''
@pytest.fixture(scope="{scope}", autouse={autouse}, name="{name}")
def {name}({", ".join(needs)}):
    say("+{name}")
    yield "{name}"
    say("-{name}")
'''
    exec(source, globals())

for scope in ("session", "package", "module", "class", "function"):
    fixture_of(scope)
fixture_of("session", "always_session", autouse=True)
fixture_of("module", "always_module", autouse=True)
fixture_of("function", "always", autouse=True)
"""
SCOPES = """
import pytest
from conftest import say

ORDER = ("of_session", "of_package", "of_module", "of_class", "of_function")

def test_plain_before(of_session, of_module):
    say("plain_before")

def test_every_scope(benchmark, of_session, of_package, of_module, of_class, of_function):
    say("every_scope")
    benchmark(sum, [1])
    benchmark.extra_info["seen"] = [of_session, of_package, of_module, of_class, of_function]

def test_plain_between(of_session, of_module, of_function):
    say("plain_between")

def test_on_request(benchmark, request):
    say("on_request")
    assert request.getfixturevalue("of_class") == "of_class"
    benchmark(sum, [1])

class TestShared:
    def test_plain_in_class(self, of_class):
        say("plain_in_class")

    def test_in_class(self, benchmark, of_class):
        say("in_class")
        benchmark(sum, [1])

    def test_plain_again(self, of_class):
        say("plain_again")

def test_plain_last(of_module):
    say("plain_last")
"""
FEATURES = """
import gc, logging, os, sys, threading, unittest, warnings
import pytest

STATE = {"changed": 0}
START = set(sys.modules)

@pytest.fixture(autouse=True)
def always_fresh(request, benchmark_or_none):
    STATE["changed"] += 1

@pytest.fixture
def benchmark_or_none():
    return None

@pytest.mark.parametrize("size", [1, 10], ids=["small", "large"])
@pytest.mark.parametrize("kind", [(list, {"a": None})])
def test_parameters(benchmark, size, kind):
    benchmark(sum, range(size))

class TestClass:
    made = []

    def setup_class(cls):
        cls.made.append("class")

    def setup_method(self):
        self.made.append("method")

    def test_method(self, benchmark):
        benchmark(sum, [1])
        benchmark.extra_info["made"] = self.made[:2]

    @pytest.mark.benchmark(group="marked", min_rounds=4, disable_gc=True, warmup=False)
    def test_marked(self, benchmark):
        assert benchmark(lambda: gc.isenabled()) in (True, False)

def setup_module():
    TestClass.made.clear()

def test_pedantic(benchmark):
    result = benchmark.pedantic(lambda a, b: a + b, args=(1,), kwargs={"b": 2}, rounds=6, iterations=2, warmup_rounds=1)
    assert result == 3

@pytest.fixture
def notes(benchmark):
    yield benchmark.extra_info
    benchmark.extra_info["in_teardown"] = "yes"

def test_notes(benchmark, notes):
    notes["before"] = 1
    benchmark.group = "mine"
    benchmark(sum, [1])
    notes["after"] = [1.5, {"deep": (1, 2)}, None]

class Weavable:
    def work(self):
        return sum([1, 2])

def test_woven(benchmark_weave):
    aspectlib = pytest.importorskip("aspectlib", reason="aspectlib is not installed")
    benchmark_weave(Weavable.work, lazy=True)
    assert Weavable().work() == 3

def test_capsys(benchmark, capsys):
    print("through capsys")
    benchmark(sum, [1])
    assert capsys.readouterr().out == "through capsys\\n"

def test_capfd(benchmark, capfd):
    os.write(1, b"through capfd\\n")
    benchmark(sum, [1])
    assert capfd.readouterr().out == "through capfd\\n"

class OwnWarning(UserWarning):
    pass

def test_many_fixtures(benchmark, monkeypatch, tmp_path, caplog, record_property):
    monkeypatch.setenv("PATCHED", "yes")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    caplog.set_level(logging.INFO)
    logging.getLogger("mine").info("logged")
    record_property("colour", "red")
    with pytest.warns(UserWarning, match="expected"):
        warnings.warn("expected")
    benchmark(sum, [1])
    record_property("shape", ["round", 1])
    warnings.warn("for the summary", DeprecationWarning)
    warnings.warn(OwnWarning("of my own"))
    assert os.listdir() == ["file"]
    assert caplog.messages == ["logged"]

@pytest.mark.filterwarnings("error::UserWarning")
def test_warning_is_an_error(benchmark):
    benchmark(sum, [1])
    warnings.warn("too much")

def test_unused(benchmark):
    pass

def test_difference(benchmark):
    print("printed")
    print("complained", file=sys.stderr)
    logging.getLogger("mine").warning("logged")
    benchmark(sum, [1])
    assert {"a": 1, "b": [1, 2, 3]} == {"a": 1, "b": [1, 2, 4]}, "as said"

def broken():
    raise ValueError("inside the timed function")

def test_raises_while_timed(benchmark):
    benchmark(broken)

@pytest.fixture
def bad_end():
    yield
    raise OSError("at the end")

def test_bad_end(benchmark, bad_end):
    benchmark(sum, [1])

@pytest.mark.skip(reason="not now")
def test_skip(benchmark):
    benchmark(sum, [1])

@pytest.mark.skipif(sys.version_info > (3,), reason="only then")
def test_skipif(benchmark):
    benchmark(sum, [1])

def test_skips_itself(benchmark):
    pytest.skip("in the middle")

@pytest.mark.xfail(reason="known", raises=ValueError)
def test_xfail(benchmark):
    benchmark(broken)

@pytest.mark.xfail
def test_xpass(benchmark):
    benchmark(sum, [1])

@pytest.mark.xfail(strict=True, reason="must fail")
def test_xpass_strict(benchmark):
    benchmark(sum, [1])

def test_imperative_xfail(benchmark):
    pytest.xfail("given up")

def test_used_twice(benchmark):
    benchmark(sum, [1])
    benchmark(sum, [2])

class TestUnit(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def bench(self, benchmark):
        self.benchmark = benchmark

    def test_unit(self):
        self.benchmark(sum, [1])

@pytest.mark.parametrize("n", [1, 2])
def test_state(benchmark, n):
    benchmark.extra_info.update(
        state=STATE["changed"], pid=os.getpid(), parent=os.getppid(), threads=threading.active_count(),
        system_threads=len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1,
        environ=sorted(name for name in os.environ if "TAILGATE" in name),
        imported=sorted(set(sys.modules) & {"colorsys", "sndhdr", "this", "antigravity"}),
    )
    import colorsys
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    STATE["changed"] += 100
    benchmark(sum, [1])
"""
ASKED = (
    "-v", "-rA", "--junitxml=junit.xml", "-o", "junit_family=xunit1", "--rounds=20", "--warmup-rounds=1",
    "--benchmark-cprofile=tottime", "--meters=none", "-p", "no:cacheprovider",
)  # fmt: skip
CALIBRATION = {"calibration_compute_s", "calibration_memory_s"}
"""Also beside a row whose test failed, where it ran in a process of its own."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Session, Project]]:
    projects = {}
    for name in WAYS:
        folder = tmp_path_factory.mktemp(name)
        project = projects[name] = Project(folder, conftest=CONFTEST)
        (folder / "package").mkdir()
        for file, text in {"__init__": "", "test_scopes": SCOPES, "test_features": FEATURES}.items():
            project.write(f"package/{file}.py", text)
    sessions = run_together(*((projects[name], (*ASKED, *way)) for name, way in WAYS.items()))
    return dict(zip(WAYS, zip(sessions, projects.values(), strict=True), strict=True))


OTHERS = pytest.mark.parametrize("way", ["fork", "spawn"])


def told(project: Project) -> dict[str, Any]:
    """JUnit's account of each test: what happened, its text and its properties."""
    found = {}
    for case in ElementTree.parse(project.folder / "junit.xml").iter("testcase"):
        happened = [
            (child.tag, child.get("message"), child.get("type"), tidied(child.text or ""))
            for child in case
            if child.tag in ("failure", "error", "skipped")
        ]
        properties = [(one.get("name"), one.get("value")) for one in case.iter("property")]
        output = {child.tag: tidied(child.text or "") for child in case if child.tag.startswith("system-")}
        found[f"{case.get('classname')}::{case.get('name')}"] = (happened, properties, output)
    return found


def tidied(text: str) -> str:
    """Without what is another in every run: addresses and folders."""
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    return re.sub(r"/\S*/(none|fork|spawn)\d+/", "", text)


@OTHERS
def test_every_test_has_the_same_outcome_text_output_and_properties(runs: dict[str, Any], way: str) -> None:
    assert runs[way][0].code == runs["none"][0].code == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in runs[way][0].out
    expected, got = told(runs["none"][1]), told(runs[way][1])
    assert list(got) == list(expected)
    for name in expected:
        assert got[name] == expected[name], name
    assert runs[way][0].outcomes == runs["none"][0].outcomes
    assert summary(runs[way][0]) == summary(runs["none"][0])


def summary(session: Session) -> list[str]:
    """``-rA``'s lines, and the last one without its seconds."""
    lines = session.out.partition("short test summary info")[2].splitlines()[1:]
    return [re.sub(r" in \d.*", "", tidied(line)).strip("= ") for line in lines]


@OTHERS
def test_every_row_has_the_same_name_group_parameters_and_fields(runs: dict[str, Any], way: str) -> None:
    expected, got = runs["none"][0], runs[way][0]
    assert list(got.rows) == list(expected.rows)
    for name, row in expected.rows.items():
        other = got.rows[name]
        assert set(other) == set(row)
        for key in ("group", "name", "fullname", "params", "param", "options"):
            assert normal(other[key]) == normal(row[key]), (name, key)
        assert set(other["stats"]) == set(row["stats"])
        assert other["stats"]["rounds"] == row["stats"]["rounds"]
        assert len(other["stats"]["data"]) == row["stats"]["rounds"]
        assert set(other["extra_info"]) - CALIBRATION == set(row["extra_info"]) - CALIBRATION, name
        assert {entry["function_name"] for entry in other["cprofile"]} >= {"{built-in method builtins.sum}"} & {
            entry["function_name"] for entry in row["cprofile"]
        }
    notes = got.rows["test_notes"]
    assert notes["group"] == "mine"
    assert [notes["extra_info"][key] for key in ("before", "after", "in_teardown")] == [
        1, [1.5, {"deep": [1, 2]}, None], "yes",
    ]  # fmt: skip
    assert got.rows["test_method"]["extra_info"]["made"] == ["class", "method"]
    assert [(entry["fullname"], entry["status"]) for entry in got.saved["unmeasured"]] == [
        (entry["fullname"], entry["status"]) for entry in expected.saved["unmeasured"]
    ]
    assert set(got.saved) == set(expected.saved)


def normal(value: Any) -> Any:
    return tidied(repr(value))


@OTHERS
def test_warnings_are_in_the_summary_once(runs: dict[str, Any], way: str) -> None:
    def warned(session: Session) -> list[str]:
        part = session.out.partition("warnings summary")[2].partition("-- Docs:")[0]
        return sorted(tidied(line).strip() for line in part.splitlines()[1:] if line.strip())

    expected = warned(runs["none"][0])
    assert any("OwnWarning: of my own" in line for line in expected)
    assert any("Benchmark fixture was not used at all" in line for line in expected)
    assert warned(runs[way][0]) == expected


@OTHERS
def test_the_table_and_the_profile_show_the_same_benchmarks(runs: dict[str, Any], way: str) -> None:
    def shown(session: Session) -> list[str]:
        return [re.split(r" {2,}", line)[0].split(" (")[0] for line in session.lines(r"^test_\w+(\[.*\])? +[\d,.]+ ")]

    assert len(shown(runs["none"][0])) > 15
    assert sorted(shown(runs[way][0])) == sorted(shown(runs["none"][0]))
    assert runs[way][0].lines("cProfile")


def scopes_of(project: Project) -> dict[str, list[str]]:
    """What each process did in ``test_scopes``, by the test that ran there; the session's by ``plain``."""
    by_process: dict[str, list[str]] = {}
    for line in project.logged:
        pid, _, did = line.partition(" ")
        by_process.setdefault(pid, []).append(did)
    named = {}
    for dids in by_process.values():
        bodies = [did for did in dids if not did.startswith(("+", "-"))]
        if bodies:
            named[bodies[0].partition("_")[0] if bodies[0].startswith("plain") else bodies[0]] = dids
    return named


@OTHERS
def test_fixtures_of_every_scope_are_set_up_and_torn_down_in_the_benchmarks_process(
    runs: dict[str, Any], way: str
) -> None:
    done = scopes_of(runs[way][1])
    for name in ("every_scope", "on_request", "in_class"):
        body = done[name].index(name)
        before, after = done[name][:body], done[name][body + 1 :]
        before += [did for did in after if did.startswith("+")]  # requested inside of the test
        after = [did for did in after if did.startswith("-")]
        assert {did[1:] for did in before} == {did[1:] for did in after}
        assert {"+always_session", "+always_module", "+always"} <= set(before)
        assert after == [f"-{did[1:]}" for did in reversed(before)], "in the order of every pytest run"
    assert [f"+of_{scope}" for scope in ("session", "package", "module", "class", "function")] == [
        did for did in done["every_scope"] if did.startswith("+of_")
    ]


@OTHERS
def test_other_tests_share_fixtures_in_the_session_as_ever(runs: dict[str, Any], way: str) -> None:
    def plain(project: Project) -> list[str]:
        return [
            did
            for did in scopes_of(project)["plain"]
            if did not in ("every_scope", "on_request", "in_class") and "always" not in did
        ]

    session = plain(runs[way][1])
    for name in ("of_session", "of_module", "of_class"):
        assert (session.count(f"+{name}"), session.count(f"-{name}")) == (1, 1), name
    bodies = [did for did in plain(runs["none"][1]) if did.startswith("plain")]
    assert [did for did in session if did.startswith("plain")] == bodies
    assert session.index("+of_module") < session.index("plain_before") < session.index("plain_last")
    assert session.index("plain_last") < session.index("-of_module") < session.index("-of_session")
    assert session.index("plain_again") < session.index("-of_class") < session.index("plain_last")


@OTHERS
def test_each_process_is_fresh(runs: dict[str, Any], way: str) -> None:
    one, two = (runs[way][0].rows[f"test_state[{n}]"]["extra_info"] for n in (1, 2))
    assert one["pid"] != two["pid"]
    for info in (one, two):
        assert info["state"] == 1, "no other test has run here, nor in the fork server"
        assert info["threads"] == 1
        assert info["environ"] == []
        assert info["imported"] == []
        if way == "fork":
            assert info["system_threads"] == 1
    same_process = [runs["none"][0].rows[f"test_state[{n}]"]["extra_info"]["pid"] for n in (1, 2)]
    assert len(set(same_process)) == 1


@OTHERS
def test_nothing_is_left_and_temporary_folders_do_not_pile_up(runs: dict[str, Any], way: str) -> None:
    session, project = runs[way]
    assert session.left == []
    assert project.temporary_files() == []
    (user,) = project.temporary.iterdir()
    assert [path.name for path in user.iterdir() if not path.is_symlink()] == ["pytest-0"]
    assert list(Path(user, "pytest-0").iterdir()), "tmp_path is kept as ever"
