"""Other work on the GPUs."""

from tailgate.machine.doctor.gpus import ask
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 15
MOST_BUSY_PERCENT = 5.0


def load(host: Host) -> Verdict | None:
    """Share of the driver's last sampling period in which a kernel ran; we start none."""
    gpus = [gpu for gpu in ask(host).gpus if gpu.busy_percent is not None]
    if not gpus:
        return None
    text = ", ".join(f"GPU {gpu.index} {gpu.busy_percent:.0f} % busy" for gpu in gpus)
    if any((gpu.busy_percent or 0) > MOST_BUSY_PERCENT for gpu in gpus):
        return Verdict("disturbs", text, "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv")
    return Verdict("ok", text)


CHECKS = (Check("GPU load", load, linux_only=False),)
