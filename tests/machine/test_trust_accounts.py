"""The kernel's accounts, read from trees laid out as the kernel lays them out, and from this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from suite import printed

from tailgate.machine.cpus import cgroup_folders
from tailgate.machine.trust import Reading, calibrate, own, read
from tailgate.machine.trust.accounts import (
    cpu_times,
    frequency_hz,
    pressure,
    thermal_throttles,
    thread_times,
    throttling,
)

STAT = """\
cpu  900 9 900 900 9 9 9 99 0 0
cpu0 100 1 50 800 7 3 6 20 11 0
cpu1 200 2 60 700 8 4 5 30 22 0
cpu10 5 5 5 5 5 5 5 5 5 5
intr 123 0
ctxt 77
"""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
MISSING = Path("/nowhere/at/all")


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "cpus", "ticks"),
    [
        pytest.param(STAT, {0}, (160, 20), id="one-cpu-neither-idle-nor-iowait-nor-guest"),
        pytest.param(STAT, {0, 1}, (431, 50), id="two-cpus"),
        pytest.param(STAT, {1}, (271, 30), id="cpu1-is-not-cpu10"),
        pytest.param(STAT, {0, 2}, None, id="a-cpu-that-is-not-listed"),
        pytest.param("cpu0 0 0 0 0 0 0 0 0 0 0\n", {0}, None, id="a-sandbox-that-counts-nothing"),
        pytest.param("cpu0 1 2 3 4\n", {0}, None, id="too-few-columns"),
        pytest.param("cpu0 nonsense\n", {0}, None, id="nonsense"),
    ],
)
def test_cpu_times(tmp_path: Path, text: str, cpus: set[int], ticks: tuple[int, int] | None) -> None:
    file = tree(tmp_path, {"stat": text}) / "stat"
    expected = None if ticks is None else pytest.approx((ticks[0] * TICK_S, ticks[1] * TICK_S))
    assert cpu_times(file, cpus) == expected
    assert cpu_times(MISSING, cpus) is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"7/schedstat": "2000000000 500000000 12\n", "8/schedstat": "1 0 1\n"}, {7: (2.0, 0.5), 8: (1e-9, 0.0)}),
        ({"7/schedstat": "2000000000 0 12\n", "8/other": ""}, {7: (2.0, 0.0)}),  # 8 has just ended
        ({"7/schedstat": "0 0 0\n"}, None),  # what a kernel writes that does not count
        ({"7/schedstat": "nonsense\n"}, None),
    ],
)
def test_thread_times(tmp_path: Path, files: dict[str, str], expected: object) -> None:
    assert thread_times(tree(tmp_path, files)) == expected
    assert thread_times(MISSING) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("some avg10=0.14 avg60=0.11 avg300=0.06 total=3417433\nfull avg10=0.00 avg60=0.00 total=9\n", 3.417433),
        ("full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n", None),
        ("some nonsense\n", None),
        ("some avg10=0.14\n", None),
        ("", None),
    ],
)
def test_pressure_is_the_total_of_some(tmp_path: Path, text: str, seconds: float | None) -> None:
    assert pressure(tree(tmp_path, {"cpu": text}) / "cpu") == seconds
    assert pressure(MISSING) is None


V2_OF_A_GROUP = "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 250000\n"


@pytest.mark.parametrize(
    ("own_groups", "files", "expected"),
    [
        pytest.param("0::/a/b\n", {"a/b/cpu.stat": V2_OF_A_GROUP}, (3, 0.25), id="v2"),
        pytest.param(
            "0::/a/b\n", {"a/b/cpu.stat": V2_OF_A_GROUP, "a/cpu.stat": V2_OF_A_GROUP}, (6, 0.5), id="v2-the-parent-too"
        ),
        pytest.param("0::/\n", {"cpu.stat": V2_OF_A_GROUP}, (3, 0.25), id="v2-in-a-container"),
        pytest.param("0::/a\n", {"a/cpu.stat": "usage_usec 5\n"}, None, id="v2-without-the-controller"),
        pytest.param(
            "4:cpu,cpuacct:/docker/x\n",
            {"cpu,cpuacct/docker/x/cpu.stat": "nr_periods 2\nnr_throttled 1\nthrottled_time 100000000\n"},
            (1, 0.1),
            id="v1-nanoseconds",
        ),
        pytest.param("0::/a\n", {"a/cpu.stat": "nr_throttled many\n"}, None, id="nonsense"),
        pytest.param("0::/a\n", {}, None, id="nothing-there"),
    ],
)
def test_throttling(tmp_path: Path, own_groups: str, files: dict[str, str], expected: object) -> None:
    root = tree(tmp_path / "cgroup", {"present": "", **files})
    tree(tmp_path, {"own": own_groups})
    found = throttling(cgroup_folders(root, tmp_path / "own"))
    assert found == (None if expected is None else pytest.approx(expected))


def test_one_group_by_two_names_is_counted_once(tmp_path: Path) -> None:
    tree(tmp_path, {"own": "4:cpu,cpuacct:/\n", "cgroup/cpu,cpuacct/cpu.stat": "nr_throttled 1\nthrottled_time 5\n"})
    (tmp_path / "cgroup" / "cpu").symlink_to("cpu,cpuacct")
    assert throttling(cgroup_folders(tmp_path / "cgroup", tmp_path / "own")) == (1, pytest.approx(5e-9))


def test_frequency_is_the_mean_of_our_cpus_in_hertz(tmp_path: Path) -> None:
    khz = {f"cpu{number}/cpufreq/scaling_cur_freq": f"{value}\n" for number, value in enumerate((1000, 3000, 9000))}
    tree(tmp_path, khz)
    assert frequency_hz(tmp_path, [0, 1]) == 2e6
    assert frequency_hz(tmp_path, [0, 7]) is None, "not the mean of some"
    assert frequency_hz(tmp_path, []) is None
    assert frequency_hz(MISSING, [0]) is None


def test_a_kernel_that_sleeps_for_each_frequency_is_asked_for_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailgate.machine.trust.accounts.FREQUENCY_BUDGET_S", -1.0)
    tree(tmp_path, {f"cpu{number}/cpufreq/scaling_cur_freq": f"{number + 1}\n" for number in range(3)})
    assert frequency_hz(tmp_path, [0, 1, 2]) == 1000.0


def test_thermal_throttles_are_those_of_cores_and_packages(tmp_path: Path) -> None:
    counts = {"core": (1, 2), "package": (30, 30)}
    for what, values in counts.items():
        for number, value in enumerate(values):
            tree(tmp_path, {f"cpu{number}/thermal_throttle/{what}_throttle_count": f"{value}\n"})
    assert thermal_throttles(tmp_path, [0, 1]) == 63
    assert thermal_throttles(tmp_path, [0]) == 31
    assert thermal_throttles(MISSING, [0, 1]) is None


def test_a_reading_of_a_whole_tree(tmp_path: Path) -> None:
    cpus = own.own_cpus()
    assert cpus
    proc = tree(
        tmp_path / "proc",
        {
            "stat": "".join(f"cpu{number} 100 0 0 0 0 0 0 7 0 0\n" for number in cpus),
            "self/task/1/schedstat": "3000000000 1000000000 5\n",
            "self/cgroup": "0::/\n",
            **{f"pressure/{what}": "some avg10=0.00 total=2000000\n" for what in ("cpu", "memory", "io")},
        },
    )
    sys_ = tree(
        tmp_path / "sys",
        {
            "fs/cgroup/cpu.stat": V2_OF_A_GROUP,
            "fs/cgroup/cpu.max": "150000 100000\n",
            **{f"devices/system/cpu/cpu{number}/cpufreq/scaling_cur_freq": "2000000\n" for number in cpus},
            **{f"devices/system/cpu/cpu{number}/thermal_throttle/core_throttle_count": "1\n" for number in cpus},
        },
    )
    found = read(proc, sys_)
    assert found == Reading(
        wall_s=found.wall_s,
        own_s=found.own_s,
        cpus=cpus,
        quota_cpus=1.5,
        busy_s=pytest.approx(100 * TICK_S * len(cpus)),
        steal_s=pytest.approx(7 * TICK_S * len(cpus)),
        thread_times_s={1: (3.0, 1.0)},
        involuntary_switches=found.involuntary_switches,
        pressure_cpu_s=2.0,
        pressure_memory_s=2.0,
        pressure_io_s=2.0,
        throttled_periods=3,
        throttled_cpu_s=0.25,
        frequency_hz=2e9,
        thermal_throttles=len(cpus),
    )


def test_this_machines_accounts_only_grow() -> None:
    first, second = read(), read()
    assert second.wall_s > first.wall_s
    assert second.own_s > first.own_s
    for field in ("busy_s", "steal_s", "pressure_cpu_s", "pressure_io_s", "involuntary_switches", "throttled_periods"):
        before, after = getattr(first, field), getattr(second, field)
        assert (before is None) == (after is None)
        assert before is None or after >= before
    if sys.platform == "linux":
        assert first.busy_s is not None


def cpu_time_s(call: Callable[[], object]) -> float:
    """Of this thread, the least of several."""
    took_s = []
    for _ in range(5):
        start_s = time.thread_time()
        call()
        took_s.append(time.thread_time() - start_s)
    return min(took_s)


def test_a_reading_takes_little_beside_a_calibration() -> None:
    """0.2 ms beside 80 ms, whatever else the machine does."""
    assert cpu_time_s(read) < cpu_time_s(calibrate) / 4


BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


def test_worker_processes_are_ours_while_they_live_and_afterwards() -> None:
    before_s = own.own_cpu_s()
    worker = subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with worker:
        assert worker.stdout.readline() == b"done\n"
        alive_s = own.own_cpu_s()
        worker.communicate(b"\n")
    waited_for_s = own.own_cpu_s()
    assert alive_s - before_s >= 0.25
    assert waited_for_s >= alive_s - 0.05, "a child's account must not be lost when it ends"
    assert waited_for_s - alive_s < (alive_s - before_s) / 2, "nor be counted twice"


ELSEWHERE = """
import os, sys
from pathlib import Path
import psutil  # has a version of its own for every platform
sys.modules["resource"] = None
for name in ("sched_getaffinity", "waitid", "sysconf"):
    delattr(os, name)
from tailgate.machine.trust import judge, read
nowhere = Path("/nowhere")
before, after = read(nowhere, nowhere), read(nowhere, nowhere)
assert before.cpus is before.busy_s is before.involuntary_switches is before.pressure_cpu_s is None
after = type(after)(after.wall_s + 1, after.own_s + 1)
judged = judge(before, after, 4)
assert judged.status is None
print(sorted(name for name, value in judged.fields.items() if value is not None))
"""


def test_where_the_platform_has_nothing_of_it_all_it_imports_and_says_what_is_missing() -> None:
    assert printed(ELSEWHERE) == "['cpu_per_wall']\n"
