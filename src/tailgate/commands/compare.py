"""``tailgate compare A.json B.json ...``: the table, how much faster, whether that is a regression."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailgate.errors import TailgateError, one_line
from tailgate.gates.limits import session_limits
from tailgate.results.limits import Limits
from tailgate.results.rows import fleet_nodes
from tailgate.results.saved_run import Run, load_run, machine_id_of
from tailgate.text import counted, printable

if TYPE_CHECKING:  # only this command needs it
    from tailgate.gates.saved.sessions import Session

WRONG_USAGE = 4
WRONG_ARGUMENT = 2
"""argparse's own exit code for it."""


def add(commands: Any) -> None:
    """Add the command; it takes all arguments of pytest-benchmark's, and ours."""
    parser = commands.add_parser(
        "compare",
        help="a table of saved runs side by side, with percentile columns",
        description="pytest-benchmark's compare, with P90, P95, P99, P99.9 and throughput. "
        "Every option of `pytest-benchmark compare --help` works (--columns, --sort, --group-by, --csv ...). "
        "Of several runs also how much faster each is than the first. --fail-on-regression: judge the last run by all "
        "the others, one session each; exit code 1 where it got worse (--gate-min-effect P%, --gate-metrics NAMES).",
        add_help=False,
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    """Hand over to pytest-benchmark's command with our columns in place: it loads no plug-ins itself."""
    from tailgate.gates.saved.sessions import of_run
    from tailgate.seams import benchmark_names

    ours = argparse.ArgumentParser(prog="tailgate compare", add_help=False, allow_abbrev=False, exit_on_error=False)
    ours.add_argument("--fail-on-regression", action="store_true")
    ours.add_argument("--gate-min-effect")
    ours.add_argument("--gate-metrics")
    try:
        gate, rest = ours.parse_known_args(rest)
    except argparse.ArgumentError as error:
        raise TailgateError(f"compare: {error}; see tailgate compare --help") from error
    limits = session_limits(gate.gate_min_effect, gate.gate_metrics)
    command = benchmark_names.install_command()
    # Names without a path are looked for in baselines/ where that is.
    place = ["--storage", "file://./baselines"] if Path("baselines").is_dir() else []
    arguments = [*place, "compare", *rest]
    kept, sys.argv = sys.argv, ["tailgate", *arguments]
    sessions: list[Session] = []
    try:
        if not {"-h", "--help"} & set(rest):
            files = list(dict.fromkeys(benchmark_names.saved_runs(command, arguments)))
            if gate.fail_on_regression and len(files) < 2:
                raise TailgateError("compare --fail-on-regression: needs two runs or more, the last of them is judged")
            benchmark_names.check_between(benchmark_names.compare_options(command, arguments), len(files))
            runs = {file: load_run(file, rounds=False) for file in files}
            _announce_machines(list(runs.values()))
            _announce_nodes(runs)
            sessions = [of_run(file, run) for file, run in runs.items()]
            benchmark_names.use_loaded(runs)
        command.main()
    except SystemExit as stop:
        return WRONG_USAGE if stop.code == WRONG_ARGUMENT else int(stop.code or 0)
    except ImportError as error:  # of what draws histograms, or of the conftest.py here
        raise TailgateError(f"compare: {one_line(error)}") from error
    except (argparse.ArgumentTypeError, NotImplementedError, OSError) as error:  # a wrong value, grouping or path
        if isinstance(error, OSError) and error.filename is None:  # of our own output
            raise
        raise TailgateError(f"compare: {one_line(error)}") from error
    finally:
        sys.argv = kept
        benchmark_names.use_loaded({})
    if len(sessions) < 2:
        return 0
    return _judge(sessions, benchmark_names.chosen_by(command, arguments), limits if gate.fail_on_regression else None)


def _judge(sessions: list[Session], chosen: Callable[[str], bool], limits: Limits | None) -> int:
    """The speed-ups; with limits, the verdicts on the last file."""
    from tailgate.commands.speedups import speedup_table

    print(f"\n{speedup_table(sessions, chosen)}", end="")
    if limits is None:
        return 0
    from tailgate.gates.saved.files import remarks, verdicts_on
    from tailgate.results.verdict import compared, line
    from tailgate.results.verdict_table import summary, terminal_table

    verdicts, history = verdicts_on(sessions, limits, chosen)
    left_out = f"; not used: {', '.join(history.left_out)}" if history.left_out else ""
    print(f"\n{terminal_table(verdicts, color=False)}" if verdicts else "")
    against = f"{sessions[-1].path.name} against {counted(len(history.sessions), 'sessions')}{left_out}"
    print(f"{printable(against)}: {summary(verdicts)}")
    for note in remarks(sessions[-1], history):
        print(printable(f"{note}."))
    for one in verdicts:
        if one.failed:
            print(line(one))
    if not compared(verdicts) and not any(one.failed for one in verdicts):
        print("Nothing was compared, so this does not pass; name several runs of one machine before the one to judge")
        return 1
    return int(any(one.failed for one in verdicts))


def _announce_machines(runs: list[Run]) -> None:
    """Say so where runs of different machines are compared."""
    machines = {machine_id_of(run) for run in runs}
    if len(machines) > 1:
        names = ", ".join(sorted(machine or "unknown" for machine in machines))
        print(f"These runs are from different machines ({printable(names)}): a difference is not a regression.")


def _announce_nodes(runs: Mapping[Path, Run]) -> None:
    """Say so where the rows of one run were measured on several machines that are alike."""
    for file, run in runs.items():
        if len(nodes := fleet_nodes(run)) > 1:
            told = ", ".join(f"{node} ({counted(rows, 'rows')})" for node, rows in sorted(nodes.items()))
            print(
                printable(
                    f"{file.name} has rows of {counted(len(nodes), 'nodes')}, each named in its fleet_node: {told}"
                )
            )
