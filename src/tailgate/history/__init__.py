"""The saved sessions of one name in their order, and where the level of each benchmark changed.

``model``: what is found; ``machines``: whose sessions; ``order``: in which order; ``commits``: what git says;
``benchmarks``: points, levels and changes; ``causes``: whether the machine changed there too; ``text``,
``sparkline`` and ``as_json``: how it is shown. :func:`histories` is the door.
"""

from pathlib import Path

from tailgate.history.benchmarks import benchmarks_of
from tailgate.history.commits import Repository
from tailgate.history.machines import machines_of
from tailgate.history.model import History
from tailgate.history.order import ordered

__all__ = ["History", "histories"]


def histories(storage: Path, name: str, metric: str = "median") -> list[History]:
    """The history of every machine that has sessions of this name.

    Args:
        storage: the folder of saved runs; each folder in it is a machine's.
        name: what the runs were saved under.
        metric: ``median``, ``p99`` (seconds) or ``throughput`` (items per second).

    Raises:
        TailgateError: there is no such folder or name, or none of its runs can be read. One line.
    """
    repository = Repository(Path.cwd())
    found = []
    for machine in machines_of(storage, name):
        order = ordered(machine.sessions, repository)
        benchmarks = benchmarks_of(order.sessions, metric, repository)
        notes = (*machine.notes, *order.notes)
        found.append(History(name, metric, machine.folders, order.sessions, order.how, notes, benchmarks))
    return found
