"""What study 4's source published: Pearson's r over its 32 models on four devices.

Gealy, Langerman and George, "ModelGauge: Inference Profiling of Deep-Learning Models", tables III and IV, section IV.C.
"""

from __future__ import annotations

from dataclasses import dataclass

FLOPS_LATENCY, PARAMETERS_MEMORY = "FLOPs and latency", "parameters and memory"
FLOPS_MISSES, PARAMETERS_MISSES = "FLOPs and cache misses", "parameters and cache misses"
DEVICES = ("Cortex-A76", "EPYC 9374F", "Orin Nano", "A100")


@dataclass(frozen=True)
class Published:
    """One r, to three digits, with its p, to two."""

    pair: str
    device: str
    r: float
    p: float
    n: int = 32
    without: str | None = None
    """The model left out."""


PUBLISHED = (
    Published(FLOPS_LATENCY, "Cortex-A76", 0.990, 8.8e-27),
    Published(FLOPS_LATENCY, "EPYC 9374F", 0.698, 9.0e-6),
    Published(FLOPS_LATENCY, "Orin Nano", 0.878, 4.3e-11),
    Published(FLOPS_LATENCY, "A100", 0.388, 2.8e-2),
    Published(PARAMETERS_MEMORY, "Cortex-A76", 0.999, 6.9e-40),
    Published(PARAMETERS_MEMORY, "EPYC 9374F", 0.938, 2.5e-15),
    Published(PARAMETERS_MEMORY, "Orin Nano", 0.998, 9.9e-39),
    Published(PARAMETERS_MEMORY, "A100", 0.999, 1.5e-43),
    Published(FLOPS_MISSES, "Cortex-A76", 0.984, 4.9e-24),
    Published(PARAMETERS_MISSES, "Cortex-A76", 0.816, 1.2e-8),
    Published(PARAMETERS_MEMORY, "EPYC 9374F", 0.999, 4.3e-40, 31, "ViT"),
)


def published(pair: str, device: str) -> Published | None:
    """Over all models; ``None`` where the source has none."""
    found = [one for one in PUBLISHED if (one.pair, one.device, one.without) == (pair, device, None)]
    return found[0] if found else None
