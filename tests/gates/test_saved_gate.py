"""``--benchmark-compare=NAME --gate`` through the command line: no case is green that should not be."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest
from foreign import OTHERS_OFF, run_all
from histories import FILES, MACHINE, NAMES, TIMER, bench, project, saved_run, scattered, series, write

from tailgate.session.selection import Selection

AT_ONCE = 3
OTHER_MACHINE = {**MACHINE, "cpu_model": "Another CPU"}


def gate(word, *more):
    return (f"--benchmark-compare={word}", "--gate", *TIMER, "--benchmark-quiet", *more)


CASES = {  # name -> (word, arguments, exit code, what is said of test_one, of test_two, a text of the output)
    "pass": ("epyc", (), 0, "pass", "pass", "2 pass"),
    "slower": ("epyc", ("--factor=1.05",), 1, "fail", "pass", "test_one median +5.0 % [99 % CI"),
    "below the limit": ("epyc", ("--factor=1.015",), 0, "pass", "pass", "2 pass"),
    "a larger limit": ("epyc", ("--factor=1.05", "--gate-min-effect=6%"), 0, "pass", "pass", "2 pass"),
    "a larger limit by marker": ("epyc", ("--factor=1.05", "--marker={'median': '6%'}"), 0, "pass", "pass", "2 pass"),
    "throughput down": ("epyc", ("--factor=1.05", "--gate-metrics=throughput"), 1, "fail", "pass", "throughput -4.8 %"),
    "P99 up": ("epyc", ("--factor=1.5", "--gate-metrics=p99"), 1, "fail", "pass", "p99 +36"),
    "improved": ("epyc", ("--factor=0.9",), 0, "improved", "pass", "1 improved, 1 pass"),
    "short history": ("short", ("--factor=2",), 0, "undecided", "undecided", "9 saved sessions of the 10"),
    "one session": ("single", (), 0, "undecided", "undecided", "one saved session shows no scatter"),
    "removed": ("epyc", ("--without=two",), 1, "pass", "missing", "removed, renamed or not selected any more"),
    "renamed": ("epyc", ("--variant=b",), 1, "pass", "missing", "renamed to test_two[b]?"),
    "skipped": ("epyc", ("--skipped=two",), 1, "pass", "missing", "not measured now: not today"),
    "not called": ("epyc", ("--passive=two",), 1, "pass", "missing", "its test called no benchmark"),
    "failed": ("epyc", ("--failing=two",), 1, "pass", None, "1 pass"),
    "all removed": ("epyc", ("--without=test",), 1, "missing", "missing", "2 missing"),
    "all skipped": ("epyc", ("--skipped=test",), 1, "missing", "missing", "2 missing"),
    "deselected": ("epyc", ("-k", "one"), 0, "pass", None, "1 pass"),
    "removed, by -k": ("epyc", ("--without=two", "-k", "two or one"), 1, "pass", "missing", "1 missing"),
    "removed, not by -k": ("epyc", ("--without=two", "-k", "one"), 0, "pass", None, "1 pass"),
    "by name": ("epyc", ("test_it.py::test_one",), 0, "pass", None, "1 pass"),
    "by file": ("epyc", ("--without=two", "test_it.py"), 1, "pass", "missing", "1 missing"),
    "by --deselect": ("epyc", ("--deselect=test_it.py::test_two",), 0, "pass", None, "1 pass"),
    "removed, after a run that was cut short": (
        "cut", ("--without=two",), 1, "pass", "missing", "_cut.json is not complete (interrupted: Ctrl-C)"),
    "all there, after a run that was cut short": ("cut", (), 0, "pass", "pass", "what it lacks does not count"),
    "removed, after a run of a part": (
        "part", ("--without=two",), 1, "pass", "missing", "_part.json is not complete (-k 'one')"),
    "deselected, after a run that was cut short": ("cut", ("-k", "one"), 0, "pass", None, "1 pass"),
    "removed, before a whole run": ("whole", ("--without=two",), 0, "pass", None, "1 pass"),
    "by the project's option": ("epyc", ("--without=two", "--excluded=two"), 0, "pass", None, "1 pass"),
    "other machine": ("elsewhere", (), 1, "incomparable", "incomparable", "nothing was compared: another machine: cpu"),
    "other workload": ("workload", ("--workload=new",), 1, "incomparable", "incomparable", "model_sha256 'old' there"),
    "same workload": ("workload", ("--workload=old",), 0, "pass", "pass", "2 pass"),
    "new": ("only_one", (), 0, "pass", "new", "1 pass, 1 new"),
    "all new": ("others", ("--excluded=gone",), 1, "new", "new", "nothing was compared: not in the baseline"),
    "slow drift": ("drifting", ("--factor=1.16",), 1, "fail", "pass", "slow drift: against the oldest 10 sessions"),
    "failed runs are no history": ("ratchet", ("--factor=1.05",), 1, "fail", "pass", "5 whose own gate failed"),
    "only failed runs": ("regressed", (), 1, "incomparable", "incomparable", "compared: not used: 5 whose own"),
    "begun anew": ("accepted", ("--factor=1.05",), 0, "undecided", "undecided", "one saved session"),
    "otherwise isolated": ("isolated", (), 1, "incomparable", "incomparable", "10 not measured with --isolation=none"),
    "contended history": ("contended", (), 1, "undecided", "undecided", "all 10 saved sessions were disturbed"),
    "contended now": ("epyc", ("--factor=1.05", "--status=contended"), 0, "undecided", "pass", "the row is contended"),
    "a file": ("baselines/{folder}/0003_epyc.json", ("--factor=1.05",), 1, "fail", "pass", "10 saved sessions"),
    "a glob": ("*_epyc", ("--factor=1.05",), 1, "fail", "pass", "10 saved sessions"),
    "objective met": ("epyc", ("--marker={'median_max': '2ms', 'throughput_min': 900}",), 0, "pass", "pass", "4 pass"),
    "objective missed": ("epyc", ("--marker={'median_max': '500us'}",), 1, "fail", "pass", "median_max 500 µs: not"),
    "throughput too low": ("epyc", ("--marker={'throughput_min': 1100}",), 1, "fail", "pass", "throughput_min 1,100"),
    "P99 too high": ("epyc", ("--marker={'p99_max': '500us'}",), 1, "fail", "pass", "p99_max 500 µs: 1 ms [95 %"),
    "P99 of too few": ("epyc", ("--marker={'p99_max': '2ms'}",), 0, "undecided", "pass", "20 rounds do not bound it"),
    "objective of a new one": (
        "others", ("--excluded=gone", "--marker={'median_max': '2ms'}"), 0, "pass", "new", "1 pass"),
    "undecided objective alone": (
        "others", ("--excluded=gone", "--marker={'p99_max': '2ms'}"), 1, "undecided", "new", "nothing was compared"),
}  # fmt: skip
WRONG = {
    "no comparison": (("--gate",), "--gate judges against saved runs: add --benchmark-compare=NAME"),
    "no such word": (gate("epyk"), "no saved run 'epyk'; did you mean 'epyc'?"),
    "disabled": (gate("epyc", "--benchmark-disable"), "measures nothing with --benchmark-disable"),
    "all benchmarks skipped": (gate("epyc", "--benchmark-skip"), "judges nothing with --benchmark-skip"),
    "broken history": (gate("broken"), "broken or truncated JSON"),
    "huge number": (gate("huge"), "test_one has no number for median"),
    "deep history": (gate("deep"), "lists or objects more than 100 deep inside of each other"),
    "both gates": (gate("epyc", "--duet=main"), "leave one of them out"),
    "wrong marker": (gate("epyc", "--marker={'p9': '3%'}"), "@pytest.mark.gate: unknown limit 'p9'; did you mean"),
    "wrong value": (gate("epyc", "--marker={'median': 3}"), "(median=...): 3 is not a limit"),
    "wrong effect": (gate("epyc", "--gate-min-effect=3"), "--gate-min-effect: '3' is not a limit"),
    "wrong metric": (gate("epyc", "--gate-metrics=mean"), "--gate-metrics: unknown metric 'mean'; did you mean"),
    "report to a folder": (gate("epyc", "--report=x.html/y.html"), "cannot be written"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = project(tmp_path_factory.mktemp("gated"))
    series(found, "epyc")
    series(found, "short", 9)
    series(found, "single", 1)
    series(found, "elsewhere", machine=OTHER_MACHINE, place="other-0123456789ab")
    series(found, "workload", model_sha256="old")
    series(found, "only_one", names=NAMES[:1])
    series(found, "others", names=("test_it.py::test_gone",))
    series(found, "drifting", 30, drift=0.005, scatter=0.001)
    series(found, "ratchet")
    medians = [1.05 * median for median in scattered(5)]
    write(found, "ratchet", [failed_run(median) for median in medians])
    write(found, "regressed", [failed_run(median) for median in medians])
    series(found, "accepted")
    write(found, "accepted", [failed_run(1.05e-3, accepted="2026-11-20")])
    series(found, "isolated", top={"tailgate_run": {"isolation": "process"}})
    series(found, "contended", status="contended")
    for word, extent in EXTENTS.items():
        series(found, word)
        write(found, word, [saved_run(bench(NAMES[0], 1e-3), tailgate_run=extent)])
    broken = series(found, "broken")[3]
    broken.write_text(broken.read_text()[:-9])
    huge = series(found, "huge")[3]
    huge.write_text(huge.read_text().replace('"median": ', f'"median": {10**400}, "was": ', 1))
    deep = series(found, "deep")[3]
    deep.write_text(deep.read_text().replace('"extra_info": {}', f'"extra_info": {"[" * 5000}{"]" * 5000}', 1))
    (found / "x.html").write_text("a file")
    return found


def extent(complete, because, selection, **lists):
    return {"complete": complete, "incomplete_because": because, "selection": selection.as_json(), **lists}


EXTENTS = {  # of a last session without test_two
    "cut": extent(False, ["interrupted: Ctrl-C"], Selection(), not_reached=[NAMES[1]]),
    "part": extent(False, ["-k 'one'"], Selection(keyword="one"), deselected=[NAMES[1]]),
    "whole": extent(True, [], Selection(options={"without": "two"})),
}


def failed_run(median_s, **mark):
    return saved_run(*(bench(name, median_s) for name in NAMES), tailgate_gate={"failed": True, **mark})


@pytest.fixture(scope="module")
def ran(folder):
    home = next(path.parent.name for path in folder.glob("baselines/*/0001_epyc.json"))
    arguments = {}
    for name, (word, more, *_) in CASES.items():
        slug = name.replace(" ", "-").replace("'", "").replace(",", "")
        outputs = (f"--benchmark-json={slug}.json", f"--junitxml={slug}.xml")
        arguments[name] = (*gate(word.format(folder=home), *more), *outputs)
    every = [*arguments.values(), *(wrong for wrong, _ in WRONG.values())]
    found = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:  # their clock is not the machine's
        for part in pool.map(lambda first: run_all(folder, *every[first::AT_ONCE]), range(AT_ONCE)):
            found.update(part)
    return {name: (*found[given], given[-2].partition("=")[2]) for name, given in arguments.items()} | {
        name: found[given] for name, (given, _) in WRONG.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_verdicts(name, ran, folder):
    _, _, expected, one, two, text = CASES[name]
    code, out, saved = ran[name]
    assert code == expected, out
    assert text in out
    assert "INTERNALERROR" not in out
    assert "Traceback" not in out
    found = {}
    for verdict in verdicts_of(folder, saved, out):
        found.setdefault(verdict["fullname"], set()).add(verdict["verdict"])
    assert one is None or one in found.get(NAMES[0], ()), out
    assert (two in found.get(NAMES[1], ())) if two else NAMES[1] not in found, out


def verdicts_of(folder, saved, out):
    """From the JSON; where nothing was measured pytest-benchmark writes none."""
    text = (folder / saved).read_text() if (folder / saved).exists() else ""
    if text:
        return json.loads(text)["tailgate_gate"]["verdicts"]
    return [{"fullname": name, "verdict": "missing"} for name in NAMES if f"missing: {name.rpartition('::')[2]}" in out
            or "missing: test_one and 1 more" in out]  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "fail" in case[3:5] or "missing" in case[3:5]]
)
def test_a_failure_is_one_line_in_junit(name, ran, folder):
    _, _, _, one, two, _ = CASES[name]
    saved = ran[name][2]
    suite = ET.parse(folder / saved.replace(".json", ".xml")).getroot().find("testsuite")
    failures = [failure.text for failure in suite.iter("failure")]
    assert int(suite.get("failures")) == len(failures) == [one, two].count("fail") + [one, two].count("missing")
    assert all("\n" not in text for text in failures)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_one_line_before_anything_is_measured(name, ran):
    code, out = ran[name]
    text = WRONG[name][1]
    assert code == 4, out
    said = [line for line in out.splitlines() if text in line]
    assert len(said) == 1, out
    assert "Traceback" not in out
    assert "gate ---" not in out


def test_all_the_numbers_are_in_the_json(ran, folder):
    saved = json.loads((folder / ran["slower"][2]).read_text())
    mark = saved["tailgate_gate"]
    assert mark["failed"] is True
    assert mark["alpha"] == 0.01
    assert [path[-14:] for path in mark["history"]] == [f"{number:04}_epyc.json" for number in range(1, 11)]
    first = mark["verdicts"][0]
    assert first["base_s"] == pytest.approx(1e-3)
    assert first["head_s"] == pytest.approx(1.05e-3, rel=1e-4)
    assert first["change_rel"] == pytest.approx(0.05, abs=1e-4)
    assert first["low_rel"] < 0.05 < first["high_rel"]
    assert (first["replicates"], first["unit"], first["limit_rel"]) == (10, "saved sessions", 0.02)
    assert "test_it.py::test_one" in first["reproduce"]
    assert first["reproduce"].startswith("pytest ")
    assert [row["extra_info"]["gate_verdict"] for row in saved["benchmarks"]] == ["fail", "pass"]
    assert "not confirmed: needs --isolation=process" in ran["slower"][1]


def test_a_run_that_failed_is_saved_and_never_its_own_judge(tmp_path):
    folder = project(tmp_path)
    series(folder, "epyc")
    saving = gate("epyc", "--factor=1.05", "--benchmark-save=epyc")
    removed = gate("epyc", "--without=two", "--benchmark-save=epyc")
    again = gate("epyc", "--factor=1.05")
    found = run_all(folder, saving, removed, again)
    assert [found[one][0] for one in (saving, removed, again)] == [1, 1, 1]
    files = sorted(folder.glob("baselines/*/*.json"))
    assert [file.name for file in files[10:]] == ["0011_epyc.json", "0012_epyc.json"]
    assert all(json.loads(file.read_text())["tailgate_gate"]["failed"] for file in files[10:])
    assert "Against 10 saved sessions of 'epyc'; not used: 2 whose own gate failed" in found[again][1]
    assert "it is in 0010_epyc.json" in found[removed][1]


def test_without_the_ini_value_the_folder_of_pytest_benchmark_is_used(tmp_path):
    folder = project(tmp_path)
    (folder / "pytest.ini").write_text("[pytest]\n")
    series(folder, "epyc")
    shutil.move(folder / "baselines", folder / ".benchmarks")
    same, unknown = gate("epyc"), gate("epyk")
    found = run_all(folder, same, unknown)
    assert found[same][0] == 0
    assert "2 pass" in found[same][1]
    assert found[unknown][0] == 4


FORBIDDEN = [
    "rich",
    "jinja2",
    "msgspec",
    "scipy",
    "scipy.stats",
    "tailgate.gates.saved.plugin",
    "tailgate.results.verdict_table",
    "tailgate.session.live_page",
]
LOOK = """
import json, sys
import pytest
code = pytest.main(sys.argv[1:])
print(json.dumps([int(code), [name for name in %r if name in sys.modules]]))
"""


def test_a_session_without_a_gate_imports_nothing_of_it(tmp_path):
    folder = project(tmp_path)
    command = [sys.executable, "-c", LOOK % FORBIDDEN, *OTHERS_OFF, *TIMER, "--benchmark-save=epyc"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    code, imported = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    # P99's interval in the saved run needs scipy, gate or not; scipy.stats would take half a second.
    assert imported in ([], ["scipy"])


def test_a_test_that_another_plug_in_runs_again_is_judged_by_its_last_run(tmp_path):
    folder = project(tmp_path)
    series(folder, "epyc")
    again = """
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if "one" not in item.name:
        return None
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        pathlib.Path("said.txt").write_text("".join(str(report.longrepr) for report in reports if report.failed))
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
    (folder / "conftest.py").write_text(FILES["conftest.py"] + again)
    arguments = gate("epyc", "--first-factor=1.05", "--benchmark-json=run.json")
    code, said = run_all(folder, arguments)[arguments]
    assert code == 0, said
    assert "test_one median +5.0 %" in (folder / "said.txt").read_text()
    mark = json.loads((folder / "run.json").read_text())["tailgate_gate"]
    assert [one["verdict"] for one in mark["verdicts"]] == ["pass", "pass"]
    assert mark["failed"] is False
