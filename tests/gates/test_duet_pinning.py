"""Both sides on one CPU, for calls of one thread."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tailgate.gates.duet.pinning import is_one_thread, on_one_cpu

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform has no CPU affinity")


@pytest.fixture
def process() -> Iterator[int]:
    """With a second thread."""
    program = "import sys, threading; threading.Thread(target=sys.stdin.read).start(); print('up', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started.pid
        started.kill()


def test_all_threads_are_on_one_cpu_and_then_where_they_were(process: int) -> None:
    before = os.sched_getaffinity(process)
    threads = [int(name) for name in os.listdir(f"/proc/{process}/task")]  # noqa: PTH208
    assert len(threads) == 2
    with on_one_cpu([process], random.Random(1)) as cpu:
        assert [os.sched_getaffinity(thread) for thread in threads] == [{cpu}] * 2
        assert cpu in before
    assert [os.sched_getaffinity(thread) for thread in threads] == [before] * 2


def test_the_cpu_is_left_to_chance(process: int) -> None:
    chance, seen = random.Random(7), set()
    for _ in range(50):
        with on_one_cpu([process], chance) as cpu:
            seen.add(cpu)
    assert seen == os.sched_getaffinity(process)


def test_a_process_that_has_ended_is_no_error() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with on_one_cpu([ended.pid], random.Random(1)) as cpu:
        assert cpu is None


def test_one_thread_does_all_the_work_or_it_does_not() -> None:
    assert is_one_thread(1.0, 1.0)
    assert not is_one_thread(0.9, 1.0)
    assert not is_one_thread(0.0, 0.0)
