"""One flat row a benchmark, from a live result or from a saved run: what CSV and reports are made of."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tailgate.number import number
from tailgate.results.saved_run import Run, machine_id_of

CONTEXT = (
    "study", "model", "runtime", "runtime_version", "precision", "precision_compiled", "device", "threads",
    "batch_size", "items_per_call", "image_size", "weights", "phase", "protocol", "parameters", "macs",
    "flops_counter", "model_sha256", "output_error_rel", "top1_agreement", "load_s", "first_call_s",
    "warmup_rounds", "cpu_utilization", "rss_peak_bytes", "rss_growth_bytes",
    "gpu_name", "gpu_time_median_s", "gpu_time_p99_s", "gpu_time_p99_low_s", "gpu_time_p99_high_s", "device_clock",
    "l2_flushed", "gpu_memory_peak_bytes", "gpu_memory_used_peak_bytes", "gpu_memory_process_peak_bytes",
    "h2d_bytes", "h2d_median_s", "h2d_p99_s", "h2d_bytes_per_s", "d2h_bytes", "d2h_median_s", "d2h_p99_s",
    "d2h_bytes_per_s", "inclusive_median_s", "inclusive_p99_s", "power_mean_w", "power_idle_before_w",
    "power_idle_after_w", "energy_j", "energy_per_item_j", "energy_uncertainty_rel", "energy_source",
    "images_per_joule", "temperature_max_c", "sm_clock_mean_hz", "memory_clock_mean_hz", "gpu_utilization_mean",
    "gpu_memory_utilization_mean", "pstate", "throttled", "throttle_reasons", "throttled_share", "power_capped_share",
    "tenants", "tenant_cpus", "total_throughput_items_per_s",
    "load_arrivals", "load_servers", "load_rate_offered_per_s", "load_rate_served_per_s", "load_requests",
    "load_failed_requests", "load_utilization", "load_wait_p99_s", "load_service_median_s", "load_service_p99_s",
    "load_response_mean_s", "load_response_mean_theory_s", "load_queue_max", "load_lateness_p99_s",
    "load_lateness_max_s", "load_valid", "load_limit", "load_goodput_per_s", "load_peak_per_s",
    "load_peak_low_per_s", "load_peak_high_per_s",
)  # fmt: skip
"""``extra_info`` fields of docs/reference/json-fields.md; those of a GPU, and of tenants, are empty in other rows."""

STATISTICS = {
    "min": "min_s", "median": "median_s", "mean": "mean_s", "stddev": "stddev_s", "max": "max_s",
    "p90": "p90_s", "p95": "p95_s", "p99": "p99_s", "p99_low": "p99_low_s", "p99_high": "p99_high_s",
    "p99_blocks_low": "p99_blocks_low_s", "p99_blocks_high": "p99_blocks_high_s",
    "p999": "p999_s", "rounds": "rounds", "iterations": "iterations", "throughput": "throughput_items_per_s",
}  # fmt: skip
"""Field of ``stats`` -> name with its unit."""
MAY_BE_NONE = {"p99_low", "p99_high", "p99_blocks_low", "p99_blocks_high", "throughput"}
"""Too few rounds, or a median of zero."""

Row = dict[str, Any]


def warnings_of(extra_info: Mapping[str, Any]) -> list[str]:
    """What a reader of the row must mind; other projects may keep something else under the name."""
    found = extra_info.get("warnings")
    return [str(warning) for warning in found] if isinstance(found, list) else []


def add_warning(extra_info: dict[str, Any], text: str) -> None:
    """Append a line to a row's ``warnings``; where a test keeps something else under that name, nothing changes."""
    warnings = extra_info.setdefault("warnings", [])
    if isinstance(warnings, list):
        warnings.append(text)


def threads_of(extra_info: Mapping[str, Any]) -> int:
    """How many threads the test says it computes with; 1 where it does not say, or says something else."""
    threads = number(extra_info.get("threads"))
    return int(threads) if threads is not None and threads >= 1 else 1


def row(name: str, stats: Mapping[str, Any] | None, extra_info: Mapping[str, Any]) -> Row:
    """One measured row as a flat dictionary: name, status, context and statistics (seconds); ``None``: not known."""
    return {
        "name": name,
        "status": extra_info.get("status", "ok"),
        **{field: extra_info.get(field) for field in CONTEXT},
        **{unit_name: (stats or {}).get(field) for field, unit_name in STATISTICS.items()},
        "warnings": " | ".join(warnings_of(extra_info)),
    }


def saved_row(bench: Mapping[str, Any]) -> Row:
    """Of a benchmark in a saved run; among its warnings why cells are empty."""
    stats = bench["stats"]
    found = row(bench["fullname"], stats, bench.get("extra_info") or {})
    lacking = [name for name in STATISTICS if name not in MAY_BE_NONE and stats.get(name) is None]
    if lacking:
        said = f"not in the saved run, nor the rounds to find it from: {', '.join(lacking)}"
        found["warnings"] = " | ".join(filter(None, [found["warnings"], said]))
    return found


def alone(row: Mapping[str, Any]) -> bool:
    """Whether the row was measured with one tenant; also for ``extra_info``."""
    tenants = row.get("tenants")
    return not isinstance(tenants, int) or tenants <= 1


def rows_of(run: Run) -> Iterator[Row]:
    """Every measured benchmark of a saved run, with the run's machine."""
    for bench in run["benchmarks"]:
        yield {**saved_row(bench), "fingerprint_id": machine_id_of(run), "timestamp_utc": _timestamp(bench, run)}


def fleet_node(bench: Mapping[str, Any]) -> str | None:
    """The node of a fleet that measured a row; ``None``: the file does not say."""
    node = (bench.get("extra_info") or {}).get("fleet_node")
    return node if isinstance(node, str) else None


def fleet_nodes(run: Run) -> Counter[str]:
    """How many rows each node of a fleet has measured."""
    return Counter(filter(None, map(fleet_node, run["benchmarks"])))


def _timestamp(bench: Mapping[str, Any], run: Run) -> str | None:
    """When the cell ended; the run's own time for rows that do not say."""
    return (bench.get("extra_info") or {}).get("timestamp_utc") or run.get("datetime")


UNTRUSTED = frozenset({"contended", "throttled", "late", "overloaded", "errors", "interrupted"})
"""Statuses of rows that say more of the machine's other work than of the benchmark (docs/guide/trust.md)."""
