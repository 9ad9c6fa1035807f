"""Which board a benchmark's ``cuda:N`` is. NVML knows nothing of CUDA's numbers. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from tailgate.machine.nvml.board import UNKNOWN, Identity


class WhichError(Exception):
    """Which board it is cannot be known; the text is one line."""


def on_gpu(extra_info: Mapping[str, Any]) -> bool:
    """Whether a row says that it is of an NVIDIA GPU: ``device`` is ``cuda`` or ``cuda:N``."""
    device = extra_info.get("device")
    return isinstance(device, str) and device.partition(":")[0] == "cuda"


def choose(extra_info: Mapping[str, Any], variables: Mapping[str, str], boards: Sequence[Identity]) -> Identity:
    """The board of a row.

    By ``extra_info["gpu_uuid"]`` where the test knows it; else N of ``device`` among those that
    ``CUDA_VISIBLE_DEVICES`` leaves visible. A row without a device has the only visible one.

    Args:
        extra_info: of the row.
        variables: the environment; it must be what CUDA saw when it was initialised.
        boards: in NVML's order.

    Raises:
        WhichError: why it cannot be told, and what would.
    """
    if not boards:
        raise WhichError("NVML lists no GPU")
    uuid = extra_info.get("gpu_uuid")
    if isinstance(uuid, str) and uuid:
        return _by_uuid(uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}", boards)
    seen = visible(variables, boards)
    device = extra_info.get("device")
    if not isinstance(device, str):
        if len(seen) == 1:
            return seen[0]
        raise WhichError(f"{len(seen)} GPUs are visible: say which with benchmark.extra_info['device'] = 'cuda:N'")
    number = device.partition(":")[2] or "0"
    if not number.isdecimal() or int(number) >= len(seen):
        raise WhichError(f"no GPU {device!r}: {len(seen)} are visible")
    return seen[int(number)]


def visible(variables: Mapping[str, str], boards: Sequence[Identity]) -> list[Identity]:
    """In CUDA's order; the CUDA C++ Programming Guide, "CUDA Environment Variables".

    The list ends where an entry is none of a board: that is how CUDA reads it.

    Raises:
        WhichError: CUDA's order cannot be told.
    """
    text = variables.get("CUDA_VISIBLE_DEVICES")
    if text is None:
        return _in_cudas_order(variables, boards)
    found: list[Identity] = []
    for entry in (part.strip() for part in text.split(",")):
        if entry.startswith(("GPU-", "MIG-")):
            try:
                found.append(_by_uuid(entry, boards))
            except WhichError:
                break
        elif entry.isdecimal() and int(entry) < len(boards):
            found.append(_in_cudas_order(variables, boards)[int(entry)])
        else:
            break
    return found


def _in_cudas_order(variables: Mapping[str, str], boards: Sequence[Identity]) -> list[Identity]:
    """NVML's order is the PCI bus's; CUDA's is the fastest first, unless ``CUDA_DEVICE_ORDER`` says otherwise."""
    closed = [board for board in boards if board.problem]
    if closed and len(boards) > 1:
        raise WhichError(
            f"NVML cannot open {closed[0].uuid!r} ({closed[0].problem}), so which boards CUDA counts is not known: "
            "name the board in benchmark.extra_info['gpu_uuid'] or in CUDA_VISIBLE_DEVICES"
        )
    names = {board.name for board in boards}
    alike = len(boards) == 1 or (len(names) == 1 and UNKNOWN not in names)
    if alike or variables.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        return list(boards)
    raise WhichError(
        "the machine has different GPUs, which CUDA numbers fastest first and NVML by their slots: "
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the board in benchmark.extra_info['gpu_uuid']"
    )


def _by_uuid(uuid: str, boards: Sequence[Identity]) -> Identity:
    """The board with this UUID, or with a UUID that alone begins so."""
    if uuid.startswith("MIG-"):
        return Identity(uuid, "MIG instance", mig=True)
    found = [board for board in boards if board.uuid.lower().startswith(uuid.lower())]
    if len(found) != 1:
        raise WhichError(f"{'no' if not found else 'more than one'} GPU is {uuid!r}")
    return found[0]
