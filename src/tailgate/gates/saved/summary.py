"""The verdicts at the end of a session."""

from collections.abc import Sequence

import pytest

from tailgate.gates.saved.sessions import History
from tailgate.results.verdict import Verdict, line
from tailgate.results.verdict_table import summary, terminal_table
from tailgate.stats.decision import UNDECIDED
from tailgate.text import counted, printable


def write(
    reporter: pytest.TerminalReporter,
    config: pytest.Config,
    history: History,
    verdicts: Sequence[Verdict],
    nothing_compared: str | None,
) -> None:
    """The table, the history it is from, and what to do where it says nothing."""
    reporter.section("gate", sep="-")
    if verdicts:
        for text in terminal_table(verdicts, color=config.get_terminal_writer().hasmarkup).splitlines():
            reporter.write_line(text)
    name = "the latest run" if config.option.benchmark_compare is True else repr(config.option.benchmark_compare)
    left_out = f"; not used: {', '.join(history.left_out)}" if history.left_out else ""
    sessions = counted(len(history.sessions), "saved sessions")
    reporter.write_line(printable(f"Against {sessions} of {name}{left_out}."))
    reporter.write_line(summary(verdicts))
    for note in history.expected.notes:
        reporter.write_line(printable(f"{note}."))
    undecided = [one for one in verdicts if one.verdict == UNDECIDED]
    if nothing_compared:
        reporter.write_line(nothing_compared, red=True, bold=True)
    elif undecided and len(undecided) == len(verdicts):
        reporter.write_line(f"No verdict yet: {line(undecided[0])}", yellow=True)
