"""``tailgate baselines``, ``tailgate compare --fail-on-regression`` and reports, on written runs."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from foreign import run_all
from histories import CONFTEST, FOLDER, MACHINE, NAMES, TIMER, bench, project, saved_run, scattered, series, write

from tailgate.commands.main import main
from tailgate.text import printable

OTHER = {**MACHINE, "cpu_model": "Another CPU"}
HOSTILE = (
    "<script>alert(1)</script>", "]]>", "\x1b[31mred", "a|b", "{{7*7}}", "[red]x[/red]", "\u202egnp", "`x`", "![x](y)",
    "<img src=x onerror=alert(1)>", "{% raw %}", "&amp;", "\x07", "\x9b31m",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # pytest-benchmark's command would begin hypothesis's
    return tmp_path


def tailgate(capsys, *arguments):
    """Exit code and what was said."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse's own errors
        code = stop.code
    said = capsys.readouterr()
    return code, said.out + said.err


def failed_run(median_s):
    return saved_run(*(bench(name, median_s) for name in NAMES), tailgate_gate={"failed": True, "verdicts": []})


def test_show_says_which_rows_no_verdict_uses(folder, capsys):
    write(folder, "epyc", [saved_run(bench(NAMES[0], 1e-3, status="contended"), bench(NAMES[1], 1e-3))])
    code, said = tailgate(capsys, "baselines", "show", "epyc")
    assert code == 0
    assert re.search(r"0001_epyc.json .* 2  .*1 contended: not used$", said, re.MULTILINE)


