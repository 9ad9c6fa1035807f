"""When something disturbed a benchmark too much: one function a rule, one documented threshold each.

A rule gets the stretch of the timed rounds and gives one line (cause, number, limit, what to do) or ``None``.
What is not known disturbs nothing: ``None`` is never above a limit.
"""

from collections.abc import Callable

from tailgate.machine.trust.stretch import Stretch

MOST_STEAL_SHARE = 0.05
"""Of the CPUs wanted here. 5 % of the time is beyond what a virtual machine has as a matter of course (at most
1.6 % of a CPU in 40 rows of a quiet one), and well above what a median resolves."""
MOST_OTHER_CPUS = 0.25
"""However few CPUs are left over: less than a quarter of a CPU is the background of any machine."""
MOST_LEFT_OVER_SHARE = 0.5
"""Of the CPUs that the benchmark leaves over. Others there do not take its time, but they share its cache, its memory
and its clock, and at more than half they begin to meet it."""
FEW_CPUS, ONE_BUSY_PROCESS_CPUS = 16, 0.75
"""On a machine of so few CPUs one busy process is one too many, wherever it runs: it shares the cache and moves the
clock. Larger ones are seldom had alone, least of all from inside a container."""
MOST_RUN_DELAY_SHARE = 0.05
"""Of the time our threads wanted a CPU. On a quiet machine at most 0.3 % with a CPU to spare, 3.5 % with a thread on
every CPU; beside a busy neighbour there, at least 24 %."""
LEAST_RUN_DELAY_PER_WALL = 0.01
"""A benchmark that mostly waits (for a GPU, for a disk) has a large share of very little: less than 1 % of
the time is below what any of these numbers resolve."""
LEAST_OTHER_CPUS = 0.1
"""Others must have had this much to be what our threads waited for."""
MOST_THROTTLED_SHARE = 0.01
"""Of the time. Quotas stop a group for tens of milliseconds at once: one stop in a hundred calls is the P99."""
MOST_MEMORY_PRESSURE_SHARE = 0.05
"""Of the time. A machine that neither swaps nor reclaims has none at all."""


def steal(seen: Stretch) -> str | None:
    """The hypervisor gave our CPUs to others."""
    limit_cpus = MOST_STEAL_SHARE * _wanted(seen)
    if seen.steal_cpus is None or seen.steal_cpus <= limit_cpus:
        return None
    return (
        f"contended: the hypervisor took {seen.steal_cpus:.2f} CPUs' worth of time while {_said_wanted(seen)} "
        f"wanted here (limit {limit_cpus:.2f}): measure again later, or on a machine with CPUs of its own"
    )


def quota(seen: Stretch) -> str | None:
    """The CPU quota of a container stopped it."""
    if seen.throttled_share is None or seen.throttled_share <= MOST_THROTTLED_SHARE:
        return None
    return (
        f"contended: the container's CPU quota stopped it for {_percent(seen.throttled_share, MOST_THROTTLED_SHARE)} "
        f"of the time, in {seen.throttled_periods or 0} periods (limit {MOST_THROTTLED_SHARE:.0%}): use fewer threads, "
        "or raise the quota (docker --cpus, Kubernetes limits.cpu)"
    )


def other_processes(seen: Stretch) -> str | None:
    """Other processes used CPUs that the benchmark wanted, or most of those that it left over."""
    if seen.other_cpus is None or seen.cpus is None:
        return None
    limit_cpus = other_cpus_limit(seen.cpus, _wanted(seen))
    if seen.other_cpus <= limit_cpus:
        return None
    return (
        f"contended: other processes used {seen.other_cpus:.2f} of {seen.cpus} CPUs while {_said_wanted(seen)} "
        f"wanted here (limit {limit_cpus:.2f}): end them (top shows them) and measure again"
    )


def other_cpus_limit(cpus: int, wanted: int) -> float:
    """CPUs that others may use beside a benchmark that wants ``wanted`` of ``cpus``."""
    left_over = MOST_LEFT_OVER_SHARE * (cpus - wanted)
    return max(MOST_OTHER_CPUS, min(left_over, ONE_BUSY_PROCESS_CPUS) if cpus <= FEW_CPUS else left_over)


def run_delay(seen: Stretch) -> str | None:
    """Our threads waited for a CPU that others had; more threads than CPUs wait for each other instead."""
    if seen.run_delay_share is None or seen.other_cpus is None or seen.usable_cpus is None:
        return None
    waited = seen.run_delay_share > MOST_RUN_DELAY_SHARE and (seen.run_delay_per_wall or 0) > LEAST_RUN_DELAY_PER_WALL
    if not waited or seen.other_cpus <= LEAST_OTHER_CPUS or seen.wanted_cpus > seen.usable_cpus:
        return None
    return (
        f"contended: its threads waited for a CPU for {_percent(seen.run_delay_share, MOST_RUN_DELAY_SHARE)} of the "
        f"time they wanted one (limit {MOST_RUN_DELAY_SHARE:.0%}) while other processes used {seen.other_cpus:.2f} of "
        f"{seen.cpus} CPUs: end them (top shows them) and measure again"
    )


def memory(seen: Stretch) -> str | None:
    """The machine is short of memory."""
    share = seen.pressure_memory_share
    if share is None or share <= MOST_MEMORY_PRESSURE_SHARE:
        return None
    return (
        f"contended: tasks of this machine waited for memory for {_percent(share, MOST_MEMORY_PRESSURE_SHARE)} of the "
        f"time (limit {MOST_MEMORY_PRESSURE_SHARE:.0%}): it reclaims or swaps; free memory, or take a smaller batch"
    )


def heat(seen: Stretch) -> str | None:
    """The processor slowed down because it was hot; the kernel counts such events, and a cool one has none."""
    if not seen.thermal_throttles:
        return None
    return (
        f"throttled: heat slowed the processor {seen.thermal_throttles} times while this ran (limit 0): "
        "let it cool or cool it better, or fix a lower frequency, and measure again"
    )


CONTENDED: tuple[Callable[[Stretch], str | None], ...] = (steal, quota, other_processes, run_delay, memory)
"""In this order: the first that speaks is the row's reason, and what explains others comes before them."""
THROTTLED: tuple[Callable[[Stretch], str | None], ...] = (heat,)


def _wanted(seen: Stretch) -> int:
    """CPUs that it could have had of those that it wants."""
    return min(seen.wanted_cpus, seen.usable_cpus or seen.wanted_cpus)


def _said_wanted(seen: Stretch) -> str:
    return f"{_wanted(seen)} {'was' if _wanted(seen) == 1 else 'were'}"


def _percent(share: float, limit: float) -> str:
    """With a decimal where whole percents would read as the limit itself."""
    return f"{share:.1%}" if share < limit + 0.1 else f"{share:.0%}"
