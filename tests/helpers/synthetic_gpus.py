"""Made-up saved runs of study 3: no GPU has measured any of this. Times follow a formula, jitter a seeded generator."""

import hashlib
import json
import random
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SHA = {"resnet18": "18" * 32, "resnet50": "50" * 32}
WORK = {"resnet18": 1.0, "resnet50": 2.3}
GPUS = {  # name: (seconds an image in fp32 with a full device, launch seconds, batch that fills half of it, idle W, W)
    "Synthetic T4": (900e-6, 1.6e-3, 6.0, 15.0, 70.0),
    "Synthetic L4": (300e-6, 1.1e-3, 4.0, 17.0, 72.0),
}
SPEED = {"fp32": 1.0, "tf32": 1.9, "bf16": 2.6, "fp16": 2.8, "int8": 4.6}
BYTES = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2, "int8": 1}
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
ROUNDS = 60


def gpu_row(
    gpu: str,
    model: str = "resnet50",
    runtime: str = "pytorch",
    precision: str = "fp32",
    batch: int = 1,
    *,
    seed: int = 0,
    scale: float = 1.0,
    **changes: Any,
) -> dict[str, Any]:
    """A row as a GPU's session would save it."""
    image_s, launch_s, half, idle_w, most_w = GPUS.get(gpu, (300e-6, 1.1e-3, 4.0, 17.0, 72.0))
    faster = SPEED[precision] * (1.25 if runtime == "tensorrt" else 1.0)
    busy = batch / (batch + half)
    device_s = scale * batch * image_s * WORK[model] / faster / busy
    device_s *= 1.0 if batch < 64 else 1.06  # the largest batches leave the cache
    launch_s *= 0.3 if runtime == "tensorrt" else 1.0
    host_s = max(device_s, launch_s * WORK[model]) + 30e-6
    noise = random.Random(f"{gpu} {model} {runtime} {precision} {batch} {seed}")
    gpu_times_s = [device_s * noise.gauss(1, 0.004) for _ in range(ROUNDS)]
    times_s = [host_s * noise.gauss(1, 0.004) + (host_s * 0.2 if noise.random() < 0.02 else 0) for _ in range(ROUNDS)]
    power_w = idle_w + (most_w - idle_w) * busy * (0.9 if precision in ("fp16", "int8") else 1.0)
    energy_j = power_w * statistics.fmean(times_s) / batch
    info = {
        **_info("gpu-precision", model, runtime, precision, batch), "device": "cuda:0", "gpu_name": gpu, "threads": 1,
        "gpu_times_s": gpu_times_s, "gpu_time_median_s": statistics.median(gpu_times_s), "device_clock": "cuda-events",
        "gpu_time_p99_s": max(gpu_times_s), "l2_flushed": False,
        "gpu_memory_peak_bytes": int(BYTES[precision] * (25e6 + 6e6 * batch)),
        "gpu_memory_used_peak_bytes": int(400e6 + BYTES[precision] * (25e6 + 6e6 * batch)),
        "h2d_bytes": 602112 * batch, "h2d_median_s": 25e-6 + 5e-5 * batch, "h2d_p99_s": 40e-6 + 5e-5 * batch,
        "d2h_median_s": 12e-6, "d2h_p99_s": 20e-6,
        "inclusive_median_s": host_s + 4e-5 + 5e-5 * batch, "inclusive_p99_s": 1.1 * host_s + 4e-5 + 5e-5 * batch,
        "power_mean_w": power_w, "energy_per_item_j": energy_j, "images_per_joule": 1 / energy_j,
        "energy_uncertainty_rel": 0.04, "energy_source": "counter", "throttled": False, **changes,
    }  # fmt: skip
    name = f"test_gpu_precision[{model}-{runtime}-{precision}-cuda0-b{batch}]"
    return _row("gpu_precision", name, times_s, info)


