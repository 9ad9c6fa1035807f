"""``tailgate report``: a saved run as a page, in a study's format or for another tool, with what lies beside it."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tailgate.commands.formats import formats, kinds, ours, printable_data, where_more_are
from tailgate.commands.paths import path
from tailgate.errors import TailgateError, unknown_value
from tailgate.files import replace_bytes
from tailgate.results.pages import folder, html
from tailgate.results.pages.document import only_own
from tailgate.results.reading import for_reports
from tailgate.results.saved_run import Run, load_run


def add(commands: Any) -> None:
    """Add the command to ``tailgate``'s sub-parsers."""
    parser = commands.add_parser("report", help="write a saved run as a page, in a study's format, or for another tool")
    parser.add_argument("runs", nargs="+", type=path, metavar="RUN.json")
    parser.add_argument(
        "--format",
        nargs="?",
        metavar="NAME",
        help="html, markdown, one for another tool (bencher, openmetrics, ...), or one of the project's; must be named",
    )
    parser.add_argument(
        "--output",
        type=path,
        metavar="FILE",
        help="write there instead of to standard output; pictures and tables go beside it, under its name",
    )
    parser.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="write a page with pictures there (index.html), the pictures as PNG, and every table as CSV and Markdown",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, rest: list[str]) -> int:
    """Print or write.

    Raises:
        TailgateError: none or no such format, unreadable runs, runs the format cannot express, or nowhere to write.
    """
    if options.out is not None:
        return _folder(options)
    here = Path.cwd()
    chosen = ours().get(options.format)
    if chosen is None:
        known = formats(here)
        if options.format is None:
            for file in options.runs:  # one that is not there is the first thing to say
                load_run(file, rounds=False)
            raise TailgateError(f"--format: name one (allowed: {', '.join(known)})" + where_more_are(here))
        if options.format not in known:
            raise TailgateError(unknown_value("--format", options.format, known) + where_more_are(here))
        chosen = known[options.format]
    compact = options.format in ours()
    runs = [for_reports(load_run(file, rounds=chosen.rounds, compact=compact)) for file in options.runs]
    text = _page(runs) if options.format == html.NAME else chosen.render(runs)
    for line in chosen.warnings(runs) if chosen.warnings is not None else []:
        print(f"Warning: {line}", file=sys.stderr)
    if options.output is None:
        print(text, end="")
        if chosen.attachments is not None:
            print("What lies beside it (pictures, tables) is written with --output=FILE", file=sys.stderr)
        return 0
    attached = chosen.attachments(runs) if chosen.attachments else {}
    _write("--output", files(options.output, text, attached), options.runs)
    return 0


def _page(runs: list[Run]) -> str:
    """With the project's pictures, which a format of ours knows nothing of."""
    return html.render([printable_data(run) for run in runs], kinds(Path.cwd()))


def _folder(options: argparse.Namespace) -> int:
    """``--out DIR``."""
    for flag, given in (("--format", options.format not in (None, html.NAME)), ("--output", options.output)):
        if given:
            raise TailgateError(f"--out writes a page, its pictures and its tables; leave {flag} away")
    runs = [printable_data(for_reports(load_run(file, compact=True))) for file in options.runs]
    made = folder.files(runs, kinds(Path.cwd()))
    only_own("--out", options.out, made)
    _write("--out", {options.out / name: content for name, content in made.items()}, options.runs)
    return 0


def _write(flag: str, contents: Mapping[Path, bytes], read: Sequence[Path]) -> None:
    """Nothing, where one of the files is one of those that were read."""
    for file in contents:
        if file.exists() and any(file.samefile(one) for one in read):
            raise TailgateError(f"{flag}: {file} is one of the runs to read; name another file")
    for file, content in contents.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.exists() and not file.is_file():  # a pipe, a terminal
                file.write_bytes(content)
            else:
                replace_bytes(file.resolve(), content)
        except OSError as error:
            raise TailgateError(f"{flag}: {file} cannot be written ({error.strerror or error})") from error
        print(f"Wrote {file}")


def files(output: Path, text: str, attachments: Mapping[str, bytes]) -> dict[Path, bytes]:
    """Every file by path; where ``output`` itself names an attachment (``report.csv``), the text goes to ``.md``."""
    main = output.with_suffix(".md") if output.suffix in attachments else output
    beside = {output.with_name(output.stem + suffix): content for suffix, content in attachments.items()}
    return {main: text.encode(), **beside}
