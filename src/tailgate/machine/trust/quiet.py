"""Wait until the others have finished: before a contended benchmark is tried again."""

import time
from collections.abc import Callable

from tailgate.machine.trust.readings import Reading, read
from tailgate.machine.trust.stretch import between

STEP_S = 0.25
QUIET_OTHER_CPUS = 0.1
"""Others that use less than this are the background of any machine, and well below what makes a row contended."""


def wait_until_quiet(
    limit_s: float, *, read: Callable[[], Reading] = read, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Whether other processes came to rest on our CPUs within ``limit_s`` seconds.

    At least one step of 0.25 s is looked at. Stolen time does not show while we sleep, so a busy hypervisor
    looks quiet. Where the others cannot be seen the answer is at once ``False``: nothing is quiet unseen.
    """
    before = read()
    started_s = before.wall_s
    while True:
        sleep(STEP_S)
        after = read()
        seen = between(before, after)
        if seen is not None and seen.other_cpus is None:
            return False
        if seen is not None and seen.other_cpus is not None and seen.other_cpus < QUIET_OTHER_CPUS:
            return True
        if after.wall_s - started_s >= limit_s:
            return False
        before = after
