"""Study 4's models, one a line, units in the columns' names; empty where a value is not known."""

from __future__ import annotations

import io
from typing import Any

from studies.onnx_profiles.rows import EVENTS, INTENSITY, MEMORY, Profile, Profiles, inference_field, process_field
from tailgate.results.spreadsheet import Writer

METERS = (
    *MEMORY.values(), "rss_peak_bytes", "model_bytes", INTENSITY,
    *map(process_field, EVENTS), *map(inference_field, EVENTS),
)  # fmt: skip
HEADER = (
    "machine", "runtime", "precision", "threads", "batch_size", "device", "model", "image_size_px", "parameters",
    "macs_per_item", "flops_per_call", "flops_counter", "latency_mean_s", "latency_stddev_s", "latency_median_s",
    "latency_p99_s", "rounds", "achieved_flop_per_s", *METERS, "smir_process", "smir_per_100_inferences", "status",
    "warnings",
)  # fmt: skip


def render(found: Profiles) -> str:
    """Measured models first, then what was not measured, with its reason."""
    stream = io.StringIO()
    writer = Writer(stream, HEADER)
    writer.writeheader()
    for measured in found.by_setting.values():
        writer.writerows(map(_line, measured))
    for name, status, reason in found.unmeasured:
        writer.writerow({"model": name, "status": status, "warnings": reason})
    return stream.getvalue()


def _line(one: Profile) -> dict[str, Any]:
    setting = one.setting
    return {
        "machine": setting.machine,
        "runtime": setting.runtime,
        "precision": setting.precision,
        "threads": setting.threads,
        "batch_size": setting.batch_size,
        "device": setting.device,
        "model": one.model,
        "image_size_px": one.image_size_px,
        "parameters": one.parameters,
        "macs_per_item": one.macs,
        "flops_per_call": one.flops,
        "flops_counter": one.flops_counter,
        "latency_mean_s": one.mean_s,
        "latency_stddev_s": one.stddev_s,
        "latency_median_s": one.median_s,
        "latency_p99_s": one.p99_s,
        "rounds": one.rounds,
        "achieved_flop_per_s": one.achieved_flop_per_s,
        **{field: one.measured.get(field) for field in METERS},
        "smir_process": one.smir_process(),
        "smir_per_100_inferences": one.smir_inference(),
        "status": one.status,
        "warnings": " | ".join(one.warnings),
    }
