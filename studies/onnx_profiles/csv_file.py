"""Study 4's models as CSV, one per line; a column's name has its unit, and an unknown value is empty."""

from __future__ import annotations

from typing import Any

from studies.onnx_profiles.rows import METERS, Profile, Profiles
from studies.values import csv_text

HEADER = (
    "machine", "runtime", "precision", "threads", "batch_size", "device", "model", "image_size_px", "parameters",
    "macs_per_item", "flops_per_call", "flops_counter", "latency_mean_s", "latency_stddev_s", "latency_median_s",
    "latency_p99_s", "rounds", "achieved_flop_per_s", *METERS, "smir_process", "smir_per_100_inferences", "status",
    "warnings",
)  # fmt: skip


def render(found: Profiles) -> str:
    """Measured models first; then those that were not, with their reasons."""
    rows = [_line(one) for measured in found.by_setting.values() for one in measured]
    rest = [{"model": name, "status": status, "warnings": reason} for name, status, reason in found.unmeasured]
    return csv_text(HEADER, [*rows, *rest])


def _line(one: Profile) -> dict[str, Any]:
    """A field of ``Setting`` or ``Profile`` has its column's name, or stands here."""
    own = {
        "macs_per_item": one.macs, "flops_per_call": one.flops, "latency_mean_s": one.mean_s,
        "latency_stddev_s": one.stddev_s, "latency_median_s": one.median_s, "latency_p99_s": one.p99_s,
        "smir_process": one.smir_process(), "smir_per_100_inferences": one.smir_inference(),
        "warnings": " | ".join(one.warnings), **{field: one.measured.get(field) for field in METERS},
    }  # fmt: skip
    return {name: own.get(name, getattr(one, name, getattr(one.setting, name, None))) for name in HEADER}
