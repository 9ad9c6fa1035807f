"""The parent's handle on one side: start it, let it run a benchmark, give it the turn, take it away.

A side that waits is stopped (SIGSTOP, its whole process group): the thread pools of frameworks and of OpenMP go on
spinning for a while after a call, on the CPU that the other side needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import signal
import tempfile
import time
from typing import IO, Any

from tailgate.gates.duet import side_operators
from tailgate.gates.duet.launch import Launch
from tailgate.gates.duet.load_turns import ScheduleOrder
from tailgate.gates.duet.turns import Turns
from tailgate.machine import git, out_of_memory
from tailgate.processes import endings, variables
from tailgate.processes.attempt import Attempt, tail, take
from tailgate.processes.endings import Ending
from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.messages import Channel
from tailgate.processes.spawning import OwnSupervisor
from tailgate.processes.supervisor import Order
from tailgate.results.operators import Profile

STARTING_S = 300.0
Late = tuple[float, float] | None
"""P99 of the lateness in seconds, and the limit that it passes."""
EXIT_S = 30.0


class SideLostError(Exception):
    """``side`` has ended, or took too long; ``ending`` says how."""

    def __init__(self, side: str, ending: Ending, output: str) -> None:
        super().__init__(ending.reason)
        self.side = side
        self.ending = ending
        self.output = output


class SideProcess:
    """The parent's handle on one side: one supervisor for the session, and one process after the other."""

    def __init__(self, launch: Launch, base_temp: str | None) -> None:
        self.name = launch.name
        self._launch = launch
        # Nameless, so that nothing can be left of it.
        self._output: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (closed in close())
        self._supervisor = OwnSupervisor([self._output.fileno()], git.environment())
        self._base_temp = base_temp
        self._process: Process | None = None
        self._group: int | None = None
        self._stopped = False

    @property
    def alive(self) -> bool:
        """Whether it has a process that waits for a command."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The process id of its process, which leads its group."""
        return self._group

    def start(self) -> None:
        """A fresh process; :meth:`collected` waits for it."""
        self._output.seek(0)
        self._output.truncate()
        ours, home = Channel.pair()
        side_task = {"base_temp": self._base_temp}
        descriptor = self._output.fileno()
        order = Order(
            command=list(self._launch.command),
            cwd=self._launch.cwd,
            variables={**self._launch.variables, variables.SIDE: json.dumps(side_task)},
            descriptors=(descriptor,),
            streams=(descriptor, descriptor),
        )
        self._supervisor.channel.send(("spawn", order), [home])
        home.close()
        self._process = Process(ours, self._supervisor.channel)
        self._kills = out_of_memory.oom_kills()

    def collected(self) -> list[str]:
        """The names of its benchmarks.

        Raises:
            SideLostError: it did not come so far.
        """
        kind, found = self._next(time.monotonic() + STARTING_S)
        assert kind == "collected", kind
        self._group = found["group"]
        if found["errors"]:
            raise self._lost(Ending("crashed", found["errors"][0]))
        names: list[str] = found["names"]
        return names

    def run(self, name: str, following: str | None) -> None:
        """Set a benchmark up and get it warm; :meth:`ready` waits for it."""
        self._send((name, following))

    def ready(self, made: Attempt, deadline_s: float) -> dict[str, Any] | None:
        """How long a warm call takes; ``None``: the test ended without getting that far, see ``made``."""
        found: dict[str, Any] | None = self._until("ready", made, deadline_s)
        return found

    def capacity_per_s(self, made: Attempt, deadline_s: float) -> float | None:
        """Calls per second of a closed loop; ``None``: the test ended instead."""
        return self._obeyed("capacity", "capacity", made, deadline_s)  # type: ignore[no-any-return]

    def segment(self, order: ScheduleOrder, made: Attempt, deadline_s: float) -> tuple[list[float], Late] | None:
        """Seconds of each response of a schedule, and whether it was late; ``None``: the test ended instead."""
        return self._obeyed(order, "block", made, deadline_s)  # type: ignore[no-any-return]

    def block(self, turns: Turns, made: Attempt, deadline_s: float) -> tuple[list[float], float] | None:
        """Seconds of each round of one block, and of all of it by the wall; ``None``: the test ended instead."""
        order = (turns.rounds, turns.iterations, turns.priming)
        return self._obeyed(order, "block", made, deadline_s)  # type: ignore[no-any-return]

    def operators(self, made: Attempt, deadline_s: float) -> Profile | str | None:
        """Its operator times, or why it has none; ``None``: the test ended instead."""
        found = self._obeyed(side_operators.ORDER, side_operators.ORDER, made, deadline_s)
        return None if found is None else side_operators.answered(found)

    def _obeyed(self, order: Any, answer: str, made: Attempt, deadline_s: float) -> Any:
        """What it answers to an order; it does nothing before and after it."""
        self.go_on()
        self._send(order)
        found = self._until(answer, made, deadline_s)
        if found is not None:
            self.pause()
        return found

    def finish(self, made: Attempt, deadline_s: float) -> None:
        """No more blocks: let the test end; ``made`` has what came of it."""
        self.go_on()
        self._send(None)
        self._until("its final message", made, deadline_s)

    def pause(self) -> None:
        """It does nothing until :meth:`go_on`."""
        self._signal_group(signal.SIGSTOP)
        self._stopped = True

    def go_on(self) -> None:
        """Continue it after :meth:`pause`."""
        if self._stopped:
            self._signal_group(signal.SIGCONT)
            self._stopped = False

    def stop(self) -> None:
        """End its process, if it has one."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with contextlib.suppress(SupervisorGoneError, TimeoutError):
            process.signal(signal.SIGKILL)
            process.wait(time.monotonic() + EXIT_S)
        process.close()
        self._group, self._stopped = None, False

    def close(self) -> None:
        """End its process and its supervisor."""
        self.stop()
        self._supervisor.close()
        self._output.close()

    def output(self) -> str:
        """The end of what its process wrote."""
        return tail(self._output.fileno())

    def _until(self, wanted: str, made: Attempt, deadline_s: float) -> Any:
        """What it says of that; ``None``: its test has ended first, and ``made`` has what came of it."""
        while True:
            kind, content = self._next(deadline_s)
            if kind == "ready" and wanted != kind:  # a further measurement of the same test: no turns for it
                made.further += 1
                self._send(None)
                continue
            if kind == wanted:
                return content
            take((kind, content), made)
            if made.final_message:
                return None

    def _send(self, message: Any) -> None:
        if self._process is None:
            raise SideLostError(self.name, Ending("crashed", "it was not running"), "")
        try:
            self._process.results.send(message)
        except OSError:
            raise self._lost(None) from None

    def _next(self, deadline_s: float) -> tuple[str, Any]:
        """What it says next."""
        if self._process is None:
            raise SideLostError(self.name, Ending("crashed", "it was not running"), "")
        try:
            if self._process.next_event(deadline_s):
                message: tuple[str, Any] = self._process.results.receive(deadline_s)
                return message
        except TimeoutError:
            raise self._lost(Ending("timeout", "timeout")) from None
        except (EOFError, pickle.UnpicklingError):
            pass
        raise self._lost(None)

    def _lost(self, ending: Ending | None) -> SideLostError:
        """End what is left of it; ``None``: its exit status says what happened."""
        assert self._process is not None
        process, self._process = self._process, None
        if ending is not None:
            process.signal(signal.SIGKILL)
        output = ""
        try:
            status, peak_rss_bytes = process.wait(time.monotonic() + EXIT_S)
            output = self.output()
            kills = (out_of_memory.oom_kills() or 0) - (self._kills or 0)
            ending = ending or endings.of_exit(
                status, oom_kills=kills, output=output[-20_000:], peak_rss_bytes=peak_rss_bytes
            )
        except (SupervisorGoneError, TimeoutError):
            ending = ending or endings.WITH_ITS_SUPERVISOR
        process.close()
        self._group, self._stopped = None, False
        return SideLostError(self.name, ending, output)

    def _signal_group(self, number: int) -> None:
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, number)


def last_line(output: str) -> str:
    """The line of a side's output that most likely says why it ended."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for telling in (r": error: ", r"^(ERROR|E  )"):  # argparse, pytest
        found = [line for line in lines if re.search(telling, line)]
        if found:
            return found[-1]
    return lines[-1] if lines else "it printed nothing"
