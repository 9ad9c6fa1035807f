"""``tailgate doctor`` on fake machines and on this one; and that it only reads."""

import ast
import contextlib
import dataclasses
import importlib.metadata
import itertools
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from machines import CPU, RAPL, STATUS, TABLE, fake
from suite import ROOT

from tailgate.commands import main as cli
from tailgate.machine.doctor import GROUPS, checks, counters, disturbing, examine, look
from tailgate.machine.doctor.cpu_lists import named, parse, written
from tailgate.machine.doctor.host import Host, Process, UnreadableError, run_program, running_processes
from tailgate.machine.doctor.measures.nvidia import native
from tailgate.machine.doctor.model import STATES, Check, Finding, Verdict
from tailgate.machine.doctor.programs import install_command
from tailgate.machine.doctor.render import as_json, as_text


def find(topic, host):
    (check,) = [check for group in GROUPS for check in checks(group) if check.topic == topic]
    return look(check, host)


@pytest.mark.parametrize(
    ("topic", "files", "differs", "state", "words", "remedy"),
    TABLE,
    ids=[f"{row[0]}-{row[3]}-{index}" for index, row in enumerate(TABLE)],
)
def test_a_check_says_what_it_found(tmp_path, topic, files, differs, state, words, remedy):
    finding = find(topic, fake(tmp_path, files, **differs))
    assert (finding.topic, finding.state, finding.remedy) == (topic, state, remedy)
    assert words in finding.text


def stat(*cpus):
    """/proc/stat with (busy, steal, idle) ticks of each CPU."""
    lines = [f"cpu{number} {busy} 0 0 {idle} 0 0 0 {steal} 0 0" for number, (busy, steal, idle) in enumerate(cpus)]
    return "\n".join(["cpu 0 0 0 0 0 0 0 0 0 0", *lines, "intr 1"])


def watched(folder, before, after, average="0.10", own_s=0.0, usable=(0, 1), processes=()):
    """A machine on which a second passes between two readings."""
    moments = iter([list(moment) for moment in processes] or [[], []])
    file = folder / "proc/stat"
    return fake(
        folder,
        {"/proc/stat": before, "/proc/loadavg": f"{average} 0.10 0.10 1/81 2727"},
        usable=frozenset(usable),
        sleep=lambda seconds: file.write_text(after) and None,
        clock=partial(next, itertools.count(0.0, 1.0)),
        own_cpu_s=partial(next, itertools.count(0.0, own_s)),
        processes=lambda: next(moments),
    )


QUIET = stat((0, 0, 0), (0, 0, 0), (0, 0, 0))
LOADS = [
    # /proc/stat a second later, load average, own CPU time, state, words
    (stat((50, 0, 50), (10, 0, 90), (0, 0, 0)), "0.10", 0.0, "disturbs", "other processes use 0.60 of 2 CPUs"),
    (stat((50, 0, 50), (10, 0, 90), (0, 0, 0)), "0.10", 0.59, "ok", "0.01 of 2 CPUs"),
    (stat((5, 0, 95), (4, 0, 96), (0, 0, 0)), "0.10", 0.0, "ok", "0.09 of 2 CPUs"),
    (stat((0, 0, 99), (0, 0, 99), (99, 0, 0)), "0.10", 0.0, "ok", "0.00 of 2 CPUs"),  # a CPU that is not ours
    (stat((0, 0, 99), (0, 0, 99), (0, 0, 0)), "1.70", 0.0, "note", "until just now"),
]


@pytest.mark.parametrize(("after", "average", "own_s", "state", "words"), LOADS)
def test_load_is_what_others_used_of_our_cpus_while_we_slept(tmp_path, after, average, own_s, state, words):
    finding = find("load", watched(tmp_path, QUIET, after, average, own_s))
    assert finding.state == state
    assert words in finding.text


def test_on_a_large_machine_a_hundredth_of_it_does_not_disturb(tmp_path):
    before, after = stat(*[(0, 0, 0)] * 64), stat(*[(1, 0, 99)] * 60, *[(0, 0, 100)] * 4)
    assert find("load", watched(tmp_path, before, after, usable=range(64))).state == "ok"


