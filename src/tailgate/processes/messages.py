"""How a session and its processes talk: whole Python objects over a socket, with deadlines.

Pickle is used between a process and the processes it made itself, never on anything read from disk.
"""

from __future__ import annotations

import array
import math
import pickle
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Protocol

MAGIC = b"\xf0tailgate\xf1"
"""At the head of each message: a test that writes to every descriptor it inherited writes between two of them."""
HEADER = struct.Struct(f"!{len(MAGIC)}sQ")


class HasDescriptor(Protocol):
    """What can be waited for."""

    def fileno(self) -> int:
        """An open file descriptor."""


class Channel:
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @staticmethod
    def pair() -> tuple[Channel, Channel]:
        """Two ends that hear each other."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return Channel(one), Channel(other)

    @classmethod
    def of(cls, descriptor: int) -> Channel:
        """The end behind an open file descriptor, which it owns from now on."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """For ``select`` and for handing over."""
        return self._end.fileno()

    def close(self) -> None:
        """The other end reads its end of file."""
        self._end.close()

    def send(self, message: Any, hand_over: Sequence[HasDescriptor] = ()) -> None:
        """Send an object; what is in ``hand_over`` opens in the receiver too (closed here by the caller).

        Raises:
            OSError: nobody listens any more.
        """
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        header = HEADER.pack(MAGIC, len(body))
        if hand_over:
            descriptors = array.array("i", [one.fileno() for one in hand_over])
            self._end.sendmsg([header], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
            header = b""
        self._end.sendall(header + body)  # in one piece: the other end wakes once

    def receive(self, deadline_s: float | None = None) -> Any:
        """The next object; ``deadline_s`` is a time of ``time.monotonic()``.

        Raises:
            EOFError: the other end is closed, in the middle of a message or between two.
            TimeoutError: nothing whole came before the deadline.
        """
        message, handed_over = self.receive_with(deadline_s)
        for channel in handed_over:
            channel.close()
        return message

    def receive_with(self, deadline_s: float | None = None) -> tuple[Any, list[Channel]]:
        """The next object and the channels that came with it; raises as :meth:`receive`."""
        message, descriptors = self.receive_descriptors(deadline_s)
        return message, [Channel.of(descriptor) for descriptor in descriptors]

    def receive_descriptors(self, deadline_s: float | None) -> tuple[Any, list[int]]:
        """The next object and the open files that came with it, the receiver's to close; raises as :meth:`receive`."""
        self._await(deadline_s)
        try:
            # The header is sent in one piece, with whatever is handed over.
            header, descriptors, _, _ = socket.recv_fds(self._end, HEADER.size, 4)
        except ConnectionError as error:
            raise EOFError from error
        header += self._exactly(HEADER.size - len(header), deadline_s) if header else b""
        if not header:
            raise EOFError
        while not header.startswith(MAGIC):  # somebody else's; what is ours comes after it
            header = header[_next_start(header) :]
            header += self._exactly(HEADER.size - len(header), deadline_s)
        _, size = HEADER.unpack(header)
        return pickle.loads(self._exactly(size, deadline_s)), descriptors

    def _exactly(self, size: int, deadline_s: float | None) -> bytes:
        parts = []
        while size:
            self._await(deadline_s)
            try:
                part = self._end.recv(min(size, 1 << 20))
            except ConnectionError as error:
                raise EOFError from error
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _await(self, deadline_s: float | None) -> None:
        if deadline_s is None:
            return
        if not ready([self], deadline_s):
            raise TimeoutError


def _next_start(data: bytes) -> int:
    """Where the next message may begin; the first byte is not the place."""
    return next(place for place in range(1, len(data) + 1) if MAGIC.startswith(data[place : place + len(MAGIC)]))


def ready(ends: Sequence[HasDescriptor], deadline_s: float | None) -> list[HasDescriptor]:
    """The ``ends`` that have something to read, or are closed; none: the deadline has passed."""
    poll = select.poll()
    by_descriptor = {end.fileno(): end for end in ends}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    left_ms = None if deadline_s is None else max(0, math.ceil((deadline_s - time.monotonic()) * 1e3))
    return [by_descriptor[descriptor] for descriptor, _ in poll.poll(left_ms)]
