"""The rows of all tenants as one: all rounds, each tenant's own figures, and what they did together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from tailgate.machine.cpus import usable_cpus
from tailgate.machine.trust import Judgement
from tailgate.number import is_number
from tailgate.processes.tenants.overlap import Span, common_interval, overlap, rounds_within, start_skew_s
from tailgate.results import merging
from tailgate.results.columns import items_per_call
from tailgate.results.rows import add_warning, threads_of
from tailgate.stats.quantiles import percentile

Row = dict[str, Any]
FULL = 0.999
"""Of the timed rounds: less than that under full load is said. A thousandth is what looking for a word may cost."""
COUNTS = frozenset({"involuntary_switches"})
"""Fields that add up."""
OF_THE_BOARD = frozenset({"temperature_max_c", "gpu_memory_used_peak_bytes"})
"""Highest of what all saw of the same board; what one tenant needs is the median of theirs."""
SUMS = ("rss_peak_bytes", "rss_growth_bytes")
"""Fields whose sum is in the row, too, as ``total_...``."""


def together(rows: Sequence[Row], spans: Sequence[Span], cpu_mode: str, cpus: Sequence[frozenset[int]] | None) -> Row:
    """One benchmark's row from those of all tenants.

    Args:
        rows: by tenant.
        spans: by tenant: when it was timed, and called.
        cpu_mode: ``split`` or ``shared``.
        cpus: by tenant, where split.
    """
    infos = [row["extra_info"] for row in rows]
    info = merged(infos)
    rounds_s = [list(row["data"]) for row in rows]
    p99s_s = [percentile(sorted(data), 99.0) for data in rounds_s]
    info.update(
        tenants=len(rows),
        tenant_cpus=cpu_mode,
        tenant_cpu_lists=None if cpus is None else [sorted(share) for share in cpus],
        tenant_medians_s=[statistics.median(data) for data in rounds_s],
        tenant_p99s_s=p99s_s,
        tenant_worst=p99s_s.index(max(p99s_s)) + 1,
        tenant_worst_p99_s=max(p99s_s),
        tenant_rounds_s=rounds_s,
        tenant_start_skew_s=start_skew_s(spans),
        tenant_overlap=overlap(spans),
        **_throughputs(rows, spans),
    )
    for name in SUMS:
        values = [found.get(name) for found in infos]
        if any(name in found for found in infos):
            info[f"total_{name}"] = None if None in values else sum(values)
    _mark(info, spans, cpus)
    return {
        **rows[0],
        "data": [duration_s for data in rounds_s for duration_s in data],
        "extra_info": info,
        "has_error": any(row["has_error"] for row in rows),
    }


def trusted(info: dict[str, Any], judged: Judgement) -> None:
    """What the parent saw of the machine while all were timed; the tenants are not each other's neighbours."""
    switches = info.get("involuntary_switches")
    info.update(judged.fields, involuntary_switches=switches, trust_missing=judged.missing)
    if judged.reason:
        add_warning(info, judged.reason)
        if info.get("status") == "ok":
            info["status"] = judged.status


def merged(infos: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the tenants say of themselves.

    What is the same is kept. Of what differs, ``tenant_NAME`` lists all values, and the name itself has the median of
    numbers (``None`` where one tenant has none), the first tenant's value of anything else; but what a board or a
    device's clock told follows from what all of them saw (:mod:`tailgate.results.merging`).
    """
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for info in infos for name in info):
        values = [info.get(name) for info in infos]
        if name == "warnings" and all(isinstance(value, list) for value in values):
            found[name] = merging.warnings(values)
        elif name == "status":
            found[name] = next((value for value in values if value != "ok"), "ok")
        elif name == "timestamp_utc":
            found[name] = max(str(value) for value in values)
        elif name not in COUNTS and all(merging.same(value, values[0]) for value in values):
            found[name] = values[0]
        else:
            found[name], found[f"tenant_{name}"] = _one_of(name, values), values
    if len(infos) > 1:
        found |= _of_the_device(infos, found)
    return found


def _of_the_device(infos: Sequence[dict[str, Any]], found: dict[str, Any]) -> dict[str, Any]:
    """All rounds' device times with their statistics, and the energy of the board or boards.

    A board that tenants share was read by each: its energy is that of all, and so is that of an item.
    """
    told: dict[str, Any] = {}
    if merging.DEVICE_TIMES in found:
        told = merging.device_times(infos)
        told[f"tenant_{merging.DEVICE_TIMES}"] = [info.get(merging.DEVICE_TIMES) for info in infos]
    if "energy_j" in found and f"tenant_{merging.UUID}" in found:
        told |= {name: value for name, value in merging.energy(infos).items() if name in found}
    elif "energy_per_item_j" in found:
        items = merging.items(infos)
        known = found["energy_j"] is not None and bool(items)
        per_item_j = found["energy_j"] / items if known else None
        told |= {"energy_per_item_j": per_item_j, "images_per_joule": 1 / per_item_j if per_item_j else None}
    return told


def _one_of(name: str, values: Sequence[Any]) -> Any:
    if name in merging.SEEN:
        return merging.seen(values)
    if name in merging.TEXTS:
        return merging.texts(values)
    numbers = [value for value in values if is_number(value)]
    if len(numbers) == len(values):
        if name in OF_THE_BOARD:
            return max(numbers)
        if name in COUNTS:
            return sum(numbers)
        if all(isinstance(value, int) for value in numbers):
            return round(statistics.median(numbers))
        return statistics.median(numbers)
    return None if numbers and None in values else values[0]


def _throughputs(rows: Sequence[Row], spans: Sequence[Span]) -> dict[str, Any]:
    """Items done in the interval in which all were timed, over its length; not items over medians."""
    interval = common_interval(spans)
    if interval is None:
        names = ("tenant_window_s", "tenant_throughputs_items_per_s", "total_throughput_items_per_s")
        return dict.fromkeys(names)
    length_s = interval[1] - interval[0]
    items = [items_per_call(row["extra_info"]) for row in rows]
    rates = [
        None if each is None else rounds_within(row["data"], span, interval) * row["iterations"] * each / length_s
        for row, span, each in zip(rows, spans, items, strict=True)
    ]
    known = [rate for rate in rates if rate is not None]
    return {
        "tenant_window_s": length_s,
        "tenant_throughputs_items_per_s": rates,
        "total_throughput_items_per_s": sum(known) if len(known) == len(rates) else None,
    }


def _mark(info: dict[str, Any], spans: Sequence[Span], cpus: Sequence[frozenset[int]] | None) -> None:
    """What a reader of the row must mind."""
    if info["tenant_overlap"] < FULL:
        text = f"only {info['tenant_overlap']:.1%} of a tenant's timed rounds were under the load of all {len(spans)}"
        add_warning(info, f"{text}: time more rounds (--rounds; of benchmark.pedantic, its rounds=)")
    if info["tenant_window_s"] is None:
        text = "total_throughput_items_per_s: a tenant's timed rounds ended before another's began"
        add_warning(info, f"{text}; time more rounds (--rounds; of benchmark.pedantic, its rounds=)")
    if cpus is not None and len({len(share) for share in cpus}) > 1:
        counts = ", ".join(str(len(share)) for share in cpus)
        add_warning(info, f"tenants are not alike: the CPUs do not divide evenly ({counts})")
    if info.get("status", "ok") == "ok" and len(spans) * threads_of(info) > usable_cpus():
        info["status"] = "oversubscribed"