def test_the_three_busiest_are_named_and_what_cannot_be_seen_is_said(tmp_path):
    before = [Process(1, "init", 5.0), Process(10, "tox", 1.0), Process(11, "cc1", 0.0)]
    after = [
        *before[:1],
        Process(10, "tox", 1.25),
        Process(11, "cc1", 0.5),
        Process(12, "new", 0.125),
        Process(13, "d", 0.015),
    ]
    finding = find("load", watched(tmp_path, QUIET, stat((90, 0, 0), (90, 0, 0)), processes=[before, after]))
    assert finding.remedy == "top -o %CPU"
    assert finding.text.endswith(
        "Busiest: cc1 (pid 11) 0.50, tox (pid 10) 0.25, new (pid 12) 0.12, "
        "0.91 by processes that have ended or cannot be seen from here"
    )


@pytest.mark.parametrize(
    ("after", "state", "words"),
    [
        (stat((0, 10, 90), (0, 0, 100)), "disturbs", "took 0.10 of 2 CPUs; 5.00 % of the time since boot"),
        (stat((0, 1, 99), (0, 0, 100)), "ok", "took 0.01 of 2 CPUs"),
        (stat((0, 0, 99), (0, 0, 100)), "ok", "no hypervisor seen"),
        ("cpu0 one two", "unknown", "in a form we do not know"),
    ],
)
def test_steal_is_what_the_hypervisor_took(tmp_path, after, state, words):
    finding = find("steal", watched(tmp_path, QUIET, after))
    assert finding.state == state
    assert words in finding.text


@pytest.mark.parametrize(("closed", "state"), [(False, "ok"), (True, "missing")])
def test_rapl_that_only_root_may_read_has_its_remedy(tmp_path, monkeypatch, closed, state):
    host = fake(tmp_path, {f"{RAPL}/energy_uj": "12", f"{RAPL}/name": "package-0"})
    monkeypatch.setattr(Host, "readable", lambda self, name: not closed)  # whoever runs the tests may be root
    finding = find("CPU energy", host)
    assert finding.state == state
    assert finding.remedy == ("sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" if closed else None)


def test_a_high_water_mark_that_may_not_be_reset_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(Host, "writable", lambda self, name: False)
    finding = find("memory peak", fake(tmp_path, {**STATUS, "/proc/self/clear_refs": ""}))
    assert (finding.state, "may not reset" in finding.text) == ("missing", True)


@pytest.mark.parametrize("installed", [True, False])
def test_memray_is_asked_for_without_importing_it(tmp_path, monkeypatch, installed):
    def version(name):
        if not installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.15.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setitem(sys.modules, "memray", None)  # an import would fail
    finding = find("memray", fake(tmp_path))
    expected = ("ok", None) if installed else ("missing", "python -m pip install memray")
    assert (finding.state, finding.remedy) == expected


@pytest.mark.parametrize("topic", ["GPU power", "GPU precisions", "GPU load", "CPU pressure", "throttling"])
def test_what_another_line_has_said_is_not_said_again(tmp_path, topic):
    assert find(topic, fake(tmp_path)) is None


@pytest.mark.parametrize(
    ("capability", "precisions"),
    [
        ((6, 0), "fp32 fp16"),
        ((6, 1), "fp32 int8"),
        ((7, 0), "fp32 fp16 int8"),
        ((7, 5), "fp32 fp16 int8"),
        ((8, 0), "fp32 fp16 int8 tf32 bf16"),
        ((9, 0), "fp32 fp16 int8 tf32 bf16 fp8"),
        ((12, 0), "fp32 fp16 int8 tf32 bf16 fp8"),
    ],
)
def test_gpu_precisions_follow_the_compute_capability(capability, precisions):
    assert native(capability) == precisions.split()


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=debian", "sudo apt install linux-perf"),
        ('ID=pop\nID_LIKE="ubuntu debian"', "sudo apt install linux-tools-common linux-tools-$(uname -r)"),
        ('ID="rhel"\nID_LIKE="fedora"', "sudo dnf install perf"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "sudo zypper install perf"),
        ("ID=arch", "sudo pacman -S perf"),
        ("ID=plan9", None),
        ("", None),
    ],
)
def test_the_install_command_is_the_distributions_own(tmp_path, release, command):
    assert install_command(fake(tmp_path, {"/etc/os-release": release}), "perf") == command
    ubuntu = fake(tmp_path, {"/etc/os-release": "ID=ubuntu"})
    assert install_command(ubuntu, "valgrind") == "sudo apt install valgrind"


@pytest.mark.parametrize(
    ("text", "cpus", "name"),
    [("0-3,8", {0, 1, 2, 3, 8}, "CPUs 0-3,8"), ("5", {5}, "CPU 5"), ("0,2", {0, 2}, "CPUs 0,2")],
)
def test_cpu_lists_are_read_and_written_as_the_kernel_does(text, cpus, name):
    assert (parse(text), written(cpus), named(cpus)) == (cpus, text, name)


