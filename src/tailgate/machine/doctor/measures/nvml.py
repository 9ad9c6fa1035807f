"""NVML, through which the ``nvml`` meter reads a board: whether it can be opened, and what each board tells."""

from tailgate.machine.doctor.gpus import LOADED, ask
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict
from tailgate.machine.nvml import library
from tailgate.machine.nvml.board import Identity, NvmlError, UnsupportedError
from tailgate.machine.nvml.calls import INSTALL
from tailgate.machine.nvml.library import NvmlBoards

ORDER = 71
open_boards = library.open_boards


def nvml(host: Host) -> Verdict | None:
    """``None`` on a machine without an NVIDIA GPU."""
    if not ask(host).gpus and not host.exists(LOADED):
        return None
    try:
        opened = open_boards()
    except NvmlError as error:
        reason, _, remedy = str(error).partition(f": {INSTALL}")
        return Verdict("missing", f"NVML: {reason}", INSTALL + remedy if reason != str(error) else None)
    try:
        found_of_each = [_readings_of(opened, identity) for identity in opened.listed()]
    except (NvmlError, UnsupportedError) as error:
        return Verdict("missing", str(error))
    finally:
        opened.close()
    texts = [text for text, _ in found_of_each]
    text = "; ".join(f"{texts.count(one)} x {one}" for one in dict.fromkeys(texts))
    if not found_of_each:
        return Verdict("missing", "NVML lists no GPU")
    return Verdict("ok" if any(tells for _, tells in found_of_each) else "missing", f"NVML: {text}")


def _readings_of(opened: NvmlBoards, identity: Identity) -> tuple[str, bool]:
    """What a board reports, as text, and whether it reports anything."""
    found, tells = [], False
    try:
        one = opened.board(identity)
    except (NvmlError, UnsupportedError) as error:
        return f"{identity.name} cannot be opened ({identity.problem or error})", False
    for name, ask_for in (("energy counter", one.energy_j), ("power", one.power_w), ("SM clock", one.sm_clock_hz)):
        try:
            ask_for()
        except UnsupportedError as error:
            found.append(f"no {name} ({error})")
        except NvmlError as error:
            return f"{identity.name} is gone ({error})", False
        else:
            found.append(name)
            tells = True
    return f"{identity.name} tells {', '.join(found)}", tells


CHECKS = (Check("GPU telemetry", nvml, linux_only=False),)
