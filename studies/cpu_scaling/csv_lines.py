"""Lines of study 1's file, which study 3's has too: a row of a run in the source's columns and units."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tailgate.results.rows import UNTRUSTED, Row, alone, rows_of
from tailgate.results.saved_run import Run
from tailgate.results.spreadsheet import Writer

HEADER = (
    "timestamp_utc", "device", "sweep_id", "repeat_id", "model", "batch_size", "threads", "iters",
    "warmup_iters", "median_ms", "mean_ms", "p99_latency_ms", "throughput_ips", "hostname", "os", "kernel",
    "arch", "cpu_model", "cpu_sockets", "cpu_cores_per_socket", "cpu_threads_per_core", "cpu_logical_cpus",
    "mem_total_mb", "python_version", "torch_version", "cuda_available", "torchvision_version",
)  # fmt: skip

Pair = tuple[str, str]
"""Runtime, precision: what the columns have no place for."""
Measured = tuple[Row, Mapping[str, Any], Mapping[str, Any]]
"""The flat row, and the saved ``stats`` and ``extra_info`` it was made of."""


def lines_of(runs: Sequence[Run]) -> Iterator[tuple[Pair, Measured, dict[str, Any]]]:
    """Every row of an image model: what it is, and its line. ``repeat_id`` counts rows of the same cell."""
    for sweep_id, run in enumerate(runs, start=1):
        repeats: Counter[tuple[Any, ...]] = Counter()
        machine = _machine(run)
        for bench, row in zip(run["benchmarks"], rows_of(run), strict=True):
            if row["image_size"] is None or row["phase"] == "training" or not alone(row):
                continue
            pair = (str(row["runtime"]), str(row["precision"]))
            # As text: a file may hold anything.
            cell = (pair, *(repr(row[name]) for name in ("device", "model", "batch_size", "threads")))
            repeats[cell] += 1
            line = {
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
            yield pair, (row, bench["stats"], bench.get("extra_info") or {}), line


def disturbed(measured: Iterable[Measured]) -> list[str]:
    """What to mind of these lines: the source's columns have no place for a row's status."""
    found = Counter(str(row["status"]) for row, _, _ in measured if row["status"] in UNTRUSTED)
    if not found:
        return []
    which = ", ".join(f"{count} {status}" for status, count in sorted(found.items()))
    return [f"{which}: these lines are in the file like all others, and their times are not this code's"]


def text_of(header: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    """CSV, the header first."""
    stream = io.StringIO()
    writer = Writer(stream, header)
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


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
