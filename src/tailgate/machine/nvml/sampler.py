"""The process that reads a board while a benchmark is timed: ``python -m tailgate.machine.nvml.sampler``.

A process and not a thread: though each call of NVML releases the interpreter's lock, taking a reading takes the lock
some ten times, and a round that waits for it ten times is a slower one: with rounds of a millisecond, twenty readings
a second are two rounds in a hundred, which is P99. Here only the driver is shared.

It reads commands from its standard input, one per line: ``begin``, ``end``, or a value's name. It answers each with
a line of JSON, and ends with its input, or with the process that started it.
"""

import argparse
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any

from tailgate.machine.nvml.board import Identity, NvmlError, UnsupportedError
from tailgate.machine.nvml.library import NvmlBoards
from tailgate.machine.nvml.recorder import EVERY_S, Recorder

AT_REST_S = 1.0
"""Between looks at whether our parent is still there, while nothing is to be read."""


def main(arguments: list[str] | None = None) -> int:
    """Sample the board that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m tailgate.machine.nvml.sampler")
    parser.add_argument("--boards", required=True, help="MODULE:FUNCTION that opens them")
    parser.add_argument("--uuid", required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--mig", action="store_true")
    parser.add_argument("--pid", type=int, required=True, help="whose memory to tell; ends with it")
    wanted = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the benchmark's to handle; we end with our input
    _off_its_cpus()
    try:
        boards = opener(wanted.boards)()
        board = boards.board(Identity(wanted.uuid, wanted.name, wanted.mig))
    except (NvmlError, UnsupportedError) as error:
        _say({"problem": str(error)})
        return 0
    _say({"problem": None})
    _serve(Recorder(board, wanted.pid), wanted.pid)
    boards.close()
    return 0


def opener(name: str) -> Callable[[], NvmlBoards]:
    """``MODULE:FUNCTION`` as the function."""
    module, _, function = name.partition(":")
    found: Callable[[], NvmlBoards] = getattr(importlib.import_module(module), function)
    return found


def _serve(recorder: Recorder, parent: int) -> None:
    """Answer commands until the parent is gone."""
    recording, pending = False, b""
    while os.getppid() == parent:
        if not select.select([0], [], [], EVERY_S if recording else AT_REST_S)[0]:
            if recording:
                recorder.tick()
            continue
        read = os.read(0, 4096)
        if not read:
            return
        *lines, pending = (pending + read).split(b"\n")
        for command in (line.decode() for line in lines):
            if command == "begin":
                recorder.begin()
                recording = True
                _say({})
            elif command == "end":
                recorder.read(full=True)
                recording = False
                _say(recorder.report())
            else:
                _say({"value": recorder.now(command)})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _off_its_cpus() -> None:
    """A benchmark may be pinned to some CPUs, and we were born there: leave them to it where there are others."""
    if not hasattr(os, "sched_setaffinity"):
        return
    others = set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, others or range(os.cpu_count() or 1))
    except OSError:
        return  # the machine's owner keeps us here


if __name__ == "__main__":
    sys.exit(main())
