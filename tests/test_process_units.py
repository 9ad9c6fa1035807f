"""The parts of isolation that need no session: how processes talk, how they end, what is pooled, what may be forked."""

import _thread
import enum
import os
import pickle
import random
import signal
import socket
import statistics
import threading
import time
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate import endings
from tailgate.endings import Ending, of_exit, signal_name, where, without_pytest
from tailgate.findings import Findings
from tailgate.processes import safety
from tailgate.processes.attempt import Attempt, tail
from tailgate.processes.handle import KeeperGoneError, Process
from tailgate.processes.isolation import interleaved
from tailgate.processes.messages import HEADER, Channel, ready
from tailgate.processes.pooling import pooled
from tailgate.processes.sendable import Sendable

SOON_S = 30.0


def soon() -> float:
    return time.monotonic() + SOON_S


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    one, other = Channel.pair()
    yield one, other
    one.close()
    other.close()


# How processes talk.


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.binary(), st.lists))
def test_what_is_sent_is_received(message: Any) -> None:
    one, other = Channel.pair()
    one.send(("kind", message))
    one.send("another")
    assert other.receive(soon()) == ("kind", message)
    assert other.receive() == "another"
    one.close()
    other.close()


def test_a_message_of_50_megabytes_arrives_whole(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    big = os.urandom(1000) * 50_000
    sender = threading.Thread(target=one.send, args=({"samples": big},))
    sender.start()
    assert other.receive(soon()) == {"samples": big}
    sender.join()


@pytest.mark.parametrize("sent", [b"", b"\0\0\0", HEADER.pack(100), HEADER.pack(100) + b"only a part"])
def test_nothing_whole_before_the_deadline_is_a_timeout(sent: bytes) -> None:
    raw, end = socket.socketpair()
    other = Channel(end)
    raw.sendall(sent)
    started_s = time.monotonic()
    with pytest.raises(TimeoutError):
        other.receive(time.monotonic() + 0.05)
    assert 0.04 < time.monotonic() - started_s < SOON_S
    raw.close()
    other.close()


@pytest.mark.parametrize("sent", [b"", b"\0\0\0", HEADER.pack(100), HEADER.pack(100) + b"only a part"])
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


def test_a_handle_tells_results_from_the_end_and_the_keepers_own_end() -> None:
    results, home = Channel.pair()
    control, keeper = Channel.pair()
    process = Process(results, control)
    with pytest.raises(TimeoutError):
        process.next_event(time.monotonic() + 0.01)
    keeper.send(("ended", -11, 4096))
    assert process.next_event(soon()) is False
    home.send("result")
    assert process.next_event(soon()) is True, "what it had sent comes first"
    assert process.wait(soon()) == (-11, 4096)
    keeper.close()
    with pytest.raises(KeeperGoneError):
        process.wait(soon())
    process.signal(signal.SIGKILL)  # nobody is there: nothing happens
    process.close()
    for channel in (home, control):
        channel.close()


# How they end.

FAULT = """\
Fatal Python error: Segmentation fault

Thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 320 in wait

Current thread 0x00007e (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "/project/test_a.py", line 15 in test_sigsegv
  File "/venv/_pytest/python.py", line 157 in pytest_pyfunc_call
  File "/venv/pluggy/_callers.py", line 121 in _multicall
  File "/venv/bin/pytest", line 8 in <module>

Extension modules: numpy
"""


@pytest.mark.parametrize(
    ("status", "oom_kills", "output", "peak_bytes", "expected", "reason"),
    [
        (0, 0, "", None, "crashed", "crashed: the process ended itself with exit code 0 in its test"),
        (3, 0, FAULT, 2**20, "crashed", "crashed: the process ended itself with exit code 3 in its test"),
        (-signal.SIGSEGV, 0, FAULT, 2**20, "crashed", "crashed: SIGSEGV in string_at (__init__.py:519)"),
        (-signal.SIGSEGV, 0, "", None, "crashed", "crashed: SIGSEGV"),
        (-signal.SIGSEGV, 1, FAULT, None, "crashed", "crashed: SIGSEGV in string_at (__init__.py:519)"),
        (-signal.SIGSEGV, 0, "Cannot allocate memory", None, "crashed", "crashed: SIGSEGV"),
        (-signal.SIGTERM, 0, "", None, "crashed", "crashed: SIGTERM"),
        (-60, 0, "", None, "crashed", "crashed: signal 60"),
        (
            -signal.SIGABRT, 0, "terminate called after throwing an instance of 'std::bad_alloc'", None,
            "oom", "oom: an allocation failed and the process ended with SIGABRT",
        ),
        (-signal.SIGABRT, 0, "assertion failed", None, "crashed", "crashed: SIGABRT"),
        (
            -signal.SIGKILL, 1, "", 9312 * 2**20,
            "oom", "oom: the kernel's out-of-memory killer ended the process at 9312 MiB",
        ),
        (-signal.SIGKILL, 2, "", None, "oom", "oom: the kernel's out-of-memory killer ended the process"),
        (
            -signal.SIGKILL, 0, "", 31 * 2**20,
            "crashed", "crashed: SIGKILL from outside at 31 MiB (a person, a service, or the out-of-memory killer of "
            "an outer container, which cannot be seen from here)",
        ),
    ],
)  # fmt: skip
def test_an_exit_status_is_told_by_name(
    status: int, oom_kills: int, output: str, peak_bytes: int | None, expected: str, reason: str
) -> None:
    ending = of_exit(status, oom_kills=oom_kills, output=output, peak_rss_bytes=peak_bytes)
    assert (ending.status, ending.reason) == (expected, reason)


@pytest.mark.parametrize("number", [*range(1, 32), 34, 63, 64, 99])
def test_every_signal_has_a_name_of_one_word_or_a_number(number: int) -> None:
    name = signal_name(number)
    assert name in (f"signal {number}", getattr(signal.Signals._value2member_map_.get(number), "name", None))


def test_the_place_of_a_fault_is_the_current_threads_innermost_frame() -> None:
    assert where(FAULT) == " in string_at (__init__.py:519)"
    assert where(FAULT + FAULT.replace("519", "7")) == " in string_at (__init__.py:7)"
    assert where("") == where("nothing of the kind") == ""


def test_a_fault_is_shown_without_pytests_own_frames() -> None:
    shown = without_pytest(FAULT)
    assert "line 15 in test_sigsegv" in shown
    assert "line 320 in wait" in shown
    assert not [text for text in ("_pytest", "pluggy", "bin/pytest") if text in shown]
    assert shown.endswith("Extension modules: numpy\n")
    assert without_pytest("plain output\n") == "plain output\n"


class OutOfMemoryError(RuntimeError):
    """As torch's."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (OSError(28, "No space left on device"), False),
        (ValueError("limit: out of memory budget"), False),
        (AssertionError("MemoryError"), False),
        (RuntimeError("no memory of that"), False),
    ],
    ids=repr,
)
def test_an_exception_that_speaks_of_memory_is_judged_by_its_type_and_known_words(
    error: BaseException, expected: bool
) -> None:
    assert endings.is_out_of_memory(error) is expected


def test_the_kernels_count_of_its_killings_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "VMSTAT", tmp_path / "vmstat")
    assert endings.oom_kills() is None
    (tmp_path / "vmstat").write_text("pgfault 12\noom_kill 3\ndrop_pagecache 0\n")
    assert endings.oom_kills() == 3
    (tmp_path / "vmstat").write_text("pgfault 12\n")
    assert endings.oom_kills() is None


def test_the_end_of_an_output_is_kept_and_says_what_is_not(tmp_path: Path) -> None:
    with (tmp_path / "output").open("w+b") as output:
        output.write("0123456789é".encode())
        output.flush()
        assert tail(output.fileno()) == "0123456789é"
        assert tail(output.fileno(), 3) == "(the first 9 bytes are left out)\n9é"
        assert tail(output.fileno(), 1) == "(the first 11 bytes are left out)\n\N{REPLACEMENT CHARACTER}"
        assert output.tell() == 12, "where the process goes on writing"


ROW: dict[str, Any] = {"extra_info": {}, "data": [1.0]}


@pytest.mark.parametrize(
    ("reports", "rows", "measured"),
    [
        ([], [], False),
        ([], [ROW], True),
        (["passed", "passed", "passed"], [ROW], True),
        (["passed", "passed", "passed"], [], False),
        (["passed", "failed", "passed"], [ROW], False),
        (["passed", "passed", "failed"], [ROW], False),
        (["skipped"], [], False),
    ],
)
def test_measured_is_what_has_a_row_and_passed(reports: list[str], rows: list[Any], measured: bool) -> None:
    made = Attempt(reports=[{"outcome": outcome} for outcome in reports], rows=rows)
    assert made.measured is measured
    made.ending = Ending("crashed", "crashed: SIGABRT")  # in its teardown
    assert not made.measured
    assert not Attempt(rows=[ROW], farewell={"internal_error": "Traceback"}).measured


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({}, None),
        ({"status": "ok"}, None),
        ({"status": "contended", "warnings": ["short", "contended: by others"]}, "contended: by others"),
        ({"status": "contended"}, "contended"),
        ({"status": "throttled", "warnings": ["throttled: hot"]}, None),
    ],
)
def test_a_contended_attempt_says_why(info: dict[str, Any], reason: str | None) -> None:
    assert Attempt(rows=[{"extra_info": info, "data": [1.0]}]).contended == reason


# What can be sent.


class Colour(enum.IntEnum):
    RED = 1


class Bad:
    def __reduce__(self) -> Any:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        return "Bad()"


KNOWN = frozenset({"builtins", "collections", "copyreg", "decimal"})
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_plain_values_are_sent_as_they_are(value: Any) -> None:
    assert Sendable(frozenset()).value(value) == value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (OrderedDict(a=1), OrderedDict(a=1)),
        (Counter("aab"), Counter("aab")),
        ({1, 2}, {1, 2}),
        (Colour.RED, "<Colour.RED: 1>"),  # of a module that the session does not know
        ([Colour.RED, {"x": (Colour.RED,)}], ["<Colour.RED: 1>", {"x": ("<Colour.RED: 1>",)}]),
        ({Colour.RED: 1}, {"<Colour.RED: 1>": 1}),
        (Bad(), "Bad()"),
        (OrderedDict(a=Bad()), repr(OrderedDict(a=Bad()))),
        (Path("/x"), "PosixPath('/x')"),
        (ValueError("x"), ValueError("x")),
    ],
    ids=repr,
)
def test_what_the_session_may_not_know_is_sent_as_text(value: Any, sent: Any) -> None:
    found = Sendable(KNOWN).value(value)
    assert type(found) is type(sent)
    assert found == sent or repr(found) == repr(sent)
    pickle.dumps(found)


def test_what_is_inside_of_itself_is_sent_as_text() -> None:
    ring: list[Any] = [1]
    ring.append({"again": ring})
    found = Sendable(KNOWN).value({"ring": ring, "twice": [ring[0], ring[0]]})
    assert found == {"ring": [1, {"again": repr(ring)}], "twice": [1, 1]}
    shared: list[Any] = [1, 2]
    assert Sendable(KNOWN).value([shared, shared]) == [[1, 2], [1, 2]], "twice is not inside"


def test_a_rows_samples_are_sent_as_they_are_and_its_oddities_as_pytest_benchmark_saves_them() -> None:
    data = [0.1] * 1000
    row = Sendable(KNOWN).row({"data": data, "name": "test_a", "extra_info": {"odd": Bad()}})
    assert row["data"] is data
    assert row["extra_info"] == {"odd": "UNSERIALIZABLE[Bad()]"}


class StrangeWarning(UserWarning):
    """Of a module that the session does not know."""


@pytest.mark.parametrize(
    ("message", "category"),
    [(DeprecationWarning("old"), DeprecationWarning), (StrangeWarning("strange"), UserWarning)],
)
def test_a_warning_is_sent_without_what_caused_it(message: Warning, category: type[Warning]) -> None:
    recorded = warnings.WarningMessage(message, type(message), "test_a.py", 7, source=socket)
    sent = pickle.loads(pickle.dumps(Sendable(KNOWN).warning(recorded)))
    assert (str(sent.message), sent.category, sent.filename, sent.lineno) == (str(message), category, "test_a.py", 7)
    assert sent.source is None


# What is pooled.

samples = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=20)


def run_of(data: list[float], **info: Any) -> list[dict[str, Any]]:
    return [{"fullname": "test_a", "name": "a", "data": data, "extra_info": info, "has_error": False}]


@given(samples)
def test_a_single_process_is_left_as_it_is(data: list[float]) -> None:
    run = run_of(data, answer=42)
    assert pooled([run]) == run
    assert "process_rounds" not in pooled([run])[0]["extra_info"]


@given(st.lists(samples, min_size=2, max_size=6))
def test_every_sample_is_kept_in_order_and_rounds_add_up(runs: list[list[float]]) -> None:
    (row,) = pooled([run_of(data, status="ok") for data in runs])
    assert row["data"] == [sample_s for data in runs for sample_s in data]
    info = row["extra_info"]
    assert info["process_rounds"] == [len(data) for data in runs]
    assert sum(info["process_rounds"]) == len(row["data"])
    assert info["process_medians_s"] == [statistics.median(data) for data in runs]
    assert info["process_statuses"] == ["ok"] * len(runs)
    start = 0
    for data, count in zip(runs, info["process_rounds"], strict=True):
        assert row["data"][start : start + count] == data
        start += count


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_pooled_facts_do_not_depend_on_the_order_of_processes(numbers: list[float], shuffle: random.Random) -> None:
    runs = [run_of([1.0], load_s=number, rss_peak_bytes=number) for number in numbers]
    (one,) = pooled(runs)
    shuffle.shuffle(runs)
    (other,) = pooled(runs)
    for row in (one, other):
        assert row["extra_info"]["load_s"] == statistics.median(numbers)
        assert row["extra_info"]["rss_peak_bytes"] == max(numbers)


@pytest.mark.parametrize(
    ("key", "values", "merged"),
    [
        ("model", ["a", "a"], "a"),
        ("status", ["ok", "contended", "ok"], "contended"),
        ("status", ["ok", "ok"], "ok"),
        ("warnings", [["x"], [], ["y", "x"]], ["x", "y"]),
        ("warnings", ["the test's own", ["x"]], ["x"]),
        ("flag", [True, False], False),
        ("note", [{"a": 1}, {"a": 2}], {"a": 2}),
        ("mixed", [1, "one"], "one"),
        ("heap_peak_bytes", [3, 9, 5], 9),
        ("missing", [None, 1.0], 1.0),
    ],
)
def test_what_differs_between_processes_is_merged_by_its_kind(key: str, values: list[Any], merged: Any) -> None:
    (row,) = pooled([run_of([1.0], **{key: value}) for value in values])
    assert row["extra_info"][key] == merged


def test_what_cannot_be_compared_is_the_last_ones() -> None:
    arrays = [np.array([1, 2]), np.array([1, 3])]
    (row,) = pooled([run_of([1.0], array=array) for array in arrays])
    assert row["extra_info"]["array"] is arrays[1]


def test_rows_of_several_names_are_pooled_each_by_its_own() -> None:
    two = [[*run_of([1.0 + n]), *({**row, "fullname": "test_b"} for row in run_of([9.0]))] for n in range(2)]
    assert [(row["fullname"], row["data"]) for row in pooled(two)] == [("test_a", [1.0, 2.0]), ("test_b", [9.0, 9.0])]


def test_an_error_in_one_process_is_the_rows() -> None:
    bad = [{**run_of([1.0])[0], "has_error": True}]
    assert pooled([bad, run_of([1.0])])[0]["has_error"] is True


# In which order.


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 5), st.integers(0, 50))
def test_passes_are_interleaved_over_the_whole_selection(kinds: list[bool], processes: int, seed: int) -> None:
    items: list[Any] = [SimpleNamespace(name=str(place)) for place in range(len(kinds))]
    items = [Hashable(place, chosen) for place, chosen in enumerate(kinds)]
    chosen = [item for item in items if item.chosen]
    order = interleaved(items, chosen, processes, seed)
    assert order == interleaved(items, chosen, processes, seed), "seeded"
    first, later = order[: len(items)], order[len(items) :]
    assert Counter(first) == Counter(items)
    assert [item for item in first if not item.chosen] == [item for item in items if not item.chosen]
    assert [item.chosen for item in first] == kinds, "other tests stay where they are"
    assert len(later) == (processes - 1) * len(chosen)
    for start in range(0, len(later), len(chosen) or 1):
        assert Counter(later[start : start + len(chosen)]) == Counter(chosen)
    if processes == 1:
        assert order == items


class Hashable:
    def __init__(self, place: int, chosen: bool) -> None:
        self.place, self.chosen = place, chosen


def test_another_seed_gives_another_order_and_every_pass_its_own() -> None:
    items: list[Any] = [Hashable(place, True) for place in range(30)]
    orders = {tuple(item.place for item in interleaved(items, items, 3, seed)) for seed in range(10)}
    assert len(orders) == 10
    (one, *_) = orders
    assert len({one[:30], one[30:60], one[60:]}) == 3


# What may be forked.

MAPS = """\
55a0-55b0 r-xp 00000000 08:01 1 /usr/bin/python3
7f00-7f80 r-xp 00000000 08:01 2 /usr/lib/libgomp.so.1.0.0
7f80-7f90 r--p 00000000 08:01 2 /usr/lib/libgomp.so.1.0.0
7fa0-7fb0 r-xp 00000000 08:01 3 /usr/lib/libc.so.6
"""


class FakeProc:
    """``/proc/self`` with a maps file, descriptors and what each thread is in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "fd").mkdir()
        (folder / "task").mkdir()
        (folder / "maps").write_text("")
        self.open("/dev/null")
        self.thread("running")

    def open(self, target: str) -> None:
        (self.folder / "fd" / str(len(list((self.folder / "fd").iterdir())))).symlink_to(target)

    def thread(self, syscall: str) -> None:
        task = self.folder / "task" / str(100 + len(list((self.folder / "task").iterdir())))
        task.mkdir()
        (task / "syscall").write_text(f"{syscall}\n")


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


