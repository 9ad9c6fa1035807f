"""A row's fields from a board's readings. Pure functions."""

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailgate.machine.nvml import slowdowns
from tailgate.machine.nvml.energy import Energy, from_counter, from_power

ENERGY_FIELDS = (
    "energy_j", "energy_uncertainty_rel", "energy_source", "power_mean_w", "energy_per_item_j", "images_per_joule",
)  # fmt: skip
FIELDS = (
    *ENERGY_FIELDS, "power_idle_before_w", "power_idle_after_w", "temperature_max_c", "sm_clock_mean_hz",
    "memory_clock_mean_hz", "gpu_utilization_mean", "gpu_memory_utilization_mean", "gpu_memory_used_peak_bytes",
    "gpu_memory_process_peak_bytes", "pstate", "throttled", "throttle_reasons", "throttled_share", "power_capped_share",
    "nvml_readings",
)  # fmt: skip
"""All that the meter gives."""
OF_FIELD: dict[str, tuple[str, Callable[[Sequence[Any]], Any]]] = {
    "temperature_max_c": ("temperature_c", max),
    "sm_clock_mean_hz": ("sm_clock_hz", statistics.fmean),
    "memory_clock_mean_hz": ("memory_clock_hz", statistics.fmean),
    "gpu_utilization_mean": ("utilization", lambda found: statistics.fmean(gpu for gpu, _ in found)),
    "gpu_memory_utilization_mean": ("utilization", lambda found: statistics.fmean(memory for _, memory in found)),
    "gpu_memory_used_peak_bytes": ("memory_used_bytes", max),
    "gpu_memory_process_peak_bytes": ("process_memory_bytes", max),
    "pstate": ("pstate", lambda found: ",".join(f"P{state}" for state in sorted(set(found)))),
}
"""Field -> what it is made of, and how."""
MOST_CAPPED_SHARE = 0.5
"""A board that was at its power limit for most of the time: its speed is that of its limit."""


@dataclass
class Summary:
    """What a row gets.

    Attributes:
        fields: all of :data:`FIELDS` but those of one item and of idleness; ``None`` where not known.
        warnings: why not, and what a reader must mind.
        throttled: why the row is not to be trusted; ``None``: nothing slowed the board down.
    """

    fields: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    throttled: str | None = None


def nothing(reason: str) -> Summary:
    """No readings at all."""
    return Summary(dict.fromkeys(FIELDS), [f"nvml: {reason}"])


def summarize(report: dict[str, Any]) -> Summary:
    """Summarise what :meth:`tailgate.machine.nvml.recorder.Recorder.report` gave."""
    readings = report["readings"]
    if report["lost"]:
        seen_s = readings[-1]["time_s"] - readings[0]["time_s"] if readings else 0.0
        return nothing(f"{report['lost']} ({seen_s:.2g} s into the timed rounds): values of a part are left out")
    found = Summary(dict.fromkeys(FIELDS))
    found.fields["nvml_readings"] = len(readings)
    for name, (source, make) in OF_FIELD.items():
        values = [reading[source] for reading in readings if source in reading]
        found.fields[name] = make(values) if values else None
    _add_energy(found, report)
    _add_slowdowns(found, [reading["slowdowns"] for reading in readings if "slowdowns" in reading])
    _add_unsupported(found, report["unsupported"])
    for name, (times, reason) in report.get("unread", {}).items():
        if name not in report["unsupported"]:
            found.warnings.append(f"nvml: {name} could not be read {times} times, the last time because of: {reason}")
    return found


def _add_energy(found: Summary, report: dict[str, Any]) -> None:
    counted, integrated = _series(report, "energy_j"), _series(report, "power_w")
    energy: Energy | None = None
    if counted:
        source, energy = "counter", from_counter(*counted)
    if (energy is None or energy.energy_j is None) and integrated:
        other = from_power(*integrated, report["power_window_s"])
        if energy is None or other.energy_j is not None:
            source, energy = "integrated", other
    if energy is None:
        return
    if energy.reason:
        found.warnings.append(f"nvml: energy and mean power: {energy.reason}")
        return
    found.fields.update(
        energy_j=energy.energy_j, energy_uncertainty_rel=energy.uncertainty_rel, energy_source=source,
        power_mean_w=energy.power_mean_w,
    )  # fmt: skip


def _series(report: dict[str, Any], name: str) -> tuple[list[float], list[float]] | None:
    """``None`` also of what the board ceased to tell in the middle: it would be of a part of the rounds."""
    if name in report["unsupported"]:
        return None
    pairs = [(reading["time_s"], reading[name]) for reading in report["readings"] if name in reading]
    return ([when for when, _ in pairs], [value for _, value in pairs]) if pairs else None


def _add_slowdowns(found: Summary, bits: Sequence[int]) -> None:
    if not bits:
        return
    counts = Counter(name for one in bits for name in slowdowns.names(one))
    shares = {name: count / len(bits) for name, count in counts.items()}
    harmful = [name for name in slowdowns.HARMFUL if name in shares]
    if harmful == [slowdowns.PASSING] and counts[slowdowns.PASSING] == 1:
        harmful = []
    capped = shares.get(slowdowns.CAP, 0.0)
    found.fields.update(
        throttle_reasons=",".join(shares),
        throttled=bool(harmful),
        throttled_share=sum(any(name in harmful for name in slowdowns.names(one)) for one in bits) / len(bits),
        power_capped_share=capped,
    )
    if harmful:
        # hw_slowdown is set beside what it comes of: that one says what to do.
        worst = harmful[-1] if harmful[0] == "hw_slowdown" else harmful[0]
        said = ", ".join(f"{name} in {shares[name]:.0%}" for name in harmful)
        found.throttled = (
            f"throttled: the GPU's clocks were held down: {said} of {len(bits)} readings (limit 0): "
            f"{slowdowns.REMEDIES[worst]}, and measure again"
        )
    if capped > MOST_CAPPED_SHARE:
        found.warnings.append(
            f"nvml: the GPU was at its power limit in {capped:.0%} of {len(bits)} readings: its speed is "
            "that of this limit (nvidia-smi -q -d POWER shows it)"
        )


def _add_unsupported(found: Summary, unsupported: dict[str, str]) -> None:
    """Add one line; a missing energy counter is no loss where the power was integrated."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in unsupported.items():
        if name != "energy_j" or not found.fields["energy_j"]:
            by_reason.setdefault(reason, []).append(name)
    if by_reason:
        said = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())
        found.warnings.append(f"nvml: this board does not tell {said}")


def of_an_item(info: dict[str, Any], calls: int | None, items: float | None) -> dict[str, float | None]:
    """``energy_per_item_j`` and ``images_per_joule``, where a row has ``energy_j``.

    Args:
        info: the row's fields.
        calls: timed, while the energy was read; ``None``: other calls were among them.
        items: one call processes; ``None``: nobody knows.
    """
    energy_j = info.get("energy_j")
    if energy_j is None or calls is None or items is None:
        return {"energy_per_item_j": None, "images_per_joule": None}
    per_item_j = energy_j / (calls * items)
    return {"energy_per_item_j": per_item_j, "images_per_joule": 1 / per_item_j}
