"""NVIDIA GPUs as ``nvidia-smi`` tells them: no library is loaded, and no context is made on the device."""

from dataclasses import dataclass
from functools import lru_cache

from tailgate.machine.doctor.host import Host, UnreadableError
from tailgate.machine.doctor.programs import install_command

QUERY = ("index", "name", "driver_version", "compute_cap", "power.draw", "utilization.gpu")
LOADED = "/proc/driver/nvidia/version"


@dataclass(frozen=True)
class Gpu:
    """One GPU; ``None``: nvidia-smi does not report the value."""

    index: int
    name: str
    driver: str
    capability: tuple[int, int] | None
    power_w: float | None
    busy_percent: float | None


@dataclass(frozen=True)
class Answer:
    """The GPUs, or why there are none."""

    gpus: tuple[Gpu, ...] = ()
    reason: str = ""
    remedy: str | None = None


@lru_cache(maxsize=1)
def ask(host: Host) -> Answer:
    """The GPUs that ``nvidia-smi`` lists on a host, or why there are none; asked once per host."""
    if not host.which("nvidia-smi"):
        return _without_nvidia_smi(host)
    try:
        done = host.run(["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader,nounits"])
    except UnreadableError as error:
        return Answer(reason=str(error))
    lines = done.out.splitlines()
    if done.code != 0 or not lines:
        text = " ".join((done.out or done.err).split())[:160]
        remedy = None if host.exists(LOADED) else "sudo modprobe nvidia"
        return Answer(reason=f"nvidia-smi fails: {text or f'exit code {done.code}'}", remedy=remedy)
    try:
        return Answer(tuple(_gpu(*(value.strip() for value in line.split(","))) for line in lines))
    except (ValueError, TypeError):
        return Answer(reason=f"nvidia-smi answers in a form we do not know: {lines[0][:100]!r}")


def _without_nvidia_smi(host: Host) -> Answer:
    if host.exists(LOADED):
        return Answer(reason="NVIDIA's driver is loaded, but nvidia-smi is not on PATH")
    if any(_is_nvidia_display(host, device) for device in host.glob("/sys/bus/pci/devices/*")):
        reason = "there is an NVIDIA GPU, but its driver is not installed (no nvidia-smi)"
        return Answer(reason=reason, remedy=install_command(host, "nvidia-driver"))
    return Answer(reason="no NVIDIA GPU")


def _gpu(index: str, name: str, driver: str, capability: str, power: str, busy: str) -> Gpu:
    major, _, minor = capability.partition(".")
    known = None if _is_missing(capability) else (int(major), int(minor))
    return Gpu(int(index), name, driver, known, _number(power), _number(busy))


def _number(text: str) -> float | None:
    return None if _is_missing(text) else float(text)


def _is_missing(text: str) -> bool:
    """``[N/A]``, ``[Not Supported]`` and ``[Unknown Error]`` are nvidia-smi's text for a value it cannot have."""
    return text.startswith("[") or text == "N/A"


def _is_nvidia_display(host: Host, device: str) -> bool:
    vendor = host.read_if_there(f"{device}/vendor")
    return vendor == "0x10de" and (host.read_if_there(f"{device}/class") or "").startswith("0x03")
