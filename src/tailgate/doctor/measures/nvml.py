"""NVML, through which the ``nvml`` meter reads a board: whether it can be opened, and what each board tells."""

from __future__ import annotations

from tailgate.doctor.gpus import LOADED, ask
from tailgate.doctor.host import Host
from tailgate.doctor.model import Check, Verdict
from tailgate.nvml import library
from tailgate.nvml.board import Boards, Identity, NvmlError, UnsupportedError

ORDER = 71
open_boards = library.open_boards


def nvml(host: Host) -> Verdict | None:
    """``None`` on a machine without an NVIDIA GPU."""
    if not ask(host).gpus and not host.exists(LOADED):
        return None
    try:
        opened = open_boards()
    except NvmlError as error:
        reason, _, remedy = str(error).partition(f": {library.INSTALL}")
        return Verdict("missing", f"NVML: {reason}", library.INSTALL + remedy if reason != str(error) else None)
    try:
        told = [_told(opened, identity) for identity in opened.listed()]
    except (NvmlError, UnsupportedError) as error:
        return Verdict("missing", str(error))
    finally:
        opened.close()
    text = "; ".join(f"{told.count(one)} x {one}" for one in dict.fromkeys(told))
    return Verdict("ok", f"NVML: {text}") if told else Verdict("missing", "NVML lists no GPU")


def _told(opened: Boards, identity: Identity) -> str:
    found = []
    try:
        one = opened.board(identity)
    except UnsupportedError as error:
        return f"{identity.name} cannot be opened ({error})"
    for name, ask_for in (("energy counter", one.energy_j), ("power", one.power_w), ("SM clock", one.sm_clock_hz)):
        try:
            ask_for()
        except UnsupportedError as error:
            found.append(f"no {name} ({error})")
        else:
            found.append(name)
    return f"{identity.name} tells {', '.join(found)}"


CHECKS = (Check("GPU telemetry", nvml, linux_only=False),)
