"""Load, beside mlcommons-loadgen 6.0.17 and queueing theory: responses, peak rate, highest rate, lateness, memory.

Run by hand on a quiet machine, with a network of ONNX in ``TAILGATE_LOAD_MODEL`` and LoadGen installed
(``pip install mlcommons-loadgen==6.0.17``): ``pytest benchmarks/instrument/test_load.py -m instrument``, some 25
minutes. Each prints its figures, and asserts only that they were measured: docs/evidence/load.md has those last seen.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tailgate.stats import arrivals, queueing

pytestmark = pytest.mark.instrument
HERE = Path(__file__).parent
MODEL = os.environ.get("TAILGATE_LOAD_MODEL")
UTILIZATIONS = (0.3, 0.5, 0.7, 0.8)
SECONDS = float(os.environ.get("TAILGATE_LOAD_SECONDS", "30"))
TURNS = int(os.environ.get("TAILGATE_LOAD_TURNS", "2"))
OURS = """
import numpy, onnxruntime
def session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    made = onnxruntime.InferenceSession({model!r}, options, providers=["CPUExecutionProvider"])
    (given,) = made.get_inputs()
    image = numpy.random.default_rng(0).random([1, *given.shape[1:]], dtype=numpy.float32)
    return lambda: made.run(None, {{given.name: image}})
def test_served(benchmark):
    benchmark(session())
"""
BUSY_MS = 11
BUSY = f"""
import time
def busy():
    end_s = time.perf_counter() + {BUSY_MS / 1e3}
    while time.perf_counter() < end_s:
        pass
def test_busy(benchmark):
    benchmark(busy)
"""
NOTHING = "def test_nothing(benchmark):\n    benchmark(lambda: None)\n"
needs_model = pytest.mark.skipif(MODEL is None, reason="TAILGATE_LOAD_MODEL names no network of ONNX")


@needs_model
@pytest.mark.parametrize("utilization", UTILIZATIONS, ids="{:.0%}".format)
def test_responses_as_loadgen_and_theory_have_them(utilization: float, tmp_path: Path, report: Any) -> None:
    """P50, P99 and mean, Tailgate and LoadGen in turn at one rate, each over its own theory.

    Theory is a long simulated queue with the service times of the same turn, which the machine's drift moves as well.
    """
    assert MODEL is not None
    ratios: dict[str, list[tuple[float, ...]]] = {"ours": [], "LoadGen": []}
    for turn in range(TURNS):
        ours, _ = _ours(tmp_path, OURS.format(model=MODEL), f"poisson:{utilization:.0%}", SECONDS, seed=turn)
        info, stats = ours["extra_info"], ours["stats"]
        rate_per_s = info["load_rate_offered_per_s"]
        theirs = _loadgen(MODEL, rate_per_s, SECONDS, seed=turn + 1)
        for name, services_s, found_s in (
            ("ours", info["load_services_s"], (stats["median"], stats["p99"], info["load_response_mean_s"])),
            ("LoadGen", theirs["services_s"], (theirs["p50_s"], theirs["p99_s"], theirs["mean_s"])),
        ):
            theory_s = _theory_s(services_s, rate_per_s)
            ratios[name].append(tuple(one / other for one, other in zip(found_s, theory_s, strict=True)))
            report(
                f"{utilization:.0%} of {info['load_capacity_per_s']:.3g}/s, turn {turn + 1}, {name}: P50, P99, mean "
                f"{', '.join(map(_ms, found_s))}; theory {', '.join(map(_ms, theory_s))}"
            )
        report(
            f"    P99 [{_ms(stats['p99_low'])}, {_ms(stats['p99_high'])}], Pollaczek-Khinchine's mean "
            f"{_ms(info['load_response_mean_theory_s'])}, lateness P99 {info['load_lateness_p99_s'] * 1e6:.0f} us, "
            f"{info['status']}"
        )
    for name, found in ratios.items():
        medians = [statistics.median(column) for column in zip(*found, strict=True)]
        report(f"{utilization:.0%} {name} over its theory, median of turns: P50, P99, mean {medians}")
        assert all(one > 0 for one in medians)


@needs_model
def test_peak_as_loadgen_finds_it(tmp_path: Path, report: Any) -> None:
    """The peak rate under a limit of P99, and the time that the search takes."""
    assert MODEL is not None
    limit_ms = float(os.environ.get("TAILGATE_LOAD_LIMIT_MS", "50"))
    ours, seconds = _ours(tmp_path, OURS.format(model=MODEL), "peak", 10, limit=f"p99={limit_ms:g}ms")
    info = ours["extra_info"]
    start_s = time.monotonic()
    theirs = _loadgen(MODEL, info["load_capacity_per_s"] * 0.3, 10, limit_ms, "peak")
    report(
        f"peak within p99={limit_ms:g} ms: ours {info['load_peak_per_s']:.4g}/s [{info['load_peak_low_per_s']}, "
        f"{info['load_peak_high_per_s']}] in {seconds:.0f} s and {len(info['load_probes'])} probes; LoadGen "
        f"{theirs['peak_per_s']}/s in {time.monotonic() - start_s:.0f} s"
    )
    assert info["load_peak_per_s"] > 0


def test_peak_of_a_service_of_known_length(tmp_path: Path, report: Any) -> None:
    """M/D/1, whose peak is known: the search in turn with LoadGen's, then a fine sweep by hand around it."""
    limit_ms = 50.0
    for turn in range(TURNS):
        ours, seconds = _ours(tmp_path, BUSY, "peak", SECONDS, limit=f"p99={limit_ms:g}ms", seed=turn)
        info = ours["extra_info"]
        start_s = time.monotonic()
        theirs = _loadgen(f"busy:{BUSY_MS}", 0.3 * info["load_capacity_per_s"], 10, limit_ms, "peak", seed=turn + 1)
        report(
            f"turn {turn + 1}: ours {info['load_peak_per_s']:.4g}/s [{info['load_peak_low_per_s']}, "
            f"{info['load_peak_high_per_s']}] in {seconds:.0f} s and {len(info['load_probes'])} probes; LoadGen "
            f"{theirs['peak_per_s']}/s in {time.monotonic() - start_s:.0f} s"
        )
    for rate_per_s in range(42, 54, 2):
        ours, _ = _ours(tmp_path, BUSY, f"poisson:{rate_per_s}", 50, seed=100)
        stats, info = ours["stats"], ours["extra_info"]
        report(
            f"{rate_per_s}/s: P99 {_ms(stats['p99'])} [{_ms(stats['p99_low'])}, {_ms(stats['p99_high'])}], theory "
            f"{_ms(_theory_s(info['load_services_s'], rate_per_s)[1])}, {info['status']}"
        )
    assert info["load_requests"] > 0


