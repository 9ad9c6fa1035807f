"""What several processes of one benchmark measured of the same thing, as one value that follows from all of it.

Pure functions, of ``extra_info`` alone. A value that one of them does not know is not known of all (``None``), but for
what is true as soon as one has seen it.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tailgate.number import is_number
from tailgate.results.columns import PERCENTILES, p99_interval
from tailgate.stats.quantiles import percentile

Info = Mapping[str, Any]

HIGHEST = frozenset({"rss_growth_bytes", "temperature_max_c"})
"""Peaks that are not called ``..._peak_bytes``."""
COUNTS = frozenset({"involuntary_switches", "thermal_throttles", "nvml_readings"})
"""They add up."""
OF_TIME = frozenset({
    "cpu_utilization", "cpu_per_wall", "other_cpus_busy", "steal_cpus", "run_delay_share", "pressure_cpu_share",
    "pressure_memory_share", "pressure_io_share", "cgroup_throttled_share", "cpu_frequency_mean_hz",
})  # fmt: skip
"""Shares and means of the timed stretch: a longer one counts for more."""
OF_READINGS = frozenset({
    "sm_clock_mean_hz", "memory_clock_mean_hz", "gpu_utilization_mean", "gpu_memory_utilization_mean",
    "throttled_share", "power_capped_share",
})  # fmt: skip
"""Shares and means of a board's readings: as many as ``nvml_readings`` says."""
SEEN = frozenset({"throttled"})
"""True where one has seen it; not known where one does not know and none has."""
TEXTS = frozenset({"throttle_reasons", "pstate", "energy_source"})
"""All that were seen, comma-separated."""
DEVICE_TIMES = "gpu_times_s"
DEVICE_STATISTICS = ("gpu_time_median_s", "gpu_time_p99_s", "gpu_time_p99_low_s", "gpu_time_p99_high_s")
UUID = "gpu_uuid"
ENERGY = ("energy_j", "energy_uncertainty_rel", "power_mean_w", "energy_per_item_j", "images_per_joule")


def same(one: Any, other: Any) -> bool:
    """Whether two values of a row are equal, whatever kind they are of."""
    try:
        return bool(one == other)
    except Exception:  # numpy's arrays, for one, have no single answer
        return False


def warnings(values: Sequence[Any]) -> Any:
    """Each line once; of a test's own kind, the last."""
    if not all(isinstance(value, list) for value in values):
        return values[-1]
    return list(dict.fromkeys(text for value in values for text in value))


def seen(values: Sequence[bool | None]) -> bool | None:
    """Yes, as soon as one says yes; else not known, where one does not know."""
    return True if True in values else None if None in values else False


def texts(values: Sequence[str | None]) -> str | None:
    """All texts that were seen, sorted, because no process comes first."""
    if None in values:
        return None
    return ",".join(sorted({word for value in values for word in str(value).split(",") if word}))


def mean(values: Sequence[float | None], weights: Sequence[float]) -> float | None:
    """Weighted; of equal weights where there are none."""
    if None in values:
        return None
    known = [value for value in values if value is not None]
    return statistics.fmean(known, weights if sum(weights) > 0 else None)


def numbers(values: Sequence[Any]) -> bool:
    """Whether all are numbers, or not known, and one is."""
    found = [value for value in values if value is not None]
    return bool(found) and all(map(is_number, found))


def device_times(infos: Sequence[Info]) -> dict[str, Any]:
    """Every round's device time, process by process, and statistics of exactly these.

    ``None`` where one process has none; of a round that the clock could not tell, only the raw times are given.
    """
    every = [info.get(DEVICE_TIMES) for info in infos]
    if not all(isinstance(times, list) for times in every):
        return dict.fromkeys((DEVICE_TIMES, *DEVICE_STATISTICS))
    times_s = [seconds for times in every for seconds in times]  # type: ignore[union-attr]
    if None in times_s or not times_s:
        return {DEVICE_TIMES: times_s, **dict.fromkeys(DEVICE_STATISTICS)}
    ordered = sorted(times_s)
    found = statistics.median(ordered), percentile(ordered, PERCENTILES["p99"]), *p99_interval(ordered).values()
    return {DEVICE_TIMES: times_s, **dict(zip(DEVICE_STATISTICS, found, strict=True))}


def energy(infos: Sequence[Info]) -> dict[str, Any]:
    """The energy of processes that ran one after the other: joules and their uncertainties add up.

    With E, P and e the energy, mean power and energy of an item of each process: the mean power is the sum of E over
    their time, the sum of E / P; of an item it is the sum of E over the items, the sum of E / e.
    """
    energies_j: list[Any] = [info.get("energy_j") for info in infos]
    if None in energies_j:
        return dict.fromkeys(ENERGY)
    total_j = sum(energies_j)
    off_by_j = _sum_of(energies_j, [info.get("energy_uncertainty_rel") for info in infos], lambda e, rel: e * rel)
    time_s = _sum_of(energies_j, [info.get("power_mean_w") for info in infos], lambda e, watts: e / watts)
    per_item_j = _over(total_j, items(infos))
    return {
        "energy_j": total_j,
        "energy_uncertainty_rel": _over(off_by_j, total_j),
        "power_mean_w": _over(total_j, time_s),
        "energy_per_item_j": per_item_j,
        "images_per_joule": _over(1.0, per_item_j),
    }


def items(infos: Sequence[Info]) -> float | None:
    """How many items all of them processed while energy was read: the sum of E / e."""
    energies_j = [info.get("energy_j") for info in infos]
    return _sum_of(energies_j, [info.get("energy_per_item_j") for info in infos], lambda e, item: e / item)


def _sum_of(values: Sequence[Any], others: Sequence[Any], make: Any) -> float | None:
    if None in values or None in others or 0 in others:
        return None
    return float(sum(make(value, other) for value, other in zip(values, others, strict=True)))


def _over(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
