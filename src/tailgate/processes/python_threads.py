"""Which of Python's own threads forbid a fork: one at work may hold a lock, one that waits for work would be missed."""

import gc
import sys
import threading
from pathlib import Path
from types import FrameType

WAITING = {"threading.py": {"wait", "join", "_wait_for_tstate_lock"}, "thread.py": {"_worker"}}
"""Where a Python thread that is not at work stands: file and function. ``queue.py`` waits in ``threading.py``; one that
waits for a socket or a process may be in the middle of something."""
TICKER = "Event.wait"
"""With a time-out: a timer, or a monitor such as tqdm's. Nobody waits for what it does."""
NOTES = "openvino_telemetry.utils.sender"


def at_work() -> list[str]:
    """Python threads other than this one that are not merely waiting."""
    return [_name(ident, frame) for ident, frame in _others() if not _waits(frame)]


def awaited() -> list[str]:
    """Threads that wait for work: a call that hands them some in the child would wait forever."""
    return [
        _name(ident, frame)
        for ident, frame in _others()
        if _waits(frame) and not _only_ticks(frame) and not _sends_notes(frame)
    ]


def _others() -> list[tuple[int, FrameType]]:
    return [(ident, frame) for ident, frame in sys._current_frames().items() if ident != threading.get_ident()]


def _name(ident: int, frame: FrameType) -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return names.get(ident, f"without a name, in {frame.f_code.co_name}")


def _waits(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_name in WAITING.get(Path(code.co_filename).name, ())


def _only_ticks(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename.endswith("threading.py"):
        if frame.f_code.co_qualname == TICKER:
            return frame.f_locals.get("timeout") is not None
        frame = frame.f_back
    return False


def _sends_notes(frame: FrameType) -> bool:
    """``import openvino`` leaves an executor that sends notes to its makers; no model is computed in it."""
    executor = frame.f_locals.get("executor_reference", lambda: None)()
    if executor is None or NOTES not in sys.modules:
        return False
    return any(type(holder).__module__ == NOTES for holder in gc.get_referrers(executor))
