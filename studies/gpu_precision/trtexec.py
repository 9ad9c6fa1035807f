"""Rows on a GPU in the form of ``trtexec``'s performance summary, to compare with the user's own.

Wording, definitions, the percentile rule and the thresholds of the warnings are those of NVIDIA's
``samples/common/sampleReporting.cpp`` (github.com/NVIDIA/TensorRT, release 8.6). Lines that begin with ``#`` are ours.
"""

from __future__ import annotations

import math
import statistics
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studies.gpu_precision.reading import COMMAND, device_of
from studies.values import finite, no_row
from tailgate import printable
from tailgate.results.columns import items_per_call
from tailgate.results.saved_run import Run

NAME = "trtexec"
PERCENTILES = (90, 95, 99)
UNSTABLE_PERCENT = 1.0
"""trtexec warns of a larger coefficient of variance of the compute times."""
LEAST_WARMUP_S, LEAST_TIMED_S, LEAST_QUERIES = 1.0, 5.0, 100
"""What study 4 required of trtexec."""
NO_ENQUEUE = "n/a (a round waits for the end event; the launch alone is not timed)"
SEPARATE = (
    "# Latency, H2D and D2H: measured once, before the timed rounds, so a median and a P99. Latency is the host's time "
    "of copy in, run and copy out; trtexec adds up three device times"
)


def render(runs: Sequence[Run]) -> str:
    """One block per row, in the order of the files."""
    blocks = [
        "\n".join(_block(run, bench, info))
        for run in runs
        for bench in run["benchmarks"]
        if str((info := bench.get("extra_info") or {}).get("device") or "cpu") != "cpu"
    ]
    if not blocks:
        raise no_row(NAME, "row measured on a GPU", COMMAND)
    return "\n".join(blocks)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """trtexec's: a sample, never between two; the number above it is rounded down in single precision.

    Raises:
        ValueError: no samples.
    """
    if not ordered:
        raise ValueError("percentile of no samples")
    beyond = _single(_single(1 - _single(percent / 100)) * len(ordered))
    return ordered[max(len(ordered) - 1 - int(beyond), 0)]


def performance(times_s: Sequence[float]) -> str:
    """``min = 1.5 ms, max = ..., percentile(99%) = ... ms``: of all rounds."""
    ordered = sorted(times_s)
    values = {
        "min": ordered[0], "max": ordered[-1], "mean": statistics.fmean(ordered), "median": statistics.median(ordered),
        **{f"percentile({percent}%)": percentile(ordered, percent) for percent in PERCENTILES},
    }  # fmt: skip
    return ", ".join(f"{name} = {_ms(value)}" for name, value in values.items())


