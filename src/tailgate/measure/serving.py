"""The server of an open loop: it waits for the next request, serves it, and notes when that began and ended.

No thread generates requests: they are due at times drawn beforehand. A response lasts from the time at which its
request was due, so whatever it waited for is in it.
"""

from __future__ import annotations

import functools
import os
import struct
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tailgate.errors import one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailgate.measure.calls import PreparedCall

AWAKE_S, MOST_AWAKE_S = 0.001, 0.02
"""A server sleeps until so long before a request is due, then reads the clock. A sleep ends tens of microseconds late,
and milliseconds late in a busy virtual machine. A server that saw one end late stays awake twice as long from then on,
at most so long."""
RECORD = struct.Struct("=qd")
"""A request in a schedule that servers share: its index, and when it is due."""
WRITTEN_AT_ONCE = 100_000
"""Requests: a schedule of millions needs no second copy in memory."""


@dataclass(frozen=True)
class Served:
    """Requests as they were served; times in seconds since the schedule began."""

    index: NDArray[np.int64]
    due_s: NDArray[np.float64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    occupied_s: NDArray[np.float64]
    """From a start until the server is free for the next request: the call, and what the loop itself takes."""
    waited: NDArray[np.bool_]
    """Whether its server was free before the request was due."""
    failures: tuple[tuple[int, str], ...] = ()
    """Index and exception of each request that raised one."""

    @property
    def requests(self) -> int:
        """How many."""
        return len(self.index)

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which did not fail."""
        import numpy as np

        return np.isin(self.index, [index for index, _ in self.failures], invert=True)


class ClosedLoop(NamedTuple):
    """What calls without a schedule tell beforehand."""

    services_s: NDArray[np.float64]
    """Seconds of each call that did not fail."""
    capacity_per_s: float
    """Calls per second."""
    calls: int
    failures: tuple[tuple[int, str], ...] = ()
    """Index and exception of each call that raised one."""


def serve(
    call: PreparedCall,
    requests: Iterable[tuple[int, float]],
    begin_s: float,
    may_raise: type[Exception] | tuple[()] = Exception,
    most_awake_s: float = MOST_AWAKE_S,
) -> Served:
    """Serve them one after the other.

    Args:
        call: made once per request.
        requests: index and due time, in the order in which they are to be served.
        begin_s: of the schedule, by ``time.perf_counter()``.
        most_awake_s: the longest that it may read the clock before a request is due; servers that share CPUs would take
            them from each other.
        may_raise: a request whose call raises this counts as failed, and the next one is served.
    """
    import numpy as np

    function = functools.partial(call.target, *call.args, **call.kwargs) if call.args or call.kwargs else call.target
    now, sleep = time.perf_counter, time.sleep
    indices, dues_s, starts_s, ends_s, waited = array("q"), array("d"), array("d"), array("d"), bytearray()
    frees_s, awake_s = array("d"), AWAKE_S
    failures: list[tuple[int, str]] = []
    for index, due_s in requests:
        due = begin_s + due_s
        free = start = now()
        free_before = start < due
        if due - start > awake_s:
            sleep(due - start - awake_s)
            start = now()
            awake_s = min(most_awake_s, max(awake_s, 2 * (start - due + awake_s)))
        while start < due:
            start = now()
        try:
            function()
        except may_raise as error:  # the row counts it, and says the first
            failures.append((index, _named(error)))
        ends_s.append(now())
        frees_s.append(free)
        starts_s.append(start)
        dues_s.append(due_s)
        indices.append(index)
        waited.append(free_before)
    return Served(
        np.frombuffer(indices, np.int64) if indices else np.empty(0, np.int64),
        _times(dues_s),
        _times(starts_s) - begin_s,
        _times(ends_s) - begin_s,
        np.append(_times(frees_s)[1:], ends_s[-1:]) - _times(starts_s),
        np.frombuffer(waited, np.bool_) if waited else np.empty(0, np.bool_),
        tuple(failures),
    )


def from_shared(descriptor: int) -> Iterator[tuple[int, float]]:
    """The requests of a schedule that several processes take from: one open file, whose position all of them share.

    A read moves the position and returns what was there, in one step that no other process can divide (POSIX, "Thread
    Interactions with Regular File Operations"). So each request goes to the one server that was free first.
    """
    while len(record := os.read(descriptor, RECORD.size)) == RECORD.size:
        yield RECORD.unpack(record)


def write_shared(due_s: NDArray[np.float64], descriptor: int) -> None:
    """A schedule into a file for :func:`from_shared`, at whose beginning it stands afterwards."""
    import numpy as np

    with os.fdopen(os.dup(descriptor), "wb") as file:
        for begin in range(0, len(due_s), WRITTEN_AT_ONCE):
            part = due_s[begin : begin + WRITTEN_AT_ONCE]
            records = np.empty(len(part), dtype=[("index", "=i8"), ("due", "=f8")])
            records["index"], records["due"] = np.arange(begin, begin + len(part)), part
            file.write(records.tobytes())
    os.lseek(descriptor, 0, os.SEEK_SET)


def together(parts: Iterable[Served]) -> Served:
    """What several servers served of one schedule, in the order of the schedule."""
    import numpy as np

    found = list(parts)
    order = np.argsort(np.concatenate([part.index for part in found]), kind="stable")

    def joined(values: Callable[[Served], Any]) -> Any:
        return np.concatenate([values(part) for part in found])[order]

    return Served(
        joined(lambda part: part.index),
        joined(lambda part: part.due_s),
        joined(lambda part: part.start_s),
        joined(lambda part: part.end_s),
        joined(lambda part: part.occupied_s),
        joined(lambda part: part.waited),
        tuple(sorted(failure for part in found for failure in part.failures)),
    )


def _named(error: Exception) -> str:
    text, kind = one_line(error), type(error).__name__
    return text if text == kind else f"{kind}: {text}"


def _times(values: array[float]) -> NDArray[np.float64]:
    import numpy as np

    return np.frombuffer(values, np.float64) if values else np.empty(0)
