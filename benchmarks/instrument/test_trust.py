"""Is a busy neighbour seen, and a quiet machine left in peace? The rules of ``tailgate.machine.trust``, live.

Run by hand on a quiet machine, ``pytest benchmarks/instrument/test_trust.py -m instrument``: some two minutes. The
figures last seen are in docs/guide/trust.md.
"""

import contextlib
import hashlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from tailgate.machine.cpus import usable_cpus
from tailgate.machine.trust import Judgement, calibrate, judge, read, wait_until_quiet
from tailgate.machine.trust.rules import other_cpus_limit

pytestmark = pytest.mark.instrument
Report = Callable[[str], None]
RUNS = 20
RUN_S = 0.7
BLOCK = bytes(2**20)
SHOWN = ("other_cpus_busy", "steal_cpus", "run_delay_share", "pressure_cpu_share")
THREADS = pytest.mark.parametrize("threads", [1, usable_cpus()], ids=["one-thread", "a-thread-a-cpu"])


@THREADS
def test_a_quiet_machine_is_called_contended_in_at_most_one_of_twenty(report: Report, threads: int) -> None:
    """Nothing else runs, as far as can be arranged: what is called contended here is a false alarm."""
    if not wait_until_quiet(30):
        pytest.skip("other processes did not come to rest within 30 s: this machine is not quiet")
    seen = [_judged(threads) for _ in range(RUNS)]
    called = _report(report, f"quiet, {threads} thread(s)", seen, "target: at most 1")
    assert called <= 1


@THREADS
def test_a_busy_neighbour_is_seen_in_at_least_nineteen_of_twenty(report: Report, threads: int) -> None:
    """One busy process; on more than two CPUs as many as it takes to fill half of those left over."""
    count = int(other_cpus_limit(usable_cpus(), threads)) + 1
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_neighbour())
        seen = [_judged(threads) for _ in range(RUNS)]
    called = _report(report, f"{count} neighbour(s), {threads} thread(s)", seen, "target: at least 19")
    assert called >= RUNS - 1


def test_the_noise_of_the_calibration_kernel(report: Report) -> None:
    """What the limits in ``tailgate.machine.trust.drift`` must leave alone."""
    seen = []
    for _ in range(50):
        seen.append(calibrate())
        time.sleep(0.4)
    for what in ("compute_s", "memory_s"):
        times_s = sorted(getattr(calibration, what) for calibration in seen)
        middle_s = statistics.median(times_s)
        spread = ", ".join(f"{times_s[index] / middle_s - 1:+.1%}" for index in (0, 5, -6, -1))
        report(f"calibration {what}: median {middle_s * 1e3:.3f} ms; least, 10 %, 90 %, most: {spread}")
    assert len(seen) == 50


def _judged(threads: int) -> Judgement:
    before = read()
    _work(threads)
    return judge(before, read(), threads)


def _work(threads: int) -> None:
    """Hash for 0.7 s in so many threads; for blocks of this size hashlib lets go of the interpreter's lock."""
    end_s = time.perf_counter() + RUN_S

    def work() -> None:
        while time.perf_counter() < end_s:
            hashlib.sha256(BLOCK).digest()

    others = [threading.Thread(target=work) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()


@contextlib.contextmanager
def _neighbour() -> Iterator[None]:
    """A process that computes all the time, and is no descendant of ours: one that was would count as our own."""
    busy = "import time\nend = time.monotonic() + 120\nwhile time.monotonic() < end: pass"
    nowhere = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    start = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {busy!r}], {nowhere}).pid)"
    started = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    try:
        time.sleep(0.2)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(started.stdout), signal.SIGKILL)


def _report(report: Report, name: str, seen: Sequence[Judgement], target: str) -> int:
    called = sum(judgement.status is not None for judgement in seen)
    parts = []
    for field in SHOWN:
        values = [value for judgement in seen if (value := judgement.fields[field]) is not None]
        if values:
            parts.append(f"{field} {min(values):.3f} to {max(values):.3f} (median {statistics.median(values):.3f})")
    report(f"{name}: {called} of {len(seen)} called contended ({target}); {', '.join(parts)}")
    reasons = [judgement.reason for judgement in seen if judgement.reason]
    if reasons:
        report(f"  {reasons[-1]}")
    return called
