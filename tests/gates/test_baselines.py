import json
import re
import shutil
import stat
from pathlib import Path

import pytest
from foreign import CONFTEST, OTHERS_OFF, SHORT, run_all, run_one, written

from tailgate.errors import TailgateError
from tailgate.results.saved_run import load_run, machine_id_of, machine_of
from tailgate.seams.storage import BaselineStorage, saved_name

INI = "[pytest]\ntailgate_baselines = baselines\n"
PROJECT = "def test_one(benchmark): benchmark(sum, [1])\n"


@pytest.fixture(scope="module")
def once_saved(tmp_path_factory):
    """A project with one saved run, ``epyc``."""
    folder = written(tmp_path_factory.mktemp("saved"), PROJECT)
    (folder / "pytest.ini").write_text(INI)
    assert run_one(folder, SHORT, "--benchmark-save=epyc").returncode == 0
    return folder


@pytest.fixture
def project(once_saved, pytester):
    """A copy of it to change."""
    shutil.copytree(once_saved, pytester.path, dirs_exist_ok=True)
    return pytester


def run(project, *arguments):
    return project.runpytest_subprocess(*OTHERS_OFF, SHORT, *arguments)


def saved_files(project):
    return {file.name: file for file in project.path.glob("baselines/*/*.json")}


def test_a_run_is_saved_with_raw_rounds_in_the_folder_of_its_fingerprint(project):
    (file,) = saved_files(project).values()
    saved = json.loads(file.read_text())
    assert file.name == "0001_epyc.json"
    assert file.parent.name.endswith("-" + saved["machine_info"]["fingerprint_id"])
    (bench,) = saved["benchmarks"]
    assert len(bench["stats"]["data"]) == bench["stats"]["rounds"]


def test_a_run_that_is_saved_says_what_to_do_with_it(project):
    said = "Next: --benchmark-compare=arm shows what has changed since this run; with --gate a regression fails, from "
    alone = run(project, "--benchmark-save=arm").stdout.str()
    assert said + "10 saved runs on. --duet=GIT_REF needs none." in alone.splitlines()
    assert "Next:" not in run(project, "--benchmark-save=arm", "--benchmark-compare=epyc").stdout.str()
    assert "Next:" not in run(project).stdout.str()


def test_the_latest_run_saved_under_a_plain_word_is_compared_with_and_then_followed(project):
    (first,) = saved_files(project).values()
    shutil.copy(first, first.with_name("0002_epyc.json"))
    shutil.copy(first, first.with_name("0003_epyc2.json"))
    ran = run(project, "--benchmark-compare=epyc", "--benchmark-save=epyc", "--benchmark-columns=p99,median")
    assert ran.ret == 0
    assert {line.split(")")[0] for line in ran.outlines if line.startswith("test_one")} == {
        "test_one (0002_epyc",
        "test_one (NOW",
    }
    assert "other machine" not in ran.stdout.str()
    assert sorted(saved_files(project))[-1] == "0004_epyc.json"


