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


def render(rows: Sequence[Trained]) -> str:
    """One line a measured cell."""
    known = (_line(one).items() for one in rows)
    return csv_text(HEADER, [{name: UNKNOWN if value is None else value for name, value in line} for line in known])


def _line(one: Trained) -> dict[str, Any]:
    info = one.info
    return {
        **_machine(one),
        "cpu_util": scaled(one.number("train_cpu_utilization"), 100),
        "arch": one.model,
        "dataset_root": info.get("data_root") or info.get("data"),
        "batch_size": one.batch_size,
        "workers": info.get("workers"),
        "epochs": 1,
        "params_m": scaled(one.number("parameters"), 1e-6),
        "flops_g_per_image": scaled(one.number("macs"), FLOPS_PER_MAC * 1e-9),
        "model_size_mb": scaled(one.number("model_bytes"), 1 / MIB),
        "arithmetic_intensity": one.number("intensity_compulsory_flop_per_byte"),
        "total_time_s": one.number("total_s"),
        "peak_gpu_mem_mb": scaled(one.number("gpu_memory_peak_bytes"), 1e-6),
        "process_rss_gb": scaled(one.number("rss_peak_bytes"), 1 / GIB),
        "gpu_util": scaled(one.number("gpu_utilization"), 100),
        "train_batches": info.get("train_batches"),
        "train_batch_time_avg_s": one.number("batch_mean_s"),
        "train_data_time_avg_s": one.number("data_wait_mean_s"),
        "train_batch_time_std_s": one.number("batch_stddev_s"),
        "train_epoch_time_s": one.number("train_wall_s"),
        "train_throughput_img_s": one.number("images_per_s"),
        "train_achieved_gflops_s": scaled(one.train_flop_per_s(), 1e-9),
        "val_batches": info.get("val_batches"),
        "val_batch_time_avg_s": one.number("val_batch_mean_s"),
        "val_data_time_avg_s": one.number("val_data_wait_mean_s"),
        "val_batch_time_std_s": one.number("val_batch_stddev_s"),
        "val_epoch_time_s": one.number("val_wall_s"),
        "val_throughput_img_s": one.number("val_images_per_s"),
        "val_acc1": scaled(one.number("acc1"), 100),
        "val_acc5": scaled(one.number("acc5"), 100),
        "val_achieved_gflops_s": scaled(one.val_flop_per_s(), 1e-9),
        "achieved_tflops_train": scaled(one.train_flop_per_s(), 1e-12),
        "achieved_tflops_val": scaled(one.val_flop_per_s(), 1e-12),
    }


def _machine(one: Trained) -> dict[str, Any]:
    facts = one.machine.get("machine_facts") or {}
    fingerprint = one.machine.get("fingerprint") or {}
    packages = fingerprint.get("packages") or {}
    return {
        "timestamp": one.info.get("timestamp_utc"),
        "host": facts.get("hostname"),
        "device_type": one.setting.device.partition(":")[0],
        "gpu_name": one.info.get("gpu_name"),
        "cpu_name": fingerprint.get("cpu_model"),
        "torch_version": one.info.get("runtime_version"),
        "os": facts.get("os"),
        "kernel": facts.get("kernel"),
        "python_version": packages.get("python"),
        "ram_total_gb": scaled(fingerprint.get("memory_total_bytes"), 1 / GIB),
        "ram_available_gb": scaled(one.number("memory_available_bytes"), 1 / GIB),
        "disk_usage_pct": scaled(one.number("disk_used_share"), 100),
    }
