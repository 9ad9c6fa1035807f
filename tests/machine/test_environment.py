import copy
import json
import platform
import re
import stat
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.machine import cpus
from tailgate.machine import fingerprint as environment
from tailgate.machine.cpus import cpu_quota, usable_cpus
from tailgate.machine.fingerprint import difference, fingerprint, fingerprint_id, folder_name, machine_facts

GIB = 2**30
FACTS = {
    "cpu_model": "AMD EPYC 9374F 32-Core Processor",
    "arch": "x86_64",
    "usable_cpus": 2,
    "cpu_quota": None,
    "memory_total_bytes": 16 * GIB,
    "gpu_models": [],
    "driver_version": None,
    "thread_env": {"OMP_NUM_THREADS": "2"},
    "packages": {"python": "3.11.7", "torch": "2.15.0"},
}

CHANGES = [
    ("cpu_model", "AMD EPYC 7543 32-Core Processor"),
    ("arch", "aarch64"),
    ("usable_cpus", 4),
    ("cpu_quota", 1.5),
    ("memory_total_bytes", 32 * GIB),
    ("gpu_models", ["NVIDIA L4"]),
    ("driver_version", "550.54.15"),
    ("thread_env", {}),
    ("thread_env", {"OMP_NUM_THREADS": "1"}),
    ("packages", {"python": "3.12.0", "torch": "2.15.0"}),
    ("packages", {"python": "3.11.7", "torch": None}),
    ("packages", {"python": "3.11.7"}),
]


def test_the_fingerprint_has_the_keys_of_the_contract():
    assert list(fingerprint()) == [
        "cpu_model", "arch", "usable_cpus", "cpu_quota", "memory_total_bytes", "gpu_models", "driver_version",
        "thread_env", "packages",
    ]  # fmt: skip


def test_the_fingerprint_of_one_machine_stays_the_same():
    assert fingerprint_id(fingerprint(["numpy", "pytest"])) == fingerprint_id(fingerprint(["pytest", "numpy"]))


def test_the_host_name_is_a_fact_and_no_part_of_the_fingerprint(monkeypatch):
    before = fingerprint_id(fingerprint())
    monkeypatch.setattr(platform, "node", lambda: "renamed")
    assert fingerprint_id(fingerprint()) == before
    assert machine_facts()["hostname"] == "renamed"


def test_an_id_is_twelve_hex_digits_and_survives_being_saved():
    identity = fingerprint_id(FACTS)
    assert re.fullmatch(r"[0-9a-f]{12}", identity)
    assert fingerprint_id(json.loads(json.dumps(FACTS))) == identity
    assert fingerprint_id(dict(reversed(FACTS.items()))) == identity


@given(st.integers(-50 * 2**20, 50 * 2**20))
def test_some_megabytes_of_memory_make_no_other_machine(bytes_moved):
    moved = {**FACTS, "memory_total_bytes": FACTS["memory_total_bytes"] + bytes_moved}
    assert fingerprint_id(moved) == fingerprint_id(FACTS)
    assert difference(moved, FACTS) == []


@pytest.mark.parametrize(("key", "value"), CHANGES)
def test_each_part_of_a_fingerprint_makes_another_id_and_is_named_as_a_difference(key, value):
    other = {**FACTS, key: value}
    assert fingerprint_id(other) != fingerprint_id(FACTS)
    (text,) = difference(FACTS, other)
    assert text.startswith(key)


def test_a_fingerprint_differs_from_itself_in_nothing():
    assert difference(FACTS, copy.deepcopy(FACTS)) == []


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"usable_cpus": 4}, "usable_cpus 4 there, 2 here"),
        ({"memory_total_bytes": 32 * GIB}, "memory_total_bytes '32 GiB' there, '16 GiB' here"),
        ({"thread_env": {}}, "thread_env.OMP_NUM_THREADS None there, '2' here"),
        ({"packages": {"python": "3.11.7", "torch": "2.14.0"}}, "packages.torch '2.14.0' there, '2.15.0' here"),
    ],
)
def test_a_difference_says_what_is_there_and_what_is_here(changed, text):
    assert difference(FACTS, {**FACTS, **changed}) == [text]


def test_every_difference_is_named():
    other = {**FACTS, "arch": "aarch64", "packages": {"python": "3.12.0", "torch": "2.14.0"}}
    assert [text.split()[0] for text in difference(FACTS, other)] == ["arch", "packages.python", "packages.torch"]


