"""ONNX Runtime behind mlcommons-loadgen: ``sut.py MODEL RATE SECONDS LIMIT_MS server|peak SEED`` prints a JSON object.

Run in a process of its own by ``benchmarks/instrument/test_load.py``. LoadGen's thread hands each query over at its
scheduled time; one worker thread serves them in turn, which is the least that a system under test in Python needs.
``MODEL`` may be ``noop``: nothing is computed; or ``noop-at-once``: nor is there a worker, and LoadGen's own thread
completes each query as it is handed over. ``busy:MILLISECONDS`` reads the clock for so long.
"""

import functools
import json
import queue
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlperf_loadgen as loadgen  # type: ignore[import-not-found]


def main(model: str, rate_per_s: float, seconds: float, limit_ms: float, mode: str, seed: int) -> None:
    """Run one test, and print LoadGen's own figures."""
    call = _call(model)
    waiting: queue.SimpleQueue[loadgen.QuerySample | None] = queue.SimpleQueue()
    services_s: list[float] = []

    def serve() -> None:
        while (query := waiting.get()) is not None:
            start_s = time.perf_counter()
            call()
            services_s.append(time.perf_counter() - start_s)
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query.id, 0, 0)])

    for _ in range(20):
        call()
    worker = threading.Thread(target=serve)
    worker.start()

    def issue(queries: list[Any]) -> None:
        for query in queries:
            waiting.put(query)

    def complete(queries: list[Any]) -> None:
        loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query.id, 0, 0) for query in queries])

    sut = loadgen.ConstructSUT(complete if model == "noop-at-once" else issue, lambda: None)
    samples = loadgen.ConstructQSL(1, 1, lambda _: None, lambda _: None)
    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.Server
    peak = mode == "peak"
    settings.mode = loadgen.TestMode.FindPeakPerformance if peak else loadgen.TestMode.PerformanceOnly
    settings.server_target_qps = rate_per_s
    settings.server_target_latency_ns = int(limit_ms * 1e6)
    settings.server_target_latency_percentile = 0.99
    settings.min_duration_ms = int(seconds * 1e3)
    settings.min_query_count = 368
    settings.schedule_rng_seed = seed
    with tempfile.TemporaryDirectory() as folder:
        logs = loadgen.LogSettings()
        logs.log_output.outdir = folder
        logs.log_output.copy_summary_to_stdout = False
        loadgen.StartTestWithLogSettings(sut, samples, settings, logs)
        summary = (Path(folder) / "mlperf_log_summary.txt").read_text()
        detail = (Path(folder) / "mlperf_log_detail.txt").read_text()
    waiting.put(None)
    worker.join()
    print(json.dumps({**_figures(summary), "services_s": services_s, "peak_per_s": _peak(detail) if peak else None}))


def _call(model: str) -> Callable[[], object]:
    if model.startswith("noop"):
        return lambda: None
    if model.startswith("busy:"):
        return functools.partial(_busy, float(model.removeprefix("busy:")) / 1e3)
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    image = np.random.default_rng(0).random([1, *given.shape[1:]], dtype=np.float32)
    return lambda: session.run(None, {given.name: image})


def _busy(seconds: float) -> None:
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        pass


def _figures(summary: str) -> dict[str, float | None]:
    """LoadGen's percentiles in nanoseconds, and the rates that it says it asked for and got."""
    found: dict[str, float | None] = {}
    for name, pattern in {
        "p50_s": r"50\.00 percentile latency \(ns\)\s*:\s*(\d+)",
        "p99_s": r"99\.00 percentile latency \(ns\)\s*:\s*(\d+)",
        "mean_s": r"Mean latency \(ns\)\s*:\s*(\d+)",
        "completed_per_s": r"Completed samples per second\s*:\s*([\d.]+)",
        "scheduled_per_s": r"Scheduled samples per second\s*:\s*([\d.]+)",
    }.items():
        match = re.search(pattern, summary)
        found[name] = float(match[1]) / (1e9 if name.endswith("_s") and "per" not in name else 1) if match else None
    return found


def _peak(detail: str) -> float | None:
    """The rate that LoadGen found; ``None``: it found none."""
    match = re.search(r"Found peak performance field: ([\d.]+)", detail)
    return float(match[1]) if match else None


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), sys.argv[5], int(sys.argv[6]))