def cpu_row(
    model: str = "resnet50",
    runtime: str = "pytorch",
    precision: str = "fp32",
    batch: int = 1,
    threads: int = 2,
    *,
    seed: int = 0,
    **changes: Any,
) -> dict[str, Any]:
    """A row of study 1, which study 3 compares with."""
    per_image_s = 0.045 * WORK[model] / (2.5 if precision == "int8" else 1) / (1.3 if runtime == "openvino" else 1)
    noise = random.Random(f"{model} {runtime} {precision} {batch} {threads} {seed}")
    seconds = (batch + 0.3) * per_image_s / threads**0.9
    times_s = [seconds * noise.gauss(1, 0.01) for _ in range(ROUNDS)]
    info = {**_info("cpu-scaling", model, runtime, precision, batch), "device": "cpu", "threads": threads, **changes}
    return _row("cpu_scaling", f"test_cpu_scaling[{model}-{runtime}-{precision}-t{threads}-b{batch}]", times_s, info)


def gpu_rows(gpu: str, models: Iterable[str] = ("resnet18", "resnet50"), **changes: Any) -> list[dict[str, Any]]:
    """The study's grid on one GPU."""
    precisions = {"pytorch": ("fp32", "tf32", "bf16", "fp16"), "tensorrt": ("fp32", "fp16", "int8")}
    return [
        gpu_row(gpu, model, runtime, precision, batch, **changes)
        for model in models for runtime, those in precisions.items() for precision in those for batch in BATCHES
    ]  # fmt: skip


def cpu_rows(models: Iterable[str] = ("resnet18", "resnet50")) -> list[dict[str, Any]]:
    """A CPU's."""
    cells = (("pytorch", "fp32"), ("openvino", "fp32"), ("openvino", "int8"))
    return [
        cpu_row(model, runtime, precision, batch, threads)
        for model in models for runtime, precision in cells for threads in (1, 2) for batch in (1, 2, 4, 8, 16)
    ]  # fmt: skip


def run(*rows: dict[str, Any], gpu: str | None = None, unmeasured: Iterable[dict[str, str]] = ()) -> dict[str, Any]:
    """A saved run of these rows."""
    fingerprint = {
        "cpu_model": "Synthetic CPU", "usable_cpus": 2, "gpu_models": [gpu] if gpu else [], "driver_version": "580.0",
        "packages": {"python": "3.12.0", "torch": "2.11.0", "torchvision": "0.26.0"},
    }  # fmt: skip
    return {
        "machine_info": {
            "fingerprint": fingerprint, "fingerprint_id": hashlib.sha256(str(gpu).encode()).hexdigest()[:12],
            "machine_facts": {"hostname": "synthetic"},
        },
        "datetime": "2026-01-02T03:04:05+00:00", "version": "5.3.1", "tailgate_schema_version": 1,
        "benchmarks": list(rows), "unmeasured": list(unmeasured),
    }  # fmt: skip


def save(path: Path, saved: dict[str, Any]) -> str:
    """As a file; gives its path."""
    path.write_text(json.dumps(saved))
    return str(path)


def _info(study: str, model: str, runtime: str, precision: str, batch: int) -> dict[str, Any]:
    error = {"fp32": 1e-6, "tf32": 4e-4, "bf16": 6e-3, "fp16": 8e-4, "int8": 4e-2}[precision]
    return {
        "study": study, "model": model, "model_sha256": SHA[model], "runtime": runtime, "runtime_version": "1.0",
        "precision": precision, "batch_size": batch, "items_per_call": batch, "image_size": 224, "weights": "random",
        "phase": "inference", "protocol": "paper", "warmup_rounds": 20, "status": "ok", "warnings": [],
        "output_error_rel": error, "top1_agreement": 1.0 - error,
    }  # fmt: skip


def _row(test: str, name: str, times_s: list[float], info: dict[str, Any]) -> dict[str, Any]:
    ordered = sorted(times_s)
    stats = {
        "min": ordered[0], "max": ordered[-1], "mean": statistics.fmean(times_s), "stddev": statistics.stdev(times_s),
        "median": statistics.median(times_s), "rounds": len(times_s), "iterations": 1, "data": times_s,
        "p99": ordered[-1], "throughput": info["items_per_call"] / statistics.median(times_s),
    }  # fmt: skip
    return {"name": name, "fullname": f"benchmarks/test_{test}.py::{name}", "group": None, "stats": stats,
            "extra_info": info}  # fmt: skip
