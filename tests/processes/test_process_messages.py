"""How a session and its processes talk: whole messages, deadlines, ends that close."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.processes.handle import Process, SupervisorGoneError
from tailgate.processes.messages import HEADER, MAGIC, Channel, ready

SOON_S = 30.0


def soon() -> float:
    return time.monotonic() + SOON_S


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    one, other = Channel.pair()
    yield one, other
    one.close()
    other.close()


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.binary(), st.lists))
def test_what_is_sent_is_received(message: Any) -> None:
    one, other = Channel.pair()
    one.send(("kind", message))
    one.send("another")
    assert other.receive(soon()) == ("kind", message)
    assert other.receive() == "another"
    one.close()
    other.close()


@given(st.binary(max_size=60), st.integers(0, len(MAGIC) - 1))
def test_what_a_test_writes_to_the_channel_between_two_messages_is_passed_over(garbage: bytes, part: int) -> None:
    raw, end = socket.socketpair()
    one, other = Channel(raw), Channel(end)
    raw.sendall(garbage.replace(MAGIC, b"") + MAGIC[:part])
    one.send("ours")
    assert other.receive(soon()) == "ours"
    one.close()
    other.close()


def test_a_message_of_50_megabytes_arrives_whole(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    big = os.urandom(1000) * 50_000
    sender = threading.Thread(target=one.send, args=({"samples": big},))
    sender.start()
    assert other.receive(soon()) == {"samples": big}
    sender.join()


@pytest.mark.parametrize("sent", [b"", b"\0\0\0", HEADER.pack(MAGIC, 100), HEADER.pack(MAGIC, 100) + b"only a part"])
def test_nothing_whole_before_the_deadline_is_a_timeout(sent: bytes) -> None:
    raw, end = socket.socketpair()
    other = Channel(end)
    raw.sendall(sent)
    deadline_s = time.monotonic() + 0.05
    with pytest.raises(TimeoutError):
        other.receive(deadline_s)
    assert time.monotonic() >= deadline_s
    raw.close()
    other.close()


@pytest.mark.parametrize("sent", [b"", b"\0\0\0", HEADER.pack(MAGIC, 100), HEADER.pack(MAGIC, 100) + b"only a part"])
@pytest.mark.parametrize("deadline", [None, SOON_S])
def test_a_closed_end_is_noticed_in_the_middle_of_a_message_too(sent: bytes, deadline: float | None) -> None:
    raw, end = socket.socketpair()
    other = Channel(end)
    raw.sendall(sent)
    raw.close()
    with pytest.raises(EOFError):
        other.receive(None if deadline is None else time.monotonic() + deadline)
    other.close()


def test_what_was_sent_before_the_end_is_still_read(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    one.send("last words")
    one.close()
    assert other.receive(soon()) == "last words"
    with pytest.raises(EOFError):
        other.receive(soon())


def test_sending_to_nobody_is_an_error(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    other.close()
    with pytest.raises(OSError, match="Broken pipe"):
        one.send("hello")


def test_a_reset_connection_reads_as_its_end(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    one.send("never read")
    other.send("unread by one")
    one.close()  # with something unread: the other end is reset, not closed
    assert other.receive(soon()) == "never read"
    with pytest.raises(EOFError):
        other.receive(soon())


def test_a_channel_can_be_handed_over(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    far, near = Channel.pair()
    one.send(("run", 7), [near])
    near.close()
    message, (received,) = other.receive_with(soon())
    assert message == ("run", 7)
    received.send("from the other side")
    assert far.receive(soon()) == "from the other side"
    received.close()
    with pytest.raises(EOFError):
        far.receive(soon())
    far.close()


def test_channels_nobody_asked_for_are_closed(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    far, near = Channel.pair()
    one.send("hello", [near])
    near.close()
    assert other.receive(soon()) == "hello"
    with pytest.raises(EOFError):
        far.receive(soon())
    far.close()


def test_a_channel_survives_as_a_descriptor(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    again = Channel.of(os.dup(one.fileno()))
    again.send("through the same socket")
    assert other.receive(soon()) == "through the same socket"
    again.close()


def test_those_that_have_something_to_read_are_found() -> None:
    pairs = [Channel.pair() for _ in range(3)]
    ends = [other for _, other in pairs]
    assert ready(ends, time.monotonic() - 1) == []
    pairs[1][0].send("x")
    assert ready(ends, soon()) == [ends[1]]
    pairs[2][0].close()
    assert ready(ends, None) == [ends[1], ends[2]]
    for channel in (channel for both in pairs for channel in both):
        channel.close()


def test_a_handle_tells_results_from_the_end_and_the_supervisors_own_end() -> None:
    results, home = Channel.pair()
    control, supervisor = Channel.pair()
    process = Process(results, control)
    with pytest.raises(TimeoutError):
        process.next_event(time.monotonic() + 0.01)
    supervisor.send(("ended", -11, 4096))
    assert process.next_event(soon()) is False
    home.send("result")
    assert process.next_event(soon()) is True, "what it had sent comes first"
    assert process.wait(soon()) == (-11, 4096)
    supervisor.close()
    with pytest.raises(SupervisorGoneError):
        process.wait(soon())
    process.signal(signal.SIGKILL)  # nobody is there: nothing happens
    process.close()
    for channel in (home, control):
        channel.close()
