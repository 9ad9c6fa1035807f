"""What measuring costs: the instrument against pytest-benchmark, a bare loop and OpenVINO's own tool; its processes.

Run by hand on a quiet machine, ``pytest benchmarks/instrument -m instrument``; each prints its figure and
the target, and asserts only that it was measured: a target in a test would fail with the neighbour's load.
The figures last seen are in docs/evidence/speed.md.
"""

import itertools
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fixtures.models import models
from fixtures.runtimes import runtimes
from fixtures.workloads.workload import Workload
from tailgate.measure.clocks import timed_rounds
from tailgate.measure.fixture import TailgateBenchmark
from tailgate.session.protocol import Protocol
from tailgate.session.settings import Settings

pytestmark = pytest.mark.instrument
ROOT = Path(__file__).parents[2]
Report = Callable[[str], None]
PAIRS = 14


def test_overhead_per_round_on_a_no_op(request: pytest.FixtureRequest, report: Report) -> None:
    """Against ``benchmark.pedantic``: what a round of nothing reads, and what it takes in all."""

    def nothing() -> None:
        pass

    rounds, blocks = 2000, 40
    read_ns: dict[str, list[float]] = {"tailgate": [], "pedantic": []}
    taken_ns: dict[str, list[float]] = {"tailgate": [], "pedantic": []}
    for _ in range(blocks):
        for name, measure in (("tailgate", _ours), ("pedantic", _pedantic)):
            start_s = time.perf_counter()
            durations_s = measure(request, nothing, rounds)
            taken_ns[name].append((time.perf_counter() - start_s) / rounds * 1e9)
            read_ns[name].append(statistics.median(durations_s) * 1e9)
    read = {name: statistics.median(values) for name, values in read_ns.items()}
    taken = {name: statistics.median(values) for name, values in taken_ns.items()}
    report(
        f"no-op, reads: tailgate {read['tailgate']:.0f} ns, pedantic {read['pedantic']:.0f} ns, "
        f"difference {read['tailgate'] - read['pedantic']:+.0f} ns (target: within 100 ns)"
    )
    report(f"no-op, whole round: tailgate {taken['tailgate']:.0f} ns, pedantic {taken['pedantic']:.0f} ns")
    assert read["tailgate"] < read["pedantic"] + 10_000, "ten microseconds a round would be a mistake, not noise"


def _ours(request: pytest.FixtureRequest, function: Callable[[], None], rounds: int) -> list[float]:
    """All that ``--protocol`` does to a benchmark, meters and bookkeeping included."""
    protocol = Protocol("fixed", warmup_rounds=1, rounds=rounds)
    fixture = _fixture(TailgateBenchmark, request)
    fixture._settings = Settings(protocol=protocol, meters=("cpu", "rss"))
    fixture._iterations = lambda call_s: 1  # single calls, as pedantic makes them
    fixture(function)
    data: list[float] = fixture.stats.stats.data
    return data


def _pedantic(request: pytest.FixtureRequest, function: Callable[[], None], rounds: int) -> list[float]:
    fixture = _fixture(BenchmarkFixture, request)
    fixture.pedantic(function, rounds=rounds)
    data: list[float] = fixture.stats.stats.data
    return data


def _fixture(kind: Any, request: pytest.FixtureRequest) -> Any:
    session: Any = request.config._benchmarksession  # type: ignore[attr-defined]
    return kind(
        request.node,
        add_stats=lambda stats: None,
        logger=session.logger,
        warner=request.node.warn,
        disabled=False,
        **session.options,
    )


def test_mlp_on_onnxruntime_against_a_bare_loop(report: Report) -> None:
    """A call of a few microseconds, block by block in one process."""
    workload = Workload(models()["mlp"], 224, "random")
    runtime = runtimes()["onnxruntime"]
    runtime.start(1)
    ratios, ours_us = [], []
    with runtime.load(workload, "fp32", "cpu", 1, 1) as session:
        prepared = session.prepare(workload.check_inputs(1))
        run = session.run
        # The bare loop calls ONNX Runtime itself, without our session's wrapper.
        bare: Any = session._session.run_with_iobinding  # type: ignore[attr-defined]
        for _ in range(1000):
            run(prepared)
        for _ in range(60):
            bare_s = []
            for _ in range(1000):
                start_s = time.perf_counter()
                bare(prepared)
                bare_s.append(time.perf_counter() - start_s)
            ours_s = timed_rounds(run, (prepared,), {}, 1000, 1, time.perf_counter)
            ratios.append(statistics.median(ours_s) / statistics.median(bare_s))
            ours_us.append(statistics.median(ours_s) * 1e6)
    ratio = statistics.median(ratios)
    report(
        f"mlp, onnxruntime, batch 1: {statistics.median(ours_us):.2f} µs, {ratio - 1:+.2%} against a bare loop "
        "(target: within 3 %)"
    )
    assert ratio < 2, "twice the bare call would be a mistake, not noise"