def waits_at(place: int) -> str:
    return f"202 0x1 0x80 0x0 0x0 0x0 0x0 0x7ffe {place:#x}"


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda proc: None, None),
        (lambda proc: proc.open("/dev/nvidia-uvm"), "CUDA is initialised"),
        (lambda proc: proc.open("/dev/nvidiactl"), None),
        (lambda proc: proc.thread(waits_at(0x7F10)), "the GNU OpenMP thread pool has been started"),
        (lambda proc: proc.thread(waits_at(0x7F80)), None),  # its data, not its code
        (lambda proc: proc.thread(waits_at(0x7FA5)), None),  # another library waits (OpenBLAS in the C library)
        (lambda proc: proc.thread("running"), None),
        (lambda proc: proc.thread("-1 0x0 0x0"), None),
    ],
    ids=["idle", "cuda", "nvidia-smi", "libgomp", "data", "libc", "running", "outside"],
)
def test_what_forbids_forking_is_seen_in_proc(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[FakeProc], None], reason: str | None
) -> None:
    monkeypatch.setattr(safety, "SPIN_S", 0.0)
    (proc.folder / "maps").write_text(MAPS)
    prepare(proc)
    assert safety.unsafe_to_fork(proc.folder, "linux") == reason


def test_elsewhere_than_on_linux_nothing_is_forked(proc: FakeProc) -> None:
    assert safety.unsafe_to_fork(proc.folder, "darwin") == "forking is not safe on darwin"


