"""``tailgate history NAME``: the saved sessions of a name, and where a level changed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailgate.commands.baselines import DEFAULT_STORAGE, default_storage
from tailgate.commands.paths import path
from tailgate.errors import TailgateError, unknown_value
from tailgate.files import replace_bytes
from tailgate.text import counted

if TYPE_CHECKING:
    from tailgate.history import History

METRICS = ("median", "p99", "throughput")


def add(commands: Any) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "history",
        help="the saved sessions of a name, and where and by how much each benchmark's level changed",
        description="The saved sessions of a name on each machine, in the order of their commits: the level of each "
        "benchmark, and the points where it changed, each with its size, its commits, and whether the machine changed "
        "there too.",
        epilog="Exit code: 0, whatever changed; 4 for wrong usage.",
    )
    parser.add_argument("name", metavar="NAME", help="what the runs were saved under; see: tailgate baselines list")
    parser.add_argument("--metric", default="median", metavar="|".join(METRICS), help="default: median")
    parser.add_argument("--storage", type=path, metavar="DIR", help=DEFAULT_STORAGE)
    parser.add_argument(
        "--json", action="store_true", help="print a JSON list, one object per machine, instead of text"
    )
    parser.add_argument(
        "--html", type=path, metavar="DIR", help="write a static site there: an index, and a page for each benchmark"
    )
    parser.set_defaults(run=_history)


def _history(options: argparse.Namespace, rest: list[str]) -> int:
    if options.metric not in METRICS:
        raise TailgateError(unknown_value("--metric", options.metric, METRICS))
    if options.json and options.html:
        raise TailgateError("--json prints and --html writes: leave one of them out")
    from tailgate.history import histories

    found = histories(options.storage or default_storage(), options.name, options.metric)
    if options.json:
        from tailgate.history.as_json import as_json
        from tailgate.results.plain import json_text

        print(json_text([as_json(one) for one in found], indent=1))
        return 0
    if options.html:
        return _site(found, options.html)
    from tailgate.history.text import as_text

    print("\n".join(map(as_text, found)), end="")
    return 0


def _site(found: Sequence[History], folder: Path) -> int:
    from tailgate.history.site import files
    from tailgate.results.pages.document import only_own

    made = dict(files(found))
    only_own("--html", folder, made)
    for name, content in made.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_bytes(folder / name, content)
        except OSError as error:
            raise TailgateError(f"--html: {folder / name} cannot be written ({error.strerror or error})") from error
    print(f"Wrote {counted(len(made), 'pages')}; begin with {folder / 'index.html'}")
    return 0