def test_every_topic_is_in_the_table_and_documented():
    topics = [check.topic for group in GROUPS for check in checks(group)]
    assert len(topics) == len(set(topics))
    assert set(topics) == {row[0] for row in TABLE} | {"load", "steal", "memray", "GPU telemetry"}
    page = (ROOT / "docs" / "guide" / "doctor.md").read_text()
    assert not [topic for topic in topics if f"| {topic} |" not in page]
    assert not [state for state in STATES if f"`{state}`" not in page]


def test_a_machine_that_tells_nothing_does_not_stop_the_examination(tmp_path):
    findings = [finding for group in examine(fake(tmp_path)).values() for finding in group]
    assert {"clock", "turbo", "load", "environment"} <= {finding.topic for finding in findings}
    assert not [finding for finding in findings if finding.state == "disturbs"]
    assert next(finding for finding in findings if finding.topic == "load").state == "unknown"


@pytest.mark.parametrize("system", ["Darwin", "Windows", "FreeBSD"])
def test_elsewhere_psutil_answers_what_it_can_and_the_rest_is_unknown(tmp_path, system):
    examination = examine(fake(tmp_path, system=system, processes=running_processes))
    findings = {finding.topic: finding for group in examination.values() for finding in group}
    assert findings["turbo"].state == "unknown"
    assert findings["turbo"].text == f"read from Linux's /proc and /sys; this is {system}"
    assert {findings[topic].state for topic in ("load", "swap", "memory", "power source")} <= {"ok", "note", "disturbs"}


def test_a_bug_in_a_check_is_loud(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tailgate.machine.doctor.disturbances.frequency.CHECKS", [Check("turbo", lambda host: {}["gone"])]
    )
    with pytest.raises(KeyError, match="gone"):
        examine(fake(tmp_path))


