"""Fake machines for test_doctor.py: a table of what files say, and what the doctor has to say of them."""

import errno
import itertools
import os
from functools import partial

from tailgate.machine.doctor.cpu_lists import written
from tailgate.machine.doctor.host import Done, Host, UnreadableError

CPU = "/sys/devices/system/cpu"
CLOCKS = "/sys/devices/system/clocksource/clocksource0"
ZONE = "/sys/class/thermal/thermal_zone0"
HWMON = "/sys/class/hwmon/hwmon0"
THROTTLE = f"{CPU}/cpu0/thermal_throttle"
BATTERY = "/sys/class/power_supply/BAT0"
HUGE = "/sys/kernel/mm/transparent_hugepage/enabled"
PARANOID = "/proc/sys/kernel/perf_event_paranoid"
RAPL = "/sys/class/powercap/intel-rapl:0"
VIRTUAL = {"/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu avx2 hypervisor\n"}
DEBIAN = {"/etc/os-release": 'NAME="Debian GNU/Linux"\nID=debian\n'}
STATUS = {"/proc/self/status": "Name:\tpython\nVmHWM:\t  9000 kB\nCapEff:\t0000000000000000\n"}
ROOT_STATUS = {"/proc/self/status": "VmHWM:\t9 kB\nCapEff:\t000001ffffffffff\n"}
MEMORY = "MemTotal: {} kB\nMemAvailable: {} kB\nSwapTotal: {} kB\nSwapFree: {} kB\n"
SOME = "some avg10={} avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
GPU_LINE = "0, NVIDIA L4, 550.54.15, 8.9, 16.51, 0"


