"""Ray's side of a fleet: the nodes of a cluster, and an actor on each chosen one. Nothing else imports Ray."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tailgate.errors import TailgateError, one_line
from tailgate.fleet.address import CHECK, START
from tailgate.fleet.lock import holder_of
from tailgate.fleet.node import NodeOrder, NodeSession, Plan
from tailgate.fleet.node_process import Event
from tailgate.fleet.nodes import Node, named_apart
from tailgate.fleet.variables import raylet_above, session_variables, variables_of

LEAVE_S, ANSWER_S = 5.0, 30.0


class RayNode:
    """The actor on one node."""

    def __init__(self, node: Node, order: NodeOrder, archive: Any) -> None:
        self.node = node
        self._archive = archive
        # All that Ray may promise there: its other jobs stay away while we measure, and we wait for them.
        self._actor = ACTOR.options(
            num_cpus=node.cpus,
            num_gpus=node.gpus,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
        ).remote(order)
        self.stream: Any = None
        self.answered = False
        """The actor has begun: Ray had the node's CPUs to give."""

    def prepare(self) -> None:
        """Begin ``NodeSession.prepare``."""
        self.stream = self._actor.prepare.remote(self._archive)

    def measure(self, plan: Plan) -> None:
        """Begin ``NodeSession.measure``."""
        self.stream = self._actor.measure.remote(plan)

    def stop(self) -> None:
        """Ask it to interrupt what it does."""
        self._actor.stop.remote()

    def release(self) -> None:
        """Nothing more is wanted of it: what still runs there ends, and the node is free."""
        if self.answered:
            with contextlib.suppress(RayError, TimeoutError):  # it is gone, or does not answer
                ray.get(self._actor.leave.remote(), timeout=LEAVE_S)
        else:
            ray.kill(self._actor)
        self._actor = self.stream = None


class RayCluster:
    """A cluster that this process is connected to."""

    def nodes(self) -> list[Node]:
        """All that were ever there; those that are gone are not alive."""
        found = []
        for one in ray.nodes():
            resources = one.get("Resources", {})
            found.append(
                Node(
                    one["NodeID"],
                    one.get("NodeManagerHostname") or one.get("NodeManagerAddress") or one["NodeID"],
                    float(resources.get("CPU", 0)),
                    float(resources.get("GPU", 0)),
                    dict(one.get("Labels") or {}),
                    bool(one["Alive"]),
                )
            )
        return named_apart([one for one in found if one.alive])

    def put(self, content: bytes) -> Any:
        """The content, where every node can fetch it once.

        Raises:
            TailgateError: Ray has no room for it.
        """
        try:
            return ray.put(content)
        except RayError as error:
            size = f"{len(content) / 2**20:.0f} MiB"
            raise TailgateError(f"fleet run: Ray has no room for a checkout of {size} ({one_line(error)})") from error

    def start(self, node: Node, order: NodeOrder, archive: Any) -> RayNode:
        """A node's side, as soon as Ray can give all CPUs of the node."""
        return RayNode(node, order, archive)

    def events(self, remotes: Sequence[RayNode], timeout_s: float) -> list[tuple[RayNode, Event]]:
        """What has come; ``lost``: the node is, and why."""
        by_stream = {remote.stream: remote for remote in remotes if remote.stream is not None}
        ready, _ = ray.wait(list(by_stream), num_returns=1, timeout=timeout_s, fetch_local=False)
        if ready:
            ready, _ = ray.wait(list(by_stream), num_returns=len(by_stream), timeout=0, fetch_local=False)
        found: list[tuple[RayNode, Event]] = []
        for stream in ready:
            remote = by_stream[stream]
            try:
                found.append((remote, ray.get(next(stream))))
                remote.answered = True
            except StopIteration:
                remote.stream = None
            except RayTaskError as error:
                found.append((remote, ("failed", [f"its worker failed: {_cause(error)}", 1])))
            except RayError as error:
                found.append((remote, ("lost", _why_lost(error))))
        return found

    def look(self, nodes: Iterable[Node]) -> dict[str, Mapping[str, Any] | str]:
        """What each node says of itself, by name; text: why it says nothing."""
        asked = {
            one.name: LOOK.options(scheduling_strategy=NodeAffinitySchedulingStrategy(one.id, soft=False)).remote()
            for one in nodes
        }
        found: dict[str, Mapping[str, Any] | str] = {}
        for name, answer in asked.items():
            try:
                found[name] = ray.get(answer, timeout=ANSWER_S)
            except RayTaskError as error:
                found[name] = _cause(error)
            except (RayError, TimeoutError) as error:
                found[name] = _why_lost(error)
        return found

    def close(self) -> None:
        """Leave the cluster, which ends whatever we have running there."""
        ray.shutdown()


def connect(address: str) -> RayCluster:
    """Join the cluster at ``HOST:PORT``, or with ``auto`` the one of this machine.

    Raises:
        TailgateError: there is none, or it cannot be joined.
    """
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=True)
    except (RayError, RuntimeError, ValueError, OSError) as error:
        why, then = one_line(error), START
        if isinstance(error, ConnectionError) and error.__cause__ is not None:  # a server is there, of whatever kind
            said = one_line(error.__cause__).rpartition("Error: ")[2]
            why, then = f"no Ray cluster answered there: {said}", CHECK
        raise TailgateError(f"--address: {address} cannot be joined ({why}); {then}") from error
    return RayCluster()


def _cause(error: RayTaskError) -> str:
    return one_line(error.cause) if isinstance(error.cause, BaseException) else one_line(error)


def _why_lost(error: BaseException) -> str:
    if isinstance(error, RayActorError):
        return "the node, or Ray's worker on it, is gone"
    return one_line(error).partition(". ")[0][:200]


class NodeActor:
    """A :class:`NodeSession` in a process of the node."""

    def __init__(self, order: NodeOrder) -> None:
        raylet = raylet_above()
        variables = session_variables(os.environ, variables_of(raylet), str(Path(ray.__file__).parent))
        self._session = NodeSession(order, variables, raylet)

    def prepare(self, archive: bytes) -> Iterable[Event]:
        """As the session's."""
        yield from self._session.prepare(archive)

    def measure(self, plan: Plan) -> Iterable[Event]:
        """As the session's."""
        yield from self._session.measure(plan)

    def stop(self) -> None:
        """As the session's."""
        self._session.stop()

    def leave(self) -> None:
        """Nothing more is wanted."""
        self._session.stop()
        self._session.close()


def look_around() -> dict[str, Any]:
    """What a node says of itself."""
    from tailgate import __version__

    cpus = os.sched_getaffinity(0)
    return {"python": sys.executable, "tailgate": __version__, "cpus": len(cpus), "holder": holder_of(cpus)}


ACTOR: Any = ray.remote(max_restarts=0, max_task_retries=0, max_concurrency=2)(NodeActor)
"""Two calls at once: what measures, and what stops it."""
LOOK: Any = ray.remote(num_cpus=0, max_retries=0)(look_around)