def test_a_part_the_other_fingerprint_lacks_is_a_difference():
    other = {key: value for key, value in FACTS.items() if key != "usable_cpus"}
    assert difference(FACTS, other) == ["usable_cpus None there, 2 here"]


@pytest.mark.parametrize("theirs", [None, {}])
def test_a_run_without_fingerprint_is_said_to_have_none(theirs):
    (text,) = difference(FACTS, theirs)
    assert "no fingerprint" in text


def test_thread_variables_belong_to_the_fingerprint_and_others_do_not(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("EDITOR", "ed")
    thread_env = fingerprint()["thread_env"]
    assert thread_env["OMP_NUM_THREADS"] == "3"
    assert "EDITOR" not in thread_env


def test_packages_are_those_asked_for_and_a_missing_one_is_none():
    packages = fingerprint(["pytest", "no-such-package"])["packages"]
    assert packages == {"python": platform.python_version(), "pytest": pytest.__version__, "no-such-package": None}


@pytest.mark.parametrize(
    ("cpu_model", "slug"),
    [
        ("AMD EPYC 9374F 32-Core Processor", "amd-epyc-9374f-32-core-processor-2cpu-"),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "intel-xeon-e5-2680-v4-2cpu-"),
        ("???", "x86_64-2cpu-"),
    ],
)
def test_a_folder_is_named_readably_first_and_exactly_at_the_end(cpu_model, slug):
    facts = {**FACTS, "cpu_model": cpu_model}
    assert folder_name(facts) == slug + fingerprint_id(facts)


@given(st.text(max_size=100))
def test_a_folder_name_is_one_plain_path_part_whatever_the_processor_is_called(cpu_model):
    name = folder_name({**FACTS, "cpu_model": cpu_model})
    assert re.fullmatch(r"[a-z0-9_-]+-2cpu-[0-9a-f]{12}", name)
    assert len(name) < 64


def make_tree(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


V1 = "cpu,cpuacct/{}cpu.cfs_quota_us", "cpu,cpuacct/{}cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        pytest.param("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5, id="v2"),
        pytest.param("0::/\n", {"cpu.max": "max 100000\n"}, None, id="v2-max"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "max 100000\n", "a/b/cpu.max": "50000 100000\n"}, 0.5, id="v2-own"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "400000 100000"}, 1.0, id="v2-parent"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, 2.0, id="v2-inherited"),
        pytest.param("0::/a\n", {"b/cpu.max": "100000 100000"}, None, id="v2-sibling"),
        pytest.param("0::/\n", {}, None, id="no-files"),
        pytest.param(
            "4:cpu,cpuacct:/docker/x\n1:memory:/docker/x\n",
            {V1[0].format("docker/x/"): "250000\n", V1[1].format("docker/x/"): "100000\n"},
            2.5,
            id="v1",
        ),
        pytest.param(
            "4:cpu,cpuacct:/docker/x\n",
            {V1[0].format("docker/x/"): "-1\n", V1[1].format("docker/x/"): "100000\n"},
            None,
            id="v1-unlimited",
        ),
        pytest.param(
            "4:cpu,cpuacct:/not/seen/from/inside\n",
            {V1[0].format(""): "50000\n", V1[1].format(""): "100000\n"},
            0.5,
            id="v1-container-root",
        ),
        pytest.param(
            "1:memory:/docker/x\n", {"memory/docker/x/cpu.max": "1 100000"}, None, id="v1-other-controllers-folder"
        ),
        pytest.param("0::/a\n", {"a/cpu.max": "nonsense"}, None, id="garbage"),
        pytest.param("nonsense\n", {"cpu.max": "100000 100000"}, 1.0, id="garbage-in-proc"),
    ],
)
def test_the_tightest_cgroup_limit_on_the_way_to_the_root_counts(tmp_path, own, files, quota):
    make_tree(tmp_path / "cgroup", files)
    make_tree(tmp_path, {"own": own})
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "own") == quota


def test_without_proc_the_root_of_the_cgroups_still_counts(tmp_path):
    make_tree(tmp_path, {"cpu.max": "100000 100000"})
    assert cpu_quota(tmp_path, tmp_path / "missing") == 1.0


