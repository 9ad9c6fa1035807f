"""``tailgate compare | report | duet | doctor``: commands on saved runs, and a look at the machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tailgate import __version__
from tailgate.duet import command as duet_command
from tailgate.errors import TailgateError, one_line, unknown_value
from tailgate.history import load_run, machine_id_of

WRONG_USAGE = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and CONTRACT.md's exit code for wrong usage."""
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    parser = _Parser(prog="tailgate", description="Commands on saved benchmark runs and on this machine.")
    parser.add_argument("--version", action="version", version=f"tailgate {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="{compare,report,duet,doctor}", parser_class=_Parser
    )

    compare = commands.add_parser(
        "compare",
        help="a table of saved runs side by side, with percentile columns",
        description="pytest-benchmark's compare, with P90, P95, P99, P99.9 and throughput. "
        "Every option of `pytest-benchmark compare --help` works (--columns, --sort, --group-by, --csv ...).",
        add_help=False,
    )
    compare.set_defaults(run=_compare)

    report = commands.add_parser("report", help="write a saved run in a study's format, or what follows from it")
    report.add_argument("runs", nargs="+", type=Path, metavar="RUN.json")
    report.add_argument("--format", required=True, metavar="NAME", help=f"one of: {', '.join(_formats())}")
    report.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to standard output")
    report.set_defaults(run=_report)

    duet = commands.add_parser(
        "duet",
        help="the verdicts of a saved duet again, as a table, as lines or in Markdown",
        description="The verdicts of a saved duet, from its rounds: as they were, or by other limits.",
        epilog="Exit code: 1 when something failed or nothing was compared, otherwise 0; 4 for wrong usage.",
    )
    duet.set_defaults(run=_duet)
    duet_command.add_arguments(duet)

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
        options, rest = parser.parse_known_args(arguments)
        if rest and options.command != "compare":
            parser.error(f"unknown argument {rest[0]!r}")
        return int(options.run(options, rest))
    except TailgateError as error:
        print(f"tailgate: error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        return 1


def _formats() -> list[str]:
    from tailgate.reports import formats

    return list(formats())


def _report(options: argparse.Namespace, rest: list[str]) -> int:
    from tailgate.reports import formats

    known = formats()
    if options.format not in known:
        raise TailgateError(unknown_value("--format", options.format, known))
    text = known[options.format]([load_run(path) for path in options.runs])
    if options.output is None:
        print(text, end="")
        return 0
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf8")
    except OSError as error:
        raise TailgateError(f"--output: {options.output} cannot be written ({error.strerror or error})") from error
    print(f"Wrote {options.output}")
    return 0


def _duet(options: argparse.Namespace, rest: list[str]) -> int:
    text, code = duet_command.run(options)
    print(text, end="")
    return code


def _doctor(options: argparse.Namespace, rest: list[str]) -> int:
    from tailgate.doctor import disturbing, examine
    from tailgate.doctor.render import as_json, as_text, terminal_width

    examination = examine()
    print(as_json(examination) if options.json else as_text(examination, terminal_width()), end="")
    return 1 if disturbing(examination) else 0


def _compare(options: argparse.Namespace, rest: list[str]) -> int:
    """Hand over to pytest-benchmark's command with our columns in place: it loads no plug-ins itself."""
    from tailgate import seams

    command = seams.install_command()
    # Names without a path are looked for in baselines/ where that is.
    place = ["--storage", "file://./baselines"] if Path("baselines").is_dir() else []
    arguments = [*place, "compare", *rest]
    kept, sys.argv = sys.argv, ["tailgate", *arguments]
    try:
        if not {"-h", "--help"} & set(rest):
            _check_comparable(seams.saved_runs(command, arguments))
        command.main()
    except SystemExit as stop:
        return WRONG_USAGE if stop.code == 2 else int(stop.code or 0)
    except (argparse.ArgumentTypeError, NotImplementedError, OSError) as error:  # a wrong value, grouping or path
        raise TailgateError(f"compare: {one_line(error)}") from error
    finally:
        sys.argv = kept
    return 0


def _check_comparable(files: list[Path]) -> None:
    """Every file can be believed, and runs of different machines are announced as such."""
    machines = {machine_id_of(load_run(path)) for path in files}
    if len(machines) > 1:
        names = ", ".join(sorted(machine or "unknown" for machine in machines))
        print(f"These runs are from different machines ({names}): a difference is not a regression.")
