"""The kernel's lists of CPUs, ``0-3,8``, which ``taskset`` and ``numactl`` read too."""

from collections.abc import Iterable

from tailgate.machine.doctor.host import UnreadableError


def parse(text: str) -> frozenset[int]:
    """``0-3,8`` as numbers; an empty text is an empty set."""
    found: set[int] = set()
    try:
        for part in filter(None, text.strip().split(",")):
            first, _, last = part.partition("-")
            found |= set(range(int(first), int(last or first) + 1))
    except ValueError as error:
        raise UnreadableError(f"{text[:40]!r} is not a list of CPUs") from error
    return frozenset(found)


def written(cpus: Iterable[int]) -> str:
    """Numbers as ``0-3,8``."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def named(cpus: Iterable[int]) -> str:
    """``CPU 0`` or ``CPUs 0-3,8``."""
    numbers = list(cpus)
    return f"CPU{'s' if len(numbers) > 1 else ''} {written(numbers)}"