def test_without_a_folder_of_ours_pytest_benchmarks_own_is_listed(tmp_path, monkeypatch, capsys):
    """``--gate`` judges by what is saved there, and recommends this command."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / ".benchmarks" / "Linux-CPython-3.11-64bit"
    place.mkdir(parents=True)
    (place / "0001_epyc.json").write_text(json.dumps(saved_run(bench(NAMES[0], 1e-3))))
    code, said = tailgate(capsys, "baselines", "list")
    assert (code, said.splitlines()[1].split()[:3]) == (0, ["Linux-CPython-3.11-64bit", "epyc", "1"])
    (tmp_path / "baselines").mkdir()
    assert "No saved runs in baselines" in tailgate(capsys, "baselines", "list")[1]


def test_list_show_and_prune(folder, capsys):
    series(folder, "epyc", 12)
    write(folder, "epyc", [failed_run(2e-3)])
    series(folder, "epyc", 2, machine=OTHER, place="other-123456789abc")
    code, said = tailgate(capsys, "baselines", "list")
    assert code == 0
    rows = [line.split() for line in said.splitlines()]
    assert rows[1:] == [
        [FOLDER, "epyc", "12", "2026-11-20", "2026-11-20", "2", "1"],
        ["other-123456789abc", "epyc", "2", "2026-11-20", "2026-11-20", "2", "-"],
    ]
    code, said = tailgate(capsys, "baselines", "show", "epyc")
    assert code == 0
    assert "its gate failed: not used" in said
    assert re.search(r"test_it.py::test_one +12 +1 ms +0\.2 %", said)
    code, said = tailgate(capsys, "baselines", "prune", "epyc", "--keep", "10")
    assert (code, said.count("Removed")) == (0, 2)
    left = sorted(file.name for file in (folder / "baselines" / FOLDER).iterdir())
    assert left == [f"{number:04}_epyc.json" for number in range(3, 14)]
    assert tailgate(capsys, "baselines", "prune", "epyc", "--keep", "10") == (0, "Nothing to remove: 10 or fewer\n")


def test_accept_clears_the_mark_of_a_run_where_it_is(folder, capsys):
    series(folder, "epyc", 10)
    (file,) = write(folder, "epyc", [failed_run(2e-3)])
    assert tailgate(capsys, "baselines", "accept", file) == (0, f"Accepted: {file}\n")
    assert json.loads(file.read_text())["tailgate_gate"]["accepted"]
    assert "accepted: history begins here" in tailgate(capsys, "baselines", "show", "epyc")[1]
    assert tailgate(capsys, "baselines", "accept", file) == (0, f"Already a baseline: {file}\n")


def test_accept_copies_a_run_to_the_folder_of_its_own_machine_once(folder, capsys):
    series(folder, "epyc", 2)
    candidate = folder / "run.json"
    candidate.write_text(json.dumps(saved_run(bench(NAMES[0], 1e-3), machine=OTHER)))
    code, said = tailgate(capsys, "baselines", "accept", candidate, "--as", "epyc")
    assert code == 0
    (copy,) = (file for file in folder.glob("baselines/another-*/*.json"))
    assert copy.name == "0001_epyc.json"
    assert str(copy) in said
    assert json.loads(copy.read_text()) == json.loads(candidate.read_text())
    assert "Already a baseline" in tailgate(capsys, "baselines", "accept", candidate, "--as", "epyc")[1]
    assert len(list(folder.glob("baselines/*/*.json"))) == 3


WRONG = {
    ("list", "--storage", "nowhere"): "no folder nowhere here; name another with --storage DIR",
    ("show", "epyk"): "unknown name 'epyk'; did you mean 'epyc'?",
    ("prune", "epyc", "--keep", "0"): "--keep: 0 is too small",
    ("prune", "epyc", "--keep", "x"): "invalid int value: 'x'",
    ("accept", "nothing.json"): "nothing.json: cannot be read",
    ("accept", "plain.json", "--as", "plain"): "plain.json: no whole fingerprint in it",
    ("accept", "plain.json"): "plain.json has no name to save it under; add --as NAME",
    ("accept", "plain.json", "--as", "../up"): "'../up' is not a name",
    ("accept", "broken.json", "--as", "x"): "broken or truncated JSON",
    (): "required: {list,show,prune,accept}",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_of_baselines_is_one_line(arguments, folder, capsys):
    series(folder, "epyc", 1)
    plain = saved_run(bench(NAMES[0], 1e-3))
    (folder / "plain.json").write_text(json.dumps({**plain, "machine_info": {"cpu": {"brand_raw": "x"}}}))
    (folder / "broken.json").write_text("{")
    code, said = tailgate(capsys, "baselines", *arguments)
    assert code == 4
    assert WRONG[arguments] in said
    assert len(said.splitlines()) == 1


def files_of(folder, *medians_s, new=1.05e-3, **how):
    files = write(folder, "base", [saved_run(*(bench(name, value) for name in NAMES)) for value in medians_s])
    return [*files, *write(folder, "new", [saved_run(*(bench(name, new, **how) for name in NAMES))])]


COMPARISONS = {
    "one session": (lambda folder: files_of(folder, 1e-3), 0, "one saved session shows no scatter"),
    "nine": (lambda folder: files_of(folder, *scattered(9)), 0, "9 saved sessions of the 10"),
    "slower": (lambda folder: files_of(folder, *scattered(10)), 1, "test_it.py::test_one median +5.0 % [99 % CI"),
    "unchanged": (lambda folder: files_of(folder, *scattered(10), new=1e-3), 0, "2 pass"),
    "missing": (
        lambda folder: [*series(folder, "epyc"), *write(folder, "new", [saved_run(bench(NAMES[0], 1e-3))])],
        1, "and not in 0011_new.json"),
    "other machine": (
        lambda folder: [*series(folder, "epyc"), *write(folder, "new", [saved_run(bench(NAMES[0], 1), machine=OTHER)])],
        1, "incomparable"),
    "other workload": (
        lambda folder: [*series(folder, "epyc", model_sha256="old"), *files_of(folder, new=1e-3, model_sha256="new")],
        1, "Nothing was compared, so this does not pass"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_last_run_is_judged_by_all_others(name, folder, capsys):
    made, expected, text = COMPARISONS[name]
    code, said = tailgate(capsys, "compare", *made(folder), "--fail-on-regression", "--columns=median")
    assert code == expected, said
    assert text in said


def test_a_filter_and_limits_hold_for_the_judgement_too(folder, capsys):
    files = files_of(folder, *scattered(10))
    base = ("compare", *files, "--fail-on-regression")
    assert "test_two" not in tailgate(capsys, *base, "-k", "one")[1]
    assert tailgate(capsys, *base, "--gate-min-effect", "6%")[0] == 0
    assert tailgate(capsys, *base, "--gate-metrics=throughput")[0] == 1
    assert tailgate(capsys, *base, "--gate-metrics=mean")[0] == 4
    assert tailgate(capsys, "compare", files[0], "--fail-on-regression")[0] == 4


def test_speed_ups_and_what_they_must_not_be_taken_for(folder, capsys):
    base, faster = files_of(folder, 1e-3, new=0.5e-3)
    (elsewhere,) = write(folder, "elsewhere", [saved_run(bench(NAMES[0], 2e-3), machine=OTHER)])
    code, said = tailgate(capsys, "compare", base, faster, elsewhere, "--columns=median")
    assert code == 0
    table = [re.split(r"  +", line) for line in said[said.index("speed-up of the median") :].splitlines()]
    assert table[0] == ["speed-up of the median", "0001_base (base)", "0002_new", "0003_elsewhere"]
    assert table[1] == [NAMES[0], "1.00x", "2.00x", "0.50x incomparable"]
    assert table[2] == [NAMES[1], "1.00x", "2.00x", "missing"]
    assert table[3] == ["geometric mean", "1.00x", "2.00x of 2", "0.50x incomparable"]
    assert "0003_elsewhere: incomparable, another machine than 0001_base: cpu_model" in said


def test_a_speed_up_against_nothing_or_a_disturbed_row_is_not_hidden(folder, capsys):
    quiet, alone = bench(NAMES[0], 1e-3), saved_run(bench(NAMES[1], 1e-3))
    disturbed = bench(NAMES[1], 4e-3, status="contended")
    base, now, other = write(
        folder, "bases", [saved_run(quiet, disturbed), saved_run(quiet, bench(NAMES[1], 1e-3)), alone]
    )
    said = tailgate(capsys, "compare", base, now, "--columns=median")[1]
    assert re.search(r"1\.00x +4\.00x contended\n", said)
    assert re.search(r"geometric mean +1\.00x +1\.00x of 1\n", said)
    assert f"0001_bases: contended: {NAMES[1]}; in no mean" in said
    said = tailgate(capsys, "compare", other, base, "--columns=median", "-k", "one")[1]
    assert re.search(r"geometric mean +- +-\n", said)


def test_plain_runs_are_compared_by_the_processors_name(folder, capsys):
    plain = {"machine_info": {"cpu": {"brand_raw": "A CPU"}}}
    runs = [saved_run(bench(NAMES[0], median_s)) | plain for median_s in [*scattered(10), 1.05e-3]]
    code, said = tailgate(capsys, "compare", *write(folder, "plain", runs), "--fail-on-regression")
    assert code == 1
    assert "1 fail" in said
    assert "no fingerprint (saved without Tailgate); machines are compared by processor name only" in said
    runs[-1] = runs[-1] | {"machine_info": {"cpu": {"brand_raw": "B CPU"}}}
    code, said = tailgate(capsys, "compare", *write(folder, "mixed", runs), "--fail-on-regression")
    assert code == 1
    assert "Nothing was compared" in said


class Seen(HTMLParser):
    """Which attributes and texts a page has."""

    def __init__(self, page):
        super().__init__()
        self.attributes, self.texts, self.broken = set(), [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.broken = tag == "wbr"
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        if self.broken:
            self.texts[-1] += data
        else:
            self.texts.append(data)
        self.broken = False


def hostile_run():
    names = [f"test_it.py::test_one[{text}]" for text in HOSTILE]
    verdicts = [
        {"fullname": name, "metric": text, "verdict": "fail", "reason": text, "notes": [text], "reproduce": text}
        for name, text in zip(names, HOSTILE, strict=True)
    ]
    verdicts.append({"fullname": 3, "metric": ["x"], "verdict": {"a": 1}, "base_s": "<b>", "p": "x", "notes": 3})
    pairs = zip(names, HOSTILE, strict=True)
    return saved_run(
        *(bench(name, 1, status=text, warnings=[text], image_size=text) for name, text in pairs),
        machine={**MACHINE, "cpu_model": HOSTILE[0]},
        tailgate_gate={"failed": True, "verdicts": verdicts},
        unmeasured=[{"fullname": text, "status": text, "reason": text} for text in HOSTILE],
        commit_info={"id": HOSTILE[0]},
    )  # fmt: skip


def test_no_name_in_a_file_is_markup_in_a_report(folder, capsys):
    file = folder / "run.json"
    file.write_text(json.dumps(hostile_run()))
    code, page = tailgate(capsys, "report", "--format", "html", file)
    assert code == 0
    seen = Seen(page)
    assert not [name for name in seen.attributes if name.startswith("on") or name in {"style", "src", "href"}]
    assert {f"test_it.py::test_one[{printable(text)}]" for text in HOSTILE} <= set(seen.texts)
    assert "49" not in re.findall(r"test_one\[(.*?)\]", page)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", page)
    code, text = tailgate(capsys, "report", "--format", "markdown", file)
    assert code == 0
    assert not set(text) & set("`\x1b\x07\x9b\u202e")
    assert not re.search(r"<[A-Za-z/!?]", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {10, 12}
    for format_name in ("html", "markdown"):
        assert tailgate(capsys, "report", "--format", format_name, file, "--output", folder / "x" / "page")[0] == 0


def test_no_name_in_a_file_is_obeyed_by_a_terminal(folder, capsys):
    files = write(folder, "hostile", [hostile_run(), hostile_run()])
    for arguments in (
        ("baselines", "list"),
        ("baselines", "show", "hostile"),
        ("compare", *files, "--fail-on-regression"),
    ):
        _, said = tailgate(capsys, *arguments)
        ours = said[said.find("speed-up") :] if "compare" in arguments else said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ours), arguments


def test_a_hostile_baseline_injects_nothing_into_a_session(tmp_path):
    folder = project(tmp_path)
    names = [f"test_it.py::test_one[{text}]" for text in HOSTILE]
    write(folder, "epyc", [saved_run(*(bench(name, 1e-3) for name in names)) for _ in range(10)])
    arguments = ("--benchmark-compare=epyc", "--gate", *TIMER, "--junitxml=junit.xml", "--report=report.html",
                 "--benchmark-json=run.json", "--benchmark-quiet")  # fmt: skip
    code, said = run_all(folder, arguments)[arguments]
    assert code == 1
    assert f"{len(HOSTILE)} missing, 2 new" in said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
    assert "[red]x[/red]" in said
    suite = ET.parse(folder / "junit.xml").getroot().find("testsuite")
    assert int(suite.get("failures")) == len(HOSTILE)
    assert {element.tag for element in suite.iter()} == {"testsuite", "testcase", "failure"}
    page = (folder / "report.html").read_text()
    assert (page.count("<script>"), page.count("<img")) == (1, 0)
    assert any("<script>alert(1)</script>" in text for text in Seen(page).texts)
    assert json.loads((folder / "run.json").read_text())["tailgate_gate"]["failed"] is True


def test_the_report_is_whole_after_each_benchmark_and_at_the_end(tmp_path):
    folder = project(tmp_path)
    watch = """
