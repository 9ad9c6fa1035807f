"""Lines of study 1's file, which study 3's file has too: one row of a run in the source's columns and units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from studies.values import scaled
from tailgate.results.rows import UNTRUSTED, Row, alone, rows_of
from tailgate.results.saved_run import Run

HEADER = (
    "timestamp_utc", "device", "sweep_id", "repeat_id", "model", "batch_size", "threads", "iters",
    "warmup_iters", "median_ms", "mean_ms", "p99_latency_ms", "throughput_ips", "hostname", "os", "kernel",
    "arch", "cpu_model", "cpu_sockets", "cpu_cores_per_socket", "cpu_threads_per_core", "cpu_logical_cpus",
    "mem_total_mb", "python_version", "torch_version", "cuda_available", "torchvision_version",
)  # fmt: skip

Pair = tuple[str, str]
"""Runtime and precision, for which there are no columns."""
Measured = tuple[Row, Mapping[str, Any], Mapping[str, Any]]
"""The flat row, and the saved ``stats`` and ``extra_info`` it was made of."""


def lines_of(runs: Sequence[Run]) -> Iterator[tuple[Pair, Measured, dict[str, Any]]]:
    """Pair, row and line of every image model's row; ``repeat_id`` counts rows of the same cell."""
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
                **{name: row[name] for name in ("timestamp_utc", "device", "model", "batch_size", "threads")},
                "sweep_id": sweep_id, "repeat_id": repeats[cell], "iters": row["rounds"],
                "warmup_iters": row["warmup_rounds"], "median_ms": scaled(row["median_s"], 1e3),
                "mean_ms": scaled(row["mean_s"], 1e3), "p99_latency_ms": scaled(row["p99_s"], 1e3),
                "throughput_ips": row["throughput_items_per_s"], **machine,
            }  # fmt: skip
            yield pair, (row, bench["stats"], bench.get("extra_info") or {}), line


def disturbed(measured: Iterable[Measured]) -> list[str]:
    """A warning about disturbed rows: the source has no column for a row's status."""
    found = Counter(str(row["status"]) for row, _, _ in measured if row["status"] in UNTRUSTED)
    if not found:
        return []
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.items()))
    return [f"{counts}: these lines are in the file like all others, and their times are not this code's"]


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