def test_a_kernel_that_tells_nothing_of_system_calls_is_no_hindrance(proc: FakeProc) -> None:
    (proc.folder / "maps").unlink()
    assert safety.unsafe_to_fork(proc.folder, "linux") is None


def test_a_python_thread_at_work_is_waited_for_and_then_named() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            time.sleep(0.001)

    waiting = threading.Thread(target=threading.Event().wait, args=(60,), daemon=True, name="waits")
    waiting.start()
    worker = threading.Thread(target=work, name="works")
    worker.start()
    try:
        assert safety.unsafe_still(0.05) == "a Python thread is at work (works)"
    finally:
        stop.set()
        worker.join()
    assert "works" not in (safety.unsafe_still(5.0) or "")


def test_a_thread_that_python_has_no_name_for_is_seen_too() -> None:
    going, gone = [True], threading.Event()

    def nameless() -> None:
        while going:
            time.sleep(0.001)
        gone.set()

    _thread.start_new_thread(nameless, ())
    time.sleep(0.05)
    try:
        assert safety.unsafe_still(0.0) == "a Python thread is at work (without a name, in nameless)"
    finally:
        going.clear()
        assert gone.wait(SOON_S)


def test_only_a_thread_at_work_is_waited_for_not_words_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "unsafe_to_fork", lambda: "no thread is at work here, but CUDA is initialised")
    monkeypatch.setattr(safety, "_busy_threads", list)
    started_s = time.monotonic()
    assert safety.unsafe_still(SOON_S) == "no thread is at work here, but CUDA is initialised"
    assert time.monotonic() - started_s < SOON_S / 2


