"""``tailgate duet RUN.json``: a saved duet's verdicts, as they were or by other limits."""

import argparse
from typing import Any

from tailgate.commands.paths import path
from tailgate.errors import TailgateError, unknown_value
from tailgate.results.saved_run import Run, load_run

FORMATS = ("table", "lines", "markdown", "comment")
MOST_OPERATORS, MOST_OPERATORS_OF_A_COMMENT = 30, 10
"""Rows of a table of operators."""


def add(commands: Any) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "duet",
        help="the verdicts of a saved duet again, as a table, as lines, in Markdown or as a pull request's comment",
        description="The verdicts of a saved duet, from its rounds: as they were, or by other limits.",
        epilog="Exit code: 1 when something failed or nothing was compared, otherwise 0; 4 for wrong usage.",
    )
    parser.add_argument(
        "saved", type=path, metavar="RUN.json", help="written by pytest --duet=SIDE --benchmark-json=RUN.json"
    )
    parser.add_argument("--format", default="table", metavar="NAME", help=f"one of: {', '.join(FORMATS)}")
    parser.add_argument("--gate-min-effect", metavar="P%%", help="judge by this limit instead of the duet's own")
    parser.add_argument("--gate-metrics", metavar="NAMES", help="judge these metrics instead of the duet's own")

    parser.set_defaults(run=_duet)


def _duet(options: argparse.Namespace, rest: list[str]) -> int:
    """Print it; 1 where something failed or nothing was compared.

    Raises:
        TailgateError: one line.
    """
    from tailgate.gates.duet.saved import judged_again
    from tailgate.gates.limits import session_limits
    from tailgate.results.comment import comment
    from tailgate.results.explanation import saved_explanations
    from tailgate.results.explanation_text import tables, terminal_lines
    from tailgate.results.pages.markdown import operators_section
    from tailgate.results.verdict import compared, line, ordered
    from tailgate.results.verdict_table import markdown_table, summary, terminal_table

    if options.format not in FORMATS:
        raise TailgateError(unknown_value("--format", options.format, FORMATS))
    limits = None
    if options.gate_min_effect is not None or options.gate_metrics is not None:
        limits = session_limits(options.gate_min_effect, options.gate_metrics, duet=True)
    run = load_run(options.saved)
    found = judged_again(run, str(options.saved), limits)
    most = MOST_OPERATORS_OF_A_COMMENT if options.format == "comment" else MOST_OPERATORS
    explained = tables(saved_explanations(run), found, most)
    if options.format == "markdown":
        print(markdown_table(found), *map(operators_section, explained), sep="\n", end="")
    elif options.format == "comment":
        print(comment(found, _base(run), explained), end="")
    elif options.format == "lines":
        print("".join(f"{line(one)}\n" for one in ordered(found)), end="")
    else:
        print(f"{terminal_table(found, color=False)}\n{summary(found)}")
        print("".join(f"{text}\n" for one in explained for text in terminal_lines(one)), end="")
    return int(any(one.failed for one in found) or not compared(found))


def _base(run: Run) -> str:
    """What the base side was, as far as the file says."""
    base = run["tailgate_duet"].get("base")
    facts = base if isinstance(base, dict) else {}
    known = [str(facts[name]) for name in ("ref", "commit", "python") if facts.get(name)]
    return (", ".join(known) or "another side")[:200]
