"""One command on a node, under a supervisor: it streams what happens, and ends with everything it started."""

import contextlib
import threading
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from signal import SIGINT
from typing import Any

from tailgate.fleet.node_plugin import events_in
from tailgate.processes.messages import Channel, ready
from tailgate.processes.spawning import OwnSupervisor
from tailgate.processes.supervisor import Order
from tailgate.text import printable

Event = tuple[str, Any]
LOOK_S = 0.5
"""How often it looks for news; more often would take CPU time from what is measured."""
STOP_S = 8.0
"""A session that was interrupted may save for so long before it is ended."""


class NodeFailedError(Exception):
    """The node cannot measure; ``code``: the exit code that one machine would end with."""

    def __init__(self, reason: str, code: int = 1) -> None:
        super().__init__(reason)
        self.code = code


class News:
    """What was appended to files since they were read last."""

    def __init__(self, files: Mapping[str, Path], known: Mapping[str, int]) -> None:
        """``known``: bytes at the beginning of a file that are no news."""
        self._files = files
        self._at = {name: known.get(name, 0) for name in files}
        self._rest = b""

    def read(self) -> list[Event]:
        """Bytes of the journal as they are; each event by itself."""
        found: list[Event] = []
        for name, file in self._files.items():
            data = _from(file, self._at[name])
            self._at[name] += len(data)
            if name == "journal" and data:
                found.append((name, data))
            elif data:
                events, self._rest = events_in(self._rest + data)
                found += [(kind, value) for kind, value in events]
        return found


def run(
    order: Order, variables: Mapping[str, str], output: Path, held: Iterable[int], stopping: threading.Event,
    news: News | None,
) -> Generator[Event, None, int]:  # fmt: skip
    """Run a command.

    Args:
        order: the command, and where.
        variables: its whole environment.
        output: the file for what it says.
        held: descriptors that the supervisor inherits.
        stopping: once it is set, the command is interrupted as by Ctrl-C, and ended where it goes on for long.
        news: what to stream meanwhile.

    Returns:
        Its exit status as ``subprocess`` has it.

    Raises:
        NodeFailedError: it was ended from outside, or went on after its interrupt.
    """
    with output.open("wb", buffering=0) as stream:
        descriptor = stream.fileno()
        supervisor = OwnSupervisor([descriptor, *held], dict(variables))
        try:
            channel = _spawned(supervisor, replace(order, streams=(descriptor, descriptor)))
            deadline_s = None
            while not ready([channel], time.monotonic() + LOOK_S):
                if found := news.read() if news is not None else []:
                    yield "news", found
                if stopping.is_set() and deadline_s is None:
                    channel.send(("signal", SIGINT))
                    deadline_s = time.monotonic() + STOP_S
                if deadline_s is not None and time.monotonic() > deadline_s:
                    raise NodeFailedError("interrupted, and ended because it went on", 2)
            _, status, _ = channel.receive()
        except (EOFError, BrokenPipeError) as error:
            raise NodeFailedError("somebody ended the session's supervisor") from error
        finally:
            supervisor.close()
    return int(status)


def last_line(text: str) -> str:
    """The last line that tells of an exception, or of an error; where there is none, the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raised = [line.removeprefix("E").strip() for line in lines if line.startswith("E   ")]
    errors = [line for line in lines if line.startswith("ERROR") or "error: " in line]
    return printable((raised or errors or lines or ["it said nothing"])[-1])


def _spawned(supervisor: OwnSupervisor, order: Order) -> Channel:
    """Start the command; the supervisor says on the channel how it ended."""
    ours, home = Channel.pair()
    supervisor.channel.send(("spawn", order), [home])
    home.close()
    ours.close()  # pytest itself has nothing to send
    return supervisor.channel


def _from(file: Path, start: int) -> bytes:
    with contextlib.suppress(FileNotFoundError), file.open("rb") as stream:  # not begun yet
        stream.seek(start)
        return stream.read()
    return b""