@pytest.mark.parametrize("threads", [1, 2])
def test_openvino_resnet50_against_benchmark_app(report: Report, threads: int, tmp_path: Path) -> None:
    """Against ``benchmark_app -api sync -hint latency``, in turns, the same file and precision."""
    command = shutil.which("benchmark_app") or shutil.which("benchmark_app", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("benchmark_app is not on the PATH; it comes with: pip install openvino")
    workload = Workload(models()["resnet50"], 224, "random")
    runtime = runtimes()["openvino"]
    runtime.start(threads)
    ours_ms, theirs_ms = [], []
    for _ in range(PAIRS):
        theirs_ms.append(_benchmark_app_ms(command, workload.onnx_path("fp32"), threads, tmp_path))
        with runtime.load(workload, "fp32", "cpu", threads, 1) as session:
            prepared = session.prepare(workload.check_inputs(1))
            timed_rounds(session.run, (prepared,), {}, 10, 1, time.perf_counter)
            rounds = max(10, round(2000 / theirs_ms[-1]))
            ours_ms.append(
                statistics.median(timed_rounds(session.run, (prepared,), {}, rounds, 1, time.perf_counter)) * 1e3
            )
    ratios = [ours / theirs for ours, theirs in zip(ours_ms, theirs_ms, strict=True)]
    quartiles = statistics.quantiles(ratios, n=4)
    report(
        f"resnet50, openvino fp32, {threads} thread(s): {statistics.median(ours_ms):.2f} ms, benchmark_app "
        f"{statistics.median(theirs_ms):.2f} ms; ratio of the medians "
        f"{statistics.median(ours_ms) / statistics.median(theirs_ms) - 1:+.2%}, "
        f"of the best {min(ours_ms) / min(theirs_ms) - 1:+.2%}; "
        f"half of the {PAIRS} pairs within {quartiles[0] - 1:+.1%} and {quartiles[2] - 1:+.1%} (target: within 3 %)"
    )
    assert len(ratios) == PAIRS


def _benchmark_app_ms(command: str, model: Path, threads: int, folder: Path) -> float:
    """Its median; it takes ``-nthreads`` with ``-hint latency`` only from a configuration file."""
    settings = folder / "threads.json"
    settings.write_text(json.dumps({"CPU": {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}}))
    done = subprocess.run(
        [
            command, "-m", str(model), "-d", "CPU", "-api", "sync", "-hint", "latency",
            "-load_config", str(settings), "-shape", "[1,3,224,224]", "-t", "2",
        ],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    match = re.search(r"Median:\s+([\d.]+) ms", done.stdout)
    assert match, (done.stdout + done.stderr)[-1000:]
    found = re.search(r"INFERENCE_NUM_THREADS: (\d+)", done.stdout)
    assert found, "benchmark_app no longer tells its number of threads"
    assert int(found[1]) == threads, f"benchmark_app took {found[1]} threads"
    return float(match.group(1))


def test_collecting_the_default_matrix(report: Report) -> None:
    """``pytest benchmarks --collect-only -q`` in a process of its own."""
    seconds = []
    for _ in range(5):
        start_s = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q"],
            cwd=ROOT, capture_output=True, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        )  # fmt: skip
        seconds.append(time.perf_counter() - start_s)
    report(f"collecting the default matrix: {statistics.median(seconds):.2f} s (target: under 1.5 s)")
    assert len(seconds) == 5


TINY = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_tiny(benchmark, n):
    benchmark.pedantic(lambda: None, rounds=5)
"""


def test_tiny_benchmarks_in_processes_of_their_own(report: Report, tmp_path: Path) -> None:
    """What ``--isolation=process`` adds per benchmark: sessions of two lengths, with it and without, in turns."""
    few, many = 25, 125
    taken: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for count in (few, many):
        (tmp_path / f"test_{count}.py").write_text(TINY.format(count=count))
    for _ in range(3):
        for isolation, count in itertools.product(("process", "none"), (few, many)):
            arguments = (f"test_{count}.py", f"--isolation={isolation}")
            taken.setdefault((isolation, count), []).append(_pytest_s(tmp_path, *arguments))
    for index, what in enumerate(("wall", "CPU")):
        best_s = {key: min(both[index] for both in values) for key, values in taken.items()}
        each_s = {
            isolation: (best_s[isolation, many] - best_s[isolation, few]) / (many - few)
            for isolation in ("process", "none")
        }
        report(
            f"tiny benchmarks, {what}: {each_s['process'] * 1e3:.1f} ms each in processes, "
            f"{each_s['none'] * 1e3:.1f} ms each without; "
            f"difference {(each_s['process'] - each_s['none']) * 1e3:.1f} ms (target: at most 40 ms)"
        )
    assert len(taken) == 4


def test_the_plug_in_where_nothing_asks_for_it(report: Report, tmp_path: Path) -> None:
    """``pytest --collect-only`` in an empty project, with the installed plug-in and without, in turns."""
    added_s = []
    for _ in range(15):
        with_it, without = (
            _pytest_s(tmp_path, "--collect-only", "-p", "no:cacheprovider", *arguments, status=5)
            for arguments in ((), ("-p", "no:tailgate"))
        )
        added_s.append((with_it[0] - without[0], with_it[1] - without[1]))
    wall_s, cpu_s = (statistics.median(column) for column in zip(*added_s, strict=True))
    report(
        f"the plug-in unused: {wall_s * 1e3:.0f} ms of wall time, {cpu_s * 1e3:.0f} ms of CPU time "
        "(target: at most 50 ms)"
    )
    assert len(added_s) == 15


def _pytest_s(folder: Path, *arguments: str, status: int = 0) -> tuple[float, float]:
    """Wall and CPU seconds of a pytest in this folder, with the processes that it waited for."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    before, start_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )  # fmt: skip
    wall_s, after = time.perf_counter() - start_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == status, done.stdout + done.stderr
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
