"""The heap at its highest, by memray, in a run of its own: from the mark through the set-up and ten calls.

memray sees every ``malloc``, ``calloc``, ``realloc``, ``posix_memalign``, ``new`` and ``mmap`` of every library of the
process, and of all its threads. Python's own small objects are counted as the arenas they are taken from.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tailgate.meters import Profiled

CALLS = 10
CAPTURE = "memray.bin"


class _Tracked:
    """A tracker from each mark to the next."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CAPTURE
        self._tracker: Any = None

    def mark(self) -> None:
        import memray

        self._end()
        self._file.unlink(missing_ok=True)
        # Aggregated: small, whatever is allocated, and the peak is exact; a fork of the benchmark's is not followed.
        self._tracker = memray.Tracker(str(self._file), file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS)
        self._tracker.__enter__()

    def stop(self) -> dict[str, Any]:
        self._end()
        return {}

    def _end(self) -> None:
        if self._tracker is not None:
            tracker, self._tracker = self._tracker, None
            tracker.__exit__(None, None, None)


class Heap:
    """Peak of what was allocated and not yet freed, in requested bytes."""

    name = "heap"
    fields = ("heap_peak_bytes",)
    calls = (CALLS,)

    def unavailable(self) -> str | None:
        """Why memray cannot be used."""
        if importlib.util.find_spec("memray") is None:
            return "memray is not installed in this Python: python -m pip install memray"
        return None

    def command(self, folder: Path) -> list[str]:
        """None: it is at work inside, in a process started as the timed one was."""
        return []

    def variables(self) -> dict[str, str]:
        """No variables."""
        return {}

    def inside(self, folder: Path) -> _Tracked:
        """The tracker."""
        return _Tracked(folder)

    def read(self, folders: Sequence[Path], found: Sequence[dict[str, Any]]) -> Profiled:
        """The capture file's own account of its peak."""
        import memray

        peak_bytes = memray.FileReader(folders[0] / CAPTURE).metadata.peak_memory
        return Profiled({"heap_peak_bytes": peak_bytes})

    def hint(self, folder: Path) -> str:
        """No hint."""
        return ""


PROFILER = Heap()
