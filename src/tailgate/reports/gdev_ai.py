"""Study 1's own file: ``benchmark_results_final.csv`` of GDEV-AI, its 27 columns in its order.

``sweep_id`` counts the runs handed over, ``repeat_id`` the rows of the same cell within one.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tailgate.errors import TailgateError
from tailgate.history import Run
from tailgate.rows import rows_of

NAME = "gdev-ai"

HEADER = (
    "timestamp_utc", "device", "sweep_id", "repeat_id", "model", "batch_size", "threads", "iters",
    "warmup_iters", "median_ms", "mean_ms", "p99_latency_ms", "throughput_ips", "hostname", "os", "kernel",
    "arch", "cpu_model", "cpu_sockets", "cpu_cores_per_socket", "cpu_threads_per_core", "cpu_logical_cpus",
    "mem_total_mb", "python_version", "torch_version", "cuda_available", "torchvision_version",
)  # fmt: skip

RUNTIME, PRECISION = "pytorch", "fp32"
"""The study knows no other, and its columns have no place to say so: other rows are left out."""


def render(runs: Sequence[Run]) -> str:
    """The CSV text, one line per measured cell of the study.

    Raises:
        TailgateError: no run holds a cell the format can express.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    count = 0
    for line in _lines(runs):
        writer.writerow(line)
        count += 1
    if not count:
        raise TailgateError(
            f"--format={NAME}: no {RUNTIME} {PRECISION} row of an image model in these runs; "
            f"measure some with: pytest benchmarks -k '{RUNTIME} and {PRECISION}' --benchmark-save=NAME"
        )
    return stream.getvalue()


def _lines(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for sweep_id, run in enumerate(runs, start=1):
        repeats: Counter[tuple[Any, ...]] = Counter()
        machine = _machine(run)
        for row in rows_of(run):
            if (row["runtime"], row["precision"]) != (RUNTIME, PRECISION) or row["image_size"] is None:
                continue
            if row["phase"] == "training":
                continue
            cell = (row["model"], row["batch_size"], row["threads"])
            repeats[cell] += 1
            yield {
                "timestamp_utc": row["timestamp_utc"],
                "device": row["device"],
                "sweep_id": sweep_id,
                "repeat_id": repeats[cell],
                "model": row["model"],
                "batch_size": row["batch_size"],
                "threads": row["threads"],
                "iters": row["rounds"],
                "warmup_iters": row["warmup_rounds"],
                "median_ms": row["median_s"] * 1e3,
                "mean_ms": row["mean_s"] * 1e3,
                "p99_latency_ms": None if row["p99_s"] is None else row["p99_s"] * 1e3,
                "throughput_ips": row["throughput_items_per_s"],
                **machine,
            }


def _machine(run: Run) -> dict[str, Any]:
    info = run.get("machine_info") or {}
    facts, fingerprint = info.get("machine_facts") or {}, info.get("fingerprint") or {}
    packages = fingerprint.get("packages") or {}
    from_facts = (
        "hostname", "os", "kernel", "arch", "cpu_sockets", "cpu_cores_per_socket", "cpu_threads_per_core",
        "cpu_logical_cpus", "mem_total_mb",
    )  # fmt: skip
    return {
        **{name: facts.get(name) for name in from_facts},
        "cpu_model": fingerprint.get("cpu_model"),
        "python_version": packages.get("python"),
        "torch_version": packages.get("torch"),
        # The source writes torch.cuda.is_available(); a run without a GPU has none.
        "cuda_available": bool(fingerprint["gpu_models"]) if "gpu_models" in fingerprint else None,
        "torchvision_version": packages.get("torchvision"),
    }
