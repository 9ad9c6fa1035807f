"""Runs of study 4 written rather than measured: its 32 models, with figures that look like a small machine's."""

import random
from typing import Any

# Name, million parameters, GMAC at 224 px: docs/suite/onnx-cost.md's table, and estimates for the narrow MobileNetV2.
CONVOLUTIONAL = (
    ("efficientnet_v2_s", 21.458, 2.850), ("mobilenet_v2_w0.2", 1.33, 0.025), ("mobilenet_v2_w0.4", 1.62, 0.061),
    ("mobilenet_v2_w0.6", 2.09, 0.125), ("mobilenet_v2_w0.8", 2.74, 0.206), ("mobilenet_v2", 3.505, 0.3008),
    ("mobilenet_v3_small", 2.543, 0.0565), ("mobilenet_v3_large", 5.483, 0.2166), ("resnet50", 25.557, 4.089),
    ("wide_resnet50_2", 68.883, 11.398),
)  # fmt: skip
OTHERS = (("vit_b_16", 86.568, 17.564, 224), ("mobilevit_s", 5.578, 1.42, 256))
SIZES_PX = (32, 128, 224)
MODELS = (
    *((name, millions, gmac * (size / 224) ** 2, size) for name, millions, gmac in CONVOLUTIONAL for size in SIZES_PX),
    *OTHERS,
)  # fmt: skip
MACHINE = {"fingerprint": {"cpu_model": "Example Xeon 2.1 GHz", "usable_cpus": 2}, "fingerprint_id": "0123456789ab"}


def run(
    *, seed: int = 0, threads: int = 1, runtime: str = "onnxruntime", counters: bool = True, heap: bool = True
) -> dict[str, Any]:
    """One saved run, every model once."""
    noise = random.Random(seed)
    benchmarks = []
    for name, millions, gmac, size in MODELS:
        mean_s = (0.0004 + 2 * gmac / 60 * noise.uniform(0.8, 1.6)) / threads
        heap_mb = 18 + 4.4 * millions * noise.uniform(0.97, 1.03) + gmac
        info: dict[str, Any] = {
            "study": "onnx-profiles", "model": f"{name}-{size}px", "runtime": runtime, "runtime_version": "1.28.0",
            "precision": "fp32", "device": "cpu", "threads": threads, "batch_size": 1, "items_per_call": 1,
            "inputs": [{"name": "input", "shape": [1, 3, size, size], "dtype": "float32"}],
            "parameters": int(millions * 1e6), "macs": int(gmac * 1e9),
            "flops_counter": "torch.utils.flop_counter 2.15",
            "rss_growth_bytes": int(heap_mb * 1.3e6), "status": "ok", "warnings": [],
        }  # fmt: skip
        if heap:
            info["heap_peak_bytes"] = int(heap_mb * 1e6)
        if counters:
            per_inference = 2000 + 40_000 * gmac + 300 * millions
            info["perf_dTLB_load_misses_per_inference"] = per_inference
            info["perf_process_dTLB_load_misses"] = 2_500_000 + 100 * per_inference
            info["perf_cache_misses_per_inference"] = 3e5 * gmac + 4e4 * millions
            info["perf_process_cache_misses"] = 6e7 + 100 * info["perf_cache_misses_per_inference"]
        else:
            info["warnings"] = ["perf: no permission; allow it with: sudo sysctl kernel.perf_event_paranoid=1"]
        benchmarks.append(
            {
                "name": f"test_onnx_profiles[{name}-{size}px]",
                "fullname": f"benchmarks/test_onnx_profiles.py::test_onnx_profiles[{name}-{size}px]",
                "stats": {
                    "mean": mean_s, "median": mean_s * 0.98, "stddev": mean_s * noise.uniform(0.01, 0.08),
                    "min": mean_s * 0.9, "max": mean_s * 1.4, "p99": mean_s * 1.2, "rounds": 100,
                },
                "extra_info": info,
            },
        )  # fmt: skip
    return {"machine_info": MACHINE, "benchmarks": benchmarks, "unmeasured": []}


def infos(saved: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """``extra_info`` by model."""
    return {bench["extra_info"]["model"]: bench["extra_info"] for bench in saved["benchmarks"]}
