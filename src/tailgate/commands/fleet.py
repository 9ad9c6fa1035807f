"""``tailgate fleet run | status``: the same benchmarks on the machines of a Ray cluster."""

from __future__ import annotations

import argparse
import getpass
import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailgate.commands import project
from tailgate.commands.baselines import OURS
from tailgate.commands.paths import path
from tailgate.errors import TailgateError, unknown_value
from tailgate.text import aligned, counted, printable

if TYPE_CHECKING:  # Ray is an extra
    from tailgate.fleet.ray_cluster import RayCluster

SHARDS = ("alike",)
WITHOUT_RAY = (
    "fleet: it runs on Ray, which is not installed here; install it with: pip install 'ray>=2.60', or with Tailgate: "
    "pip install 'tailgate[fleet] @ git+<this repository>'"
)


def add(commands: Any, parser_class: type[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "fleet",
        help="measure on many machines at once, on a Ray cluster",
        description="The same benchmarks on the machines of a Ray cluster, each with one whole machine to itself.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="{run,status}", parser_class=parser_class)
    run = actions.add_parser(
        "run",
        help="measure on each chosen node, and save each run among the baselines of its machine",
        description="Measure on each chosen node, and save each run among the baselines of its machine. What follows "
        "-- are pytest's arguments; with --benchmark-compare=NAME --gate each node is judged by its own history.",
        epilog="Exit code: as pytest's on one machine, where all nodes end alike; otherwise 1; 2 when interrupted.",
    )
    run.add_argument("--nodes", default="all", metavar="NODES", help="all (default), a number, or LABEL=VALUE")
    run.add_argument(
        "--python", metavar="PATH", help="the interpreter on each node; default: the one that Ray runs on there"
    )
    run.add_argument("--build", metavar="COMMAND", help="a shell command for each node's checkout, before the tests")
    run.add_argument("--shard", metavar="alike", help="divide the benchmarks over nodes that are alike")
    run.add_argument("--resume", action="store_true", help="go on: what is finished on a machine is not measured again")
    run.add_argument(
        "--storage",
        type=path,
        metavar="DIR",
        help="saved runs; default: the project's tailgate_baselines, else baselines",
    )
    run.add_argument("arguments", nargs="*", metavar="-- PYTEST ARGUMENTS", help="such as: -- benchmarks -k resnet50")
    run.set_defaults(run=_run)
    status = actions.add_parser("status", help="the nodes, and who measures there")
    status.set_defaults(run=_status)
    for action in (run, status):
        action.add_argument(
            "--address",
            default="auto",
            metavar="HOST:PORT",
            help="of the cluster; auto (default): that of this machine",
        )


def _connected(address: str) -> RayCluster:
    from tailgate.fleet.address import check_address

    check_address(address)
    try:
        from tailgate.fleet.ray_cluster import connect
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise TailgateError(WITHOUT_RAY) from error
    return connect(address)


def _run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Measure; returns the exit code.

    Raises:
        TailgateError: one line, before anything is measured.
    """
    from tailgate.fleet.arguments import parsed
    from tailgate.fleet.checkout import packed
    from tailgate.fleet.endings import next_steps
    from tailgate.fleet.home import Home
    from tailgate.fleet.interrupts import Interrupts
    from tailgate.fleet.node import NodeOrder
    from tailgate.fleet.nodes import chosen
    from tailgate.fleet.run import FleetRun, Request
    from tailgate.fleet.screen import Screen
    from tailgate.fleet.states import exit_code
    from tailgate.fleet.verdicts import verdict_table
    from tailgate.seams.commit import commit_info

    if options.shard is not None and options.shard not in SHARDS:
        raise TailgateError(unknown_value("--shard", options.shard, SHARDS))
    arguments = parsed([*options.arguments, *(["--resume"] if options.resume else [])])
    here = Path.cwd()
    storage = options.storage or _storage(here)
    cluster = _connected(options.address)
    try:
        nodes, remarks = chosen(cluster.nodes(), options.nodes)
        checkout = packed(here, storage)
        told = repr(
            (checkout.digest, arguments.measuring, arguments.judging, options.python, options.build, options.shard)
        )
        home = Home(here, storage, arguments.name, hashlib.sha256(told.encode()).hexdigest(), resume=arguments.resume)
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        order = NodeOrder(
            holder=f"{arguments.name!r} of {getpass.getuser()} on {platform.node()}, since {since}",
            python=options.python,
            build=options.build,
            cwd=checkout.cwd,
            arguments=arguments.measuring,
            calibrate=options.shard is not None,
        )
        request = Request(arguments, order, cluster.put(checkout.archive), commit_info(), options.shard is not None)
        run = FleetRun(cluster, nodes, request, home)
        screen = Screen()
        for line in (
            *remarks,
            f"{checkout.files} files, {len(checkout.archive) / 2**20:.1f} MiB, to {counted(len(nodes), 'nodes')}",
        ):
            screen.say(line)
        with Interrupts() as interrupts, screen.open():
            run.run(screen.show, interrupts)
    finally:
        cluster.close()
    for line in (*run.remarks, *next_steps(run.states)):
        screen.say(line)
    if arguments.gate:
        print(f"\n{verdict_table(run.machines)}", end="")
    return exit_code(run.states, interrupted=run.interrupted)


def _storage(here: Path) -> Path:
    """Where the project's own sessions save."""
    return here / (project.storage(here) or OURS)


def _status(options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the nodes."""
    cluster = _connected(options.address)
    try:
        nodes = cluster.nodes()
        seen = cluster.look(nodes)
    finally:
        cluster.close()
    rows = [["node", "CPUs", "GPUs", "Tailgate", "interpreter", "labels", "measured by"]]
    for one in nodes:
        found = seen[one.name]
        labels = " ".join(f"{name}={value}" for name, value in one.labels.items() if not name.startswith("ray.io/"))
        told = (
            ["", "", "", f"no answer: {found}"]
            if isinstance(found, str)
            else [found["tailgate"], found["python"], labels or "-", found["holder"] or "nobody"]
        )
        rows.append([one.name, f"{one.cpus:g}", f"{one.gpus:g}", *told])
    for line in aligned(rows):
        print(printable(line))
    return 0
