"""``tailgate report``: a saved run as a page, in a study's format or for another tool, with what lies beside it."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tailgate.commands.formats import formats, ours, where_more_are
from tailgate.errors import TailgateError, unknown_value
from tailgate.files import replace_bytes
from tailgate.results.reading import for_reports
from tailgate.results.saved_run import load_run


def add(commands: Any) -> None:
    """Add the command to ``tailgate``'s sub-parsers."""
    parser = commands.add_parser("report", help="write a saved run as a page, in a study's format, or for another tool")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN.json")
    parser.add_argument(
        "--format",
        nargs="?",
        metavar="NAME",
        help="html, markdown, one for another tool (bencher, openmetrics, ...), or one of the project's; must be named",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write there instead of to standard output; pictures and tables go beside it, under its name",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, rest: list[str]) -> int:
    """Print or write.

    Raises:
        TailgateError: none or no such format, unreadable runs, runs the format cannot express, or nowhere to write.
    """
    here = Path.cwd()
    chosen = ours().get(options.format)
    if chosen is None:
        known = formats(here)
        if options.format is None:
            raise TailgateError(f"--format: name one (allowed: {', '.join(known)})" + where_more_are(here))
        if options.format not in known:
            raise TailgateError(unknown_value("--format", options.format, known) + where_more_are(here))
        chosen = known[options.format]
    runs = [for_reports(load_run(path, rounds=options.format not in ours())) for path in options.runs]
    text = chosen.render(runs)
    for line in chosen.warnings(runs) if chosen.warnings is not None else []:
        print(f"Warning: {line}", file=sys.stderr)
    if options.output is None:
        print(text, end="")
        if chosen.attachments is not None:
            print("What lies beside it (pictures, tables) is written with --output=FILE", file=sys.stderr)
        return 0
    for path, content in files(options.output, text, chosen.attachments(runs) if chosen.attachments else {}).items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():  # a pipe, a terminal
                path.write_bytes(content)
            else:
                replace_bytes(path.resolve(), content)
        except OSError as error:
            raise TailgateError(f"--output: {path} cannot be written ({error.strerror or error})") from error
        print(f"Wrote {path}")
    return 0


def files(output: Path, text: str, attachments: Mapping[str, bytes]) -> dict[Path, bytes]:
    """Every file by path; where ``output`` itself names an attachment (``report.csv``), the text goes to ``.md``."""
    main = output.with_suffix(".md") if output.suffix in attachments else output
    beside = {output.with_name(output.stem + suffix): content for suffix, content in attachments.items()}
    return {main: text.encode(), **beside}