import pathlib, pytest

@pytest.hookimpl(trylast=True)
def pytest_runtest_logstart():
    file = pathlib.Path("sub/report.md")
    with open("seen.txt", "a") as log:
        log.write(f"{file.read_text().count('median_max') if file.exists() else None}\\\\n")
"""
    (folder / "conftest.py").write_text(CONFTEST + watch.replace("median_max", "test_").replace("\\\\n", "\\n"))
    gateless = (*TIMER, "--report=sub/report.md", "--benchmark-quiet", "--skipped=two")
    (code, said) = run_all(folder, gateless)[gateless]
    assert code == 0, said
    assert (folder / "seen.txt").read_text().split() == ["None", "2"]
    text = (folder / "sub" / "report.md").read_text()
    assert "| test_it.py::test_one | ok | 1 ms |" in text
    assert "not today" in text
    assert "Verdicts" not in text
    assert not list((folder / "sub").glob(".saving*"))


@pytest.mark.parametrize("value", ["report.pdf", "", "sub", "file.txt/report.md", "folder.md"])
def test_where_no_report_can_be_written_nothing_is_measured(value, tmp_path):
    folder = project(tmp_path)
    (folder / "file.txt").write_text("")
    (folder / "folder.md").mkdir()
    arguments = (*TIMER, f"--report={value}")
    code, said = run_all(folder, arguments)[arguments]
    assert code == 4, said
    assert "--report" in said
    assert "test_it.py" not in said
