"""``tailgate baselines list | show | prune | accept``."""

import argparse
from pathlib import Path
from typing import Any

from tailgate.commands import project
from tailgate.commands.paths import path

OURS, THEIRS = Path("baselines"), Path(".benchmarks")
DEFAULT_STORAGE = "default: the project's tailgate_baselines, else ./baselines; where there is none, ./.benchmarks"


def add(commands: Any, parser_class: type[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "baselines",
        help="list, show and prune saved runs; accept one whose gate failed",
        description="Saved runs by machine and name, as --benchmark-compare=NAME --gate uses them.",
    )
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="{list,show,prune,accept}", parser_class=parser_class
    )
    every = actions.add_parser("list", help="one line for each name on each machine")
    show = actions.add_parser("show", help="the sessions of one name, and how much each benchmark scatters")
    show.add_argument("name", metavar="NAME")
    prune = actions.add_parser("prune", help="remove all but the last sessions of one name")
    prune.add_argument("name", metavar="NAME")
    prune.add_argument("--keep", type=int, required=True, metavar="N", help="how many stay, on each machine")
    accept = actions.add_parser("accept", help="make a run a baseline of its machine, whatever its gate said")
    accept.add_argument("file", type=path, metavar="RUN.json")
    accept.add_argument("--as", dest="name", metavar="NAME", help="default: the name it was saved under")
    for action in (every, show, prune, accept):
        action.add_argument("--storage", type=path, metavar="DIR", help=DEFAULT_STORAGE)
        action.set_defaults(run=_baselines)


def default_storage() -> Path:
    """What the project's ``tailgate_baselines`` names; without it the gate judges by pytest-benchmark's own folder."""
    named = project.storage(Path.cwd())
    if named is not None:
        return named
    return THEIRS if THEIRS.is_dir() and not OURS.is_dir() else OURS


def _baselines(options: argparse.Namespace, rest: list[str]) -> int:
    from tailgate.gates.saved import baselines

    storage = options.storage or default_storage()
    if options.action == "list":
        print(baselines.listing(storage), end="")
    elif options.action == "show":
        print(baselines.shown(storage, options.name), end="")
    elif options.action == "prune":
        removed = baselines.pruned(storage, options.name, options.keep)
        print(
            "".join(f"Removed {file}\n" for file in removed) or f"Nothing to remove: {options.keep} or fewer\n", end=""
        )
    else:
        place, is_new = baselines.accepted(
            options.file, options.storage or project.storage(Path.cwd()) or OURS, options.name
        )
        print(f"Accepted: {place}" if is_new else f"Already a baseline: {place}")
    return 0