@pytest.mark.parametrize(
    ("affinity", "quota", "usable"), [(8, None, 8), (8, 2.0, 2), (8, 1.5, 2), (8, 0.2, 1), (2, 16.0, 2)]
)
def test_usable_cpus_are_the_affinity_capped_by_the_quota_rounded_up(monkeypatch, affinity, quota, usable):
    monkeypatch.setattr(cpus, "affinity_cpus", lambda: affinity)
    monkeypatch.setattr(cpus, "cpu_quota", lambda: quota)
    assert usable_cpus() == usable


def test_usable_cpus_are_never_more_than_the_machine_has():
    assert 1 <= usable_cpus() <= psutil.cpu_count()


LSCPU = {
    "lscpu": [
        {"field": "Architecture:", "data": "x86_64", "children": [{"field": "Byte Order:", "data": "Little Endian"}]},
        {
            "field": "Vendor ID:",
            "data": "GenuineIntel",
            "children": [
                {
                    "field": "Model name:",
                    "data": "Xeon",
                    "children": [
                        {"field": "Thread(s) per core:", "data": "2"},
                        {"field": "Core(s) per socket:", "data": "24"},
                        {"field": "Socket(s):", "data": "1"},
                    ],
                }
            ],
        },
    ]
}
FLAT_LSCPU = {
    "lscpu": [
        {"field": "Thread(s) per core:", "data": "1"},
        {"field": "Core(s) per socket:", "data": None},
        {"field": "Socket(s):", "data": "-"},
    ]
}


@pytest.mark.parametrize(
    ("output", "topology"),
    [
        pytest.param(json.dumps(LSCPU), (1, 24, 2), id="nested"),
        pytest.param(json.dumps(FLAT_LSCPU), (None, None, 1), id="flat-with-unknowns"),
        pytest.param("lscpu: unrecognized option '--json'", (None, None, None), id="no-json"),
        pytest.param("{}", (None, None, None), id="other-json"),
        pytest.param('{"lscpu": [{"no": "field"}]}', (None, None, None), id="no-field"),
    ],
)
def test_topology_comes_from_lscpu_however_deep_it_nests(tmp_path, monkeypatch, output, topology):
    (tmp_path / "output").write_text(output)
    fake = tmp_path / "lscpu"
    fake.write_text(f"#!/bin/sh\n/bin/cat {tmp_path}/output\n")
    fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    facts = machine_facts()
    assert (facts["cpu_sockets"], facts["cpu_cores_per_socket"], facts["cpu_threads_per_core"]) == topology


def test_without_lscpu_the_topology_is_none_and_the_rest_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    facts = machine_facts()
    assert facts["cpu_sockets"] is None
    assert facts["cpu_logical_cpus"] == psutil.cpu_count()


CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:  12\n"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)\n"


@pytest.mark.parametrize(
    ("version", "driver"),
    [
        pytest.param(CLOSED, "535.129.03", id="closed-module"),
        pytest.param(OPEN, "570.86.15", id="open-module"),
        pytest.param("something else\n", None, id="unknown"),
    ],
)
def test_the_nvidia_driver_is_read_from_the_kernel_module(tmp_path, version, driver):
    make_tree(tmp_path, {"version": version})
    assert environment._nvidia(tmp_path) == ([], driver)


def test_every_nvidia_gpu_is_named_in_order_of_its_bus(tmp_path):
    make_tree(
        tmp_path,
        {
            "version": CLOSED,
            "gpus/0000:02:00.0/information": "Model: \t\t NVIDIA L4\nIRQ:   \t\t 59\n",
            "gpus/0000:01:00.0/information": "Model: \t\t NVIDIA H200\nIRQ:   \t\t 58\n",
            "gpus/0000:03:00.0/information": "IRQ:   \t\t 60\n",
        },
    )
    assert environment._nvidia(tmp_path) == (["NVIDIA H200", "NVIDIA L4", "unknown"], "535.129.03")


def test_a_gpu_whose_file_cannot_be_read_leaves_the_others(tmp_path):
    make_tree(tmp_path, {"version": CLOSED, "gpus/0000:01:00.0/information": "Model: \t NVIDIA L4\n"})
    (tmp_path / "gpus/0000:02:00.0/information").mkdir(parents=True)
    assert environment._nvidia(tmp_path) == (["NVIDIA L4", "unknown"], "535.129.03")


def test_without_the_nvidia_module_there_are_no_gpus(tmp_path):
    assert environment._nvidia(tmp_path / "missing") == ([], None)
