"""Saved sessions written rather than measured, and a project whose benchmarks take exactly the time they are told."""

import json
import math
import random
from pathlib import Path
from typing import Any

from tailgate.machine import fingerprint
from tailgate.results.saved_run import Run

MACHINE = fingerprint.fingerprint()
FOLDER = fingerprint.folder_name(MACHINE)
BASE_S = 1e-3
SCATTER = 0.002

CLOCK = """
seconds = 0.0

def now():
    global seconds
    seconds += 1e-9  # else pytest-benchmark would wait forever for it to move
    return seconds
"""
CONFTEST = """
import ast, pathlib
import pytest

def pytest_benchmark_generate_machine_info(): return {"node": "here"}

def pytest_addoption(parser):
    names = "factor first-factor without skipped passive failing variant marker workload excluded status"
    for name in names.split():
        parser.addoption(f"--{name}", default="")

def pytest_generate_tests(metafunc):
    if "variant" in metafunc.fixturenames:
        metafunc.parametrize("variant", [metafunc.config.option.variant or "a"])

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    option = config.option
    items[:] = [item for item in items if not option.without or option.without not in item.name]
    for item in items:
        if option.skipped and option.skipped in item.name:
            item.add_marker(pytest.mark.skip(reason="not today"))
        if option.marker and "one" in item.name:
            item.add_marker(pytest.mark.gate(**ast.literal_eval(option.marker)))

def pytest_tailgate_expected(config, fullname, extra_info):
    return False if config.option.excluded and config.option.excluded in fullname else None
"""
TESTS = """
import pathlib
import clock
import pytest

def advance(seconds):
    clock.seconds += seconds

@pytest.fixture
def call(benchmark, request):
    option = request.config.option
    factor = float(option.factor or 1)
    once = pathlib.Path("once")
    if option.first_factor and not once.exists():
        factor = float(option.first_factor)
        once.touch()
    def call(factor=factor, rounds=20):
        if option.workload:
            benchmark.extra_info["model_sha256"] = option.workload
        if option.status:
            benchmark.extra_info["status"] = option.status
        if not (option.passive and option.passive in request.node.name):
            benchmark.pedantic(advance, args=(1e-3 * factor,), rounds=rounds)
        assert not (option.failing and option.failing in request.node.name)
    return call

def test_one(call, benchmark): call()
def test_two(call, benchmark, variant): call(1)
"""
INI = "[pytest]\ntailgate_baselines = baselines\n"
FILES = {
    "clock.py": CLOCK,
    "conftest.py": CONFTEST,
    "test_it.py": TESTS,
    "pytest.ini": "[pytest]\ntailgate_baselines = baselines\n",
}
NAMES = ("test_it.py::test_one", "test_it.py::test_two[a]")
TIMER = ("--benchmark-timer=clock.now", "-p", "clock")


def project(folder: Path) -> Path:
    """Write it."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def bench(fullname: str, median_s: float, p99_s: float | None = None, rounds: int = 400, **info: Any) -> dict[str, Any]:
    """One saved row."""
    stats = dict.fromkeys(("min", "max", "mean", "median"), median_s) | {"stddev": 0.0, "rounds": rounds}
    stats |= dict.fromkeys(("q1", "q3", "ld15iqr", "hd15iqr", "p90", "p95", "p999"), median_s)
    stats |= {"iqr": 0.0, "iqr_outliers": 0, "stddev_outliers": 0, "outliers": "0;0", "total": 1.0, "iterations": 1}
    tail_s = p99_s or median_s * 1.1
    stats |= {"p99": tail_s, "p99_low": tail_s, "p99_high": tail_s, "throughput": 1 / median_s, "ops": 1 / median_s}
    return {
        "name": fullname.rpartition("::")[2],
        "fullname": fullname,
        "group": None,
        "stats": stats,
        "extra_info": info,
    }


def saved_run(*benches: dict[str, Any], machine: dict[str, Any] | None = None, **top: Any) -> Run:
    """One saved run."""
    facts = machine or MACHINE
    info = {"fingerprint": facts, "fingerprint_id": fingerprint.fingerprint_id(facts)}
    return {"machine_info": info, "datetime": "2026-11-20T10:00:00+00:00", "benchmarks": list(benches), **top}


def scattered(sessions: int, *, drift: float = 0.0, scatter: float = SCATTER) -> list[float]:
    """Medians of sessions: exactly centred, with a known scatter, moving by ``drift`` a session."""
    generator = random.Random(7)
    logs = [generator.gauss(0, 1) for _ in range(sessions)]
    mean = sum(logs) / sessions
    spread = math.sqrt(sum((log - mean) ** 2 for log in logs) / max(1, sessions - 1)) or 1.0
    return [BASE_S * math.exp((log - mean) / spread * scatter + drift * index) for index, log in enumerate(logs)]


def write(folder: Path, word: str, runs: list[Run], place: str = FOLDER) -> list[Path]:
    """Save a series below ``folder/baselines``; numbers go on."""
    home = folder / "baselines" / place
    home.mkdir(parents=True, exist_ok=True)
    begin = len(list(home.glob("*.json"))) + 1
    files = [home / f"{begin + index:04}_{word}.json" for index in range(len(runs))]
    for file, run in zip(files, runs, strict=True):
        file.write_text(json.dumps(run))
    return files


def series(folder: Path, word: str, sessions: int = 10, *, names: tuple[str, ...] = NAMES, **how: Any) -> list[Path]:
    """The usual history."""
    place = {key: how.pop(key) for key in ("place",) if key in how}
    machine = how.pop("machine", None)
    top = how.pop("top", {})
    medians = scattered(sessions, drift=how.pop("drift", 0.0), scatter=how.pop("scatter", SCATTER))
    runs = [saved_run(*(bench(name, median, **how) for name in names), machine=machine, **top) for median in medians]
    return write(folder, word, runs, **place)