def test_highest_rate_of_nothing(tmp_path: Path, report: Any) -> None:
    """With a no-op served: how far the schedule is kept, ours and LoadGen's Python binding."""
    for rate_per_s in (1e3, 1e4, 1e5, 2e5, 4e5, 8e5, 12e5):
        ours, _ = _ours(tmp_path, NOTHING, f"poisson:{rate_per_s:.0f}", 2)
        info = ours["extra_info"]
        late_s = info["load_lateness_p99_s"]
        late = "none: no request found a free server" if late_s is None else f"{late_s * 1e6:.2f} us"
        report(
            f"ours at {rate_per_s:,.0f}/s: served {info['load_rate_served_per_s']:,.0f}/s, lateness P99 "
            f"{late}, response P99 {ours['stats']['p99'] * 1e6:.1f} us, {info['status']}"
        )
    for served, rate_per_s in itertools.product(("noop", "noop-at-once"), (1e3, 3e3, 1e4, 2e4, 4e4, 8e4, 16e4)):
        theirs = _loadgen(served, rate_per_s, 2)
        report(
            f"LoadGen ({served}) at {rate_per_s:,.0f}/s: completed {theirs['completed_per_s']:,.0f}/s of "
            f"{theirs['scheduled_per_s']:,.0f}/s scheduled, P99 {theirs['p99_s'] * 1e6:,.1f} us"
        )
    assert ours["stats"]["rounds"] > 0


def test_memory_of_a_long_schedule(report: Any) -> None:
    """10 million requests."""
    tracemalloc.start()
    due_s = arrivals.poisson(1e5, 0, requests=10_000_000)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report(f"10 million requests: {peak_bytes / 1e6:.0f} MB at most, {due_s.nbytes / 1e6:.0f} MB kept")
    assert len(due_s) == 10_000_000


def _ours(
    folder: Path, test: str, load: str, seconds: float, *, limit: str | None = None, seed: int = 0
) -> tuple[dict[str, Any], float]:
    """One row, and how long the session took."""
    (folder / "test_one.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = [
        f"--load={load}",
        f"--load-seconds={seconds}",
        f"--seed={seed}",
        *([f"--load-limit={limit}"] if limit else []),
    ]
    command = [sys.executable, "-m", "pytest", "-p", "tailgate.plugin", "-p", "no:cacheprovider", "test_one.py"]
    start_s = time.monotonic()
    subprocess.run(
        [*command, "--isolation=process", "--benchmark-json=run.json", "--benchmark-disable-gc", *options],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (found,) = json.loads((folder / "run.json").read_text())["benchmarks"]
    return found, time.monotonic() - start_s


def _loadgen(
    model: str, rate_per_s: float, seconds: float, limit_ms: float = 10_000, mode: str = "server", *, seed: int = 1
) -> Any:
    pytest.importorskip("mlperf_loadgen", reason="install it with: pip install mlcommons-loadgen==6.0.17")
    arguments = [model, str(rate_per_s), str(seconds), str(limit_ms), mode, str(seed)]
    done = subprocess.run(
        [sys.executable, HERE / "loadgen" / "sut.py", *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _theory_s(services_s: list[float], rate_per_s: float) -> tuple[float, float, float]:
    """Median, P99 and mean of a million simulated responses with the service times that were measured."""
    import numpy as np

    dice = np.random.default_rng(1)
    due_s = arrivals.poisson(rate_per_s, 1, requests=1_000_000)
    responses_s = queueing.responses(due_s, dice.choice(services_s, len(due_s)))
    return float(np.median(responses_s)), float(np.percentile(responses_s, 99)), float(responses_s.mean())


def _ms(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds * 1e3:.4g} ms"
