"""What the source of study 2 printed: its three tables, measured on a GitHub Codespaces machine.

An article in the Data Science Blogathon of Analytics Vidhya, with torch 2.2.2, tensorflow 2.16.2, jax 0.4.30,
onnxruntime 1.17.0 and openvino 2024.6.0; docs/suite/study2.md has what was wrong with it.
"""

from __future__ import annotations

NAMES = {
    "pytorch": "PyTorch",
    "tensorflow": "TensorFlow",
    "jax": "JAX",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}
"""Runtime -> name, in the source's order."""

LATENCY_MS = {"pytorch": 1.26, "tensorflow": 6.61, "jax": 3.15, "onnxruntime": 14.75, "openvino": 144.84}
"""Mean over 1,000 runs, the sampling included."""
CPU_PERCENT = {"pytorch": 99.79, "tensorflow": 112.26, "jax": 130.03, "onnxruntime": 99.58, "openvino": 99.32}
"""100 is one CPU busy."""
MEMORY_MB = {"pytorch": 959.69, "tensorflow": 969.72, "jax": 1033.63, "onnxruntime": 1033.82, "openvino": 1040.80}
"""Resident memory of the one process that held all five, in units of 1024 x 1024 bytes."""