def test_a_file_that_does_not_import_is_loud(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("ORDER = 1\nimport no_such_module\n")
    import tailgate.machine.doctor.measures as package

    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        list(checks("measures"))


def test_root_needs_no_sudo(tmp_path):
    files = {f"{CPU}/intel_pstate/no_turbo": "0"}
    assert find("turbo", fake(tmp_path, files, superuser=True)).remedy == f"echo 1 | tee {CPU}/intel_pstate/no_turbo"


@pytest.mark.parametrize(
    ("command", "words"),
    [(["no-such-program-here"], "no-such-program-here cannot be run"), (["sleep", "5"], "sleep did not answer within")],
)
def test_a_program_that_is_missing_or_hangs_is_unreadable(monkeypatch, command, words):
    monkeypatch.setattr("tailgate.machine.doctor.host.PROGRAM_TIMEOUT_S", 0.05)
    with pytest.raises(UnreadableError, match=words):
        run_program(command)


def an_examination(*states):
    command = (
        "echo off | sudo tee /sys/devices/system/cpu/smt/control # and a command as long as this is not wrapped at all"
    )
    rows = [
        Finding(f"topic {number}", state, "word " * 40 + "62 ns", command if state == "disturbs" else None)
        for number, state in enumerate(states)
    ]
    return {"measures": rows[:1], "disturbances": rows[1:]}


@pytest.mark.parametrize(
    ("states", "last"),
    [
        (["ok", "note"], "Nothing found that disturbs measurements on this machine; exit code 0"),
        (["missing", "unknown"], "Nothing found that disturbs measurements on this machine; exit code 0"),
        (["ok", "disturbs"], "1 thing disturbs measurements on this machine (see above); exit code 1"),
        (["disturbs", "ok", "disturbs"], "2 things disturb measurements on this machine (see above); exit code 1"),
    ],
)
@pytest.mark.parametrize("width", [60, 100])
def test_text_is_aligned_wrapped_and_ends_with_the_sum(states, last, width):
    lines = as_text(an_examination(*states), width).splitlines()
    assert lines[-1] == last
    assert [line for line in lines if line in GROUPS.values()] == list(GROUPS.values())
    findings = [line for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert [line.split()[0] for line in findings] == states
    assert {line.index("word") for line in lines if "word" in line} == {2 + 8 + 2 + 7 + 2}
    assert all(len(line) <= width for line in lines[:-1] if "$ " not in line)
    assert sum(line.endswith("not wrapped at all") for line in lines) == states.count("disturbs")
    assert not any(line.startswith(" " * 21 + "ns") for line in lines)


@pytest.mark.parametrize(("states", "code"), [(["ok", "missing", "unknown", "note"], 0), (["ok", "disturbs"], 1)])
def test_exit_code_and_json_come_from_the_findings(monkeypatch, capsys, states, code):
    examination = an_examination(*states)
    monkeypatch.setattr("tailgate.machine.doctor.examine", lambda: examination)
    assert cli.main(["doctor", "--json"]) == code == bool(disturbing(examination))
    found = json.loads(capsys.readouterr().out)
    assert [list(row) for row in found] == [["group", *(field.name for field in dataclasses.fields(Finding))]] * len(
        states
    )
    assert [row["state"] for row in found] == states
    assert found[0]["remedy"] is None


def doctor(*arguments):
    script = Path(sys.executable).with_name("tailgate")
    return subprocess.run([script, "doctor", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_on_this_machine_the_exit_code_is_1_exactly_when_something_disturbs():
    done = doctor("--json")
    found = json.loads(done.stdout)
    assert done.returncode == any(row["state"] == "disturbs" for row in found)
    assert done.stderr == ""
    assert {row["state"] for row in found} <= set(STATES)
    assert {row["group"] for row in found} == set(GROUPS)


def test_on_this_machine_the_text_ends_with_its_exit_code():
    done = doctor()
    assert done.stdout.splitlines()[-1].endswith(f"exit code {done.returncode}")
    assert done.returncode == any(line.startswith("  disturbs") for line in done.stdout.splitlines())


def test_unknown_arguments_are_exit_code_4_and_one_line():
    done = doctor("--jsno")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert "--jsno" in done.stderr


def test_help_says_what_the_exit_code_means(capsys):
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--help"])
    assert "1 when at least one finding disturbs" in " ".join(capsys.readouterr().out.split())


AUDITED = """
import json, os, sys
opened, started = [], []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
READING = {"os.listdir", "os.scandir", "os.posix_spawn", "os.fork"}
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if (flags or 0) & WRITING or set(mode or "") & set("wax+"):
            opened.append(str(path))
    elif event.split(".")[0] in ("os", "shutil") and event not in READING:
        opened.append(event)
    elif event == "subprocess.Popen":
        started.append([os.fspath(part) for part in arguments[1]])
from tailgate.machine.doctor import checks, examine, GROUPS
import tailgate.machine.doctor.render
for group in GROUPS:
    list(checks(group))
sys.addaudithook(watch)
examine()
print(json.dumps([opened, started]))
"""


def test_nothing_is_opened_for_writing_and_only_programs_that_print_are_started():
    """Python's own audit hook sees every file that is opened, removed or changed, and every program."""
    done = subprocess.run([sys.executable, "-B", "-c", AUDITED], capture_output=True, text=True, check=True)
    opened, started = json.loads(done.stdout)
    assert set(opened) <= {os.devnull}
    asked = [" ".join(command).partition("=")[0] for command in started]
    assert set(asked) <= {"perf --version", "valgrind --version", "systemd-detect-virt --vm", "nvidia-smi --query-gpu"}


def test_no_line_of_its_code_writes():
    """Beside the audit: also on machines whose paths this machine does not take."""
    writing = {
        "open",
        "write",
        "write_text",
        "write_bytes",
        "touch",
        "unlink",
        "chmod",
        "mkdir",
        "rename",
        "system",
        "setxattr",
    }
    for file in (ROOT / "src" / "tailgate" / "doctor").rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
        assert not names & writing, file


def test_the_kernel_understands_the_structure_that_opens_a_counter(monkeypatch):
    """By a software event, the task's clock, which also machines without hardware counters have."""
    hardware = counters._Attributes
    monkeypatch.setattr(counters, "_Attributes", lambda **fields: hardware(type=1, **fields))
    before_s = time.monotonic()
    try:
        nanoseconds = counters.count(1)
    except OSError as error:
        pytest.skip(f"no events are permitted here ({error})")
    assert 0 < nanoseconds < (time.monotonic() - before_s) * 1e9


def test_this_machines_counters_either_count_or_are_refused():
    for event in counters.EVENTS.values():
        with contextlib.suppress(OSError):
            assert Host().count(event) >= 0


def test_a_check_without_a_finding_is_left_out(tmp_path):
    assert look(Check("nothing", lambda host: None), fake(tmp_path)) is None
    assert look(Check("something", lambda host: Verdict("ok", "yes")), fake(tmp_path)) == Finding(
        "something", "ok", "yes"
    )
    assert json.loads(as_json({"measures": [], "disturbances": []})) == []
