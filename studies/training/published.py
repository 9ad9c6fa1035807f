"""What study 5 published (Vasant 2025, results/metrics_*_git.csv of its repository), and what was wrong with it.

github.com/Ruturaj-Vasant/imagenet-performance-benchmark, commits 96a78fd and ab8ab6f.
"""

from __future__ import annotations

from dataclasses import dataclass

IMAGE_SIZE_PX, CLASSES, BATCHES = 224, 1000, 50
"""What its script ran: RandomResizedCrop(224) of 64 px images, torchvision's default outputs."""
CPU_MACHINE, GPU_MACHINE = "e2-standard-4", "Tesla T4"


@dataclass(frozen=True)
class Published:
    """Images per second over 50 batches, and the batch sizes."""

    cpu_images_per_s: float
    cpu_batch_size: int
    gpu_images_per_s: float
    gpu_batch_size: int
    diverged: bool = False
    """Its loss was NaN by batch 31 on the GPU."""


PUBLISHED = {
    "resnet18": Published(8.878, 128, 315.742, 128),
    "mobilenet_v2": Published(11.709, 128, 250.472, 128),
    "resnet50": Published(3.369, 128, 98.448, 128),
    "squeezenet1_1": Published(24.319, 128, 346.568, 64, diverged=True),
}
ORDER = ("squeezenet1_1", "mobilenet_v2", "resnet18", "resnet50")
"""On its CPU, the fastest first."""

WRONG = (
    ("SqueezeNet's row is of a loss that was NaN by batch 31", "a loss that is not finite ends the cell: `diverged`"),
    (
        "FLOPs are thop's multiply-accumulates of a forward pass",
        "2 FLOPs per MAC, 3 forward passes per step: 6 times",
    ),
    (
        "arithmetic intensity is GFLOP per MiB of weights, labelled FLOP/byte",
        "bytes of a stated traffic model, or none",
    ),
    ("64 px images are enlarged to 224 px, with 1,000 outputs for 200 classes", "64 px, 200 outputs"),
    ("CPU and GPU utilisation are read after the run (0 % on the T4)", "over the run, its loader workers included"),
    ("throughput counts a last partial batch as full", "its real size: images/s × time = images"),
    ("validation takes the first 50 batches of files sorted by class", "a seeded shuffle"),
    ("the deviation of a batch's time is never filled in", "from every batch's time"),
    ("the text says 2 loader workers, the rows say 4", "2; `--loader-workers` changes it"),
)
"""What the source did, and what is done here."""
