"""One call of ``pynvml``, and its errors as ours."""

from typing import Any

from tailgate.machine.nvml.board import NvmlError, UnreadError, UnsupportedError

INSTALL = "pip install nvidia-ml-py"
GONE = {1: "UNINITIALIZED", 9: "DRIVER_NOT_LOADED", 12: "LIBRARY_NOT_FOUND", 15: "GPU_IS_LOST", 16: "RESET_REQUIRED"}
"""Numbers of nvml.h: the board, or all of them, answers no more."""
NEVER_TOLD = {
    2: "unknown to this driver", 3: "not supported", 4: "no permission", 6: "not found", 13: "unknown to this driver",
    25: "unknown to this driver",
}  # fmt: skip
"""INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, FUNCTION_NOT_FOUND and ARGUMENT_VERSION_MISMATCH."""


def call(library: Any, name: str, *arguments: Any) -> Any:
    """What a function of ``pynvml`` answers.

    Raises:
        UnsupportedError: the board never tells it; UnreadError: it did not tell it now; NvmlError: the board is gone.
    """
    function = attribute(library, name)
    try:
        return function(*arguments)
    except Exception as error:  # what bindings raise is theirs; it must cost one reading, and no more
        raise translated(error) from None


def attribute(library: Any, name: str) -> Any:
    """A name of ``pynvml``; :class:`UnsupportedError` where the installed release lacks it."""
    try:
        return getattr(library, name)
    except AttributeError:
        raise UnsupportedError(f"the installed pynvml lacks {name}: {INSTALL} --upgrade") from None


def translated(error: Exception) -> Exception:
    """What the bindings raised as one of our kinds: a value that is not told, now or ever, or a board that is gone.

    Gone is what NVML calls so; any other error is of the call that gave it. A driver that is passed through to a
    container or a virtual machine may answer some calls with ``Unknown Error`` and all others as it should. The
    bindings have an error of their own, too, for a driver that lacks the newest form of a call.
    """
    code = getattr(error, "value", None)
    if code in GONE:
        return NvmlError(f"NVML: {error}")
    if code in NEVER_TOLD:
        return UnsupportedError(NEVER_TOLD[code])
    if code is not None:
        return UnreadError(f"NVML: {error}")
    if type(error).__name__ == "NVMLLibraryMismatchError":
        return UnsupportedError("unknown to this driver")
    return UnreadError(f"pynvml: {type(error).__name__}: {' '.join(str(error).split())[:120]}")


def text(found: Any) -> str:
    """Releases before 11.510 gave bytes."""
    return found.decode() if isinstance(found, bytes) else str(found)
