"""``tailgate bisect --good REF --bad REF -- pytest ...``: the commit that made a benchmark slower."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tailgate.errors import TailgateError

INTERRUPTED = 2


def add(commands: Any) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "bisect",
        usage="tailgate bisect [-h] --good REF [--bad REF] [--first-parent] [--no-install] [--restart] -- pytest ...",
        help="the commit that made a benchmark slower: git's bisect, with a duet at each step",
        description="Finds the commit that made a benchmark slower: git's bisect, with a duet of the candidate against "
        "the good side at each step. It works in checkouts of its own; the working tree, the index and HEAD stay as "
        "they are. Interrupted, the same command goes on where it was.",
        epilog="Exit code: 0 when one commit was found and confirmed; 1 when only a range could be told, or the bad "
        "side is not slower; 2 when interrupted; 4 for wrong usage.",
    )
    parser.add_argument("--good", required=True, metavar="REF", help="a commit that was fast")
    parser.add_argument("--bad", default="HEAD", metavar="REF", help="a later one that is slow; default: HEAD")
    parser.add_argument("--first-parent", action="store_true", help="a merge is one step, as git bisect --first-parent")
    parser.add_argument(
        "--no-install",
        action="store_true",
        help="measure all commits with the packages that are installed, whatever their requirements say",
    )
    parser.add_argument("--restart", action="store_true", help="measure anew what an earlier run of this has measured")
    parser.add_argument("program", nargs="*", metavar="pytest", help="after --: the benchmarks, as pytest runs them")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number in (number for number, handler in kept.items() if handler == signal.SIG_DFL):
        signal.signal(number, _as_interrupt)
    try:
        return _bisect(options)
    except KeyboardInterrupt:
        print("bisect: interrupted; the duets that ended are kept, and the same command goes on", file=sys.stderr)
        return INTERRUPTED
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _bisect(options: argparse.Namespace) -> int:
    from tailgate.gates.bisection import report, run

    asked = run.prepared(Path.cwd(), options.good, options.bad, options.program, first_parent=options.first_parent)
    _say(report.opening(asked.ends, options.good, options.bad))
    try:
        answer, lines = asked.run(install=not options.no_install, restart=options.restart, say=_say)
    except OSError as error:
        if error.filename is None:  # our own output: its reader has gone, or its disk is full
            raise
        raise TailgateError(
            f"bisect: {error.filename}: {error.strerror}; once that is mended, the same command goes on"
        ) from error
    print("\n".join(lines))
    return int(not answer.confirmed)


def _say(text: str) -> None:
    print(f"bisect: {text}", flush=True)


def _as_interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
