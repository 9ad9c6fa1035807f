"""The source's own file: ``metrics_all.csv``, its 44 columns in its order, with right values in them.

Header: results/metrics_all.csv of github.com/Ruturaj-Vasant/imagenet-performance-benchmark at ab8ab6f. What is not
known is ``N/A``, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studies.training.rows import Trained
from studies.values import FLOPS_PER_MAC, MIB, csv_text, scaled

HEADER = (
    "timestamp", "host", "device_type", "gpu_name", "cpu_name", "torch_version", "os", "kernel", "python_version",
    "ram_total_gb", "ram_available_gb", "disk_usage_pct", "cpu_util", "arch", "dataset_root", "batch_size", "workers",
    "epochs", "params_m", "flops_g_per_image", "model_size_mb", "arithmetic_intensity", "total_time_s",
    "peak_gpu_mem_mb", "process_rss_gb", "gpu_util", "train_batches", "train_batch_time_avg_s",
    "train_data_time_avg_s", "train_batch_time_std_s", "train_epoch_time_s", "train_throughput_img_s",
    "train_achieved_gflops_s", "val_batches", "val_batch_time_avg_s", "val_data_time_avg_s", "val_batch_time_std_s",
    "val_epoch_time_s", "val_throughput_img_s", "val_acc1", "val_acc5", "val_achieved_gflops_s",
    "achieved_tflops_train", "achieved_tflops_val",
)  # fmt: skip
UNKNOWN = "N/A"
GIB = 2**30
FIELDS = {
    "ram_available_gb": ("memory_available_bytes", 1 / GIB), "disk_usage_pct": ("disk_used_share", 100),
    "cpu_util": ("train_cpu_utilization", 100), "params_m": ("parameters", 1e-6),
    "flops_g_per_image": ("macs", FLOPS_PER_MAC * 1e-9), "model_size_mb": ("model_bytes", 1 / MIB),
    "arithmetic_intensity": ("intensity_compulsory_flop_per_byte", 1), "total_time_s": ("total_s", 1),
    "peak_gpu_mem_mb": ("gpu_memory_peak_bytes", 1e-6), "process_rss_gb": ("rss_peak_bytes", 1 / GIB),
    "gpu_util": ("gpu_utilization", 100), "train_batch_time_avg_s": ("batch_mean_s", 1),
    "train_data_time_avg_s": ("data_wait_mean_s", 1), "train_batch_time_std_s": ("batch_stddev_s", 1),
    "train_epoch_time_s": ("train_wall_s", 1), "train_throughput_img_s": ("images_per_s", 1),
    "val_batch_time_avg_s": ("val_batch_mean_s", 1), "val_data_time_avg_s": ("val_data_wait_mean_s", 1),
    "val_batch_time_std_s": ("val_batch_stddev_s", 1), "val_epoch_time_s": ("val_wall_s", 1),
    "val_throughput_img_s": ("val_images_per_s", 1), "val_acc1": ("acc1", 100), "val_acc5": ("acc5", 100),
}  # fmt: skip
"""Column -> field of ``extra_info``, and what it is multiplied by."""


def render(rows: Sequence[Trained]) -> str:
    """One line a measured cell."""
    known = (_line(one).items() for one in rows)
    return csv_text(HEADER, [{name: UNKNOWN if value is None else value for name, value in line} for line in known])


def _line(one: Trained) -> dict[str, Any]:
    info = one.info
    return {
        **_machine(one),
        **{column: scaled(one.number(field), factor) for column, (field, factor) in FIELDS.items()},
        "arch": one.model, "dataset_root": info.get("data_root") or info.get("data"), "batch_size": one.batch_size,
        "workers": info.get("workers"), "epochs": 1, "train_batches": info.get("train_batches"),
        "val_batches": info.get("val_batches"), "train_achieved_gflops_s": scaled(one.train_flop_per_s(), 1e-9),
        "val_achieved_gflops_s": scaled(one.val_flop_per_s(), 1e-9),
        "achieved_tflops_train": scaled(one.train_flop_per_s(), 1e-12),
        "achieved_tflops_val": scaled(one.val_flop_per_s(), 1e-12),
    }  # fmt: skip


def _machine(one: Trained) -> dict[str, Any]:
    facts = one.machine.get("machine_facts") or {}
    fingerprint = one.machine.get("fingerprint") or {}
    packages = fingerprint.get("packages") or {}
    return {
        "timestamp": one.info.get("timestamp_utc"), "host": facts.get("hostname"),
        "device_type": one.setting.device.partition(":")[0], "gpu_name": one.info.get("gpu_name"),
        "cpu_name": fingerprint.get("cpu_model"), "torch_version": one.info.get("runtime_version"),
        "os": facts.get("os"), "kernel": facts.get("kernel"), "python_version": packages.get("python"),
        "ram_total_gb": scaled(fingerprint.get("memory_total_bytes"), 1 / GIB),
    }  # fmt: skip
