"""``tailgate history``: what it finds, what it leaves out and why, and whatever a file may hold."""

import json
import math
from typing import Any

import histories as saved
import pytest

from tailgate.commands.main import main
from tailgate.history import histories
from tailgate.results.saved_run import Run

ONE, TWO = saved.NAMES
STEP = math.log(1.1)


def tailgate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    return code, *capsys.readouterr()


def stepped(
    sessions: int, place: int, change: float = STEP, names: tuple[str, ...] = saved.NAMES, **top: Any
) -> list[Run]:
    """Runs of two benchmarks; the first one's level changes with session ``place``."""
    medians = saved.scattered(sessions)
    return [
        saved.saved_run(
            *(saved.bench(name, median * math.exp(change * (index >= place and name == names[0]))) for name in names),
            **top,
        )
        for index, median in enumerate(medians)
    ]


def test_a_step_is_told_with_its_commits(folder, commits, capsys):
    runs = stepped(12, 8)
    for run, commit in zip(runs, commits, strict=True):
        run["commit_info"] = {"id": commit, "dirty": False}
    saved.write(folder, "epyc", runs)
    code, out, _ = tailgate(capsys, "history", "epyc")
    assert code == 0
    lines = out.splitlines()
    assert "next:" not in out
    assert lines[2].split() == ["benchmark", "sessions", "level", "history", "changes"]
    assert lines[0].startswith(f"{saved.FOLDER}: 12 sessions, 2026-11-20 to 2026-11-20; ordered by number, as their")
    assert [line.split()[0] for line in lines if line.startswith("test_")] == ["test_one", "test_two[a]", "test_one"]
    assert "│" in next(line for line in lines if line.startswith("test_one"))
    assert any(line.startswith("test_one median +10.2 % [99 % CI ") and "0009_epyc.json on" in line for line in lines)
    assert f"  commits: 1 commit, {commits[7][:10]}..{commits[8][:10]}" in lines
    assert any(line.endswith(" change 8") for line in lines)
    assert "  the machine: no change is known of its fingerprint, packages and kernel" in lines
    (found,) = histories(folder / "baselines", "epyc")
    (change,) = found.benchmarks[0].changes
    assert (change.index, change.previous, change.worse, change.machines) == (8, 7, True, False)
    assert found.benchmarks[1].changes == []


@pytest.mark.parametrize(("metric", "sign", "worse"), [("median", 1, True), ("p99", 1, True), ("throughput", -1, True)])
def test_each_metric_has_its_direction(folder, metric, sign, worse):
    saved.write(folder, "epyc", stepped(20, 12))
    (found,) = histories(folder / "baselines", "epyc", metric)
    (change,) = found.benchmarks[0].changes
    assert change.worse == worse
    assert math.copysign(1, change.change_rel) == sign


def test_the_same_commit_is_the_machines(folder, commits, capsys):
    saved.write(folder, "epyc", stepped(20, 12, commit_info={"id": commits[3], "dirty": False}))
    assert "the code did not change, so this is the machine's" in tailgate(capsys, "history", "epyc")[1]


def test_a_calibration_kernel_that_became_slower_too_is_the_machine(folder, capsys):
    runs = stepped(20, 12)
    for index, run in enumerate(runs):
        factor = (1 + index % 3 / 1000) * (1.1 if index >= 12 else 1.0)
        run["tailgate_run"] = {"calibrations": [{"after": None, "compute_s": 1e-3 * factor, "memory_s": 2e-3}]}
    saved.write(folder, "epyc", runs)
    out = tailgate(capsys, "history", "epyc")[1]
    assert "this is the machine's: the calibration kernel's time for computing +10." in out
    assert "copying memory" not in out


def other_machine(**changes: Any) -> dict[str, Any]:
    return {**saved.MACHINE, **changes}


def test_packages_that_changed_between_two_folders_are_named(folder, capsys):
    packages = {**saved.MACHINE["packages"], "numpy": "99.0"}
    for index, run in enumerate(runs := stepped(20, 12)):
        run["datetime"] = f"2026-11-{index + 1:02}T10:00:00+00:00"
    for run in runs[12:]:
        run["machine_info"] = saved.saved_run(machine=other_machine(packages=packages))["machine_info"]
    saved.write(folder, "epyc", runs[:12])
    saved.write(folder, "epyc", runs[12:], place="afterwards")
    out = tailgate(capsys, "history", "epyc")[1]
    assert out.startswith(f"{saved.FOLDER}, afterwards: 20 sessions")
    assert f"packages.numpy {saved.MACHINE['packages']['numpy']!r} -> '99.0' (from 0001_epyc.json on)" in out


