"""A real Ray cluster on this machine: raylets that are bound to a CPU each, as machines of one CPU would be.

The cluster lives in a process of its own, which obeys lines of JSON: Ray changes signal handlers, threads and warnings
of the process that it is imported in.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from patience import PATIENCE_S

OBJECTS_BYTES = 80 * 2**20
"""The least that Ray allows is 75 MiB."""
CLUSTER = """
import json, os, sys, time
import ray
from ray.cluster_utils import Cluster

objects_bytes = int(sys.argv[1])
ours = os.dup(1)
os.dup2(2, 1)  # Ray's own lines
usual = os.sched_getaffinity(0)
variables = dict(os.environ)
nodes = {}

def start(name, cpu, cpus, labels, more):
    os.sched_setaffinity(0, usual if cpu is None else {cpu})
    os.environ.update(more)
    node = cluster.add_node(num_cpus=cpus, labels=labels, object_store_memory=objects_bytes)
    os.environ.clear()
    os.environ.update(variables)
    nodes[name] = node
    return node.node_id

cluster = Cluster(initialize_head=True, head_node_args={
    "num_cpus": 0, "object_store_memory": objects_bytes, "include_dashboard": False,
})
os.write(ours, (json.dumps(cluster.address) + "\\n").encode())
for line in sys.stdin:
    order, *arguments = json.loads(line)
    if order == "start":
        said = start(*arguments)
    elif order == "kill":
        node = nodes.pop(arguments[0])
        said = cluster.remove_node(node, allow_graceful=False)
        # Ray notices after some seconds.
        while any(one["Alive"] for one in cluster.global_state.node_table() if one["NodeID"] == node.node_id):
            time.sleep(0.1)
    os.write(ours, (json.dumps(said) + "\\n").encode())
cluster.shutdown()
"""
OF_RAY = "RAY_USAGE_STATS_ENABLED"
COMMAND = "import sys; from tailgate.commands.main import main; sys.exit(main())"


class Machines:
    """The cluster, and the fleet commands that are given to it."""

    def __init__(self) -> None:
        self.mark = f"tailgate-fleet-test-{uuid.uuid4().hex}"
        """In the environment of every process that belongs to it."""
        self._folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets have short names
        self._log = Path(self._folder, "cluster.txt").open("w+")  # noqa: SIM115 (closed in close())
        # A token of its own: the cluster listens for whoever reaches the machine.
        # A node that is gone is noticed after 5 failed looks; how long a look may take stays as it is (10 s).
        rays = {
            OF_RAY: "0",
            "RAY_health_check_period_ms": "300",
            "RAY_TMPDIR": self._folder,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": uuid.uuid4().hex,
        }
        # What the raylet has of these is the user's: a test sets them for one node.
        self._variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "COV_", "TAILGATE_", "TOX_", "OMP_", "MKL_", "CUDA_", "RAY_"))
        } | {"MARK": self.mark, **rays}
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER, str(OBJECTS_BYTES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=self._variables,
            start_new_session=True,
        )  # fmt: skip
        self.address = str(self._answer())

    def start(
        self, name: str, cpu: int | None, *, cpus: int = 1, labels: dict[str, str] | None = None, **variables: str
    ) -> str:
        """A machine of one CPU (``None``: of all); ``variables``: its user has set them before ``ray start``."""
        return str(self._order("start", name, cpu, cpus, {"machine": name, **(labels or {})}, variables))

    def kill(self, name: str) -> None:
        """It is gone, as by a power failure: the raylet and its workers."""
        self._order("kill", name)

    def command(self, folder: Path, *arguments: str) -> subprocess.Popen[str]:
        """``tailgate fleet ...`` in a project's folder."""
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, "fleet", *arguments],
            cwd=folder, env=self._variables, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def run(self, folder: Path, *options: str, pytest: tuple[str, ...] = ()) -> tuple[int, str]:
        """``tailgate fleet run`` from beginning to end: exit code and what was said."""
        command = self.command(folder, "run", f"--address={self.address}", *options, "--", *pytest)
        said, _ = command.communicate(timeout=PATIENCE_S)
        return command.returncode, said

    def sessions(self) -> list[str]:
        """Command lines of pytest sessions, and of all they started: ours, and without the variables of Ray."""
        found = []
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                variables = one.environ()
                if variables.get("MARK") == self.mark and OF_RAY not in variables:
                    found.append(f"{one.pid} {' '.join(one.cmdline())[:100]}")
        return found

    def close(self) -> None:
        """End everything of it."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.stdin = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if one.pid != os.getpid() and one.environ().get("MARK") == self.mark:
                    one.send_signal(signal.SIGKILL)
        self._process.communicate()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _order(self, *words: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise AssertionError(f"the cluster has ended: {self._log.read()[-3000:]}")
        return json.loads(line)


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """A cluster whose head does no work."""
    found = Machines()
    try:
        yield found
    finally:
        found.close()


def gone(found: Machines, within_s: float) -> list[str]:
    """What is left of sessions after so long at most."""
    deadline_s = time.monotonic() + within_s
    while (left := found.sessions()) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return left
