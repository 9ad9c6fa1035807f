"""Listening to a process to its end: one that says nothing, and one that cannot be ended."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tailgate.processes import attempt
from tailgate.processes.attempt import Attempt, attend
from tailgate.processes.child import Outputs
from tailgate.processes.endings import WITHOUT_A_REPORT, Ending
from tailgate.processes.forking import ForkServer
from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.messages import Channel

PASSED = {"outcome": "passed", "when": "call"}


@pytest.fixture
def outputs() -> Iterator[Outputs]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        yield out, err


class FakeProcess:
    """The other ends of a process: what it sends, and what its supervisor is told and tells."""

    def __init__(self) -> None:
        results, self.home = Channel.pair()
        control, self.supervisor = Channel.pair()
        self.handle = Process(results, control)

    def sends(self, *messages: tuple[str, Any]) -> None:
        for message in messages:
            self.home.send(message)

    def ended(self, status: int = 0) -> None:
        self.supervisor.send(("ended", status, None))

    def obeying(self) -> threading.Thread:
        """A supervisor that ends it when told to, and not before."""

        def obey() -> None:
            assert self.supervisor.receive(time.monotonic() + 30) == ("signal", signal.SIGKILL)
            self.ended(-signal.SIGKILL)

        supervisor = threading.Thread(target=obey)
        supervisor.start()
        return supervisor

    def told(self) -> list[Any]:
        """The signals it was to get, until its supervisor's channel closed."""
        found = []
        try:
            while True:
                found.append(self.supervisor.receive(time.monotonic() + 0.1))
        except (EOFError, TimeoutError):
            return found


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProcess]:
    for name in ("EXIT_S", "KILLED_S", "STACK_S"):
        monkeypatch.setattr(attempt, name, 0.02 if name != "KILLED_S" else 0.5)
    made = FakeProcess()
    yield made
    for channel in (made.home, made.supervisor, made.handle.control):
        channel.close()


def test_a_process_that_ends_in_order_has_no_ending(process: FakeProcess, outputs: Outputs) -> None:
    process.sends(("phase", "call"), ("report", PASSED), ("rows", []), ("end", {}))
    process.ended()
    made = attend(process.handle, outputs, 30.0, 30.0)
    assert (made.ending, made.reports) == (None, [PASSED])


def test_an_end_in_order_without_a_report_is_a_failure(process: FakeProcess, outputs: Outputs) -> None:
    process.sends(("end", {"shouldstop": False}))
    process.ended()
    made = attend(process.handle, outputs, 30.0, 30.0)
    assert made.ending == WITHOUT_A_REPORT
    assert made.failed


@pytest.mark.parametrize(
    "final_message",
    [{"exit": ("enough", 7)}, {"interrupted": True}, {"internal_error": "Traceback"}],
    ids=lambda one: next(iter(one)),
)
def test_what_stopped_before_its_first_report_says_so_itself(
    process: FakeProcess, outputs: Outputs, final_message: dict[str, Any]
) -> None:
    process.sends(("end", final_message))
    process.ended()
    assert attend(process.handle, outputs, 30.0, 30.0).ending is None


@pytest.mark.parametrize(
    ("said", "left_s", "phase"),
    [
        ([], 0.05, "setup"),
        ([("phase", "call")], 0.05, "call"),
        ([("phase", "teardown"), ("report", PASSED), ("end", {})], 30.0, "teardown"),
    ],
    ids=["never spoke", "in its test", "after its last word"],
)
def test_a_process_that_cannot_be_ended_costs_its_benchmark_and_its_supervisor(
    process: FakeProcess, outputs: Outputs, said: list[Any], left_s: float, phase: str
) -> None:
    process.sends(*said)
    made = attend(process.handle, outputs, left_s, 9.0)
    reason = f"timeout: it, or what it left running, cannot be ended (in {phase}): it waits for a driver or a disk"
    assert made.ending == Ending("timeout", reason)
    assert not made.measured
    assert ("signal", signal.SIGKILL) in process.told()
    with pytest.raises(SupervisorGoneError):  # so the next one is started by another
        ForkServer(process.handle.control).start(0)


def test_one_that_lingers_after_its_last_word_is_ended_and_counts(process: FakeProcess, outputs: Outputs) -> None:
    process.sends(("report", PASSED), ("end", {}))
    supervisor = process.obeying()
    made = attend(process.handle, outputs, 30.0, 30.0)
    supervisor.join()
    assert made == Attempt(reports=[PASSED], final_message={"in_order": True}, duration_s=made.duration_s)


def test_one_that_has_closed_its_channel_and_goes_on_is_ended_in_the_end(
    process: FakeProcess, outputs: Outputs
) -> None:
    process.home.close()
    supervisor = process.obeying()
    made = attend(process.handle, outputs, 30.0, 30.0)
    supervisor.join()
    reason = "not done 0.02 s after it had closed its channel to the session, in setup; it was ended"
    assert made.ending == Ending("timeout", f"timeout: {reason}")


def test_the_outputs_are_left_where_they_were(process: FakeProcess, outputs: Outputs) -> None:
    os.write(outputs[1].fileno(), b"last words\n")
    process.ended(3)
    made = attend(process.handle, outputs, 30.0, 30.0)
    assert made.ending == Ending("crashed", "crashed: the process ended itself with exit code 3 in its test")
    assert made.sections == [("Captured stderr setup", "last words\n")]
