"""``tailgate duet RUN.json``: a saved duet's verdicts, as they were or by other limits."""

from __future__ import annotations

import argparse
from pathlib import Path

from tailgate.duet.saved import judged_again
from tailgate.duet.verdicts import compared
from tailgate.errors import TailgateError, unknown_value
from tailgate.gate.limits import session_limits
from tailgate.gate.tables import markdown_table, summary, terminal_table
from tailgate.gate.verdict import line, ordered
from tailgate.history import load_run
from tailgate.settings import DUET_METRICS

FORMATS = ("table", "lines", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's."""
    parser.add_argument(
        "saved", type=Path, metavar="RUN.json", help="written by pytest --duet=SIDE --benchmark-json=RUN.json"
    )
    parser.add_argument("--format", default="table", metavar="NAME", help=f"one of: {', '.join(FORMATS)}")
    parser.add_argument("--gate-min-effect", metavar="P%%", help="judge by this limit instead of the duet's own")
    parser.add_argument("--gate-metrics", metavar="NAMES", help="judge these metrics instead of the duet's own")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """What to print, and the exit code: 1 where something failed or nothing was compared.

    Raises:
        TailgateError: one line.
    """
    if options.format not in FORMATS:
        raise TailgateError(unknown_value("--format", options.format, FORMATS))
    limits = None
    if options.gate_min_effect is not None or options.gate_metrics is not None:
        limits = session_limits(options.gate_min_effect, options.gate_metrics or DUET_METRICS)
    found = judged_again(load_run(options.saved), str(options.saved), limits)
    if options.format == "markdown":
        text = markdown_table(found)
    elif options.format == "lines":
        text = "".join(f"{line(one)}\n" for one in ordered(found))
    else:
        text = f"{terminal_table(found, color=False)}\n{summary(found)}\n"
    return text, int(any(one.failed for one in found) or not compared(found))
