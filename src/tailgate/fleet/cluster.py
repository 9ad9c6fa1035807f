"""What a fleet run wants of where its nodes are: Ray in use (``ray_cluster``), scripts in the tests."""

from collections.abc import Sequence
from typing import Any, Protocol

from tailgate.fleet.node import NodeOrder, Plan
from tailgate.fleet.node_process import Event
from tailgate.fleet.nodes import Node


class Remote(Protocol):
    """A node's side, wherever it runs."""

    def prepare(self) -> None:
        """Begin ``NodeSession.prepare``."""

    def measure(self, plan: Plan) -> None:
        """Begin ``NodeSession.measure``."""

    def stop(self) -> None:
        """Ask it to interrupt what it does."""

    def release(self) -> None:
        """Nothing more is wanted of it."""


class Cluster(Protocol):
    """Where the nodes are."""

    def start(self, node: Node, order: NodeOrder, archive: Any) -> Remote:
        """A node's side, as soon as the node is free."""

    def events(self, remotes: Sequence[Any], timeout_s: float) -> list[tuple[Any, Event]]:
        """What has come, of at least one where anything came in time; ``lost``: the node is, and why."""