def _block(run: Run, bench: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[str]:
    stats = bench["stats"]
    rounds = [float(time_s) for time_s in stats.get("data") or ()]
    times_s = info.get("gpu_times_s")
    saved = [finite(one) for one in times_s] if isinstance(times_s, list) else []
    compute = [time_s for time_s in saved if time_s is not None]
    if len(compute) < len(saved):
        compute = []  # statistics of some of the rounds would be others
    yield f"# {printable(str(bench['name']))} on {printable(device_of(run, info).name)}"
    if info.get("status") not in (None, "ok"):
        yield f"# status: {printable(str(info['status']))}"
    if finite(stats.get("iterations")) is None:
        yield "# calls a round: not in the saved run, taken as one"
    yield from _prolog(stats, info, rounds)
    yield ""
    yield "=== Performance summary ==="
    yield _throughput(stats, info, rounds)
    yield f"Latency: {_pair(info, 'inclusive') or 'n/a (no transfers measured)'}"
    yield f"Enqueue Time: {NO_ENQUEUE}"
    yield f"H2D Latency: {_pair(info, 'h2d') or 'n/a (no transfers measured)'}"
    yield f"GPU Compute Time: {performance(compute) if compute else _median_only(info)}"
    yield f"D2H Latency: {_pair(info, 'd2h') or 'n/a (no transfers measured)'}"
    yield f"Total Host Walltime: {_seconds(_total_s(stats, rounds))}"
    yield f"Total GPU Compute Time: {_seconds(sum(compute)) if compute else 'n/a (no device time of each round)'}"
    yield from _warnings(info, compute)
    if any(_pair(info, name) for name in ("inclusive", "h2d", "d2h")):
        yield SEPARATE
    if rounds:
        yield f"# Host Time (one call, launch to answer on the device): {performance(rounds)}"
    yield ""


def _prolog(stats: Mapping[str, Any], info: Mapping[str, Any], rounds: Sequence[float]) -> Iterator[str]:
    warmup, median_s = finite(info.get("warmup_rounds")), float(stats["median"])
    warmup_s = None if warmup is None else warmup * median_s
    if warmup is not None and warmup_s is not None:
        yield f"# Warmup completed {warmup:g} queries over about {warmup_s * 1e3:g} ms (calls × the median)"
    total_s, queries = _total_s(stats, rounds), stats["rounds"] * _calls(stats)
    yield f"Timing trace has {queries:g} queries over {total_s:g} s"
    if total_s < LEAST_TIMED_S or queries < LEAST_QUERIES or (warmup_s is not None and warmup_s < LEAST_WARMUP_S):
        yield (
            f"# less than study 4 required of trtexec: {LEAST_WARMUP_S:g} s of warm-up, {LEAST_TIMED_S:g} s and "
            f"{LEAST_QUERIES} queries (docs/reference/deep-gap.md)"
        )


def _throughput(stats: Mapping[str, Any], info: Mapping[str, Any], rounds: Sequence[float]) -> str:
    """Queries over host wall time; a query is a batch, as trtexec counts with explicit batches."""
    total_s = _total_s(stats, rounds)
    if total_s <= 0:
        return "Throughput: n/a (the timed rounds took no time)"
    queries_per_s = stats["rounds"] * _calls(stats) / total_s
    said = "items_per_call" if info.get("items_per_call") is not None else "batch_size"
    items = items_per_call({"items_per_call": info.get(said)})
    if items is None:
        return f"Throughput: {queries_per_s:g} qps\n# no images/s: {said} is not a positive number"
    return f"Throughput: {queries_per_s:g} qps\n# {queries_per_s * items:g} images/s, {items:g} a query"


def _calls(stats: Mapping[str, Any]) -> float:
    """A round's; pytest-benchmark saves the time of one."""
    return finite(stats.get("iterations")) or 1


def _total_s(stats: Mapping[str, Any], rounds: Sequence[float]) -> float:
    """All timed rounds; what lies between two of them is not timed."""
    return (math.fsum(rounds) if rounds else float(stats["mean"]) * float(stats["rounds"])) * _calls(stats)


def _pair(info: Mapping[str, Any], name: str) -> str | None:
    median_s, p99_s = finite(info.get(f"{name}_median_s")), finite(info.get(f"{name}_p99_s"))
    if median_s is None:
        return None
    return f"median = {_ms(median_s)}" + ("" if p99_s is None else f", percentile(99%) = {_ms(p99_s)}")


def _median_only(info: Mapping[str, Any]) -> str:
    return _pair(info, "gpu_time") or "n/a (no device clock in this row)"


def _warnings(info: Mapping[str, Any], compute: Sequence[float]) -> Iterator[str]:
    compute_s = statistics.median(compute) if compute else finite(info.get("gpu_time_median_s"))
    if compute_s is None:
        return
    limits = {"h2d": "host-to-device transfers for the inputs", "d2h": "device-to-host transfers for the outputs"}
    for name, transfers in limits.items():
        transfer_s = finite(info.get(f"{name}_median_s"))
        if transfer_s is not None and transfer_s >= compute_s:
            yield f"* Throughput may be bound by {transfers} rather than GPU Compute and the GPU may be under-utilized."
    mean_s = statistics.fmean(compute) if compute else 0.0
    variance = statistics.pstdev(compute) / mean_s * 100 if mean_s > 0 else 0.0
    if variance > UNSTABLE_PERCENT:
        yield f"* GPU compute time is unstable, with coefficient of variance = {variance:g}%."


def _single(value: float) -> float:
    """Rounded to C's float."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _ms(value_s: float) -> str:
    """Six digits, as C++ streams print."""
    if not math.isfinite(value_s):
        return "n/a"
    return f"{value_s * 1e3:g} ms"


def _seconds(value_s: float) -> str:
    return f"{value_s:g} s"
