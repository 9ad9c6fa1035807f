"""A benchmark's hold on the process that reads its board. A board or a driver that hangs costs its fields, no more."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tailgate.machine.nvml.board import Identity, NvmlError

STARTING_S = 30.0
"""Without persistence mode the driver sets the board up anew."""
ANSWERING_S = 10.0
SOURCE = str(Path(__file__).parents[3])


class Watcher:
    """Started before anything is timed.

    Raises:
        NvmlError: (here and in :meth:`begin` and :meth:`end`) one line: why there are no readings.
    """

    def __init__(self, identity: Identity, boards: str) -> None:
        """``boards``: MODULE:FUNCTION that opens them in the sampler."""
        if sys.platform == "win32":
            raise NvmlError("a board is read by a process that this platform's pipes do not let us talk to")
        self._pending = b""
        path = os.pathsep.join(part for part in (SOURCE, os.environ.get("PYTHONPATH")) if part)
        command = [
            sys.executable, "-P", "-m", "tailgate.machine.nvml.sampler", "--boards", boards, "--uuid", identity.uuid,
            "--name", identity.name, "--pid", str(os.getpid()), *(["--mig"] if identity.mig else []),
        ]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": path},
            )  # fmt: skip
        except OSError as error:
            raise NvmlError(f"the process that reads NVML cannot be started ({error})") from None
        try:
            problem = self._answer(STARTING_S)["problem"]
            if problem:
                raise NvmlError(problem)
        except NvmlError:
            self.close()
            raise

    def begin(self) -> None:
        """Read from now on."""
        self._ask("begin")

    def end(self) -> dict[str, Any]:
        """What was read; :meth:`tailgate.machine.nvml.recorder.Recorder.report`."""
        return self._ask("end")

    def now(self, name: str) -> float | None:
        """A value now, such as ``power_w``; ``None``: the board does not report it."""
        try:
            value = self._ask(name)["value"]
        except NvmlError:
            return None  # end() says why
        return None if value is None else float(value)

    def close(self) -> None:
        """The sampler ends with its input; one that hangs in the driver is left to the kernel."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)

    def _ask(self, command: str) -> dict[str, Any]:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            os.write(stdin.fileno(), f"{command}\n".encode())
        except OSError:
            raise NvmlError(self._ended()) from None
        return self._answer(ANSWERING_S)

    def _answer(self, patience_s: float) -> dict[str, Any]:
        """The next line of the sampler's."""
        stdout = self._process.stdout
        assert stdout is not None
        until_s = time.monotonic() + patience_s
        while b"\n" not in self._pending:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([stdout], [], [], left_s)[0]:
                raise NvmlError(f"NVML did not answer within {patience_s:g} s: the driver hangs, or the board is gone")
            read = os.read(stdout.fileno(), 1 << 16)
            if not read:
                raise NvmlError(self._ended())
            self._pending += read
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NvmlError(f"the process that reads NVML answered something unexpected: {line[:80]!r}")
        return found

    def _ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        return f"the process that reads NVML ended by itself (exit status {self._process.returncode})"
