"""``tailgate compare | report | duet | bisect | baselines | history | fleet | doctor``: on saved runs and machines.

A project may add its own (:mod:`tailgate.commands.project`).
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from tailgate import __version__
from tailgate.commands import baselines, bisect, compare, duet, fleet, history, project, report
from tailgate.errors import TailgateError
from tailgate.text import printable

WRONG_USAGE = 4
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Our output's disk is full, or its limit is reached."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one line and the exit code for wrong usage (docs/reference/exit-codes.md)."""
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    parser = _Parser(prog="tailgate", description="Commands on saved benchmark runs and on this machine.")
    parser.add_argument("--version", action="version", version=f"tailgate {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    compare.add(commands)
    report.add(commands)
    duet.add(commands)
    bisect.add(commands)
    baselines.add(commands, _Parser)
    history.add(commands)
    fleet.add(commands, _Parser)

    doctor = commands.add_parser(
        "doctor",
        help="what this machine can measure, what disturbs it, and the command that helps",
        description="What this machine can measure, what disturbs it, and the command that helps. "
        "It reads for about a second and changes no setting. Each finding is ok, note (worth knowing), disturbs, "
        "missing (cannot be measured here) or unknown (could not be read).",
        epilog="Exit code: 1 when at least one finding disturbs measurements, otherwise 0; 4 for wrong usage.",
    )
    doctor.add_argument("--json", action="store_true", help="print the findings as a JSON list instead of text")
    doctor.set_defaults(run=_doctor)

    try:
        typed = next((word for word in (sys.argv[1:] if arguments is None else arguments) if word[:1] != "-"), None)
        if typed not in commands.choices:
            _add_the_projects(commands, typed)
        commands.metavar = f"{{{','.join(commands.choices)}}}"
        options, rest = parser.parse_known_args(arguments)
        if rest and options.command != "compare":
            parser.error(f"unknown argument {rest[0]!r}")
        code = int(options.run(options, rest))
        sys.stdout.flush()
        return code
    except TailgateError as error:
        print(f"tailgate: error: {printable(str(error))}", file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:
        _drop_output()
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        return 1
    except OSError as error:
        if error.errno not in FULL:
            raise
        _drop_output()
        print(f"tailgate: error: the output cannot be written ({error.strerror})", file=sys.stderr)
        return WRONG_USAGE


def _drop_output() -> None:
    """What is left in its buffer: Python would try it again at the end, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _add_the_projects(commands: Any, typed: str | None) -> None:
    """Add the commands of the project around us; they are imported only where none of ours was typed.

    Raises:
        TailgateError: what was typed is nobody's command, or the project's cannot be had.
    """
    try:
        found = project.add(commands, Path.cwd())
    except TailgateError:
        if typed is not None:
            raise
        found = None  # --help shows ours whatever the project's state
    if typed is not None and typed not in commands.choices:
        raise TailgateError(project.unknown(typed, list(commands.choices), found))


def _doctor(options: argparse.Namespace, rest: list[str]) -> int:
    from tailgate.machine.doctor import disturbing, examine
    from tailgate.machine.doctor.render import as_json, as_text, terminal_width

    examination = examine()
    print(as_json(examination) if options.json else as_text(examination, terminal_width()), end="")
    return 1 if disturbing(examination) else 0
