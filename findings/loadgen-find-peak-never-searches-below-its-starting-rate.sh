#!/usr/bin/env bash
# Expected: a mode that finds the peak rate under a latency limit finds it from whatever rate it starts at.
# Happens: FindPeakPerformance takes `server_target_qps` for a lower bound. Where that rate breaks the limit, the search
#   ends after its first probe with error_runtime in the detail log, and StartTest returns as ever; the summary shows that
#   probe under "Mode : FindPeakPerformance". From a rate that keeps the limit it searches upward and finds a peak.
# Seen: 2026-11-29, mlcommons-loadgen 6.0.17. Source: loadgen.cc, FindBoundaries; the README of LoadGen names the mode
#   without this condition.
# The service is a sleep of 5 ms, so at most 200 requests/s can be served: 400/s cannot keep a limit, 20/s can.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet mlcommons-loadgen==6.0.17
cat >"$work/search.py" <<'PY'
import importlib.metadata
import pathlib
import queue
import tempfile
import threading
import time

import mlperf_loadgen as loadgen


def found(start_per_s):
    """The peak that it finds from a starting rate, and the errors that its log has."""
    waiting = queue.SimpleQueue()

    def serve():
        while (query := waiting.get()) is not None:
            time.sleep(0.005)
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query.id, 0, 0)])

    worker = threading.Thread(target=serve)
    worker.start()
    sut = loadgen.ConstructSUT(lambda queries: [waiting.put(query) for query in queries], lambda: None)
    samples = loadgen.ConstructQSL(1, 1, lambda _: None, lambda _: None)
    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.Server
    settings.mode = loadgen.TestMode.FindPeakPerformance
    settings.server_target_qps = start_per_s
    settings.server_target_latency_ns = 500_000_000
    settings.server_target_latency_percentile = 0.99
    settings.server_find_peak_qps_decimals_of_precision = 0
    settings.server_find_peak_qps_boundary_step_size = 20
    settings.min_duration_ms = 2000
    settings.min_query_count = 40
    with tempfile.TemporaryDirectory() as folder:
        logs = loadgen.LogSettings()
        logs.log_output.outdir = folder
        logs.log_output.copy_summary_to_stdout = False
        loadgen.StartTestWithLogSettings(sut, samples, settings, logs)
        lines = pathlib.Path(folder, "mlperf_log_detail.txt").read_text().splitlines()
    waiting.put(None)
    worker.join()
    peaks = [line.split("Found peak performance field: ")[1].split('"')[0] for line in lines if "Found peak" in line]
    return peaks, [line.split('"value": "')[1].split('",')[0] for line in lines if '"error_runtime"' in line]


print("mlcommons-loadgen", importlib.metadata.version("mlcommons-loadgen"))
for start in (400, 20):
    peaks, errors = found(start)
    print(f"from {start}/s: peak {peaks or 'none'}, errors {errors}")
    if start == 400:
        assert not peaks
        assert any("lower bound does not satisfy" in error for error in errors)
    else:
        assert peaks
        assert float(peaks[0]) >= start
PY
"$work/venv/bin/python" "$work/search.py"