def test_the_plain_word_works_in_a_project_without_the_ini_value(pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(PROJECT)
    assert run(pytester, "-p", "no:tailgate", "--benchmark-save=epyc").ret == 0
    assert len(list(pytester.path.glob(".benchmarks/Linux-*/0001_epyc.json"))) == 1
    found = run(pytester, "--benchmark-compare=epyc")
    found.stdout.fnmatch_lines(["test_one (0001_epyc)*"])
    unknown = run(pytester, "--benchmark-compare=eypc")  # pytest-benchmark's own answer to an unknown name
    unknown.stderr.fnmatch_lines(["*Can't compare. No benchmark files*"])
    assert (found.ret, unknown.ret) == (0, 0)


def edited(change):
    """What makes a broken file of a whole one by changing the run in it."""

    def text(file):
        saved = json.loads(file.read_text())
        change(saved)
        return json.dumps(saved)

    return text


def in_stats(**values):
    return edited(lambda saved: saved["benchmarks"][0]["stats"].update(values))


def without(*names):
    def change(saved):
        for name in names:
            del saved["benchmarks"][0]["stats"][name]

    return edited(change)


def raw_rounds_only(data):
    def change(saved):
        stats = saved["benchmarks"][0]["stats"]
        stats["data"] = data
        del stats["p99"]

    return edited(change)


BROKEN = {
    "empty": (lambda _: "", "broken or truncated JSON"),
    "truncated": (lambda file: file.read_text()[:-20], "broken or truncated JSON"),
    "no JSON": (lambda _: "<html>404</html>", "broken or truncated JSON"),
    "a list": (lambda _: "[]", "not a pytest-benchmark run"),
    "another object": (lambda _: '{"benchmarks": 3}', "not a pytest-benchmark run"),
    "newer schema": (edited(lambda saved: saved.update(tailgate_schema_version=99)), "schema version 99"),
    "schema of no number": (edited(lambda saved: saved.update(tailgate_schema_version="1")), "schema version '1'"),
    "benchmark of no object": (edited(lambda saved: saved["benchmarks"].append(3)), "benchmark 1 has no name"),
    "no name": (edited(lambda saved: saved["benchmarks"][0].pop("name")), "benchmark 0 has no name"),
    "no stats": (edited(lambda saved: saved["benchmarks"][0].pop("stats")), "no stats"),
    "no mean": (without("mean", "rounds"), "test_one has no number for mean, rounds"),
    "mean of text": (in_stats(mean="fast"), "test_one has no number for mean"),
    "median of null": (in_stats(median=None), "test_one has no number for median"),
    "p99 of text": (in_stats(p99="slow"), "test_one"),
    "p99_low of text": (in_stats(p99_low="slow"), "test_one"),
    "raw rounds of text": (raw_rounds_only(["a", "b"]), "test_one"),
    "raw rounds no list": (raw_rounds_only("ab"), "test_one"),
    "raw rounds with null": (raw_rounds_only([None, 1.0]), "test_one"),
}


@pytest.mark.parametrize(("broken", "text"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_believed_is_refused_with_one_line_and_its_name(once_saved, tmp_path, broken, text):
    (whole,) = once_saved.glob("baselines/*/*.json")
    file = tmp_path / "0002_bad.json"
    file.write_text(broken(whole))
    with pytest.raises(TailgateError, match=re.escape(text)) as refused:
        load_run(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TailgateError, match="not a saved run"):
        load_run(tmp_path / "x.json")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(TailgateError, match="cannot be read"):
        load_run(tmp_path / "x.json")


REFUSED = {
    "an unknown name": (
        ["--benchmark-compare=eypc"],
        ["'eypc'", "did you mean 'epyc'?", ": bad1, bad2, bad3, epyc;", "--benchmark-save=eypc"],
    ),
    "the latest of none": (
        ["-o", "tailgate_baselines=none-yet", "--benchmark-compare"],
        ["none-yet: nothing yet", "--benchmark-save="],
    ),
    "a path that is no file": (["--benchmark-compare=a/b/0001_epyc.json"], ["a/b/0001_epyc.json"]),
    "truncated": (["--benchmark-compare=bad1"], ["0002_bad1.json", "truncated"]),
    "newer schema": (["--benchmark-compare=bad2"], ["0003_bad2.json", "schema version 99", "pip install -U"]),
    "p99 of text": (["--benchmark-compare=bad3", "--benchmark-columns=p99"], ["0004_bad3.json", "test_one"]),
    "storage in a file": (["--benchmark-save=x", "--benchmark-storage=a-file"], ["a-file", "name another"]),
    "storage below a file": (["--benchmark-autosave", "--benchmark-storage=file://a-file/x"], ["a-file/x"]),
    "baselines in a file": (["-o", "tailgate_baselines=a-file", "--benchmark-save=x"], ["a-file", "name another"]),
    "json below a file": (["--benchmark-json=a-file/run.json"], ["--benchmark-json: a-file cannot be written"]),
    "json in a folder's place": (["--benchmark-json=a-folder"], ["--benchmark-json: a-folder cannot be written"]),
    "csv below a file": (["--csv=a-file/rows.csv"], ["--csv: a-file/rows.csv cannot be written", "name another"]),
    "csv in a folder's place": (["--csv=a-folder"], ["--csv: a-folder cannot be written", "name another"]),
}
NOTHING_SAVED = ("-o", "tailgate_baselines=a-file", "--benchmark-disable")


@pytest.fixture(scope="module")
def refused(once_saved, tmp_path_factory):
    folder = tmp_path_factory.mktemp("refused") / "project"
    shutil.copytree(once_saved, folder)
    (whole,) = folder.glob("baselines/*/*.json")
    for number, case in enumerate(("truncated", "newer schema", "p99 of text"), start=1):
        whole.with_name(f"000{number + 1}_bad{number}.json").write_text(BROKEN[case][0](whole))
    (folder / "a-file").touch()
    (folder / "a-folder").mkdir()
    return run_all(folder, *(tuple(arguments) for arguments, _ in REFUSED.values()), NOTHING_SAVED)


@pytest.mark.parametrize(("arguments", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_or_written_is_refused_with_one_line_before_anything_is_measured(refused, arguments, parts):
    code, text = refused[tuple(arguments)]
    assert code == pytest.ExitCode.USAGE_ERROR
    (line,) = text.strip().splitlines()
    assert line.startswith("ERROR: ")
    assert not [part for part in parts if part not in line]
    assert "[0-9]" not in line  # a pattern nobody typed


def test_baselines_that_cannot_be_written_do_no_harm_where_nothing_is_saved(refused):
    assert refused[NOTHING_SAVED][0] == 0


def test_a_run_tells_its_machine_or_that_it_knows_none(once_saved):
    (file,) = once_saved.glob("baselines/*/*.json")
    saved = load_run(file)
    assert file.parent.name.endswith(machine_id_of(saved))
    assert machine_of(saved)["usable_cpus"] >= 1
    for machine_info in ({}, None, {"fingerprint": 3, "fingerprint_id": 3}):
        assert machine_id_of({"machine_info": machine_info}) is None
        assert machine_of({"machine_info": machine_info}) is None


def to_another_machine(project):
    """As if the saved run came from elsewhere."""
    (file,) = saved_files(project).values()
    saved = json.loads(file.read_text())
    saved["machine_info"]["fingerprint"]["cpu_model"] = "Cray-1"
    saved["machine_info"]["fingerprint_id"] = "0123456789ab"
    file.write_text(json.dumps(saved))
    file.parent.rename(file.parent.with_name("cray-1-1cpu-0123456789ab"))


@pytest.mark.parametrize("columns", ["median,p99", "min,median"], ids=["our-columns", "their-columns"])
def test_a_baseline_of_another_machine_is_shown_and_marked_and_no_failure(project, columns):
    to_another_machine(project)
    ran = run(project, "--benchmark-compare=epyc", f"--benchmark-columns={columns}")
    assert ran.ret == 0
    (line,) = [line for line in ran.outlines if line.startswith("The baseline is from another machine")]
    assert "(0123456789ab)" in line
    assert "Differs: cpu_model 'Cray-1' there, " in line
    ran.stdout.fnmatch_lines_random(["test_one (cray-1-*) (other machine) *", "test_one (NOW) *"])
    assert "machine_info is different" not in ran.stderr.str()


@pytest.mark.parametrize("columns", ["median,p99", "min,median"], ids=["our-columns", "their-columns"])
def test_a_contended_row_of_the_baseline_is_marked_beside_todays(project, columns):
    (file,) = saved_files(project).values()
    saved = json.loads(file.read_text())
    saved["benchmarks"][0]["extra_info"]["status"] = "contended"
    file.write_text(json.dumps(saved))
    ran = run(project, "--benchmark-compare=epyc", f"--benchmark-columns={columns}")
    ran.stdout.fnmatch_lines_random(["test_one (0001_*) (contended) *", "test_one (NOW)  *", "*(contended): other*"])


SPOILSPORT = """
import pathlib, shutil

def test_last():
    shutil.rmtree("baselines")
    pathlib.Path("baselines").touch()
"""


def test_a_run_that_can_no_longer_be_saved_at_the_end_is_kept_elsewhere(project, monkeypatch):
    project.mkdir("tmp")
    monkeypatch.setenv("TMPDIR", str(project.path / "tmp"))
    (project.path / "test_spoilsport.py").write_text(SPOILSPORT)
    ran = run(project, "--benchmark-save=x")
    assert ran.ret == 1
    (kept,) = re.findall(r"could not be written \(.*\); the run is kept in (\S+x\.json)", ran.stderr.str())
    (bench,) = load_run(Path(kept))["benchmarks"]
    assert bench["stats"]["data"]
    ran.stdout.fnmatch_lines(["test_one *"])


class Said(list):
    """A logger that remembers."""

    def info(self, text, **_):
        self.append(text)

    warning = info


def storage_of(path, *, strict=False):
    storage = BaselineStorage(path, Said(), default_machine_id="this-1cpu-0a")
    storage.strict = strict
    return storage


def touch(path, *names):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("epyc", "this-1cpu-0a/0003_epyc.json"),  # the latest, and not 0004_epyc2
        ("xeon", "that-1cpu-0b/0002_xeon.json"),  # of another machine where this one has none
        ("0001", "this-1cpu-0a/0001_epyc.json"),  # pytest-benchmark's own way
        ("*_epyc2", "this-1cpu-0a/0004_epyc2.json"),
        ("that-*/0001", "that-1cpu-0b/0001_epyc.json"),
        ("nothing", None),
    ],
)
def test_runs_are_found_by_plain_word_by_number_and_by_glob(tmp_path, asked, found):
    touch(
        tmp_path, "this-1cpu-0a/0001_epyc.json", "this-1cpu-0a/0003_epyc.json", "this-1cpu-0a/0004_epyc2.json",
        "that-1cpu-0b/0001_epyc.json", "that-1cpu-0b/0002_xeon.json", "that-1cpu-0b/0009_epyc.json",
        "that-1cpu-0b/notes.json",
    )  # fmt: skip
    assert storage_of(tmp_path).query(asked) == ([tmp_path / found] if found else [])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("0001_epyc.json", "epyc"),
        ("12345_a_b.json", "a_b"),
        ("epyc.json", None),
        ("0001_.json", None),
        ("1_x.txt", None),
    ],
)
def test_the_word_a_run_was_saved_under_follows_its_number(tmp_path, name, word):
    assert saved_name(tmp_path / name) == word


def test_runs_are_numbered_on_and_written_whole(tmp_path):
    storage = storage_of(tmp_path)
    for word in ("epyc", "epyc", "xeon"):
        storage.save({"benchmarks": []}, word)
    files = sorted((tmp_path / "this-1cpu-0a").iterdir())
    assert [file.name for file in files] == ["0001_epyc.json", "0002_epyc.json", "0003_xeon.json"]
    assert all(json.loads(file.read_text()) == {"benchmarks": []} for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o644}
    assert storage.logger[-1] == f"Saved benchmark data in: {files[-1]}"


def test_the_number_after_9999_is_followed_too(tmp_path):
    touch(tmp_path, "this-1cpu-0a/9999_x.json", "this-1cpu-0a/10000_x.json")
    storage = storage_of(tmp_path)
    get, tries = storage.get, iter(range(20))

    def limited_get(name):
        assert next(tries, None) is not None, "tries the same name for ever"
        return get(name)

    storage.get = limited_get
    storage.save({}, "x")
    assert (tmp_path / "this-1cpu-0a" / "10001_x.json").exists()


def test_the_latest_run_after_9999_is_the_one_of_the_larger_number(tmp_path):
    touch(tmp_path, "that-1cpu-0b/9999_x.json", "that-1cpu-0b/10000_x.json")
    assert storage_of(tmp_path).query("x") == [tmp_path / "that-1cpu-0b" / "10000_x.json"]


def test_a_broken_run_among_many_is_skipped_with_a_warning_where_none_was_asked_for_by_name(tmp_path):
    touch(tmp_path, "this-1cpu-0a/0001_x.json")
    storage = storage_of(tmp_path)
    assert list(storage.load()) == []
    (warning,) = storage.logger
    assert "0001_x.json: not a saved run" in warning


def test_a_run_asked_for_in_a_folder_of_baselines_must_be_there_and_whole(tmp_path):
    touch(tmp_path, "this-1cpu-0a/0001_x.json")
    storage = storage_of(tmp_path, strict=True)
    with pytest.raises(pytest.UsageError, match=r"0001_x\.json: not a saved run"):
        list(storage.load("x"))
    with pytest.raises(pytest.UsageError, match=r"no saved run 'y' .*: x; save one with --benchmark-save=y"):
        list(storage.load("y"))


def test_a_json_that_cannot_be_written_fails_the_session_and_keeps_the_run(project):
    ran = run(project, "--benchmark-json=/dev/full")
    assert ran.ret == 1  # whoever reads the file next must not see green
    (kept,) = re.findall(r"/dev/full could not be written \(.*\); the run is kept in (\S+full)", ran.stderr.str())
    assert load_run(Path(kept))["benchmarks"]
    Path(kept).unlink()
    Path(kept).parent.rmdir()
    assert "Traceback" not in ran.stdout.str() + ran.stderr.str()
