"""Which machines of the cluster a fleet run is for: ``--nodes all``, ``N`` or ``LABEL=VALUE``. Pure functions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tailgate.errors import TailgateError, unknown_value

ALL = "all"


@dataclass(frozen=True)
class Node:
    """A machine, as Ray knows it."""

    id: str
    host: str
    cpus: float
    """That Ray may promise."""
    gpus: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    alive: bool = True
    number: int = 0
    """Of those on one host, from 1; 0: it is the only one."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.host}-{self.number}" if self.number else self.host


def named_apart(nodes: Sequence[Node]) -> list[Node]:
    """Sort them by name, and number those of one host."""
    counts = Counter(one.host for one in nodes)
    seen: Counter[str] = Counter()
    found = []
    for one in sorted(nodes, key=lambda node: (node.host, node.id)):
        seen[one.host] += 1
        found.append(replace(one, number=seen[one.host]) if counts[one.host] > 1 else one)
    return found


def chosen(nodes: Sequence[Node], wanted: str) -> tuple[list[Node], list[str]]:
    """The nodes that ``--nodes`` names, of those that are alive, and remarks on what is left out.

    ``all`` and ``N`` leave out nodes that have no CPU for Ray: whoever starts a head node so wants no work on it.

    Raises:
        TailgateError: there are none, or not so many.
    """
    alive = [one for one in nodes if one.alive]
    label, equals, value = wanted.partition("=")
    if equals:
        found = [one for one in alive if one.labels.get(label) == value]
        if not found:
            raise TailgateError(_no_such_label(alive, label, value))
        return found, []
    working = [one for one in alive if one.cpus > 0]
    idle = [one.name for one in alive if one.cpus <= 0]
    remarks = [f"Left out, because Ray has no CPU there (--num-cpus=0): {', '.join(idle)}"] if idle else []
    if wanted != ALL:
        if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
            raise TailgateError(f"--nodes: {wanted!r} names no nodes (allowed: all, a number from 1, LABEL=VALUE)")
        if int(wanted) > len(working):
            raise TailgateError(
                f"--nodes: {wanted} are wanted, {len(working)} are there (see them: tailgate fleet status)"
            )
        return working[: int(wanted)], remarks
    if not working:
        raise TailgateError("--nodes: the cluster has no node with a CPU (add one: ray start --address=HOST:PORT)")
    return working, remarks


def _no_such_label(nodes: Sequence[Node], label: str, value: str) -> str:
    values = sorted({one.labels[label] for one in nodes if label in one.labels})
    if values:
        return unknown_value(f"--nodes={label}", value, values)
    names = sorted({name for one in nodes for name in one.labels if not name.startswith("ray.io/")})
    if not names:
        return f"--nodes: no node has a label {label!r}, nor any other (give one: ray start --labels {label}={value})"
    return unknown_value("--nodes", label, names, noun="label")
