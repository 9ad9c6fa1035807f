"""NVIDIA GPUs: which, their power meter, and the precisions of their compute capability."""

from tailgate.machine.doctor.gpus import ask
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 70


def models(host: Host) -> Verdict:
    """The GPUs that nvidia-smi lists, or why there are none."""
    answer = ask(host)
    if not answer.gpus:
        return Verdict("missing", answer.reason, answer.remedy)
    names = [gpu.name for gpu in answer.gpus]
    listed = ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
    return Verdict("ok", f"{listed}; driver {answer.gpus[0].driver}")


def power(host: Host) -> Verdict | None:
    """Whether the boards tell their power."""
    gpus = ask(host).gpus
    if not gpus:
        return None
    silent = [str(gpu.index) for gpu in gpus if gpu.power_w is None]
    if silent:
        return Verdict("missing", f"GPU {', '.join(silent)} does not tell its power (nvidia-smi: N/A)")
    return Verdict("ok", f"{', '.join(f'{gpu.power_w:.0f} W' for gpu in gpus)} drawn now")


def precisions(host: Host) -> Verdict | None:
    """What the GPUs here compute in natively."""
    gpus = ask(host).gpus
    if not gpus:
        return None
    capabilities = {gpu.capability for gpu in gpus if gpu.capability is not None}
    if not capabilities:
        return Verdict("missing", "nvidia-smi does not tell the compute capability")
    parts = [
        f"{', '.join(native(capability))} (compute capability {capability[0]}.{capability[1]})"
        for capability in sorted(capabilities)
    ]
    return Verdict("ok", f"native: {'; '.join(parts)}")


def native(capability: tuple[int, int]) -> list[str]:
    """Precisions by compute capability, as TensorRT's support matrix lists them."""
    return [
        "fp32",
        *(["fp16"] if capability in ((5, 3), (6, 0), (6, 2)) or capability >= (7, 0) else []),
        *(["int8"] if capability == (6, 1) or capability >= (7, 0) else []),
        *(["tf32", "bf16"] if capability >= (8, 0) else []),
        *(["fp8"] if capability >= (8, 9) else []),
    ]


CHECKS = (
    Check("GPU", models, linux_only=False),
    Check("GPU power", power, linux_only=False),
    Check("GPU precisions", precisions, linux_only=False),
)
