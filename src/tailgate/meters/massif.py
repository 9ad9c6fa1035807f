"""Heap and stacks of the whole process at their highest, by Valgrind's Massif, in a run of its own: slow.

As the source of study 4 has it: ``--stacks=yes``, ``PYTHONMALLOC=malloc``, ten inferences, the maximum over snapshots.
A new interpreter collects and runs this one test. What it held at the mark (interpreter, pytest, imports) is asked of
Valgrind while it runs, through ``vgdb``: so the benchmark's own growth can be told from the rest.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tailgate.meters import Profiled, diagnosed
from tailgate.meters._massif_out import snapshots

CALLS = 10
OUT, LOG, PIPES, MARK = "massif.out", "valgrind.log", "vgdb", "mark.out"
VGDB_S = 60.0
UNKNOWN_INSTRUCTION = re.compile(r"unhandled instruction|unrecognised instruction", re.IGNORECASE)


class _Marking:
    """Asks the Valgrind that runs this process for a snapshot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reason: str | None = "the test has no mark"

    def mark(self) -> None:
        (self._folder / MARK).unlink(missing_ok=True)
        self._reason = None
        place = f"--vgdb-prefix={self._folder / PIPES}"
        command = ["vgdb", f"--pid={os.getpid()}", place, "snapshot", str(self._folder / MARK)]
        try:
            asking = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as error:
            self._reason = f"vgdb cannot be run ({error})"
            return
        # Valgrind looks for commands between instructions: a process that waits would have to be traced for that.
        deadline_s = time.monotonic() + VGDB_S
        while asking.poll() is None:
            if time.monotonic() > deadline_s:
                asking.kill()
        said = asking.communicate()[0].decode(errors="replace").split()
        if asking.returncode:
            self._reason = f"vgdb ended with code {asking.returncode} ({' '.join(said)[-200:]})"

    def stop(self) -> dict[str, Any]:
        return {"mark_missing": self._reason}


class Massif:
    """The whole process from its start: ``massif_baseline_bytes`` at the mark, and the growth after it."""

    name = "massif"
    fields = ("massif_peak_bytes", "massif_baseline_bytes", "massif_growth_bytes")
    calls = (CALLS,)

    def unavailable(self) -> str | None:
        """Why valgrind is not installed, or does not run."""
        from tailgate.machine.doctor.measures.programs import valgrind

        reason, _ = diagnosed(valgrind)
        return reason and f"valgrind: {reason}"

    def command(self, folder: Path) -> list[str]:
        """Valgrind, with the source's flags; threads that spin get their turns."""
        return [
            shutil.which("valgrind") or "valgrind", "--tool=massif", "--stacks=yes", "--fair-sched=try",
            f"--massif-out-file={folder / OUT}", f"--log-file={folder / LOG}", f"--vgdb-prefix={folder / PIPES}",
        ]  # fmt: skip

    def variables(self) -> dict[str, str]:
        """Every Python object on its own; and no idle pool that spins for minutes under Valgrind."""
        return {
            "PYTHONMALLOC": "malloc", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
        }  # fmt: skip

    def inside(self, folder: Path) -> _Marking:
        """The mark."""
        return _Marking(folder)

    def read(self, folders: Sequence[Path], found: Sequence[dict[str, Any]]) -> Profiled:
        """The largest snapshot, the one at the mark, and the largest after it."""
        every = snapshots(folders[0] / OUT)
        peak = max(every, key=lambda snapshot: snapshot.total_bytes)
        fields: dict[str, Any] = {**dict.fromkeys(self.fields), "massif_peak_bytes": peak.total_bytes}
        try:
            mark = snapshots(folders[0] / MARK)[-1]
        except (OSError, ValueError) as error:
            reason = found[0].get("mark_missing") or f"the snapshot at the mark cannot be read ({error})"
            return Profiled(fields, [f"no baseline, and so no growth: {reason}"])
        fields["massif_baseline_bytes"] = mark.total_bytes
        later = [one.total_bytes for one in every if one.time >= mark.time]
        fields["massif_growth_bytes"] = max([*later, mark.total_bytes]) - mark.total_bytes
        if peak.time < mark.time:
            text = "its peak was before the benchmark's own work began; the growth is that of the snapshots after it"
            return Profiled(fields, [text])
        return Profiled(fields)

    def hint(self, folder: Path) -> str:
        """What Valgrind itself said."""
        with contextlib.suppress(OSError):
            if UNKNOWN_INSTRUCTION.search((folder / LOG).read_text(errors="replace")):
                return "; this valgrind does not know an instruction that a library uses on this CPU: a newer one may"
        return ""


PROFILER = Massif()