def test_other_hardware_is_another_history(folder):
    saved.write(folder, "epyc", stepped(10, 99))
    saved.write(folder, "epyc", stepped(10, 99, 1.0, machine=other_machine(cpu_model="other")), place="other")
    found = histories(folder / "baselines", "epyc")
    assert sorted(len(one.folders) for one in found) == [1, 1]
    assert not any(benchmark.changes for one in found for benchmark in one.benchmarks)


def test_folders_that_take_turns_are_kept_apart(folder, capsys):
    saved.write(folder, "epyc", stepped(10, 99))
    saved.write(folder, "epyc", stepped(10, 99, machine=other_machine(driver_version="2")), place="other")
    runs = {path: json.loads(path.read_text()) for path in folder.glob("baselines/*/*.json")}
    for path, run in runs.items():
        path.write_text(json.dumps({**run, "datetime": f"2026-11-{int(path.name[:4]):02}T10:00:00"}))
    out = tailgate(capsys, "history", "epyc")[1]
    assert out.count("their sessions take turns: they are kept apart") == 2


def test_an_accepted_failure_begins_a_level(folder, capsys):
    runs = stepped(20, 99)
    runs[14]["tailgate_gate"] = {"failed": True, "accepted": "2026-11-20"}
    saved.write(folder, "epyc", runs)
    (found,) = histories(folder / "baselines", "epyc")
    assert [one.changes[0].index for one in found.benchmarks] == [14, 14]
    assert "  accepted with 0015_epyc.json" in tailgate(capsys, "history", "epyc")[1]


def test_a_level_that_became_worse_before_it_was_accepted_begins_where_it_did(folder):
    runs = stepped(20, 12)
    for index in (12, 13):
        runs[index]["tailgate_gate"] = {"failed": True}
    runs[14]["tailgate_gate"] = {"failed": True, "accepted": "2026-11-20"}
    saved.write(folder, "epyc", runs)
    (found,) = histories(folder / "baselines", "epyc")
    (change,) = found.benchmarks[0].changes
    assert (change.index, change.accepted) == (12, 14)


@pytest.mark.parametrize("sessions", [1, 2, 7])
def test_a_short_history_says_how_many_sessions_it_needs(folder, capsys, sessions):
    saved.write(folder, "epyc", stepped(sessions, 1))
    code, out, _ = tailgate(capsys, "history", "epyc")
    assert code == 0
    assert f"{sessions} session{'s' * (sessions > 1)} of the 11 that a change of level needs" in out
    assert out.endswith("\nNo change could be told: too few sessions.\n")


def test_no_change_counts_what_could_not_be_told(folder, capsys):
    runs = stepped(12, 99)
    saved.write(folder, "epyc", runs)
    assert tailgate(capsys, "history", "epyc")[1].endswith("\nNo level changed.\n")
    saved.write(folder, "half", [*({**run, "benchmarks": run["benchmarks"][1:]} for run in runs[:9]), *runs[9:]])
    assert tailgate(capsys, "history", "half")[1].endswith("\nNo level changed; 1 of 2 could not be told.\n")


@pytest.mark.parametrize(("place", "told"), [(5, []), (6, [6]), (10, [10])])
@pytest.mark.parametrize("sessions", [12, 30])
def test_a_doubling_within_the_first_ten_sessions(folder, place, told, sessions):
    """As docs/regressions/history.md says of the beginning."""
    saved.write(folder, "epyc", stepped(sessions, place, math.log(2)))
    (found,) = histories(folder / "baselines", "epyc")
    assert [one.index for one in found.benchmarks[0].changes] == told