def test_where_nothing_is_forked_no_thread_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety.sys, "platform", "darwin")
    monkeypatch.setattr(safety, "_busy_threads", lambda: ["works"])
    started_s = time.monotonic()
    safety.unsafe_still(SOON_S)
    assert time.monotonic() - started_s < SOON_S / 2


def test_a_thread_that_ends_in_time_is_no_hindrance() -> None:
    worker = threading.Thread(target=lambda: [time.sleep(0.005) for _ in range(20)], name="soon done")
    worker.start()
    assert "soon done" not in (safety.unsafe_still(20.0) or "")
    worker.join()


def test_forking_gives_no_warning_about_threads() -> None:
    waiting = threading.Thread(target=threading.Event().wait, args=(60,), daemon=True)
    waiting.start()
    pid = safety.quiet_fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


# What is told at the end.


def test_findings_tell_each_reason_once_with_how_often() -> None:
    found = Findings(selected=3)
    assert found.nothing_measured() == "Nothing was measured: all 3 selected benchmarks were skipped."
    for name in ("a", "b"):
        found.not_measured(f"test_{name}", "crashed", "crashed: SIGSEGV")
    found.not_measured("test_c", "timeout", "timeout: not done after 600 s")
    assert found.reasons() == ["  2 x crashed: SIGSEGV", "  1 x timeout: not done after 600 s"]
    assert found.nothing_measured() == "Nothing was measured: all 3 selected benchmarks failed."


def test_findings_say_a_warning_once_for_all_rows_whatever_its_numbers() -> None:
    found = Findings(selected=3)
    found.remarks.append("said first")
    for number, name in enumerate("abc"):
        found.warn(f"test_{name}", f"others used 0.{number} CPUs")
    found.warn("test_a", "another matter")
    assert found.to_mind() == [
        "said first", "Mind test_a and 2 more: others used 0.0 CPUs", "Mind test_a: another matter",
    ]  # fmt: skip