def fake(folder, files=(), programs=(), **fields):
    """A Linux machine of four CPUs that has these files and programs, and nothing else."""
    for name, text in dict(files).items():
        file = folder / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    answers = dict(programs)

    def run(command):
        answer = answers[command[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Done) else Done(0, answer, "")

    settings = {
        "root": folder,
        "system": "Linux",
        "environ": {},
        "usable": frozenset(range(4)),
        "superuser": False,
        "run": run,
        "which": lambda name: f"/usr/bin/{name}" if name in answers else None,
        "count": lambda event: 1000,
        "processes": list,
        "sleep": lambda seconds: None,
        "clock": partial(next, itertools.count(0, 50e-9)),
        "own_cpu_s": lambda: 0.0,
    }
    return Host(**{**settings, **fields})


def refusing(code):
    def count(event):
        raise OSError(code, os.strerror(code))

    return count


def policy(governor, driver, cpus=range(4), **others):
    texts = {"scaling_governor": governor, "scaling_driver": driver, **others}
    return {f"{CPU}/cpu{cpu}/cpufreq/{name}": text for cpu in cpus for name, text in texts.items()}


def siblings(*lists):
    return {f"{CPU}/cpu{cpu}/topology/thread_siblings_list": text for cpu, text in enumerate(lists)}


def nodes(*lists):
    files = {f"/sys/devices/system/node/node{node}/cpulist": text for node, text in enumerate(lists)}
    return {**files, "/sys/devices/system/node/online": written(range(len(lists)))}


def battery(status, **others):
    return {f"{BATTERY}/{name}": text for name, text in {"type": "Battery", "status": status, **others}.items()}


TABLE = [
    # topic, files, what else differs, state, words of the text, remedy
    ("clock", {}, {}, "ok", "a reading costs 50 ns", None),
    ("clock", {}, {"clock": partial(next, itertools.count(0, 2e-6))}, "disturbs", "shorter than 200 µs", None),
    ("clock", {}, {"clock": lambda: 1.0}, "disturbs", "stood still", None),
    ("clock source", {f"{CLOCKS}/current_clocksource": "tsc", f"{CLOCKS}/available_clocksource": "tsc hpet"}, {}, "ok",
     "tsc", None),
    ("clock source", {f"{CLOCKS}/current_clocksource": "hpet", f"{CLOCKS}/available_clocksource": "tsc hpet"}, {},
     "disturbs", "hpet", f"echo tsc | sudo tee {CLOCKS}/current_clocksource"),
    ("clock source", {f"{CLOCKS}/current_clocksource": "acpi_pm", f"{CLOCKS}/available_clocksource": "acpi_pm"}, {},
     "disturbs", "distrusts", "sudo dmesg | grep -iE 'tsc|clocksource'"),
    ("clock source", {f"{CLOCKS}/current_clocksource": "xen", f"{CLOCKS}/available_clocksource": "xen"}, {}, "note",
     "xen", None),
    ("clock source", {}, {}, "unknown", "current_clocksource cannot be read (No such file", None),
    ("perf counters", {**STATUS, PARANOID: "2"}, {}, "ok", "2 permits own processes, user space only", None),
    ("perf counters", {**STATUS, PARANOID: "-1"}, {}, "ok", "-1 permits everything", None),
    ("perf counters", {**ROOT_STATUS, PARANOID: "4"}, {}, "ok", "does not bind a privileged user", None),
    ("perf counters", {**STATUS, PARANOID: "1"}, {"count": lambda event: event % 5}, "ok",
     "(but not cycles, branch-misses); perf_event_paranoid 1 permits own processes, kernel included", None),
    ("perf counters", {**STATUS, PARANOID: "0", "/proc/sys/kernel/nmi_watchdog": "1"}, {}, "note", "NMI watchdog",
     "sudo sysctl kernel.nmi_watchdog=0"),
    ("perf counters", VIRTUAL, {"count": refusing(errno.ENOENT)}, "missing", "hypervisor", None),
    ("perf counters", {}, {"count": refusing(errno.EOPNOTSUPP)}, "missing", "no driver", None),
    ("perf counters", VIRTUAL, {"count": lambda event: 0}, "missing", "stays at 0", None),
    ("perf counters", {PARANOID: "4"}, {"count": refusing(errno.EACCES)}, "missing", "perf_event_paranoid is 4",
     "sudo sysctl kernel.perf_event_paranoid=2"),
    ("perf counters", {PARANOID: "2"}, {"count": refusing(errno.EPERM)}, "missing", "docker run --cap-add PERFMON",
     None),
    ("perf counters", {}, {"count": refusing(errno.ENOSYS)}, "missing", "built without perf events", None),
    ("perf counters", {PARANOID: "2"}, {"count": refusing(errno.EMFILE)}, "unknown", "Too many open files", None),
    ("perf command", {}, {"programs": {"perf": "perf version 6.1"}}, "ok", "perf version 6.1 (/usr/bin/perf)", None),
    ("perf command", DEBIAN, {}, "missing", "not installed", "sudo apt install linux-perf"),
    ("perf command", {"/etc/os-release": "ID=ubuntu\nID_LIKE=debian\n"},
     {"programs": {"perf": Done(2, "", "WARNING: perf not found for kernel 6.8")}}, "missing", "for kernel 6.8",
     "sudo apt install linux-tools-common linux-tools-$(uname -r)"),
    ("perf command", {}, {"programs": {"perf": UnreadableError("perf hangs")}}, "unknown", "perf hangs", None),
    ("CPU energy", {f"{RAPL}/energy_uj": "12", f"{RAPL}/name": "package-0"}, {}, "ok", "RAPL: package-0", None),
    ("CPU energy", {f"{RAPL}/energy_uj": "many", f"{RAPL}/name": "package-0"}, {}, "unknown", "'many', not a", None),
    ("CPU energy", VIRTUAL, {}, "missing", "hypervisor", None),
    ("CPU energy", {}, {}, "missing", "/sys/class/powercap", "sudo modprobe intel_rapl_msr"),
    ("valgrind", {}, {"programs": {"valgrind": "valgrind-3.19.0"}}, "ok", "valgrind-3.19.0 (/usr/bin/valgrind)", None),
    ("valgrind", DEBIAN, {}, "missing", "not installed", "sudo apt install valgrind"),
    ("valgrind", DEBIAN, {"programs": {"valgrind": Done(1, "", "no tool")}}, "missing", "does not work: no tool",
     "sudo apt install valgrind"),
    ("valgrind", {}, {"programs": {"valgrind": Done(1, "", "no tool")}}, "missing", "does not work: no tool", None),
    ("CPU waits", {"/proc/self/schedstat": "82012 57687 2"}, {}, "ok", "waited", None),
    ("CPU waits", {"/proc/self/schedstat": "0 0 0"}, {}, "missing", "stays 0", "sudo sysctl kernel.task_delayacct=1"),
    ("CPU waits", {}, {}, "missing", "built without", None),
    ("pressure stalls", {"/proc/pressure/cpu": SOME.format("0.00")}, {}, "ok", "/proc/pressure", None),
    ("pressure stalls", {}, {}, "missing", "psi=1", None),
    ("pressure stalls", {}, {"programs": {"grubby": ""}}, "missing", "psi=1",
     "sudo grubby --update-kernel=ALL --args=psi=1"),
    ("memory peak", {**STATUS, "/proc/self/clear_refs": ""}, {}, "ok", "high-water mark", None),
    ("memory peak", STATUS, {}, "missing", "clear_refs", None),
    ("memory peak", {"/proc/self/clear_refs": ""}, {}, "unknown", "/proc/self/status cannot be read", None),
    ("CPU fp32", {"/proc/cpuinfo": "flags : avx2 avx512f"}, {}, "ok", "avx2, avx512f", None),
    ("CPU fp32", {"/proc/cpuinfo": "flags : sse2"}, {}, "missing", "neither AVX2", None),
    ("CPU bf16", {"/proc/cpuinfo": "flags : avx512_bf16 amx_bf16"}, {}, "ok", "avx512_bf16, amx_bf16", None),
    ("CPU bf16", {"/proc/cpuinfo": "flags : avx512f avx_ne_convert"}, {}, "missing", "not native", None),
    ("CPU fp16", {"/proc/cpuinfo": "Features : fp asimd fphp asimdhp"}, {}, "ok", "asimdhp, fphp", None),
    ("CPU fp16", {"/proc/cpuinfo": "flags : f16c avx2"}, {}, "missing", "not native", None),
    ("CPU int8", {"/proc/cpuinfo": "Features : asimd asimddp i8mm"}, {}, "ok", "asimddp, i8mm", None),
    ("CPU int8", {"/proc/cpuinfo": "flags : avx2"}, {}, "missing", "not native", None),
    ("CPU int8", {"/proc/cpuinfo": "processor : 0"}, {}, "unknown", "no instruction sets", None),
    ("GPU", {}, {"programs": {"nvidia-smi": f"{GPU_LINE}\n{GPU_LINE}"}}, "ok", "2 x NVIDIA L4; driver 550.54.15", None),
    ("GPU", {}, {}, "missing", "no NVIDIA GPU", None),
    ("GPU", {"/proc/driver/nvidia/version": "x"}, {}, "missing", "not on PATH", None),
    ("GPU", {**DEBIAN, "/sys/bus/pci/devices/0/vendor": "0x10de", "/sys/bus/pci/devices/0/class": "0x030200"}, {},
     "missing", "driver is not installed", "sudo apt install nvidia-driver"),
    ("GPU", {"/sys/bus/pci/devices/0/vendor": "0x10de", "/sys/bus/pci/devices/0/class": "0x0c0330"}, {}, "missing",
     "no NVIDIA GPU", None),
    ("GPU", {}, {"programs": {"nvidia-smi": Done(9, "NVIDIA-SMI has failed", "")}}, "missing", "has failed",
     "sudo modprobe nvidia"),
    ("GPU", {}, {"programs": {"nvidia-smi": UnreadableError("did not answer")}}, "missing", "did not answer", None),
    ("GPU", {}, {"programs": {"nvidia-smi": "a line, of another form"}}, "missing", "a form we do not know", None),
    ("GPU power", {}, {"programs": {"nvidia-smi": GPU_LINE}}, "ok", "17 W drawn now", None),
    ("GPU power", {}, {"programs": {"nvidia-smi": GPU_LINE.replace("16.51", "[N/A]")}}, "missing", "GPU 0", None),
    ("GPU precisions", {}, {"programs": {"nvidia-smi": GPU_LINE}}, "ok", "fp8 (compute capability 8.9)", None),
    ("GPU precisions", {}, {"programs": {"nvidia-smi": GPU_LINE.replace("8.9", "[N/A]")}}, "missing",
     "does not tell the compute capability", None),
    ("GPU", {}, {"programs": {"nvidia-smi": GPU_LINE.replace("8.9", "[Unknown Error]")}}, "ok", "1 x NVIDIA L4", None),
    ("GPU load", {}, {"programs": {"nvidia-smi": GPU_LINE}}, "ok", "GPU 0 0 % busy", None),
    ("GPU load", {}, {"programs": {"nvidia-smi": GPU_LINE[:-1] + "97"}}, "disturbs", "GPU 0 97 % busy",
     "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv"),
    ("CPU pressure", {"/proc/pressure/cpu": SOME.format("0.30")}, {}, "ok", "0.3 %", None),
    ("CPU pressure", {"/proc/pressure/cpu": SOME.format("41.00")}, {}, "disturbs", "41.0 %", "top -o %CPU"),
    ("memory pressure", {"/proc/pressure/cpu": "", "/proc/pressure/memory": SOME.format("2.00")}, {}, "disturbs",
     "2.0 %", "ps -eo pid,rss,args --sort=-rss | head"),
    ("disk pressure", {"/proc/pressure/cpu": "", "/proc/pressure/io": SOME.format("12.00")}, {}, "disturbs", "12.0 %",
     "sudo iotop -oPa"),
    ("disk pressure", {"/proc/pressure/cpu": "", "/proc/pressure/io": "?"}, {}, "unknown", "has no avg10", None),
    ("governor", policy("performance", "acpi-cpufreq"), {}, "ok", "performance (acpi-cpufreq) on CPUs 0-3", None),
    ("governor", policy("performance", "intel_pstate", energy_performance_preference="performance"), {}, "ok",
     "performance (intel_pstate", None),
    ("governor", policy("powersave", "intel_pstate", energy_performance_preference="performance"), {}, "ok",
     "preference performance", None),
    ("governor", policy("powersave", "amd-pstate-epp", energy_performance_preference="0"), {}, "ok", "preference 0",
     None),
    ("governor", policy("schedutil", "acpi-cpufreq", scaling_min_freq="2400000", scaling_max_freq="2400000"), {}, "ok",
     "set to the same", None),
    ("governor", policy("powersave", "intel_pstate", energy_performance_preference="balance_performance"),
     {"programs": {"cpupower": ""}}, "disturbs", "follows the load", "sudo cpupower frequency-set -g performance"),
    ("governor", policy("schedutil", "intel_cpufreq", energy_performance_preference="performance"), {}, "disturbs",
     "schedutil (intel_cpufreq) on CPUs 0-3", f"echo performance | sudo tee {CPU}/cpu*/cpufreq/scaling_governor"),
    ("governor", policy("powersave", "acpi-cpufreq", scaling_min_freq="1", scaling_max_freq="2"), {}, "disturbs",
     "lowest frequency", f"echo performance | sudo tee {CPU}/cpu*/cpufreq/scaling_governor"),
    ("governor", policy("performance", "x", [0, 1, 3]) | policy("ondemand", "x", [2]), {}, "disturbs",
     "performance (x) on CPUs 0-1,3; ondemand (x) on CPU 2",
     f"echo performance | sudo tee {CPU}/cpu*/cpufreq/scaling_governor"),
    ("governor", policy("performance", "x", [0, 1, 3]) | policy("ondemand", "x", [2]), {"usable": frozenset({0, 3})},
     "ok", "performance (x) on CPUs 0,3", None),
    ("governor", VIRTUAL, {}, "note", "the host decides", None),
    ("governor", {}, {}, "unknown", "no driver", None),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": "0", f"{CPU}/intel_pstate/status": "active"}, {}, "disturbs",
     "on (intel_pstate/no_turbo)", f"echo 1 | sudo tee {CPU}/intel_pstate/no_turbo"),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": "1"}, {}, "ok", "off (intel_pstate/no_turbo)", None),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": "", f"{CPU}/intel_pstate/status": "off", f"{CPU}/cpufreq/boost": "1"},
     {}, "disturbs", "on (cpufreq/boost)", f"echo 0 | sudo tee {CPU}/cpufreq/boost"),
    ("turbo", {f"{CPU}/cpufreq/boost": "0"}, {}, "ok", "off (cpufreq/boost)", None),
    ("turbo", {f"{CPU}/cpufreq/policy0/boost": "0", f"{CPU}/cpufreq/policy1/boost": "1"}, {}, "disturbs", "on (cpufreq",
     f"echo 0 | sudo tee {CPU}/cpufreq/policy*/boost"),
    ("turbo", VIRTUAL, {}, "note", "the host decides", None),
    ("turbo", {}, {}, "unknown", "no switch", None),
    ("SMT siblings", siblings("0,2", "1,3", "0,2", "1,3") | {f"{CPU}/smt/control": "on"}, {}, "disturbs",
     "4 usable CPUs are threads of 2 cores",
     f"taskset -c 0-1 pytest  # or, for every process: echo off | sudo tee {CPU}/smt/control"),
    ("SMT siblings", siblings("0-1", "0-1", "2-3", "2-3"), {}, "disturbs", "of 2 cores", "taskset -c 0,2 pytest"),
    ("SMT siblings", siblings("0,2", "1,3", "0,2", "1,3"), {"usable": frozenset({0, 1})}, "note", "CPUs 2-3",
     f"echo off | sudo tee {CPU}/smt/control"),
    ("SMT siblings", siblings("0", "1", "2", "3"), {}, "ok", "no two usable CPUs share a core", None),
    ("SMT siblings", siblings("0", "1", "2", "3") | VIRTUAL, {}, "note", "may hide", None),
    ("SMT siblings", siblings("0", "1", "2", "two"), {}, "unknown", "'two' is not a list of CPUs", None),
    ("CPU quota", {}, {}, "ok", "none", None),
    ("CPU quota", {"/sys/fs/cgroup/cpu.max": "400000 100000"}, {}, "ok", "4 CPUs' worth", None),
    ("CPU quota", {"/sys/fs/cgroup/cpu.max": "250000 100000"}, {}, "disturbs", "2.5 CPUs' worth of time on 4 CPUs",
     "taskset -c 0-1 pytest"),
    ("CPU quota", {"/sys/fs/cgroup/cpu.max": "50000 100000"}, {}, "disturbs", "docker run --cpus", None),
    ("affinity", {f"{CPU}/online": "0-3"}, {}, "ok", "all 4 CPUs", None),
    ("affinity", {f"{CPU}/online": "0-7"}, {}, "note", "CPUs 0-3 of 8", None),
    ("affinity", {}, {}, "unknown", "online cannot be read", None),
    ("swap", {"/proc/meminfo": MEMORY.format(10**7, 10**6, 0, 0)}, {}, "ok", "none", None),
    ("swap", {"/proc/meminfo": MEMORY.format(10**7, 5 * 10**6, 10**6, 10**6), "/proc/sys/vm/swappiness": "60"}, {},
     "note", "0 MiB of 977 MiB in use (swappiness 60)", "sudo swapoff -a"),
    ("swap", {"/proc/meminfo": MEMORY.format(10**7, 5 * 10**6, 10**6, 0)}, {}, "disturbs", "977 MiB of 977",
     "sudo swapoff -a"),
    ("swap", {"/proc/meminfo": MEMORY.format(10**7, 10**5, 10**6, 0)}, {}, "disturbs", "free memory before", None),
    ("swap", {"/proc/meminfo": "MemTotal: 1 kB"}, {}, "unknown", "no SwapTotal", None),
    ("memory", {"/proc/meminfo": MEMORY.format(2**24, 2**23, 0, 0)}, {}, "ok", "8.0 of 16.0 GiB available", None),
    ("memory", {"/proc/meminfo": MEMORY.format(2**24, 2**20, 0, 0)}, {}, "disturbs", "1.0 of 16.0 GiB",
     "ps -eo pid,rss,args --sort=-rss | head"),
    ("memory", {"/proc/meminfo": MEMORY.format(2**24, 2**23, 0, 0), "/proc/self/cgroup": "0::/a/b",
                "/sys/fs/cgroup/a/memory.max": str(2**31), "/sys/fs/cgroup/a/b/memory.max": "max"}, {}, "note",
     "the cgroup allows 2.0 GiB", None),
    ("memory", {"/proc/meminfo": MEMORY.format(2**24, 2**23, 0, 0), "/proc/self/cgroup": "4:memory:/\n1:cpu:/",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": str(2**30)}, {}, "note", "allows 1.0 GiB", None),
    ("memory", {}, {}, "unknown", "/proc/meminfo cannot be read", None),
    ("temperature", {f"{ZONE}/temp": "54000", f"{ZONE}/type": "x86_pkg_temp", f"{ZONE}/trip_point_0_temp": "95000",
                     f"{ZONE}/trip_point_0_type": "passive"}, {}, "ok", "x86_pkg_temp 54 °C (limit 95 °C)", None),
    ("temperature", {f"{ZONE}/temp": "93000", f"{ZONE}/type": "x86_pkg_temp", f"{ZONE}/trip_point_0_temp": "95000",
                     f"{ZONE}/trip_point_0_type": "passive"}, {}, "disturbs", "93 °C",
     "watch -n 1 'grep . /sys/class/thermal/thermal_zone*/temp'"),
    ("temperature", {f"{ZONE}/temp": "93000", f"{ZONE}/type": "acpitz", f"{ZONE}/trip_point_0_temp": "50000",
                     f"{ZONE}/trip_point_0_type": "active"}, {}, "ok", "it tells no limit", None),
    ("temperature", {f"{HWMON}/name": "coretemp", f"{HWMON}/temp1_input": "97000", f"{HWMON}/temp1_max": "84000",
                     f"{HWMON}/temp1_crit": "100000", f"{HWMON}/temp1_label": "Package id 0"}, {}, "disturbs",
     "Package id 0 97 °C (limit 100 °C)", "watch -n 1 'grep . /sys/class/thermal/thermal_zone*/temp'"),
    ("temperature", {f"{HWMON}/name": "nvme", f"{HWMON}/temp1_input": "97000"}, {}, "unknown", "no sensors", None),
    ("temperature", VIRTUAL, {}, "note", "shows no sensors", None),
    ("throttling", {f"{THROTTLE}/core_throttle_count": "0", f"{THROTTLE}/package_throttle_count": "0"}, {}, "ok",
     "not once", None),
    ("throttling", {f"{THROTTLE}/core_throttle_count": "3", f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "9"},
     {}, "note", "up to 9 times a core and 0", f"grep . {CPU}/cpu*/thermal_throttle/*_throttle_count"),
    ("huge pages", {HUGE: "[always] madvise never"}, {}, "note", "always: any", f"echo madvise | sudo tee {HUGE}"),
    ("huge pages", {HUGE: "always [madvise] never"}, {}, "note", "madvise: only", None),
    ("huge pages", {HUGE: "always madvise [never]"}, {}, "note", "never: all", None),
    ("huge pages", {HUGE: "[sometimes]"}, {}, "unknown", "no mode we know", None),
    ("ASLR", {"/proc/sys/kernel/randomize_va_space": "2"}, {}, "note", "on:", "setarch -R pytest"),
    ("ASLR", {"/proc/sys/kernel/randomize_va_space": "0"}, {}, "note", "off:", None),
    ("ASLR", {"/proc/sys/kernel/randomize_va_space": "2", "/proc/self/personality": "00040000"}, {}, "note",
     "off for this process", None),
    ("ASLR", {}, {}, "unknown", "randomize_va_space cannot be read", None),
    ("NUMA", nodes("0-3"), {}, "ok", "one node", None),
    ("NUMA", nodes("0", "1-3"), {}, "note", "on 2 nodes; node 1 has CPUs 1-3",
     "numactl --cpunodebind=1 --membind=1 pytest"),
    ("NUMA", nodes("0-3", "4-7"), {}, "note", "all usable CPUs are on node 0",
     "numactl --cpunodebind=0 --membind=0 pytest"),
    ("virtual machine", {}, {}, "ok", "none seen", None),
    ("virtual machine", VIRTUAL, {}, "note", "does not say which", None),
    ("virtual machine", {"/sys/hypervisor/type": "xen"}, {}, "note", "xen", None),
    ("virtual machine", VIRTUAL, {"programs": {"systemd-detect-virt": "kvm"}}, "note", "kvm", None),
    ("virtual machine", {}, {"programs": {"systemd-detect-virt": Done(1, "none", "")}}, "ok", "none seen", None),
    ("container", {}, {}, "ok", "none seen", None),
    ("container", {"/.dockerenv": ""}, {}, "note", "docker", None),
    ("container", {"/run/.containerenv": ""}, {}, "note", "podman", None),
    ("container", {}, {"environ": {"container": "lxc"}}, "note", "lxc", None),
    ("container", {"/proc/1/cgroup": "0::/kubepods/pod1"}, {}, "note", "kubepods", None),
    ("power source", {}, {}, "ok", "no battery", None),
    ("power source", battery("Full"), {}, "ok", "mains", None),
    ("power source", battery("Discharging"), {}, "disturbs", "plug in", None),
    ("power source", battery("Discharging", scope="Device"), {}, "ok", "no battery", None),
    ("environment", {}, {"environ": {"HOME": "/", "ONEDNN_VERBOSE": "1"}}, "ok", "no variable", None),
    ("environment", {}, {"environ": {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}}, "note",
     "ONEDNN_DEFAULT_FPMATH_MODE=BF16", "env -u ONEDNN_DEFAULT_FPMATH_MODE pytest"),
    ("environment", {}, {"environ": {"OMP_NUM_THREADS": "4", "KMP_AFFINITY": "compact"}}, "note",
     "KMP_AFFINITY=compact, OMP_NUM_THREADS=4", "env -u KMP_AFFINITY -u OMP_NUM_THREADS pytest"),
]  # fmt: skip