@pytest.mark.parametrize(("change", "same_machine", "said"), [(STEP, True, 1), (-STEP, True, 0), (STEP, False, 0)])
def test_several_commits_of_a_change_for_the_worse_are_bisected_next(
    folder, commits, capsys, change, same_machine, said
):
    runs = stepped(20, 12, change)
    for index, run in enumerate(runs):
        run["commit_info"] = {"id": commits[min(11, index // 2 + 3 * (index >= 12))], "dirty": False}
        run["machine_info"]["node"] = "here" if same_machine or index < 12 else "there"
    saved.write(folder, "epyc", runs)
    command = f"tailgate bisect --good {commits[5][:10]} --bad {commits[9][:10]} -- pytest {ONE}"
    lines = tailgate(capsys, "history", "epyc")[1].splitlines()
    assert [line.startswith("  commits: 4 commits, ") for line in lines].count(True) == 1
    assert lines.count(f"  next: {command}") == said


@pytest.mark.parametrize("inside", [".", "below"])
def test_the_folder_is_the_projects_own(folder, monkeypatch, capsys, inside):
    saved.write(folder, "epyc", stepped(12, 99))
    (folder / "perf").mkdir()
    (folder / "baselines").rename(folder / "perf" / "saved")
    (folder / "pytest.ini").write_text("[pytest]\ntailgate_baselines = perf/saved\n")
    (folder / inside).mkdir(exist_ok=True)
    monkeypatch.chdir(folder / inside)
    for command in (("history", "epyc"), ("baselines", "list"), ("baselines", "show", "epyc")):
        code, out, _ = tailgate(capsys, *command)
        assert (code, saved.FOLDER in out) == (0, True)
    (folder / "run.json").write_text(json.dumps(stepped(1, 99)[0]))
    code, out, _ = tailgate(capsys, "baselines", "accept", str(folder / "run.json"), "--as=epyc")
    assert (code, len(list((folder / "perf" / "saved").glob("*/*.json")))) == (0, 13)


def test_what_does_not_count_says_why(folder):
    runs = stepped(12, 99)
    first = [run["benchmarks"][0] for run in runs]
    first[2]["extra_info"] = {"status": "contended"}
    first[3]["stats"]["median"] = 0
    first[4]["extra_info"] = {"model_sha256": "other"}
    first[5]["extra_info"] = {"status": "late"}
    first[11]["extra_info"] = {"model_sha256": "this"}
    del runs[6]["benchmarks"][0]
    runs[7]["benchmarks"].append(first[7])
    runs[8]["tailgate_run"] = {"isolation": "process"}
    runs[11]["tailgate_run"] = {"isolation": "none"}
    saved.write(folder, "epyc", runs)
    (found,) = histories(folder / "baselines", "epyc")
    unused = {index: one.unused for index, one in enumerate(found.benchmarks[0].points) if one.unused}
    assert unused == {
        2: "contended", 3: "no median", 4: "another workload (model_sha256)", 5: "late", 6: "not measured",
        7: "2 rows of one name", 8: "measured with --isolation=process",
    }  # fmt: skip


def test_where_nothing_counts_it_says_why(folder, capsys):
    runs = stepped(12, 8)
    for run in runs:
        run["benchmarks"][0]["extra_info"] = {"status": "contended"}
    saved.write(folder, "epyc", runs)
    _, out, _ = tailgate(capsys, "history", "epyc")
    assert "0 sessions of the 11 that a change of level needs; not used: 12 contended" in out


def test_a_broken_file_is_left_out_and_said(folder, capsys):
    files = saved.write(folder, "epyc", stepped(12, 99))
    files[3].write_text("{")
    code, out, _ = tailgate(capsys, "history", "epyc")
    assert code == 0
    assert f"Note: left out: baselines/{saved.FOLDER}/0004_epyc.json: not a saved run" in out


def test_runs_of_plain_pytest_benchmark_and_null_fields_have_a_history(folder, capsys):
    runs = stepped(12, 8)
    for run in runs:
        run["machine_info"] = None
        run["commit_info"] = run["datetime"] = None
        for bench in run["benchmarks"]:
            bench["extra_info"] = None
    saved.write(folder, "epyc", runs)
    code, out, _ = tailgate(capsys, "history", "epyc")
    assert code == 0
    assert "commits: a session does not say which commit it measured" in out
    assert "  not known: the calibration kernel did not run in one of the levels" in out


HOSTILE = ("a,b", 'say "x"', "=1+1", "new\nline", "\x1b[31mred", "<script>", "\u202egnp", "x" * 10_000)


def test_no_name_is_obeyed_and_none_is_lost(folder, capsys):
    saved.write(folder, "epyc", stepped(12, 8, names=HOSTILE))
    _, out, _ = tailgate(capsys, "history", "epyc")
    assert not set("\x1b\u202e") & set(out)
    assert max(map(len, out.splitlines())) < 300
    _, told, _ = tailgate(capsys, "history", "epyc", "--json")
    (found,) = json.loads(told)
    assert [one["fullname"] for one in found["benchmarks"]] == list(HOSTILE)
    assert {key: found["benchmarks"][0]["changes"][0][key] for key in ("index", "worse")} == {"index": 8, "worse": True}
    assert len(found["sessions"]) == len(found["benchmarks"][0]["points"]) == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("epic",), "history: unknown name 'epic'; did you mean 'epyc'? (allowed: epyc)"),
        (("epyc", "--json", "--html=site"), "--json prints and --html writes: leave one of them out"),
        (("epyc", "--metric=mean"), "--metric: unknown value 'mean'; did you mean 'median'?"),
        (("epyc", "--storage=nowhere"), "history: no folder nowhere here"),
    ],
)
def test_wrong_usage_is_one_line(folder, capsys, arguments, said):
    saved.write(folder, "epyc", stepped(3, 99))
    code, out, err = tailgate(capsys, "history", *arguments)
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert said in err
